"""The resolution clock: what an open pool waits for, and when it will have its names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.clock import (
    WELLS,
    Lately,
    Limits,
    Owed,
    Pace,
    Standing,
    Tests,
    WaitsFor,
    clock,
    pace_of,
)

NOON = datetime(2021, 9, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Limits(to_name=4 * HOUR, to_confirm=8 * HOUR)
PACE = Pace(
    next_run_at=NOON + HOUR / 2,
    between_runs=HOUR,
    run=2 * HOUR,
    pipetting=HOUR / 4,
    word=HOUR / 3,
    swab=12 * HOUR,
)


def told(**lacks: object) -> tuple[float | None, float]:
    """Hours from noon until it is named and confirmed."""
    standing = Standing(NOON, **lacks)  # type: ignore[arg-type] # as each test says it
    said = clock(standing, PACE, LIMITS, NOON)
    named = None if said.named_at is None else (said.named_at - NOON) / HOUR
    return named, (said.confirmed_at - NOON) / HOUR


def test_tubes_alone_are_named_and_answered_by_one_run() -> None:
    named, confirmed = told(
        strategy=StrategyName.DORFMAN, unknown=10, alone=Tests(queued=10, ahead=9)
    )
    assert named == 2.5
    assert confirmed == pytest.approx(2.5 + 1 / 3)


def test_a_grid_names_after_its_first_run_and_confirms_after_the_next() -> None:
    named, confirmed = told(strategy=StrategyName.GRID, unknown=20, to_pipette=9, first_lines=True)
    assert named == 2.5  # pipetted by 12:15, in the run of 12:30
    assert confirmed == pytest.approx(2.5 + 2 + 1 / 3)  # the run of 14:30 starts as it ends


def test_groups_name_nobody_before_their_tubes_are_tested_alone() -> None:
    named, _ = told(
        strategy=StrategyName.HIERARCHICAL,
        unknown=20,
        sub_pools=Tests(plated=4, plated_at=NOON - HOUR),
        first_lines=True,
    )
    assert named == 1.5 + 2  # answered at 13:00, in the run of 13:30


def test_who_stands_behind_a_full_run_waits_for_the_one_after() -> None:
    alone = Tests(queued=1, ahead=WELLS)
    assert told(strategy=StrategyName.DORFMAN, unknown=1, alone=alone)[0] == 3.5
    late = Tests(queued=1, ahead=WELLS - 1)
    assert told(strategy=StrategyName.DORFMAN, unknown=1, alone=late)[0] == 2.5


def test_a_run_that_takes_longer_than_usual_is_expected_now_and_never_in_the_past() -> None:
    alone = Tests(plated=3, plated_at=NOON - 5 * HOUR)
    assert told(strategy=StrategyName.DORFMAN, unknown=3, alone=alone)[0] == 0


def test_swabs_that_share_a_tube_wait_for_the_street() -> None:
    named, _ = told(strategy=None, unknown=5, to_swab=5, swab_since=NOON - 2 * HOUR)
    assert named == 10.5 + 2


def test_who_is_named_owes_the_last_word_only() -> None:
    standing = Standing(NOON, StrategyName.GRID, named=1, alone=Tests(plated=1, plated_at=NOON))
    said = clock(standing, PACE, LIMITS, NOON)
    assert (said.owed, said.due_at) == (Owed.LAST_WORDS, NOON + 8 * HOUR)
    assert said.lateness == 2 * HOUR + HOUR / 3 - 8 * HOUR
    assert [(wait.what, wait.many) for wait in said.waits] == [(WaitsFor.RUN, 1)]


def test_a_reviewer_is_waited_for_where_nothing_else_is() -> None:
    standing = Standing(
        NOON - HOUR, StrategyName.DORFMAN, to_review=2, review_since=NOON - HOUR / 6
    )
    said = clock(standing, PACE, LIMITS, NOON)
    assert [(wait.what, wait.many) for wait in said.waits] == [(WaitsFor.REVIEWER, 2)]
    assert said.confirmed_at == NOON + HOUR / 6
    nobody_measures = clock(Standing(NOON, StrategyName.DORFMAN, unknown=3), PACE, LIMITS, NOON)
    assert [wait.what for wait in nobody_measures.waits] == [WaitsFor.REVIEWER]
    assert nobody_measures.named_at == NOON + HOUR / 3


def test_the_pace_is_the_middle_of_what_ended_lately() -> None:
    runs = [NOON - hours * HOUR for hours in (4, 3, 2, 0.5)]
    lengths = [1.5 * HOUR, 1.75 * HOUR, 9 * HOUR]
    pace = pace_of(Lately(runs, lengths), NOON)
    assert (pace.between_runs, pace.run, pace.measured) == (HOUR, 1.75 * HOUR, True)
    assert pace.next_run_at == NOON + HOUR / 2


def test_a_rhythm_that_has_stopped_is_no_forecast() -> None:
    overnight = pace_of(Lately([NOON - hours * HOUR for hours in (15, 14, 13, 12)]), NOON)
    assert overnight.next_run_at == NOON + overnight.between_runs
    overdue = pace_of(Lately([NOON - hours * HOUR for hours in (5, 4, 3, 2)]), NOON)
    assert overdue.next_run_at == NOON
    fresh = pace_of(Lately(), NOON)
    assert not fresh.measured and fresh.next_run_at > NOON


_TESTS = st.builds(
    lambda queued, ahead, plated, ago: Tests(
        queued, ahead, plated, NOON - timedelta(minutes=ago) if plated else None
    ),
    st.integers(0, 40),
    st.integers(0, 500),
    st.integers(0, 40),
    st.integers(0, 600),
)
_STANDING = st.builds(
    Standing,
    detected_at=st.just(NOON - HOUR),
    strategy=st.sampled_from([None, *StrategyName]),
    unknown=st.integers(0, 30),
    named=st.integers(0, 3),
    to_review=st.integers(0, 3),
    to_swab=st.integers(0, 5),
    to_pipette=st.integers(0, 9),
    sub_pools=_TESTS,
    alone=_TESTS,
    first_lines=st.booleans(),
)


@given(_STANDING)
def test_nothing_is_expected_in_the_past_nor_a_last_word_before_a_name(pool: Standing) -> None:
    said = clock(pool, PACE, LIMITS, NOON)
    assert said.confirmed_at >= NOON
    assert said.named_at is None or NOON <= said.named_at <= said.confirmed_at
    assert (said.named_at is None) == (pool.unknown == 0)
    assert said.waits


@given(_STANDING, st.integers(1, 300))
def test_more_tests_ahead_never_make_it_sooner(pool: Standing, more: int) -> None:
    alone = pool.alone
    behind = Standing(
        **{name: getattr(pool, name) for name in Standing.__dataclass_fields__ if name != "alone"},
        alone=Tests(alone.queued, alone.ahead + more, alone.plated, alone.plated_at),
    )
    before, after = (clock(one, PACE, LIMITS, NOON) for one in (pool, behind))
    assert after.confirmed_at >= before.confirmed_at
    assert after.lateness >= before.lateness
