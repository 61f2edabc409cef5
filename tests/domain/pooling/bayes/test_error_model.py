"""Attempts at one tube err together: what a second one adds, and what it cannot."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel, Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.bayes.states import independent
from lims.domain.pooling.dilution import CLINICAL, SCREENING, LoadMix, detected, sensitivity

SHARE = st.floats(0, 1)
ROLES = st.sampled_from(Role)
MODELS = st.builds(
    ErrorModel,
    st.floats(0.7, 0.999),
    st.floats(0.7, 0.999),
    st.floats(0.9, 0.999),
    SHARE,
    SHARE,
    SHARE,
)


@given(MODELS, ROLES)
def test_one_attempt_is_wrong_as_often_as_the_model_says(model: ErrorModel, role: Role) -> None:
    its = model.eluate(role)
    for holds, expected in (
        (its.holds_of_positive, model.sensitivity(role)),
        (its.holds_of_negative, 1 - model.specificity),
    ):
        assert holds * its.seen_holding + (1 - holds) * its.seen_empty == pytest.approx(expected)
    assert 0 <= its.seen_empty <= its.seen_holding <= 1


@given(MODELS, ROLES, st.integers(1, 5))
def test_all_that_so_many_attempts_may_show_is_certain_together(
    model: ErrorModel, role: Role, attempts: int
) -> None:
    for kind in (0, 1):
        total = sum(
            np.prod([(attempts - i) / (i + 1) for i in range(found)])
            * model.of_attempts(role, found, attempts - found)[kind]
            for found in range(attempts + 1)
        )
        assert total == pytest.approx(1)


def risk_after(model: ErrorModel, *, negatives: int) -> float:
    """Of somebody likely, whose own tube was not detected so many times."""
    told = [Measurement(Role.ALONE, (0,), detected=False, attempt=n) for n in range(negatives)]
    return float(posterior(independent([0.6, 0.01]), told, model).marginals[0])


@given(MODELS, st.integers(1, 6))
def test_a_repeated_negative_clears_no_more_than_that_of_independent_wells(
    model: ErrorModel, negatives: int
) -> None:
    """With the same false signals: where those are shared, a negative is a clean tube's, and the
    next one has less to explain."""
    apart = replace(model, shared_master_misses=0, shared_resolver_misses=0)
    assert risk_after(model, negatives=negatives) >= risk_after(apart, negatives=negatives) - 1e-12


@given(MODELS)
def test_no_number_of_negatives_says_more_than_that_the_tube_holds_nothing(
    model: ErrorModel,
) -> None:
    """Who is infected and whose eluate was lost stays possible for ever."""
    its = model.eluate(Role.ALONE)
    lost, empty = 0.6 * (1 - its.holds_of_positive), 0.4 * (1 - its.holds_of_negative)
    assert risk_after(model, negatives=60) >= lost / (lost + empty) - 1e-9


def test_the_second_negative_of_the_usual_model_says_far_less_than_the_first() -> None:
    odds = [risk / (1 - risk) for n in range(3) if (risk := risk_after(USUAL, negatives=n))]
    assert odds[1] / odds[0] == pytest.approx(0.002 / 0.995)
    assert 0.3 < odds[2] / odds[1] < 0.4


def recurring(size: int, master: int | None, mix: LoadMix) -> float:
    """Of tubes of so many swabs, one with virus, that were missed once: those missed again. Of a
    part: after its master was detected."""
    chance, drawn = np.random.default_rng(3), 400_000
    component = chance.choice(len(mix.components), drawn, p=[c.share for c in mix.components])
    mean, spread = (
        np.array([getattr(c, name) for c in mix.components])[component]
        for name in ("mean_ct", "sd_cycles")
    )
    ct = chance.normal(mean, spread).clip(mix.lowest_ct, mix.highest_ct)
    weight = np.ones(drawn) if master is None else detected(ct + np.log2(master))
    missed = 1 - detected(ct + np.log2(size))
    return float(weight @ missed**2 / (weight @ missed))


@pytest.mark.parametrize("mix", [CLINICAL, SCREENING])
def test_the_shares_are_those_of_the_simulators_loads(mix: LoadMix) -> None:
    for pool in (10, 20, 32):
        assert recurring(pool, None, mix) == pytest.approx(USUAL.shared_master_misses, abs=0.06)
        assert recurring(pool // 2, pool, mix) == pytest.approx(
            USUAL.shared_resolver_misses, abs=0.09
        )
        assert recurring(1, pool, mix) < USUAL.shared_resolver_misses
        assert 1 - sensitivity(pool, mix=mix) > 0  # there are misses to share


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="expected 0 to 1"):
        ErrorModel(shared_false=share)
