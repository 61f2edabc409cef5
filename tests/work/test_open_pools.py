"""The board of open positive pools over real rows: what each lacks, and which is the latest."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.clock import Clock, Owed, WaitsFor
from lims.tables import Finding
from lims.work.review import release_positive
from lims.work.views.open_pools import OpenPools, open_pools, pace_now, pool_clock
from tests.builders import Bench, Swab, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def board(bench: Bench) -> OpenPools:
    bench.session.flush()
    return open_pools(bench.session, site_id=bench.site_id, now=bench.now)


def positive(bench: Bench, asked: str, size: int = 20) -> tuple[str, list[Swab]]:
    people = bench.swabs(size)
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})
    return pool, people


def of(bench: Bench, pool: str) -> Clock:
    bench.session.flush()
    tube = bench.session.execute(
        text("SELECT id FROM tube WHERE barcode = :barcode"), {"barcode": pool}
    ).scalar_one()
    found = pool_clock(bench.session, tube, site_id=bench.site_id, now=bench.now)
    assert found is not None
    return found


def waits(clock: Clock) -> list[tuple[WaitsFor, int]]:
    return [(wait.what, wait.many) for wait in clock.waits]


def test_a_grid_is_followed_from_pipetting_to_the_reviewer(bench: Bench) -> None:
    pool, _people = positive(bench, "grid")
    detected_at = bench.now
    clock = of(bench, pool)
    assert waits(clock) == [(WaitsFor.PIPETTING, 9)]
    assert clock.name_by == detected_at + timedelta(hours=4)
    assert clock.named_at is not None and clock.named_at < clock.confirmed_at

    bench.later(20)
    made = bench.prepare_sub_pools()
    assert waits(of(bench, pool)) == [(WaitsFor.PLATE, 9)]

    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})
    clock = of(bench, pool)
    [line] = board(bench).lines
    assert (line.standing.strategy, line.standing.unknown, line.standing.named) == (
        StrategyName.GRID,
        0,
        1,
    )
    assert (clock.owed, clock.named_at) == (Owed.LAST_WORDS, None)
    assert waits(clock) == [(WaitsFor.PLATE, 1)]

    bench.plate()
    assert waits(of(bench, pool)) == [(WaitsFor.RUN, 1)]


def test_a_positive_waits_for_the_reviewer_and_then_the_pool_is_gone(bench: Bench) -> None:
    pool, people = positive(bench, "dorfman", 5)
    assert waits(of(bench, pool)) == [(WaitsFor.PLATE, 5)]
    bench.run({people[1].barcode: 24.0})
    clock = of(bench, pool)
    assert waits(clock) == [(WaitsFor.REVIEWER, 1)]
    assert board(bench).lines[0].standing.review_since == bench.now
    finding = bench.session.scalars(
        select(Finding.id).where(Finding.specimen_id == people[1].specimen_id, Finding.current)
    ).one()
    release_positive(bench.session, finding, site_id=bench.site_id, by="bs.lan", now=bench.now)
    assert board(bench).lines == ()


def test_a_pool_whose_tubes_deny_it_is_not_named_before_a_reviewer_decides(bench: Bench) -> None:
    pool, people = positive(bench, "dorfman", 5)
    bench.run()
    [line] = board(bench).lines
    assert line.standing.unknown == line.standing.to_review == len(people)
    assert waits(line.clock) == [(WaitsFor.PLATE, 1), (WaitsFor.REVIEWER, 5)]
    bench.run({pool: 33.0})
    clock = of(bench, pool)
    assert clock.owed is Owed.NAMES
    assert waits(clock) == [(WaitsFor.REVIEWER, 5)]


def test_a_household_in_one_tube_waits_for_its_swabs(bench: Bench) -> None:
    household = bench.field_pool(4)
    bench.run({household.barcode: 25.0})
    clock = of(bench, household.barcode)
    assert waits(clock) == [(WaitsFor.SWAB, 4)]
    [line] = board(bench).lines
    assert (line.people, line.ct_cycles, line.standing.strategy) == (4, 25.0, None)


def test_pools_that_are_not_positive_are_not_on_the_board(bench: Bench) -> None:
    negative, _ = bench.lab_pool(bench.swabs(5)), bench.field_pool(3)
    bench.run()
    bench.lab_pool(bench.swabs(4))
    told = board(bench)
    assert (told.many, told.lines) == (0, ())
    tube = bench.session.execute(
        text("SELECT id FROM tube WHERE barcode = :barcode"), {"barcode": negative}
    ).scalar_one()
    assert pool_clock(bench.session, tube, site_id=bench.site_id, now=bench.now) is None


def test_the_latest_comes_first_and_a_page_holds_its_share(bench: Bench) -> None:
    first, _ = positive(bench, "hierarchical")
    bench.later(30)
    second, _ = positive(bench, "dorfman", 6)
    told = board(bench)
    assert [line.barcode for line in told.lines] == [first, second]
    assert told.lines[0].clock.lateness > told.lines[1].clock.lateness
    assert (told.many, told.late) == (2, 0)
    bench.later(300)
    told = open_pools(bench.session, site_id=bench.site_id, now=bench.now, most=1, skip=1)
    assert [line.barcode for line in told.lines] == [second]
    assert (told.many, told.late) == (2, 2)


def test_the_pace_is_learnt_from_the_laboratory_s_own_runs(bench: Bench) -> None:
    assert not pace_now(bench.session, site_id=bench.site_id, now=bench.now).measured
    for _ in range(4):
        bench.swab()
        bench.run()
    bench.session.flush()
    pace = pace_now(bench.session, site_id=bench.site_id, now=bench.now)
    assert pace.measured
    assert pace.run == timedelta(minutes=90)  # as the bench lets a run take
    assert pace.between_runs == timedelta(minutes=90)
    assert pace.next_run_at == bench.now
