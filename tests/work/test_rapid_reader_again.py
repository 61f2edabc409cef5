"""What a reader says again, otherwise, or of nobody we know: beside the first, never over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from instruments.measurement import Role
from lims.domain.rapid_test import RapidOutcome
from lims.domain.refusals import IllegalMove
from lims.work.attach import attach
from lims.work.attach_reading import NoOpenStrip
from lims.work.correct import accept_correction
from lims.work.dismiss import dismiss
from lims.work.views.review_messages import corrections, strays
from tests import seen
from tests.builders import Bench
from tests.builders_rapid import Classroom
from tests.work.reader_stand import (
    NUMBER,
    class_of_four,
    desk,
    message,
    person,
    positive_of,
    rapid,
    said,
    standing,
    stray,
)


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return desk(session, now)


@pytest.fixture
def room(bench: Bench) -> Classroom:
    return class_of_four(bench)


def test_the_same_word_again_is_said_before_however_it_was_sent(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    read_at = bench.now + timedelta(minutes=20)
    said(bench.later(20), at=read_at)
    receipt = said(bench.later(300), at=read_at)
    assert (receipt.duplicates, receipt.matched) == (1, 0)
    assert len(rapid(bench)) == 1
    assert len(seen.notices(bench.session)) == 1


def test_the_same_bytes_get_the_same_receipt_and_change_nothing(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    first = said(bench.later(20))
    assert bench.take(bench.messages[-1]) == first
    assert len(rapid(bench)) == 1
    assert len(seen.notices(bench.session)) == 1


@pytest.mark.parametrize("by_eye", [False, True])
def test_another_value_for_a_strip_that_was_read_is_a_correction(
    bench: Bench, room: Classroom, by_eye: bool
) -> None:
    timer = room.start()
    bench.later(20)
    if by_eye:
        room.read(timer, negative=4)
    else:
        said(bench, "negative")
    receipt = said(bench.later(2))
    assert (receipt.corrections, receipt.matched) == (1, 0)
    assert "positive" not in [outcome for outcome, _lot in rapid(bench)]
    (waits,) = corrections(bench.session, site_id=bench.site_id)
    assert (waits.person_id, waits.read) == (person(room, 3), "negative")
    assert (waits.before is None) == by_eye
    with pytest.raises(IllegalMove, match="new strip"):
        accept_correction(bench.session, waits.measurement_id, by="bs.lan", now=bench.now)
    dismiss(bench.session, waits.measurement_id, "a new strip", by="bs.lan", now=bench.now)
    assert corrections(bench.session, site_id=bench.site_id) == []


@pytest.mark.parametrize("role", [Role.SPECIMEN, Role.POSITIVE_CONTROL])
def test_what_a_message_that_broke_off_says_waits_for_the_whole_one(
    bench: Bench, room: Classroom, role: Role
) -> None:
    room.start()
    bench.later(20)
    spoken = replace(positive_of(), role=role, measured_at=bench.now.isoformat())
    part = bench.take(replace(message(bench, spoken), complete=False))
    assert (part.state, part.matched, part.unmatched) == ("held", 0, 1)
    assert standing(bench) == ("unmatched", "incomplete message")
    assert (rapid(bench), seen.cases(bench.session)) == ([], [])

    whole = bench.later(2).take(message(bench, spoken))
    assert (whole.matched, whole.unmatched, whole.duplicates) == (1, 0, 0)
    assert len(seen.cases(bench.session)) == (1 if role is Role.SPECIMEN else 0)
    assert strays(bench.session, site_id=bench.site_id) == []


def test_a_quality_control_is_nobodys(bench: Bench, room: Classroom) -> None:
    room.start()
    receipt = said(bench.later(20), "passed", scanned="Positive", role=Role.POSITIVE_CONTROL)
    assert (receipt.matched, standing(bench)[0]) == (1, "control")
    assert rapid(bench) == []


def test_one_message_that_speaks_twice_of_one_strip_reads_it_once(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    said(bench.later(20), scanned="x")
    one = bench.messages[-1].measurements[0]
    mine = replace(one, specimen=NUMBER, specimens=(NUMBER,))
    receipt = bench.take(message(bench, mine, replace(mine, path="OBS2")))
    assert (receipt.matched, receipt.unmatched) == (1, 1)
    assert len(rapid(bench)) == 1


def test_an_influenza_beside_it_reads_no_strip(bench: Bench, room: Classroom) -> None:
    room.start()
    said(bench.later(20), scanned="x")
    flu = replace(
        bench.messages[-1].measurements[0],
        specimen=NUMBER,
        specimens=(NUMBER,),
        assay="Sofia 2 Flu + SARS^Flu A",
    )
    bench.take(message(bench, flu))
    assert standing(bench) == ("unmatched", "no rule reads assay Sofia 2 Flu + SARS^Flu A")


def test_a_stray_is_attached_to_the_person_it_is_about_as_of_when_it_was_read(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    said(bench.later(20), scanned="mistyped")
    heard = bench.now
    attached = attach(bench.session, stray(bench), NUMBER, by="bs.lan", now=bench.later(200).now)
    assert (attached.outcome, attached.replayed) == (RapidOutcome.POSITIVE, False)
    assert bench.session.execute(text("SELECT read_at FROM rapid_test")).scalar_one() == heard
    assert len(seen.notices(bench.session, "case.opened")) == 1
    again = attach(bench.session, attached.measurement_id, NUMBER, by="bs.lan", now=bench.now)
    assert (again.outcome, again.replayed) == (RapidOutcome.POSITIVE, True)


def test_a_stray_that_no_strip_can_be_is_refused_with_the_reason(
    bench: Bench, room: Classroom
) -> None:
    said(bench, scanned="mistyped")
    room.start()
    with pytest.raises(NoOpenStrip, match="minutes after the drop"):
        attach(bench.session, stray(bench), NUMBER, by="bs.lan", now=bench.later(20).now)
    with pytest.raises(NoOpenStrip, match="names nobody"):
        attach(bench.session, stray(bench), "001307999999", by="bs.lan", now=bench.now)


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE measurement SET strip_id = NULL WHERE standing = 'matched'",
        "UPDATE measurement SET tube_id = (SELECT id FROM tube LIMIT 1) WHERE standing = 'matched'",
        "UPDATE measurement SET standing = 'matched' WHERE standing = 'correction'",
    ],
    ids=["of nothing", "of a tube too", "a second word for one strip"],
)
def test_what_no_statement_can_store_of_a_strips_reading(
    bench: Bench, room: Classroom, wrong: str
) -> None:
    bench.swab()
    room.start()
    said(bench.later(20), "negative")
    said(bench.later(2))
    with pytest.raises(IntegrityError), bench.session.begin_nested():
        bench.session.execute(text(wrong))


def test_what_a_reader_tells_again_is_no_reading_of_a_strip_dropped_since(
    bench: Bench, room: Classroom
) -> None:
    """Its memory still holds the same person's cassette of yesterday, which nobody took."""
    yesterday = bench.now - timedelta(days=1)
    room.start()
    said(bench.later(20), "negative", at=yesterday, resent=True)
    assert rapid(bench) == []
    assert standing(bench) == ("unmatched", "no rapid test of this person is open")


def test_what_a_reader_tells_again_of_this_strip_is_its_reading(
    bench: Bench, room: Classroom
) -> None:
    room.start()
    read_at = bench.later(20).now
    said(bench.later(5), "positive", at=read_at, resent=True)
    assert rapid(bench) == [("positive", "AG21-07")]
