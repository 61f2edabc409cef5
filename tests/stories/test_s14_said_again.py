"""S14: the analyser says the same bytes twice, or another value for the same test."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from instruments.measurement import Measurement as Said
from lims.domain.refusals import IllegalMove
from lims.tables import Measurement, Result
from lims.work.correct import accept_correction
from lims.work.dismiss import dismiss
from lims.work.measure import take
from lims.work.review_run import invalidate_run
from lims.work.run_layout import Layout
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import Told, cartridge_capture, plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _measured(bench: Bench, told: Told, *, pc: Told = 25.0) -> tuple[Swab, Layout]:
    person = bench.swab()
    layout = bench.plate(person.barcode)
    bench.later(90).take(plate_capture(layout, {person.barcode: told}, pc=pc))
    return person, layout


def _waiting_correction(session: Session) -> UUID:
    return session.scalars(select(Measurement.id).where(Measurement.standing == "correction")).one()


def _said_again(bench: Bench, layout: Layout, person: Swab, told: Told) -> UUID:
    bench.later(10).take(plate_capture(layout, {person.barcode: told}))
    return _waiting_correction(bench.session)


def _counts(session: Session) -> tuple[int, int]:
    row = session.execute(
        text("SELECT (SELECT count(*) FROM measurement), (SELECT count(*) FROM result)")
    ).one()
    return row[0], row[1]


def test_the_same_bytes_twice_get_the_same_receipt_and_change_nothing(bench: Bench) -> None:
    _measured(bench, 24.0)
    before, everything = _counts(bench.session), seen.everything(bench.session)

    receipt, replayed = take(
        bench.session,
        bench.messages[0],
        site_id=bench.site_id,
        captured_at=bench.now,
        now=bench.later(5).now,
    )

    assert replayed
    assert receipt.matched == 3
    assert _counts(bench.session) == before
    assert seen.everything(bench.session) == everything


def test_the_same_values_in_other_bytes_are_set_aside(bench: Bench) -> None:
    person, layout = _measured(bench, 24.0)
    everything = seen.everything(bench.session)

    receipt = bench.take(plate_capture(layout, {person.barcode: 24.0}))

    assert (receipt.duplicates, receipt.matched, receipt.corrections) == (3, 0, 0)
    assert seen.everything(bench.session) == everything


def test_another_ct_is_a_correction_that_waits_with_both_values_readable(bench: Bench) -> None:
    person, layout = _measured(bench, 24.0)
    everything = seen.everything(bench.session)

    correction = _said_again(bench, layout, person, 31.0)

    assert seen.everything(bench.session) == everything
    both = bench.session.scalars(
        select(Measurement).where(
            Measurement.order_id == bench.session.get_one(Measurement, correction).order_id
        )
    )
    assert sorted((m.targets[0]["ct_cycles"], m.standing) for m in both) == [
        (24.0, "matched"),
        (31.0, "correction"),
    ]


def test_an_accepted_correction_supersedes_and_everything_follows(bench: Bench) -> None:
    person, layout = _measured(bench, 24.0)
    correction = _said_again(bench, layout, person, None)

    first = accept_correction(bench.session, correction, by="bs.lan", now=bench.now)
    again = accept_correction(bench.session, correction, by="bs.lan", now=bench.now)

    assert (first.was, first.outcome, again.replayed) == ("detected", "not_detected", True)
    assert (again.was, again.outcome) == (first.was, first.outcome)
    old, new = bench.session.scalars(select(Result).order_by(Result.created_at)).all()
    assert (old.current, new.current, new.status, new.supersedes_id) == (False, True, "C", old.id)
    assert seen.findings(bench.session)[person.specimen_id].outcome == "negative"
    assert [c.state for c in seen.cases(bench.session)] == ["withdrawn"]
    assert [n.kind for n in seen.notices(bench.session)] == ["case.opened", "case.corrected"]
    assert len(seen.audited(bench.session, "accept_correction")) == 1


def test_a_cleared_person_found_positive_by_correction_waits_for_a_reviewer(bench: Bench) -> None:
    person, layout = _measured(bench, None)
    assert seen.findings(bench.session)[person.specimen_id].status == "F"
    correction = _said_again(bench, layout, person, 22.0)

    accept_correction(bench.session, correction, by="bs.lan", now=bench.now)

    finding = seen.findings(bench.session)[person.specimen_id]
    assert (finding.outcome, finding.status) == ("positive", "P")
    assert [c.state for c in seen.cases(bench.session)] == ["presumptive"]


def test_a_negative_that_replaces_a_told_negative_is_no_news_but_one_after_a_positive_is(
    bench: Bench,
) -> None:
    person, layout = _measured(bench, None)
    accept_correction(
        bench.session, _said_again(bench, layout, person, 22.0), by="bs.lan", now=bench.now
    )
    accept_correction(
        bench.session, _said_again(bench, layout, person, 41.0), by="bs.lan", now=bench.now
    )

    finding = seen.findings(bench.session)[person.specimen_id]
    assert (finding.outcome, finding.status) == ("negative", "C")


def test_a_refused_correction_is_dismissed_with_a_reason(bench: Bench) -> None:
    person, layout = _measured(bench, 24.0)
    correction = _said_again(bench, layout, person, None)
    everything = seen.everything(bench.session)

    dismiss(bench.session, correction, "threshold moved by hand", by="bs.lan", now=bench.now)

    assert seen.everything(bench.session) == everything
    with pytest.raises(IllegalMove):
        accept_correction(bench.session, correction, by="bs.lan", now=bench.now)


def test_the_same_correction_said_three_times_waits_once(bench: Bench) -> None:
    person, layout = _measured(bench, 24.0)

    for _ in range(3):
        bench.later(5).take(plate_capture(layout, {person.barcode: 31.0}))

    _waiting_correction(bench.session)  # exactly one


def test_one_message_that_says_a_well_twice_counts_it_once(bench: Bench) -> None:
    person = bench.swab()
    layout = bench.plate(person.barcode)
    said = plate_capture(layout, {person.barcode: 24.0})
    well = said.measurements[0]
    other = replace(
        well, path="A01 other", targets=plate_capture(layout, {}).measurements[0].targets
    )
    twice = _with(said, replace(well, path="A01 again"), other)

    receipt = bench.take(twice)

    assert (receipt.matched, receipt.duplicates, receipt.corrections) == (3, 1, 1)
    assert seen.findings(bench.session)[person.specimen_id].outcome == "positive"


def test_a_cartridge_that_says_one_test_twice_with_another_ct_is_a_correction(
    bench: Bench,
) -> None:
    person = bench.swab()
    at = bench.now
    for told in (24.0, 24.0, 35.0):
        bench.take(cartridge_capture(person.barcode, told, at=at, instrument=bench.instrument))

    corrected = accept_correction(
        bench.session, _waiting_correction(bench.session), by="bs.lan", now=bench.now
    )

    assert (corrected.was, corrected.outcome) == ("detected", "detected")
    assert bench.session.scalars(select(Result.ct_cycles).where(Result.current)).all() == [35.0]
    assert len(seen.notices(bench.session, "case.opened")) == 1


def test_in_an_invalid_run_and_for_a_control_nothing_is_accepted(bench: Bench) -> None:
    person, layout = _measured(bench, 24.0)
    correction = _said_again(bench, layout, person, 31.0)
    invalidate_run(bench.session, layout.run_id, "lid open", by="bs.lan", now=bench.now)
    with pytest.raises(IllegalMove):
        accept_correction(bench.session, correction, by="bs.lan", now=bench.now)
    dismiss(bench.session, correction, "run is invalid", by="bs.lan", now=bench.now)

    person, layout = _measured(bench, 24.0)
    bench.take(plate_capture(layout, {person.barcode: 24.0}, pc=30.0))
    with pytest.raises(IllegalMove):
        accept_correction(
            bench.session, _waiting_correction(bench.session), by="bs.lan", now=bench.now
        )


def test_a_held_positive_corrected_to_negative_is_tested_again(bench: Bench) -> None:
    person, layout = _measured(bench, 24.0, pc=36.0)
    bench.take(plate_capture(layout, {person.barcode: None}, pc=36.0))

    corrected = accept_correction(
        bench.session, _waiting_correction(bench.session), by="bs.lan", now=bench.now
    )

    assert corrected.outcome is None  # with a late positive control no negative counts
    assert seen.waiting(bench.session) == {person.barcode}
    assert seen.findings(bench.session) == {}


def _with(capture: Capture, *more: Said) -> Capture:
    return replace(capture, measurements=(*capture.measurements, *more))
