"""S11: the controls of a run fail."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.refusals import IllegalMove, InvalidBody
from lims.tables import Run
from lims.work.review import release_positive
from lims.work.review_run import invalidate_run, release_held_run
from tests import seen
from tests.builders import Bench, open_bench
from tests.captures import Blank, Told


def _run_id(session: Session, plate: str = "PLATE-0001") -> UUID:
    return session.scalars(select(Run.id).where(Run.plate == plate)).one()


def test_a_contaminated_run_says_nothing_and_everything_is_tested_again(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    bench.lab_pool(bench.swabs(10))
    alone = bench.swab()
    positive = bench.swab()
    measured = seen.waiting(session)

    receipt = bench.run({positive.barcode: 20.0, alone.barcode: None}, ntc=35.2)

    assert receipt.runs == {"PLATE-0001": "invalid"}
    assert seen.findings(session) == {}
    assert seen.cases(session) == []
    assert seen.notices(session) == []
    again = seen.orders(session, "queued")
    assert {o.barcode for o in again} == measured
    assert {(o.why, o.round) for o in again} == {("rerun", 2)}
    assert {o.because for o in again} == {
        "run again: negative control H11 amplified: N 35.7, ORF1ab 35.2"
    }


def test_a_reviewer_cannot_release_any_of_it(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    positive = bench.swab()
    bench.run({positive.barcode: 20.0}, ntc=35.2)
    before = seen.everything(session)

    with pytest.raises(IllegalMove):
        release_held_run(session, _run_id(session), by="bs.lan", now=bench.now)

    assert session.execute(text("SELECT count(*) FROM result")).scalar_one() == 0
    assert seen.everything(session) == before


def test_the_second_run_is_clean_and_counts(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    positive = bench.swab()
    bench.run({positive.barcode: 20.0}, ntc=35.2)

    bench.run({positive.barcode: 20.5})

    assert seen.findings(session)[positive.specimen_id].outcome == "positive"
    assert len(seen.cases(session)) == 1


@pytest.mark.parametrize("pc", [None, 36.4, Blank.ERROR, Blank.UNMEASURED])
def test_without_a_timely_positive_control_negatives_do_not_count_and_positives_are_held(
    session: Session, now: datetime, pc: Told
) -> None:
    bench = open_bench(session, now)
    positive, negative = bench.swab(), bench.swab()

    receipt = bench.run({positive.barcode: 24.0}, pc=pc)

    assert receipt.runs == {"PLATE-0001": "held"}
    assert seen.findings(session) == {}
    assert seen.cases(session) == []
    assert seen.waiting(session) == {negative.barcode}
    held = session.execute(text("SELECT outcome FROM result WHERE current AND held")).scalars()
    assert list(held) == ["detected"]


def test_a_reviewer_may_release_the_held_positive(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    positive, negative = bench.swab(), bench.swab()
    bench.run({positive.barcode: 24.0}, pc=36.4)

    first = release_held_run(session, _run_id(session), by="bs.lan", now=bench.now)
    again = release_held_run(session, _run_id(session), by="bs.lan", now=bench.now)

    assert (first.results, first.replayed, again.replayed) == (1, False, True)
    assert seen.findings(session)[positive.specimen_id].outcome == "positive"
    assert [c.person_id for c in seen.cases(session)] == [positive.person_id]
    assert seen.waiting(session) == {negative.barcode}  # a late control clears nobody


def test_a_held_run_that_is_invalidated_is_tested_again(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    positive, negative = bench.swab(), bench.swab()
    bench.run({positive.barcode: 24.0}, pc=36.4)

    invalidate_run(session, _run_id(session), "wrong enzyme lot", by="bs.lan", now=bench.now)

    assert seen.waiting(session) == {positive.barcode, negative.barcode}
    with pytest.raises(IllegalMove):
        release_held_run(session, _run_id(session), by="bs.lan", now=bench.now)


def _told_and_then_invalidated(bench: Bench) -> tuple[UUID, UUID]:
    """A confirmed case and a cleared pool, and the run that said both."""
    bench.lab_pool(bench.swabs(5))
    infected = bench.swab()
    bench.run({infected.barcode: 22.0})
    finding = bench.session.execute(
        text("SELECT id FROM finding WHERE current AND outcome = 'positive'")
    ).scalar_one()
    release_positive(bench.session, finding, site_id=bench.site_id, by="bs.lan", now=bench.now)
    return _run_id(bench.session), infected.person_id


def test_a_valid_run_invalidated_later_takes_everything_back_and_says_so(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    run, infected = _told_and_then_invalidated(bench)
    assert [c.state for c in seen.cases(session)] == ["confirmed"]

    with pytest.raises(InvalidBody):
        invalidate_run(session, run, "", by="bs.lan", now=bench.now)
    invalidate_run(session, run, "pipette block leaked", by="bs.lan", now=bench.now)

    assert seen.findings(session) == {}
    assert [(c.person_id, c.state) for c in seen.cases(session)] == [(infected, "withdrawn")]
    assert [n.kind for n in seen.notices(session)] == [
        "case.opened",
        "case.confirmed",
        "case.corrected",
    ]
    assert {(o.why, o.because) for o in seen.orders(session, "queued")} == {
        ("rerun", "run again: pipette block leaked")
    }
    said = session.execute(
        text("SELECT status, current, outcome, why FROM result WHERE supersedes_id IS NOT NULL")
    ).all()
    ended = session.execute(
        text("SELECT DISTINCT status, current FROM result WHERE supersedes_id IS NULL")
    ).all()
    assert {tuple(row) for row in said} == {("C", False, "invalid", "pipette block leaked")}
    assert [tuple(row) for row in ended] == [("X", False)]
    assert session.execute(
        text("SELECT count(*) FROM measurement WHERE standing = 'matched'")
    ).scalar_one()  # what was measured can still be read


def test_invalidating_twice_changes_nothing(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    run, _ = _told_and_then_invalidated(bench)
    invalidate_run(session, run, "pipette block leaked", by="bs.lan", now=bench.now)
    before = seen.everything(session)

    assert invalidate_run(session, run, "again", by="bs.lan", now=bench.now).replayed
    assert seen.everything(session) == before
