"""A reader's word is the reading of the one strip it can be about, or waits with the reason."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure
from lims.domain.roster_line import Sign
from lims.work.read_strips import Counts
from lims.work.views.rosters import roster_sheet
from tests import seen
from tests.builders import Bench
from tests.builders_rapid import Classroom, box, classroom
from tests.work.reader_stand import (
    NUMBER,
    class_of_four,
    desk,
    person,
    rapid,
    said,
    standing,
)


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return desk(session, now)


@pytest.fixture
def room(bench: Bench) -> Classroom:
    return class_of_four(bench)


def test_a_positive_opens_the_presumptive_case_as_a_desk_reading_does(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    receipt = said(bench.later(20))
    assert (receipt.matched, receipt.unmatched) == (1, 0)
    assert rapid(bench) == [("positive", "AG21-07")]
    assert len(seen.notices(bench.session, "case.opened")) == 1
    assert [f.outcome for f in seen.findings(bench.session).values()] == ["presumptive"]


@pytest.mark.parametrize(
    ("call", "outcome", "findings"), [("negative", "negative", 1), ("invalid", "invalid", 0)]
)
def test_a_negative_is_final_and_an_invalid_one_says_nothing(
    bench: Bench, room: Classroom, call: str, outcome: str, findings: int
) -> None:
    room.start()
    said(bench.later(20), call)
    assert rapid(bench) == [(outcome, "AG21-07")]
    assert len(seen.findings(bench.session)) == findings
    assert seen.notices(bench.session) == []


def test_a_tube_of_the_person_names_them_too(bench: Bench, room: Classroom) -> None:
    swab = bench.swab(person_id=person(room, 2))
    room.start()
    said(bench.later(20), scanned=f" {swab.barcode.lower()} ")
    assert standing(bench) == ("matched", None)


def test_a_chip_cards_code_begins_with_the_number(bench: Bench, room: Classroom) -> None:
    room.start()
    said(bench.later(20), scanned=f"{NUMBER}||Học Sinh 3|05032007|Nam|Hà Nội|01012021")
    assert standing(bench) == ("matched", None)


def test_the_rest_of_the_timer_is_confirmed_by_eye_and_twice(bench: Bench, room: Classroom) -> None:
    timer = room.start()
    said(bench.later(20))
    shown = room.seen(timer)
    assert shown == "1- 2- 4-"
    assert told_by_timer(room) == (3, 0), "what a confirmation will keep"
    kept = room.confirm(timer, shown)
    assert kept.counts == Counts(3, 0, 0)
    again = room.confirm(timer, shown)
    assert (again.counts, again.replayed) == (kept.counts, True)
    assert len(rapid(bench)) == 4
    assert told_by_timer(room) == (3, 1)


def told_by_timer(room: Classroom) -> tuple[int, int]:
    """Negatives and positives on the timer's button."""
    sheet = roster_sheet(room.bench.session, room.roster_id, site_id=room.bench.site_id)
    assert sheet is not None
    (timer,) = sheet.timers
    return timer.negative, timer.positive


def test_what_the_desk_was_told_of_the_person_goes_with_the_reading(bench: Bench) -> None:
    room = classroom(bench, 2, exposure=Exposure.CONTACT)
    room.numbered(1, NUMBER)
    room.start()
    said(bench.later(20))
    told = bench.session.execute(text("SELECT exposure FROM rapid_test")).scalar_one()
    assert told == "contact"


def test_the_lot_is_the_cassettes_own_where_it_is_registered_for_the_kit(
    bench: Bench, room: Classroom
) -> None:
    box(bench, "AG21-09")
    room.start()
    said(bench.later(20), lot="AG21-09")
    assert rapid(bench) == [("positive", "AG21-09")]


def test_a_lot_that_nobody_registered_is_the_timers(bench: Bench, room: Classroom) -> None:
    room.start()
    said(bench.later(20), lot="014")
    assert rapid(bench) == [("positive", "AG21-07")]


def test_a_cassette_of_a_lot_that_had_expired_is_not_read(bench: Bench, room: Classroom) -> None:
    box(bench, "AG20-01", expires_on=date(2020, 12, 31))
    room.start()
    said(bench.later(20), lot="AG20-01")
    assert standing(bench) == ("unmatched", "kit lot AG20-01 had expired")
    assert rapid(bench) == []


@pytest.mark.parametrize(("minutes", "told"), [(12, 12), (31, 31), (95, 95)])
def test_outside_the_window_it_waits_with_its_minutes(
    bench: Bench, room: Classroom, minutes: int, told: int
) -> None:
    room.start()
    said(bench.later(minutes))
    assert standing(bench) == ("unmatched", f"read {told} minutes after the drop")


def test_a_result_that_waited_in_the_reader_is_judged_by_when_it_was_read(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    read_at = bench.now + timedelta(minutes=20)
    said(bench.later(180), at=read_at)
    assert rapid(bench) == [("positive", "AG21-07")]
    kept = bench.session.execute(text("SELECT read_at FROM rapid_test")).scalar_one()
    assert kept == read_at


def test_a_readers_clock_that_cannot_be_right_is_not_believed(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    before = bench.now
    said(bench.later(20), at=before - timedelta(days=400))
    assert bench.session.execute(text("SELECT read_at FROM rapid_test")).scalar_one() == bench.now


def test_what_came_late_to_the_lims_was_read_when_the_gateway_heard_it(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    heard = bench.now + timedelta(minutes=20)
    said(bench.later(600), heard=heard)
    assert bench.session.execute(text("SELECT read_at FROM rapid_test")).scalar_one() == heard


@pytest.mark.parametrize(
    ("scanned", "why"),
    [
        ("001307999999", "what the reader scanned names nobody here"),
        ("", "what the reader scanned names nobody here"),
        ("Y B1232", "what the reader scanned names nobody here"),
    ],
)
def test_an_id_of_nobody_waits(bench: Bench, room: Classroom, scanned: str, why: str) -> None:
    room.start()
    said(bench.later(20), scanned=scanned)
    assert standing(bench) == ("unmatched", why)
    assert rapid(bench) == []


def test_the_tube_of_a_group_names_several_people(bench: Bench, room: Classroom) -> None:
    pool = bench.field_pool(2)
    room.start()
    said(bench.later(20), scanned=pool.barcode)
    assert standing(bench) == ("unmatched", "what the reader scanned names several people")


def test_without_an_open_test_it_waits(bench: Bench, room: Classroom) -> None:
    said(bench)
    assert standing(bench) == ("unmatched", "no rapid test of this person is open")


def test_with_two_open_tests_nothing_is_guessed(bench: Bench, room: Classroom) -> None:
    other = classroom(bench, 1, lot=room.lot)
    bench.session.execute(
        text("UPDATE roster_member SET person_id = :person WHERE roster_id = :roster"),
        {"person": person(room, 3), "roster": other.roster_id},
    )
    room.start()
    other.start()
    said(bench.later(20))
    assert standing(bench) == ("unmatched", "several rapid tests of this person are open")
    assert rapid(bench) == []


def test_of_a_strip_of_yesterday_and_one_of_today_the_one_of_today_is_meant(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    other = classroom(bench.later(24 * 60), 1, lot=room.lot)
    bench.session.execute(
        text("UPDATE roster_member SET person_id = :person WHERE roster_id = :roster"),
        {"person": person(room, 3), "roster": other.roster_id},
    )
    timer = other.start()
    said(bench.later(20))
    assert rapid(bench) == [("positive", "AG21-07")]
    read = bench.session.execute(
        text("SELECT timer_id FROM strip WHERE state = 'read'")
    ).scalar_one()
    assert read == timer


def test_a_word_that_nobody_knows_waits(bench: Bench, room: Classroom) -> None:
    room.start()
    said(bench.later(20), "grau")
    assert standing(bench) == ("unmatched", "the reader's word is not known: grau")


def test_a_strip_that_somebody_marked_otherwise_waits(bench: Bench, room: Classroom) -> None:
    room.start()
    bench.later(20)
    room.mark(3, Sign.INVALID)
    said(bench)
    assert standing(bench) == (
        "unmatched",
        "the desk has marked another result on this strip",
    )
