"""The simulated laboratory in hours: its queue, its runs, and what its days come to."""

from uuid import UUID

import pytest

from lims.domain.pooling.choice import Because, Choice, PoolAtHand, Resolution, StrategyName
from loadtests.pooling.hours import hours
from loadtests.pooling.laboratory_day import Setting, live
from loadtests.pooling.queueing import Machines, Queue, Run, Wanted, run_day

QUIET = Setting(people_per_hour=30, hours=8)


def _test(number: int, ready_h: float = 0.0, priority: int = 5) -> Wanted:
    return Wanted(UUID(int=number), priority, ready_h)


def _tubes(tests: tuple[Wanted, ...]) -> list[int]:
    return [test.tube.int for test in tests]


def test_the_most_wanted_goes_first_then_the_oldest_and_only_what_stands_prepared() -> None:
    queue = Queue()
    for test in (_test(1, 0.2), _test(2, 0.1), _test(3, 1.0, 9), _test(4, 0.5, 9), _test(5)):
        queue.add(test)
    queue.cancel(UUID(int=5))
    queue.cancel(UUID(int=77))

    assert _tubes(queue.take(0.9, 2)) == [4, 2]
    assert _tubes(queue.take(2.0, 94)) == [3, 1]
    assert len(queue) == 0


def test_a_tube_waits_once() -> None:
    queue = Queue()
    queue.add(_test(1))
    with pytest.raises(ValueError, match="waits already"):
        queue.add(_test(1, 2.0))


def test_each_machine_takes_what_waits_when_its_run_has_ended_and_the_day_ends_by_itself() -> None:
    runs: list[Run] = []
    loaded: list[float] = []
    run_day(
        Machines((0.0, 1.0), run_hours=2.0, wells=3),
        [_test(n, ready_h=0.25 * n) for n in range(8)],
        Queue(),
        loaded=lambda run: loaded.append(run.started_h),
        answered=runs.append,
        until_h=50.0,
    )

    told = [(run.started_h, run.ended_h, _tubes(run.tests)) for run in runs]
    assert told == [(0.0, 2.0, [0]), (1.0, 3.0, [1, 2, 3]), (2.0, 4.0, [4, 5, 6]), (3.0, 5.0, [7])]
    assert loaded == [0.0, 1.0, 2.0, 3.0]


def test_what_a_run_says_may_ask_for_another() -> None:
    queue, runs = Queue(), list[Run]()

    def answered(run: Run) -> None:
        runs.append(run)
        if len(runs) == 1:
            queue.add(_test(9, run.ended_h + 0.75, 9))

    run_day(
        Machines((0.0,)),
        [_test(1)],
        queue,
        loaded=lambda _run: None,
        answered=answered,
        until_h=50.0,
    )
    assert [(run.started_h, _tubes(run.tests)) for run in runs] == [(0.0, [1]), (4.0, [9])]


def test_a_pool_opened_whole_is_answered_a_run_later_and_by_groups_two() -> None:
    whole = hours(Resolution.DORFMAN, QUIET, 2)
    grouped = hours(Resolution.HIERARCHICAL, QUIET, 2)
    of_a_run = (2.75, 3.5)  # hours: pipetted, waited for, run

    assert of_a_run[0] <= whole.named.value == whole.confirmed.value <= of_a_run[1]
    assert 2 * of_a_run[0] <= grouped.named.value <= 2 * of_a_run[1]
    assert whole.wells > 19
    assert grouped.wells < 12


def test_a_grid_names_after_one_run_and_confirms_after_two() -> None:
    found = hours(Resolution.GRID, QUIET, 2)
    assert 2.75 <= found.named.value <= 3.5
    assert 5.5 <= found.confirmed.value <= 7
    assert 9 < found.wells < 13


def test_resolving_nothing_delays_nobody_and_the_same_day_comes_to_all() -> None:
    alone, again = live(QUIET, None, seed=1), live(QUIET, None, seed=1)
    assert alone == again
    assert alone.named_h == ()
    assert len(alone.waited_h) == len(live(QUIET, Resolution.DORFMAN, seed=1).waited_h)


def test_the_rule_is_told_how_many_wells_the_queue_leaves() -> None:
    seen: list[int] = []

    def rule(pool: PoolAtHand) -> Choice:
        seen.append(pool.wells_free)
        return Choice(StrategyName.DORFMAN, Because.WELLS_FREE)

    live(Setting(people_per_hour=250, hours=4), Resolution.AUTO, seed=3, rule=rule)
    assert len(set(seen)) > 3
    assert min(seen) == 0
    assert max(seen) <= 94
