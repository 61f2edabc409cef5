"""S13: the analyser speaks of a tube that the layout does not have there."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.refusals import (
    IllegalMove,
    InvalidBody,
    MixedAssay,
    TubeRejected,
    UnknownRun,
    WellTaken,
)
from lims.tables import Measurement
from lims.work.attach import attach
from lims.work.dismiss import dismiss
from lims.work.reject import reject
from lims.work.run_layout import Layout
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import Told, cartridge_capture, plate_capture, stray


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _unmatched(bench: Bench) -> UUID:
    return bench.session.scalars(
        select(Measurement.id).where(Measurement.standing == "unmatched")
    ).one()


def _with_a_stray(
    bench: Bench, told: Told, *, ntc: Told = None, pc: Told = 25.0
) -> tuple[Swab, Layout]:
    """A plate of one known tube, and a well in which the analyser read a smudged label."""
    known = bench.swab()
    layout = bench.plate(known.barcode)
    extra = (stray(layout, "TTSMUDGED??", "C05", told),)
    bench.later(90).take(plate_capture(layout, {}, ntc=ntc, pc=pc, extra=extra))
    return known, layout


def test_the_unknown_is_kept_with_the_reason_and_the_rest_proceeds(bench: Bench) -> None:
    known, layout = _with_a_stray(bench, 24.0)

    assert seen.findings(bench.session).keys() == {known.specimen_id}
    kept = bench.session.get_one(Measurement, _unmatched(bench))
    assert (kept.specimen_text, kept.well) == ("TTSMUDGED??", "C05")
    assert kept.why == f"plate {layout.plate} has no well C05"
    assert seen.cases(bench.session) == []


def test_attached_to_a_waiting_tube_it_does_what_it_would_have_done(bench: Bench) -> None:
    _with_a_stray(bench, 24.0)
    meant = bench.swab()
    assert seen.waiting(bench.session) == {meant.barcode}
    stray_id = _unmatched(bench)

    first = attach(bench.session, stray_id, meant.barcode, by="ktv.binh", now=bench.now)
    again = attach(bench.session, stray_id, meant.barcode, by="ktv.binh", now=bench.now)

    assert (first.outcome, first.held, first.replayed, again.replayed) == (
        "detected",
        False,
        False,
        True,
    )
    assert seen.findings(bench.session)[meant.specimen_id].outcome == "positive"
    assert [c.person_id for c in seen.cases(bench.session)] == [meant.person_id]
    assert seen.waiting(bench.session) == set()
    (event,) = seen.audited(bench.session, "attach")
    assert (event["said"], event["well"], event["outcome"]) == ("TTSMUDGED??", "C05", "detected")


def test_attached_to_a_pool_it_clears_the_whole_pool(bench: Bench) -> None:
    _with_a_stray(bench, None)
    people = bench.swabs(6)
    pool = bench.lab_pool(people)

    attach(bench.session, _unmatched(bench), pool, by="ktv.binh", now=bench.now)

    found = seen.findings(bench.session)
    assert {found[p.specimen_id].outcome for p in people} == {"negative"}
    assert found[people[0].specimen_id].evidence == {pool}


def test_attached_to_a_tube_that_nobody_ordered_it_adds_a_test(bench: Bench) -> None:
    _with_a_stray(bench, 24.0)
    member = bench.swabs(5)[2]

    attach(bench.session, _unmatched(bench), member.barcode, by="ktv.binh", now=bench.now)

    assert seen.findings(bench.session)[member.specimen_id].outcome == "positive"
    (order,) = [o for o in seen.orders(bench.session) if o.barcode == member.barcode]
    assert (order.state, order.because) == ("resulted", "measurement attached by ktv.binh")


def test_the_right_tube_in_a_misread_well_answers_the_test_that_was_queued_again(
    bench: Bench,
) -> None:
    person = bench.swab()
    layout = bench.plate(person.barcode)
    misread = stray(layout, "TTMISREAD", "A01", 30.0)
    bench.later(90).take(plate_capture(layout, {}, only=["H11", "H12"], extra=(misread,)))
    (again,) = seen.orders(bench.session, "queued")
    assert (again.barcode, again.round) == (person.barcode, 2)

    attach(bench.session, _unmatched(bench), person.barcode, by="ktv.binh", now=bench.now)

    assert seen.findings(bench.session)[person.specimen_id].outcome == "positive"
    assert seen.waiting(bench.session) == set()


def test_under_a_failed_negative_control_it_says_nothing_and_the_tube_stays_wanted(
    bench: Bench,
) -> None:
    _with_a_stray(bench, 24.0, ntc=33.0)
    meant = bench.swab()

    attached = attach(bench.session, _unmatched(bench), meant.barcode, by="ktv.binh", now=bench.now)

    assert attached.outcome is None
    assert seen.findings(bench.session) == {}
    assert meant.barcode in seen.waiting(bench.session)


def test_under_a_late_positive_control_a_detected_one_is_held_and_a_negative_does_not_count(
    bench: Bench,
) -> None:
    _with_a_stray(bench, 24.0, pc=36.0)
    meant = bench.swab()
    attached = attach(bench.session, _unmatched(bench), meant.barcode, by="ktv.binh", now=bench.now)
    assert (attached.outcome, attached.held) == ("detected", True)
    assert meant.specimen_id not in seen.findings(bench.session)

    _with_a_stray(bench, None, pc=36.0)
    other = bench.swab()
    attached = attach(bench.session, _unmatched(bench), other.barcode, by="ktv.binh", now=bench.now)
    assert attached.outcome is None
    assert other.barcode in seen.waiting(bench.session)


def test_it_is_not_attached_where_nothing_speaks_for_it(bench: Bench) -> None:
    _with_a_stray(bench, 24.0)
    stray_id = _unmatched(bench)
    plated, broken, absent = bench.swab(), bench.swab(), bench.swab(received=False)
    reject(bench.session, broken.barcode, "leaking", by="door", now=bench.now)
    bench.plate(plated.barcode)

    for barcode, refusal in (
        (plated.barcode, WellTaken),
        (broken.barcode, TubeRejected),
        (absent.barcode, IllegalMove),
    ):
        with pytest.raises(refusal):
            attach(bench.session, stray_id, barcode, by="ktv.binh", now=bench.now)
    assert bench.session.get_one(Measurement, stray_id).standing == "unmatched"


def test_a_plate_that_nobody_laid_out_has_no_controls_to_speak_for_it(bench: Bench) -> None:
    person = bench.swab()
    layout = bench.plate(person.barcode)
    unknown = replace(layout, plate="PLATE-9999", wells=layout.wells[:1])
    receipt = bench.take(plate_capture(unknown, {person.barcode: 21.0}))
    assert receipt.unmatched == 1

    with pytest.raises(UnknownRun):
        attach(bench.session, _unmatched(bench), person.barcode, by="ktv.binh", now=bench.now)


def test_a_tube_of_another_assay_is_refused(bench: Bench) -> None:
    _with_a_stray(bench, 24.0)
    bench.session.get_one(Measurement, _unmatched(bench)).assay_text = "Influenza A"

    with pytest.raises(MixedAssay):
        attach(bench.session, _unmatched(bench), bench.swab().barcode, by="ktv.binh", now=bench.now)


def test_a_cartridge_for_a_tube_that_waits_for_no_test_can_be_attached(bench: Bench) -> None:
    member = bench.swabs(5)[0]
    receipt = bench.take(
        cartridge_capture(member.barcode, 19.0, at=bench.now, instrument=bench.instrument)
    )
    assert receipt.unmatched == 1

    attach(bench.session, _unmatched(bench), member.barcode, by="ktv.binh", now=bench.now)

    assert seen.findings(bench.session)[member.specimen_id].outcome == "positive"


def test_a_stray_that_nobody_knows_is_dismissed_with_a_reason(bench: Bench) -> None:
    known, _ = _with_a_stray(bench, 24.0)
    stray_id = _unmatched(bench)

    with pytest.raises(InvalidBody):
        dismiss(bench.session, stray_id, "", by="bs.lan", now=bench.now)
    for _ in range(2):
        dismiss(bench.session, stray_id, "water in a spare well", by="bs.lan", now=bench.now)

    kept = bench.session.get_one(Measurement, stray_id)
    assert (kept.standing, kept.why) == ("dismissed", "water in a spare well")
    assert len(seen.audited(bench.session, "dismiss_measurement")) == 1
    with pytest.raises(IllegalMove):
        attach(bench.session, stray_id, known.barcode, by="ktv.binh", now=bench.now)


def test_what_a_result_rests_on_cannot_be_dismissed(bench: Bench) -> None:
    bench.swab()
    bench.run()
    counted = bench.session.scalars(
        select(Measurement.id).where(Measurement.standing == "matched")
    ).one()

    with pytest.raises(IllegalMove):
        dismiss(bench.session, counted, "do not like it", by="bs.lan", now=bench.now)
