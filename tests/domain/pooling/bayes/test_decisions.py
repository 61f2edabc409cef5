"""What is said of each member, and what is tested next."""

import itertools
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.pooling.bayes.classify import Stands, classify
from lims.domain.pooling.bayes.codes import code_designs
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.next_tests import Limits, next_tests
from lims.domain.pooling.bayes.posterior import Posterior, posterior
from lims.domain.pooling.bayes.remaining_work import NAMED_FROM, cheapest_partition
from lims.domain.pooling.bayes.states import in_households, independent


def alone(member: int, *, detected: bool, attempt: int = 1) -> Measurement:
    return Measurement(Role.ALONE, (member,), detected, attempt)


def part(*members: int, detected: bool, attempt: int = 1) -> Measurement:
    return Measurement(Role.SUB_POOL, members, detected, attempt)


def seen(members: int, *told: Measurement, risk: float = 0.01) -> Posterior:
    """Of a detected pool."""
    pool = Measurement(Role.MASTER, tuple(range(members)), detected=True)
    return posterior(independent([risk] * members), [pool, *told])


EVIDENCE = st.lists(
    st.tuples(st.sets(st.integers(0, 7), min_size=1, max_size=5), st.booleans()), max_size=10
)


def measured(said: list[tuple[set[int], bool]]) -> list[Measurement]:
    return [
        Measurement(
            Role.ALONE if len(who) == 1 else Role.SUB_POOL, tuple(sorted(who)), detected, attempt
        )
        for attempt, (who, detected) in enumerate(said)
    ]


@given(EVIDENCE)
def test_nobody_is_cleared_but_by_a_negative_tube_that_held_her(
    said: list[tuple[set[int], bool]],
) -> None:
    told = measured(said)
    negative = {m for one in told if not one.detected for m in one.members}
    for member, word in enumerate(classify(seen(8, *told))):
        if word is Stands.CLEARED:
            assert member in negative


@given(EVIDENCE)
def test_nobody_is_confirmed_but_by_her_own_tube(said: list[tuple[set[int], bool]]) -> None:
    told = measured(said)
    own = {one.members[0] for one in told if one.role is Role.ALONE and one.detected}
    words = classify(seen(8, *told))
    assert {m for m, word in enumerate(words) if word is Stands.CONFIRMED} <= own


@given(EVIDENCE)
@settings(max_examples=60)
def test_whoever_is_open_is_tested_or_waits_for_one_who_is(
    said: list[tuple[set[int], bool]],
) -> None:
    evidence = seen(8, *measured(said))
    batch = next_tests(evidence)
    undecided = {
        m
        for m, word in enumerate(classify(evidence))
        if word in (Stands.PRESUMPTIVE, Stands.UNRESOLVED)
    }
    assert bool(batch) == bool(undecided)
    assert {m for test in batch for m in test.members} <= undecided


@given(st.permutations(range(4)))
def test_the_order_of_the_evidence_changes_no_decision(order: list[int]) -> None:
    told = [
        part(0, 1, 2, 3, 4, detected=True),
        part(5, 6, 7, 8, 9, detected=False),
        part(0, 2, 4, 6, 8, detected=True),
        alone(0, detected=False),
    ]
    assert next_tests(seen(10, *(told[i] for i in order))) == next_tests(seen(10, *told))


def test_who_all_sub_pools_point_at_is_named_and_tested_alone() -> None:
    """A grid of four by five: one row and one column."""
    rows = [part(*range(5 * r, 5 * r + 5), detected=r == 2) for r in range(4)]
    columns = [part(*range(c, 20, 5), detected=c == 3) for c in range(5)]
    evidence = seen(20, *rows, *columns)
    words = classify(evidence)
    assert words[13] is Stands.PRESUMPTIVE
    assert evidence.marginals[13] > NAMED_FROM
    assert set(words[:13] + words[14:]) == {Stands.CLEARED}
    assert [test.members for test in next_tests(evidence)] == [(13,)]


def test_two_rows_and_two_columns_leave_four_suspects() -> None:
    """S9: all four are tested."""
    rows = [part(*range(5 * r, 5 * r + 5), detected=r in (0, 2)) for r in range(4)]
    columns = [part(*range(c, 20, 5), detected=c in (1, 3)) for c in range(5)]
    batch = next_tests(seen(20, *rows, *columns))
    assert sorted(test.members for test in batch) == [(1,), (3,), (11,), (13,)]


def test_a_negative_row_does_not_clear_whom_everything_else_points_at() -> None:
    """Never a silent clear beyond the error model: one of her four tubes missed her."""
    told = [
        part(0, 1, 2, 3, detected=True),
        part(0, 4, 5, 6, detected=True),
        part(0, 7, 8, 9, detected=True),
        part(0, 1, 4, 7, detected=False),
    ]
    evidence = seen(10, *told)
    assert evidence.marginals[0] > 0.5
    assert classify(evidence)[0] is not Stands.CLEARED
    assert (0,) in [test.members for test in next_tests(evidence)]


def test_a_detected_pool_with_nobody_in_it_is_discordant_and_never_clear() -> None:
    """S4."""
    words = classify(seen(10, *(alone(i, detected=False) for i in range(10))))
    assert set(words) == {Stands.DISCORDANT}
    assert next_tests(seen(10, *(alone(i, detected=False) for i in range(10)))) == ()


def test_her_own_tests_that_disagree_are_discordant() -> None:
    words = classify(seen(6, alone(2, detected=True), alone(2, detected=False, attempt=2)))
    assert words[2] is Stands.DISCORDANT


@given(st.lists(st.floats(0.001, 0.6), min_size=1, max_size=7), st.floats(0, 3))
def test_no_partition_of_neighbours_costs_less(risks: list[float], run_tests: float) -> None:
    """Against every way of cutting the members, sorted by risk, into groups."""
    states = independent(risks)
    groups, cost = cheapest_partition(states.prior, states.infected, run_tests)
    ordered = sorted(risks, reverse=True)
    assert sorted(i for g in groups for i in g) == list(range(len(risks)))

    def of(cut: tuple[bool, ...]) -> float:
        total, start = 0.0, 0
        for end in range(1, len(ordered) + 1):
            if end == len(ordered) or cut[end - 1]:
                group = ordered[start:end]
                positive = 1 - prod(1 - r for r in group)
                total += 1 + (positive * (len(group) + run_tests) if len(group) > 1 else 0)
                start = end
        return total

    cuts = itertools.product((False, True), repeat=len(ordered) - 1)
    assert cost == pytest.approx(min(map(of, cuts)), abs=1e-3)  # subsets without weight


@pytest.mark.parametrize("members", [4, 8, 10, 16, 20, 32])
def test_code_words_differ_where_there_are_enough_of_them(members: int) -> None:
    for design in code_designs(members):
        words = {tuple(column) for column in design.T}
        assert len(words) == min(members, len(words))
        if 2 ** len(design) - 1 >= members and design.any(axis=0).all():
            assert len(words) >= min(members, 2 ** (len(design) - 1))
        assert np.ptp(design.sum(axis=1)) <= 3, "pools of about one size"


def test_a_pool_of_twenty_is_split_by_five_sub_pools_of_ten() -> None:
    batch = next_tests(seen(20))
    assert [len(test.members) for test in batch] == [10] * 5


def test_free_wells_are_filled_with_everybody_alone() -> None:
    batch = next_tests(seen(20), Limits(empty_wells=20))
    assert sorted(test.members for test in batch) == [(i,) for i in range(20)]


def test_where_no_run_may_follow_nothing_overlaps() -> None:
    batch = next_tests(seen(20), Limits(runs=1))
    assert sorted(m for test in batch for m in test.members) == list(range(20))


def test_a_batch_has_no_more_tests_than_wells() -> None:
    batch = next_tests(seen(20), Limits(wells=3))
    assert 0 < len(batch) <= 3


@given(st.lists(st.integers(1, 5), min_size=12, max_size=12))
@settings(max_examples=20, deadline=None)
def test_no_tube_is_drawn_from_oftener_than_it_can_be(draws: list[int]) -> None:
    """And one draw is kept for her own test."""
    batch = next_tests(seen(12), Limits(draws=tuple(draws)))
    for member, can in enumerate(draws):
        shared = [test for test in batch if member in test.members and not test.alone]
        assert len(shared) <= max(can - 1, 0)


def test_no_sub_pool_is_larger_than_the_validated_cap() -> None:
    assert all(len(test.members) <= 6 for test in next_tests(seen(20), Limits(largest=6)))


def test_relatives_are_told_apart_as_well_as_strangers() -> None:
    """A pool of whole households: the design is fitted to who infects whom."""
    homes = [i // 4 for i in range(16)]
    pool = Measurement(Role.MASTER, tuple(range(16)), detected=True)
    evidence = posterior(in_households([0.01] * 16, homes, 0.3), [pool])
    batch = next_tests(evidence)
    assert 2 <= len(batch) < 16
    assert next_tests(evidence) == batch
