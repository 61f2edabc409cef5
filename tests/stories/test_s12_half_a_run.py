"""S12: the analyser's session breaks in the middle of a plate."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import IllegalMove
from lims.work.review_run import abandon_run, invalidate_run
from lims.work.run_layout import Layout
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import plate_capture

TUBES, FIRST = 24, 10


def _broken_off(
    bench: Bench, *, tubes: int = TUBES, first: int = FIRST
) -> tuple[Layout, list[str], list[Swab]]:
    """A plate of which the analyser says only the first wells."""
    people = [bench.swab() for _ in range(tubes)]
    layout = bench.plate()
    wells = [w.position for w in layout.wells]
    receipt = bench.take(
        plate_capture(layout, {}, complete=False, only=wells[:first], instrument=bench.instrument)
    )
    assert (receipt.state, receipt.held, receipt.matched) == ("held", first, 0)
    return layout, wells, people


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def test_what_was_said_is_held_with_the_reason_and_nobody_is_cleared(bench: Bench) -> None:
    _broken_off(bench)

    held = bench.session.execute(
        text("SELECT count(*) FROM measurement WHERE standing = 'held' AND why LIKE 'incomplete%'")
    ).scalar_one()
    assert held == FIRST
    assert seen.findings(bench.session) == {}
    assert len(seen.orders(bench.session, "plated")) == TUBES
    assert _run_state(bench.session) == "measuring"


@pytest.mark.parametrize("overlap", [0, 10, FIRST])
def test_the_tail_completes_it_once_without_gap_or_duplicate(bench: Bench, overlap: int) -> None:
    layout, wells, people = _broken_off(bench)

    bench.later(20)
    receipt = bench.take(plate_capture(layout, {}, only=wells[FIRST - overlap :]))

    assert receipt.runs == {layout.plate: "valid"}
    assert receipt.duplicates == overlap
    results = bench.session.execute(
        text("SELECT count(*), count(DISTINCT tube_id) FROM result")
    ).one()
    assert tuple(results) == (TUBES, TUBES)
    assert seen.findings(bench.session).keys() == {p.specimen_id for p in people}


def test_a_tail_without_the_controls_is_held_until_they_come(bench: Bench) -> None:
    layout, wells, _ = _broken_off(bench)
    controls = {w.position for w in layout.wells if w.role != "specimen"}

    receipt = bench.take(
        plate_capture(layout, {}, only=[w for w in wells[FIRST:20] if w not in controls])
    )
    assert receipt.runs == {layout.plate: "measuring"}
    assert (receipt.held, receipt.matched) == (20 - FIRST, 0)
    assert seen.findings(bench.session) == {}

    bench.take(plate_capture(layout, {}, only=wells[20:]))
    assert len(seen.findings(bench.session)) == TUBES


def test_a_full_plate_that_broke_after_forty_wells_gives_its_94_results_once(bench: Bench) -> None:
    layout, wells, people = _broken_off(bench, tubes=94, first=40)

    receipt = bench.take(plate_capture(layout, {people[90].barcode: 30.0}, only=wells[40:]))

    assert (receipt.matched, receipt.duplicates) == (96 - 40, 0)
    assert len(seen.findings(bench.session)) == 94
    assert [c.person_id for c in seen.cases(bench.session)] == [people[90].person_id]


def test_if_it_never_resumes_a_reviewer_ends_the_run_and_all_are_tested_again(
    bench: Bench,
) -> None:
    _, _, people = _broken_off(bench)
    run: UUID = bench.session.execute(text("SELECT id FROM run")).scalar_one()

    invalidate_run(bench.session, run, "analyser broke down", by="bs.lan", now=bench.now)

    assert seen.waiting(bench.session) == {p.barcode for p in people}
    assert seen.findings(bench.session) == {}


def test_a_plate_that_says_only_some_wells_but_is_closed_queues_the_silent_ones_again(
    bench: Bench,
) -> None:
    heard, silent = bench.swab(), bench.swab()
    layout = bench.plate(heard.barcode, silent.barcode)

    bench.take(plate_capture(layout, {}, only=["A01", "H11", "H12"]))

    assert seen.findings(bench.session).keys() == {heard.specimen_id}
    (order,) = seen.orders(bench.session, "queued")
    assert (order.barcode, order.because) == (silent.barcode, "run again: not measured in its run")


def _run_state(session: Session) -> str:
    return str(session.execute(text("SELECT state FROM run")).scalar_one())


def test_a_plate_that_is_never_measured_is_abandoned_and_fills_another_plate(bench: Bench) -> None:
    people = [bench.swab() for _ in range(3)]
    layout = bench.plate()

    abandoned = abandon_run(bench.session, layout.run_id, "dropped", by="desk", now=bench.now)
    again = abandon_run(bench.session, layout.run_id, "dropped", by="desk", now=bench.now)

    assert (abandoned.state, abandoned.replayed, again.replayed) == ("invalid", False, True)
    assert seen.waiting(bench.session) == {p.barcode for p in people}
    bench.run({people[0].barcode: 24.0})
    assert len(seen.findings(bench.session)) == 3
    late = bench.take(plate_capture(layout, {people[1].barcode: 24.0}))
    assert (late.matched, len(seen.cases(bench.session))) == (0, 1)


def test_a_plate_that_was_half_measured_is_not_abandoned_at_the_bench(bench: Bench) -> None:
    layout, _, _ = _broken_off(bench)

    with pytest.raises(IllegalMove):
        abandon_run(bench.session, layout.run_id, "dropped", by="desk", now=bench.now)
