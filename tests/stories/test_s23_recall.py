"""S23: a lot is not to be believed; everything that rests on it is taken back at once."""

from dataclasses import asdict
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.recall import RecallKind, RecallScope
from lims.domain.refusals import DifferentBody, InvalidBody, NotFound
from lims.domain.result_slips import Worth
from lims.work.rapid_pcr import take_pcr_tube
from lims.work.receive import receive
from lims.work.views.recall_figures import RecallFigures
from lims.work.views.slip_check import check_slip
from lims.work.volume import say_volume
from tests import seen
from tests.builders import HOME, WORK, Bench, open_bench
from tests.builders_rapid import box, classroom
from tests.builders_recall import (
    claimed,
    lot_day,
    newest_run,
    of_analyser,
    of_lot,
    of_run,
    previewed,
    recalled,
    said_lot,
    sign,
)


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def test_a_preview_says_what_depends_on_the_lot_and_changes_nothing(bench: Bench) -> None:
    day = lot_day(bench)
    claimed(bench, 4)
    before = seen.everything(bench.session)

    figures = previewed(bench, of_lot(day.lot_id))

    assert figures == RecallFigures(
        runs=3,
        results=12,
        people=30,
        findings={"negative": 24, "positive": 6},
        cases={"confirmed": 6},
        claimed=4,
        told=12,  # opened and confirmed, to the one desk
        teams=1,
        slips=30,
        tubes_again=12,
    )
    assert seen.everything(bench.session) == before


def test_a_recall_takes_back_results_cases_and_slips_and_owes_everyone_a_correction(
    bench: Bench,
) -> None:
    bench.subscribe(HOME)
    bench.subscribe(WORK)
    day = lot_day(bench)
    claimed(bench, 4)
    foreseen = previewed(bench, of_lot(day.lot_id))

    done = recalled(bench.later(600), of_lot(day.lot_id), reason="wrong kit lot")

    assert (done.figures, done.subject, done.replayed) == (foreseen, "VN-2198", False)
    assert seen.findings(bench.session) == {}
    assert {case.state for case in seen.cases(bench.session)} == {"withdrawn"}
    corrections = seen.notices(bench.session, "case.corrected")
    assert {n.person_id for n in corrections} == {s.person_id for s in day.positives}
    assert len(corrections) == 6
    said = bench.session.execute(
        text("SELECT status, current, outcome, why FROM result WHERE supersedes_id IS NOT NULL")
    ).all()
    assert len(said) == 12
    assert {tuple(row) for row in said} == {("C", False, "invalid", "recalled: wrong kit lot")}
    again = seen.orders(bench.session, "queued")
    assert len(again) == 12
    assert {order.because for order in again} == {"run again: recalled: wrong kit lot"}
    assert {check_slip(bench.session, code).worth for code in day.slips.values()} == {
        Worth.RECALLED
    }
    (told,) = seen.audited(bench.session, "recall")
    assert (told["reason"], told["of"], told["people"]) == ("wrong kit lot", "VN-2198", 30)


def test_a_case_is_told_in_order_and_a_claim_outlives_its_correction(bench: Bench) -> None:
    day = lot_day(bench, runs=1, positives=1)
    claimed(bench, 1)

    recalled(bench, of_lot(day.lot_id))

    sequences = bench.session.execute(
        text("SELECT kind, sequence FROM notice ORDER BY sequence")
    ).all()
    assert [tuple(row) for row in sequences] == [
        ("case.opened", 1),
        ("case.confirmed", 2),
        ("case.corrected", 3),
    ]
    held = bench.session.execute(text("SELECT count(*) FROM claim WHERE ended_at IS NULL"))
    assert held.scalar_one() == 1


def test_twice_under_one_id_is_once_and_answers_the_same(bench: Bench) -> None:
    day = lot_day(bench, runs=1)
    first = recalled(bench, of_lot(day.lot_id), recall_id=(id := uuid7()))
    before = seen.everything(bench.session)

    again = recalled(bench.later(5), of_lot(day.lot_id), recall_id=id)

    assert again.replayed
    assert asdict(again.figures) == asdict(first.figures)
    assert seen.everything(bench.session) == before
    with pytest.raises(DifferentBody):
        recalled(bench, of_lot(day.lot_id), recall_id=id, reason="something else")


def test_an_overlapping_recall_does_only_the_rest(bench: Bench) -> None:
    day = lot_day(bench)
    recalled(bench, of_run(day.runs[1]), reason="rack turned round")

    left = recalled(bench, of_lot(day.lot_id))

    assert (left.figures.runs, left.figures.people) == (2, 20)
    assert seen.findings(bench.session) == {}
    assert previewed(bench, of_lot(day.lot_id)).nothing
    assert recalled(bench, of_lot(day.lot_id)).figures.nothing


def test_what_has_no_volume_left_is_swabbed_again(bench: Bench) -> None:
    spent = bench.swab()
    say_volume(
        bench.session, spent.barcode, 250, site_id=bench.site_id, by="user:hoa", now=bench.now
    )
    bench.run({})
    run = newest_run(bench)
    assert previewed(bench, of_run(run)).tubes_spent == 1

    recalled(bench, of_run(run))

    assert seen.recollections(bench.session) == {spent.specimen_id: "no volume left"}
    assert seen.waiting(bench.session) == set()


def test_a_case_that_rests_on_other_evidence_too_stays_and_its_team_hears_so(
    bench: Bench,
) -> None:
    first = bench.swab()
    bench.run({first.barcode: 22.0})
    run = newest_run(bench)
    second = bench.swab(person_id=first.person_id)
    bench.run({second.barcode: 24.0})
    sign(bench)

    recalled(bench, of_run(run))

    assert [case.state for case in seen.cases(bench.session)] == ["confirmed"]
    kinds = [n.kind for n in seen.notices(bench.session)]
    assert kinds == ["case.opened", "case.confirmed", "case.corrected"]


def test_the_second_run_answers_the_same_people_with_a_correction(bench: Bench) -> None:
    day = lot_day(bench, runs=1, positives=1)
    recalled(bench, of_lot(day.lot_id))
    (positive,) = day.positives

    bench.later(60).run({})
    retested = seen.findings(bench.session)[positive.specimen_id]

    cleared = {seen.findings(bench.session)[s.specimen_id].status for s in day.negatives}
    assert cleared == {"C"}
    assert (retested.outcome, retested.status) == ("negative", "P")  # a reviewer's
    assert [case.state for case in seen.cases(bench.session)] == ["withdrawn"]


def test_a_case_that_a_recalled_negative_had_closed_is_open_again(bench: Bench) -> None:
    """Immensa: people with a positive strip were told that they were not infected."""
    room = classroom(bench, 1)
    timer = room.start()
    bench.later(20)
    room.mark(1)
    room.read(timer, negative=0, positive=1)
    _pcr(bench)
    bench.run({})
    assert [case.state for case in seen.cases(bench.session)] == ["not_confirmed"]
    assert previewed(bench, of_run(newest_run(bench))).cases == {"not_confirmed": 1}

    recalled(bench, of_run(newest_run(bench)))

    assert [case.state for case in seen.cases(bench.session)] == ["presumptive"]
    since = bench.session.execute(text("SELECT reopened_at FROM f0_case")).scalar_one()
    assert since == bench.now  # it waits for a team from now on
    assert [n.kind for n in seen.notices(bench.session)] == [
        "case.opened",
        "case.corrected",
        "case.corrected",
    ]
    bench.later(60).run(dict.fromkeys(seen.waiting(bench.session), 23.0))
    sign(bench)
    assert [case.state for case in seen.cases(bench.session)] == ["confirmed"]


def _pcr(bench: Bench) -> None:
    """The PCR swab of the one positive strip arrives."""
    strip = bench.session.execute(
        text("SELECT specimen_id FROM rapid_test WHERE outcome = 'positive'")
    ).scalar_one()
    label = next(bench.labels)
    site = bench.site_id
    take_pcr_tube(bench.session, strip, label, site_id=site, by="user:hoa", now=bench.now)
    receive(bench.session, label, by="user:hoa", now=bench.now)


def test_a_rapid_lot_takes_back_its_negatives_and_its_presumptive_cases(bench: Bench) -> None:
    room = classroom(bench, 10)
    timer = room.start()
    bench.later(20)
    room.mark(3)
    room.read(timer, negative=9, positive=1)
    scope = RecallScope(RecallKind.KIT_LOT, room.lot.lot_id)
    assert previewed(bench, scope) == RecallFigures(
        rapid_tests=10,
        people=10,
        findings={"negative": 9, "presumptive": 1},
        cases={"presumptive": 1},
        told=1,
        teams=1,
        reswabs=10,
    )

    recalled(bench, scope, reason="read wrong in the cold")

    found = seen.findings(bench.session).values()
    assert sorted((f.outcome, f.status) for f in found) == [
        ("recollect", "C") if n < 9 else ("recollect", "P") for n in range(10)
    ]
    assert set(seen.recollections(bench.session).values()) == {"rapid test recalled"}
    assert len(seen.recollections(bench.session)) == 10
    assert [case.state for case in seen.cases(bench.session)] == ["withdrawn"]
    assert previewed(bench, scope).nothing


def test_an_analyser_is_recalled_with_its_cartridges(bench: Bench) -> None:
    plated, alone = bench.swab(), bench.swab()
    layout = bench.plate(plated.barcode)
    bench.cartridge(alone.barcode, 21.0)
    assert layout.run_id is not None

    done = recalled(bench, of_analyser(bench))

    assert (done.figures.runs, done.figures.results) == (0, 1)
    assert seen.findings(bench.session) == {}
    assert seen.waiting(bench.session) == {alone.barcode}


def test_a_plate_that_waits_for_its_analyser_is_given_up_with_its_lot(bench: Bench) -> None:
    swab = bench.swab()
    layout = bench.plate(swab.barcode)
    lot = said_lot(bench, layout.run_id)

    recalled(bench, of_lot(lot))

    assert seen.waiting(bench.session) == {swab.barcode}


def test_nobody_recalls_without_a_reason_or_what_does_not_exist(bench: Bench) -> None:
    day = lot_day(bench, runs=1)
    with pytest.raises(InvalidBody):
        recalled(bench, of_lot(day.lot_id), reason="  ")
    with pytest.raises(NotFound):
        recalled(bench, of_lot(uuid7()))
    with pytest.raises(InvalidBody):
        RecallScope(RecallKind.INSTRUMENT, uuid7())
    assert len(seen.findings(bench.session)) == 10


def test_strips_of_another_lot_are_left_alone(bench: Bench) -> None:
    room = classroom(bench, 3)
    timer = room.start()
    bench.later(20)
    room.read(timer, negative=3)

    done = recalled(bench, RecallScope(RecallKind.KIT_LOT, box(bench, "AG21-08").lot_id))

    assert done.figures.nothing
    assert len(seen.findings(bench.session)) == 3
