"""The picture of probabilities: it agrees with Bayes' rule, and each test keeps the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.picture import Asked, Picture, Trust, picture
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.prior import prior_of

SIZES = st.sampled_from([2, 5, 10, 16, 20, 32])


def alone(member: int) -> Asked:
    return Asked(Role.ALONE, (member,))


def master(members: int) -> Measurement:
    return Measurement(Role.MASTER, tuple(range(members)), detected=True)


@st.composite
def pools(draw: st.DrawFn) -> tuple[int, frozenset[Measurement], tuple[Asked, ...]]:
    members = draw(SIZES)
    some = st.lists(st.integers(0, members - 1), min_size=1, max_size=8, unique=True).map(
        lambda chosen: tuple(sorted(chosen))
    )

    def role(chosen: tuple[int, ...]) -> Role:
        return Role.ALONE if len(chosen) == 1 else Role.SUB_POOL

    told = [
        Measurement(role(chosen), chosen, draw(st.booleans()))
        for chosen in draw(st.lists(some, max_size=5, unique=True))
    ]
    asked = tuple(Asked(role(one), one) for one in draw(st.lists(some, max_size=5)))
    return members, frozenset([master(members), *told]), asked


def drawn(members: int, told: frozenset[Measurement], asked: tuple[Asked, ...] = ()) -> Picture:
    return picture(members, prior_of({}, members), told, asked)


@settings(max_examples=40, deadline=None)
@given(pools())
def test_a_test_moves_probabilities_about_and_makes_none(
    pool: tuple[int, frozenset[Measurement], tuple[Asked, ...]],
) -> None:
    """The mean over both answers is what was believed before."""
    members, told, asked = pool
    seen = drawn(members, told, asked)
    assert len(seen.risks) == members
    assert len(seen.splits) == len(asked)
    for split in seen.splits:
        assert 0 < split.chance < 1
        before = split.chance * np.array(split.if_detected) + (1 - split.chance) * np.array(
            split.if_not
        )
        assert before == pytest.approx(np.array(seen.risks), abs=2e-3)


@settings(max_examples=25, deadline=None)
@given(pools())
def test_what_a_test_would_do_is_what_it_does(
    pool: tuple[int, frozenset[Measurement], tuple[Asked, ...]],
) -> None:
    members, told, asked = pool
    for split in drawn(members, told, asked).splits:
        one = split.asked
        if split.chance < 1e-3 or any(m.members == one.members for m in told):
            continue
        then = drawn(members, told | {Measurement(one.role, one.members, detected=True)})
        assert np.array(split.if_detected) == pytest.approx(np.array(then.risks), abs=2e-2)


def test_a_row_and_a_column_that_cross_name_one_and_her_own_test_decides() -> None:
    rows = [tuple(range(5 * n, 5 * n + 5)) for n in range(4)]
    columns = [tuple(range(n, 20, 5)) for n in range(5)]
    told = [
        Measurement(Role.SUB_POOL, line, line in (rows[1], columns[2])) for line in rows + columns
    ]
    seen = drawn(20, frozenset([master(20), *told]), (alone(7),))
    assert seen.trust is Trust.SOUND
    assert seen.risks[7] > 0.95
    assert sorted(seen.risks)[-2] < 0.05
    [split] = seen.splits
    assert split.if_detected[7] > 0.999 > split.chance > 0.9
    assert split.if_not[7] < seen.risks[7]


def test_answers_that_contradict_each_other_are_not_believed() -> None:
    told = [
        Measurement(Role.SUB_POOL, (0, 1, 2), detected, attempt)
        for attempt, detected in enumerate((True, True, False, False), start=1)
    ]
    assert drawn(10, frozenset([master(10), *told])).trust is Trust.CONTRADICTED


def test_a_cluster_in_a_large_pool_is_more_than_was_counted() -> None:
    told = [Measurement(Role.ALONE, (member,), detected=True) for member in range(0, 32, 2)]
    assert drawn(32, frozenset([master(32), *told])).trust is not Trust.SOUND


def test_it_is_the_posterior_that_the_decisions_are_made_by() -> None:
    told = frozenset([master(12), Measurement(Role.SUB_POOL, (0, 1, 2, 3), detected=False)])
    seen = posterior(prior_of({}, 12).states(12), told)
    assert drawn(12, told).risks == pytest.approx(tuple(seen.marginals))
