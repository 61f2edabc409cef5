"""S24: an analyser whose clock is wrong. It is told, nothing is held for it, nothing is put in
another order than that of receipt."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.drivers import DRIVERS
from instruments.line import Received
from instruments.measurement import Capture
from instruments.misbehaviour import Order
from instruments.reader import Reader
from instruments.simulated.machines import MACHINES
from instruments.simulated.playing import CLOCK_JUMP
from instruments.simulated.said import said
from lims.domain.instrument_clock import ClockDoubt, ClockFault
from lims.work.measure import take
from lims.work.views.remarks import Remarks
from lims.work.views.review_messages import corrections
from lims.work.views.story_events import Happened
from lims.work.views.tube_story import tube_story
from tests.builders import Bench, open_bench
from tests.captures import cartridge_capture, plate_capture

JUMPS = [timedelta(), CLOCK_JUMP, -CLOCK_JUMP, timedelta(hours=-2)]


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def by_its_clock(capture: Capture, at: datetime) -> Capture:
    measured = tuple(replace(m, measured_at=at.isoformat()) for m in capture.measurements)
    return replace(capture, measurements=measured, sent_at=at.isoformat())


def remarks_of(bench: Bench, barcode: str) -> list[Remarks]:
    story = tube_story(bench.session, barcode, site_id=bench.site_id)
    return [event.remarks for event in story.events if event.what is Happened.RESULT]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_repeat_follows_the_first_test_however_the_clock_jumped_between(
    bench: Bench, jump: timedelta
) -> None:
    swab = bench.swab()
    for told, off in ((39.0, timedelta()), (24.0, jump)):
        bench.later(45)
        capture = cartridge_capture(swab.barcode, told, at=bench.now, instrument=bench.instrument)
        assert bench.take(by_its_clock(capture, bench.now + off)).matched == 1

    story = tube_story(bench.session, swab.barcode, site_id=bench.site_id)
    results = [event for event in story.events if event.what is Happened.RESULT]
    assert [event.outcome for event in results] == ["inconclusive", "detected"]
    assert [event.at for event in results] == [bench.now - timedelta(minutes=45), bench.now]
    assert story.sign == "positive"


@pytest.mark.parametrize("jump", JUMPS)
def test_the_second_value_of_a_well_is_the_one_that_came_second(
    bench: Bench, jump: timedelta
) -> None:
    swab = bench.swab()
    layout = bench.plate(swab.barcode)
    for told, off in ((24.0, timedelta()), (31.0, jump)):
        bench.later(10)
        capture = plate_capture(layout, {swab.barcode: told}, instrument=bench.instrument)
        bench.take(by_its_clock(capture, bench.now + off))

    waits = {one.barcode: one for one in corrections(bench.session, site_id=bench.site_id)}
    one = waits[swab.barcode]
    assert one.before is not None
    orf = [readings.targets[0][1] for readings in (one.before, one.after)]
    assert orf == [24.0, 31.0]
    measured_at = bench.session.execute(text("SELECT measured_at FROM run")).scalar_one()
    assert measured_at == bench.now - timedelta(minutes=10)


def test_a_simulated_cartridge_under_a_dead_battery_counts_and_its_clock_is_told(
    bench: Bench,
) -> None:
    swab = bench.swab()
    asked = {"specimen": swab.barcode, "targets": {"E": 21.0, "N2": 22.5, "SPC": 28.0}}
    machine = MACHINES["genexpert"]
    (task,) = machine.says(said(asked), "X1", bench.later(50).now + CLOCK_JUMP)
    assert isinstance(task, Order)
    reader = Reader(DRIVERS["genexpert"], bench.instrument)
    capture = reader.capture(Received(b"".join(task.records)), bench.now)
    assert capture is not None

    receipt = bench.take(Capture.from_json(capture.to_json()))

    assert (receipt.state, receipt.matched) == ("accepted", 1)
    (remark,) = remarks_of(bench, swab.barcode)
    (doubt,) = remark.doubts
    assert doubt.fault is ClockFault.BEHIND
    assert abs(doubt.by + CLOCK_JUMP) < timedelta(hours=8)
    kept = "SELECT sent_text, clock_ahead_s FROM raw_message"
    sent_text, ahead_s = bench.session.execute(text(kept)).one()
    assert sent_text == capture.sent_at
    assert ahead_s == -doubt.by.total_seconds()


def test_a_clock_set_right_is_told_by_the_next_message_and_a_replay_tells_nothing(
    bench: Bench,
) -> None:
    clock = text("SELECT clock_ahead_s FROM instrument")
    told = []
    for off in (timedelta(days=-1096), timedelta(seconds=2)):
        bench.later(45)
        capture = cartridge_capture(
            bench.swab().barcode, None, at=bench.now, instrument=bench.instrument
        )
        bench.take(by_its_clock(capture, bench.now + off))
        told.append(bench.session.execute(clock).scalar_one())
    take(
        bench.session,
        bench.messages[0],
        site_id=bench.site_id,
        captured_at=bench.now,
        now=bench.now,
    )
    told.append(bench.session.execute(clock).scalar_one())
    unsaid = cartridge_capture(
        bench.swab().barcode, None, at=bench.now, instrument=bench.instrument
    )
    bench.take(unsaid)
    told.append(bench.session.execute(clock).scalar_one())
    assert told == [-1096 * 86400, 2, 2, 2]


def test_a_file_says_no_time_of_sending_but_may_not_be_measured_tomorrow(bench: Bench) -> None:
    swabs = [bench.swab(), bench.swab(name="Lê Văn Hùng")]
    for swab, off in zip(swabs, (timedelta(days=1), timedelta(hours=-9)), strict=True):
        bench.later(45)
        at = bench.now + off
        capture = cartridge_capture(swab.barcode, None, at=at, instrument=bench.instrument)
        bench.take(capture)
    tomorrow, this_morning = (remarks_of(bench, swab.barcode)[0] for swab in swabs)
    assert tomorrow.doubts == (ClockDoubt(ClockFault.FUTURE, timedelta(days=1)),)
    assert not this_morning


def test_the_flags_of_the_analyser_are_kept_as_sent_and_told(bench: Bench) -> None:
    swab = bench.swab()
    bench.later(45)
    capture = cartridge_capture(swab.barcode, None, at=bench.now, instrument=bench.instrument)
    flags = ("NOAMP", "status-P", "Ω, {odd}")
    flagged = replace(capture.measurements[0], flags=flags)
    bench.take(replace(capture, measurements=(flagged,)))
    (remark,) = remarks_of(bench, swab.barcode)
    assert remark == Remarks(flags)
