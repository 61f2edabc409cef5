"""What cycle numbers add, and that they take nothing away."""

import numpy as np
import pytest

from lims.domain.pooling.bayes.ct_model import CtModel
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.posterior import Posterior, posterior
from lims.domain.pooling.bayes.states import independent

TWENTY = tuple(range(20))


def row(number: int, ct: float | None) -> Measurement:
    """Of a grid of four rows by five columns."""
    members = tuple(range(5 * number, 5 * number + 5))
    return Measurement(Role.SUB_POOL, members, ct is not None, ct_cycles=ct)


def column(number: int, ct: float | None) -> Measurement:
    members = tuple(range(number, 20, 5))
    return Measurement(Role.SUB_POOL, members, ct is not None, ct_cycles=ct)


def grid(rows: list[float | None], columns: list[float | None], master: float | None) -> Posterior:
    told = [
        Measurement(Role.MASTER, TWENTY, detected=True, ct_cycles=master),
        *(row(i, ct) for i, ct in enumerate(rows)),
        *(column(i, ct) for i, ct in enumerate(columns)),
    ]
    return posterior(independent([0.01] * 20), told, ct_model=CtModel())


def test_two_carriers_of_unlike_load_are_matched_row_to_column() -> None:
    """Ct 24 and 31 alone, in rows 0 and 2, columns 1 and 3. Rows of 5 come log2 5 later, columns of
    4 two cycles later, the pool of 20 log2 20 after the stronger."""
    later = {n: float(np.log2(n)) for n in (4, 5, 20)}
    said = grid(
        [24 + later[5], None, 31 + later[5], None],
        [None, 24 + later[4], None, 31 + later[4], None],
        24 + later[20],
    )
    assert said.marginals[1] > 0.9
    assert said.marginals[13] > 0.9
    assert said.marginals[3] < 0.1
    assert said.marginals[11] < 0.1
    without = grid([1.0, None, 1.0, None], [None, 1.0, None, 1.0, None], None)
    assert without.marginals[[1, 3, 11, 13]] == pytest.approx([0.5] * 4, abs=0.02)


def test_two_of_like_load_cannot_be_matched_and_all_four_stay_suspect() -> None:
    later = {n: float(np.log2(n)) for n in (4, 5, 20)}
    said = grid(
        [27 + later[5], None, 27 + later[5], None],
        [None, 27 + later[4], None, 27 + later[4], None],
        26 + later[20],
    )
    assert said.marginals[[1, 3, 11, 13]].min() > 0.3


def test_a_strong_pool_is_no_false_signal() -> None:
    pool = Measurement(Role.MASTER, TWENTY, detected=True, ct_cycles=22.0)
    late = Measurement(Role.MASTER, TWENTY, detected=True, ct_cycles=38.5)
    alone = [Measurement(Role.ALONE, (member,), detected=False) for member in TWENTY]
    strong = posterior(independent([0.01] * 20), [pool, *alone], ct_model=CtModel())
    weak = posterior(independent([0.01] * 20), [late, *alone], ct_model=CtModel())
    assert strong.nobody < 0.2
    assert weak.nobody > 0.8


def test_without_the_master_s_ct_it_is_bayes_rule_without_any() -> None:
    told = [
        Measurement(Role.MASTER, TWENTY, detected=True),
        Measurement(Role.SUB_POOL, TWENTY[:10], detected=True, ct_cycles=30.0),
    ]
    with_model = posterior(independent([0.01] * 20), told, ct_model=CtModel())
    assert np.array_equal(with_model.weights, posterior(independent([0.01] * 20), told).weights)
