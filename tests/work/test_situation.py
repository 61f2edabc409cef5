"""The situation of a day, on a small real day: every figure against what was done by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.rapid_test import RapidOutcome
from lims.domain.registration import PersonGiven
from lims.work.claim import claim
from lims.work.rapid import RapidReading, read_rapid_test
from lims.work.receive import receive
from lims.work.reject import reject
from lims.work.situation import day_situation, midnights
from reports.situation import Awaits, Situation, Stage
from reports.turnaround import Segment, Turnaround, Way
from tests.builders import ELSEWHERE, HOME, WORK, Bench, open_bench

ZONE = "Asia/Ho_Chi_Minh"
DAY = date(2021, 9, 11)  # the fixture's clock stands at 08:00 of it


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def of(bench: Bench, engine: Engine, day: date = DAY) -> Situation:
    bench.session.commit()
    return day_situation(engine, site_id=bench.site_id, timezone=ZONE, day=day, now=bench.now)


def at(situation: Situation) -> dict[Stage, int]:
    return {line.stage: line.swabs for line in situation.stages if line.swabs}


def took(situation: Situation, way: Way, segment: Segment) -> Turnaround:
    return next(o for o in situation.turnaround if (o.way, o.segment) == (way, segment))


def test_a_day_without_tests_is_empty_and_says_so(bench: Bench, database: Engine) -> None:
    nothing = of(bench, database)
    assert nothing.empty
    assert (nothing.swabs, nothing.known, nothing.share) == (0, 0, None)
    assert nothing.areas == [] and list(nothing.turnaround) == []
    assert all(hour.collected == 0 for hour in nothing.hours)


def test_every_swab_is_at_one_stage_and_the_stages_add_up(bench: Bench, database: Engine) -> None:
    bench.swab(received=False)
    bench.swabs(2)  # a campaign in pools: they wait for one
    bench.swab()  # alone: its test is queued
    pool = bench.lab_pool(bench.swabs(3))
    bench.plate(pool)
    situation = of(bench, database)
    assert at(situation) == {
        Stage.ON_THE_WAY: 1,
        Stage.TO_POOL: 2,
        Stage.TO_PLATE: 1,
        Stage.RUNNING: 3,
    }
    assert situation.swabs == sum(line.swabs for line in situation.stages) == 7
    assert [(p.awaits, p.pools, p.people) for p in situation.open_pools] == [
        (Awaits.ANALYSER, 1, 3)
    ]


def test_a_positive_pool_resolves_and_the_areas_count_its_people(
    bench: Bench, database: Engine
) -> None:
    members = bench.swabs(3) + bench.swabs(1, area=WORK)
    alone = bench.swab(area=ELSEWHERE)
    pool = bench.lab_pool(members)
    bench.run({pool: 27.0})
    halfway = of(bench, database)
    assert at(halfway) == {Stage.RESOLVING: 4, Stage.DONE: 1}
    assert halfway.positive == 0 and halfway.known == 1
    assert [(p.awaits, p.people) for p in halfway.open_pools] == [(Awaits.MEMBERS, 4)]

    bench.run({members[0].barcode: 23.7})
    solved = of(bench, database)
    assert solved.positive == 1 and solved.negative == 4
    assert at(solved) == {Stage.TO_REVIEW: 1, Stage.DONE: 4}
    counted = {line.area: (line.swabs, line.known, line.positive) for line in solved.areas}
    assert counted == {"Tân Định": (3, 3, 1), "Sài Gòn": (1, 1, 0), "Cầu Ông Lãnh": (1, 1, 0)}
    first = solved.areas[0]
    assert first.share == pytest.approx(1 / 3)
    assert first.low == pytest.approx(0.0615, abs=1e-3)  # Wilson, by hand
    assert first.high == pytest.approx(0.7923, abs=1e-3)
    assert alone.barcode not in [line.barcode for line in solved.oldest_pools]


def test_turnaround_is_measured_by_way_and_segment(bench: Bench, database: Engine) -> None:
    started = bench.now
    swabs = [bench.swab(received=False) for _ in range(3)]
    assert of(bench, database).turnaround == []  # nothing ordered: no way of testing yet
    for minutes, swab in zip((10, 20, 60), swabs, strict=True):
        receive(bench.session, swab.barcode, by="door", now=started + timedelta(minutes=minutes))
    bench.now = started + timedelta(minutes=60)
    bench.run({swabs[0].barcode: 21.0})  # laid out at 60, measured at 150
    case = bench.session.execute(text("SELECT id FROM f0_case")).scalar_one()
    team = bench.session.execute(text("SELECT id FROM team LIMIT 1")).scalar_one()
    bench.later(4)
    bench.session.execute(
        text("UPDATE notice SET state = 'delivered', delivered_at = :at"), {"at": bench.now}
    )
    bench.later(6)
    claim(bench.session, case, team, by="tracer", now=bench.now)
    solved = of(bench, database)

    first = took(solved, Way.INDIVIDUAL, Segment.COLLECTED_RECEIVED)
    assert (first.swabs, first.median_min) == (3, 20.0)
    assert first.p90_min == pytest.approx(52.0)  # linear between 20 and 60, by hand
    assert took(solved, Way.INDIVIDUAL, Segment.PLATED_MEASURED).median_min == 90.0
    released = took(solved, Way.INDIVIDUAL, Segment.COLLECTED_RELEASED)
    assert (released.swabs, released.median_min) == (2, 150.0)
    assert took(solved, Way.INDIVIDUAL, Segment.NAMED_TOLD).median_min == 4.0
    assert took(solved, Way.INDIVIDUAL, Segment.TOLD_CLAIMED).median_min == 6.0


def test_the_day_is_the_sites_and_ends_at_its_midnight(bench: Bench, database: Engine) -> None:
    start, end = midnights(DAY, ZONE)
    assert start == datetime(2021, 9, 10, 17, tzinfo=UTC) and end - start == timedelta(days=1)
    for moment in (
        start - timedelta(microseconds=1),
        start,
        end - timedelta(microseconds=1),
        end,
    ):
        bench.now = moment
        bench.swab(received=False)
    bench.now = end + timedelta(hours=1)
    assert of(bench, database).swabs == 2
    assert of(bench, database, DAY - timedelta(days=1)).swabs == 1
    hours = of(bench, database).hours
    assert [h.hour for h in hours if h.collected] == [0, 23]


def test_only_the_current_finding_counts_after_a_correction(bench: Bench, database: Engine) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 22.0})
    assert of(bench, database).positive == 1
    bench.session.execute(
        text(
            "WITH old AS (UPDATE finding SET current = false RETURNING *)"
            " INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule,"
            " evidence, current, supersedes_id, created_at, released_at, released_by)"
            " SELECT mint_uuid7(:now), site_id, specimen_id, person_id, 'negative', 'C', 'test',"
            " evidence, true, id, :now, :now, 'reviewer' FROM old"
        ),
        {"now": bench.later(30).now},
    )
    corrected = of(bench, database)
    assert (corrected.positive, corrected.negative, corrected.known) == (0, 1, 1)


@pytest.mark.parametrize("days_later", [0, 40])
def test_a_day_long_gone_says_the_same(bench: Bench, database: Engine, days_later: int) -> None:
    """Findings of old days are looked up another way; the figures may not know."""
    pool = bench.lab_pool(bench.swabs(4))
    bench.run({pool: None})
    bench.later(days_later * 24 * 60)
    situation = of(bench, database)
    assert (situation.swabs, situation.negative) == (4, 4)
    assert at(situation) == {Stage.DONE: 4}


@pytest.mark.parametrize("days_later", [0, 40])
def test_a_tube_older_than_its_swabs_own_day_is_found(
    bench: Bench, database: Engine, days_later: int
) -> None:
    """Tubes of a day just gone are read by when they came; these came before, or never came."""
    start, _ = midnights(DAY, ZONE)
    bench.now = start - timedelta(hours=5)
    early = bench.swabs(3)  # written down, received and pooled on the evening before
    pool = bench.lab_pool(early)
    refused = bench.swab(received=False)
    bench.swab(received=False)
    bench.session.execute(
        text("UPDATE specimen SET collected_at = :at"), {"at": start + timedelta(hours=1)}
    )
    bench.now = start + timedelta(hours=8)
    bench.plate(pool)
    reject(bench.session, refused.barcode, "leaked", by="door", now=bench.now)
    bench.swab()
    bench.later(days_later * 24 * 60)
    assert at(of(bench, database)) == {
        Stage.ON_THE_WAY: 1,
        Stage.TO_PLATE: 1,
        Stage.RUNNING: 3,
        Stage.SWAB_AGAIN: 1,
    }


@pytest.mark.parametrize("days_later", [0, 2, 40])
def test_what_was_found_before_the_swabs_own_day_is_known(
    bench: Bench, database: Engine, days_later: int
) -> None:
    start, _ = midnights(DAY, ZONE)
    bench.now = start - timedelta(hours=5)
    bench.run({bench.lab_pool(bench.swabs(3)): None})
    refused = bench.swab(received=False)
    reject(bench.session, refused.barcode, "leaked", by="door", now=bench.now)
    bench.session.execute(
        text("UPDATE specimen SET collected_at = :at"), {"at": start + timedelta(hours=1)}
    )
    bench.now = start + timedelta(hours=8, days=days_later)
    situation = of(bench, database)
    assert at(situation) == {Stage.SWAB_AGAIN: 1, Stage.DONE: 3}
    assert situation.negative == 3


def test_a_member_tested_alone_after_its_pool_counts_first_and_last(
    bench: Bench, database: Engine
) -> None:
    """Its way and its first times are the pool's; where it is now, its own test says."""
    members = bench.swabs(3)
    pool = bench.lab_pool(members)
    bench.run({pool: 27.0})
    bench.later(60)
    bench.plate(*(one.barcode for one in members))
    situation = of(bench, database)
    assert at(situation) == {Stage.RESOLVING: 3}
    plated = took(situation, Way.LAB_POOL, Segment.RECEIVED_PLATED)
    assert (plated.swabs, plated.median_min) == (3, 0.0)
    assert {line.way for line in situation.turnaround} == {Way.LAB_POOL}


def test_rapid_tests_are_counted_by_lot_with_what_pcr_said(bench: Bench, database: Engine) -> None:
    pcr = [next(bench.labels) for _ in range(2)]
    for place, (lot, outcome) in enumerate(
        [
            ("VN-1", RapidOutcome.POSITIVE),
            ("VN-1", RapidOutcome.POSITIVE),
            ("VN-1", RapidOutcome.NEGATIVE),
            ("VN-2", RapidOutcome.INVALID),
        ]
    ):
        name = f"Lê Thị {'ABCD'[place]}"
        reading = RapidReading(
            specimen_id=uuid7(),
            started_at=bench.now - timedelta(minutes=20),
            read_at=bench.now,
            outcome=outcome,
            kit_lot=lot,
            person=PersonGiven(name, name_key(name), 1970 + place, area=HOME),
            pcr_barcode=pcr[place] if outcome is RapidOutcome.POSITIVE else None,
        )
        read_rapid_test(bench.session, reading, site_id=bench.site_id, by="desk", now=bench.now)
    for barcode in pcr:
        receive(bench.session, barcode, by="door", now=bench.now)
    bench.run({pcr[0]: 20.0})
    kits = {line.lot: line for line in of(bench, database).kits}
    one = kits["VN-1"]
    assert (one.tests, one.positive, one.confirmed, one.refuted) == (3, 2, 1, 1)
    assert (kits["VN-2"].tests, kits["VN-2"].invalid) == (1, 1)


def test_what_is_overdue_is_what_the_navigation_calls_late(bench: Bench, database: Engine) -> None:
    bench.swab(received=False)
    bench.later(4 * 60 + 1)
    situation = of(bench, database)
    on_the_way = next(line for line in situation.waiting if line.item == "on_the_way")
    assert (on_the_way.waiting, on_the_way.late) == (1, 1)
    line = next(line for line in situation.stages if line.stage is Stage.ON_THE_WAY)
    assert (line.swabs, line.late) == (1, 1)


def test_a_field_pool_that_is_positive_waits_for_new_swabs(bench: Bench, database: Engine) -> None:
    family = bench.field_pool(5)
    bench.run({family.barcode: 24.0})
    situation = of(bench, database)
    assert at(situation) == {Stage.SWAB_AGAIN: 5}
    assert [(p.awaits, p.people) for p in situation.open_pools] == [(Awaits.RESWAB, 5)]
    assert situation.oldest_pools[0].barcode == family.barcode


@pytest.mark.parametrize("days_later", [0, 40])
def test_a_household_swabbed_again_waits_for_nothing_and_its_pool_is_closed(
    bench: Bench, database: Engine, days_later: int
) -> None:
    family = bench.field_pool(4)
    bench.run({family.barcode: 24.0})
    again = [bench.swab(person_id=one) for one in family.person_ids[:3]]
    partly = of(bench, database)
    assert at(partly) == {Stage.TO_PLATE: 3, Stage.SWAB_AGAIN: 1, Stage.SWABBED_AGAIN: 3}
    assert [(p.awaits, p.people) for p in partly.open_pools] == [(Awaits.RESWAB, 1)]
    assert [(p.unsolved, p.people) for p in partly.oldest_pools] == [(1, 4)]

    again.append(bench.swab(person_id=family.person_ids[3]))
    bench.run({again[0].barcode: 22.0})
    bench.later(days_later * 24 * 60)
    known = of(bench, database)
    assert at(known) == {Stage.SWABBED_AGAIN: 4, Stage.TO_REVIEW: 1, Stage.DONE: 3}
    assert known.swabs == sum(line.swabs for line in known.stages) == 8
    assert (known.positive, known.known) == (1, 4)  # each person is known by one swab
    assert known.open_pools == [] and known.oldest_pools == []
    ended = next(line for line in known.stages if line.stage is Stage.SWABBED_AGAIN)
    assert (ended.late, ended.oldest_at) == (0, None)


def test_a_rejected_tube_whose_person_was_swabbed_again_has_ended(
    bench: Bench, database: Engine
) -> None:
    broken = bench.swab(received=False)
    reject(bench.session, broken.barcode, "leaked", by="door", now=bench.now)
    assert at(of(bench, database)) == {Stage.SWAB_AGAIN: 1}
    bench.swab(person_id=broken.person_id)
    assert at(of(bench, database)) == {Stage.SWABBED_AGAIN: 1, Stage.TO_PLATE: 1}
