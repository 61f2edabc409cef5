"""S23 with the story's own figures: 3 runs, 2,700 people, 14 cases, 9 of them claimed already."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.result_slips import Worth
from lims.tables import Claim, F0Case
from lims.work.claim import CaseOver, claim
from lims.work.shown import show_on_board
from lims.work.views.recall_figures import RecallFigures
from lims.work.views.slip_check import check_slip
from lims.work.volume import say_volume
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.builders_recall import (
    claimed,
    newest_run,
    of_lot,
    previewed,
    recalled,
    said_lot,
    sign,
    slips,
)

RUNS, PEOPLE, CASES, CLAIMED = 3, 2700, 14, 9
FAMILIES = 20  # people in one tube of the street
SPENT_UL = 250  # one draw, and nothing is left for another


def plated(bench: Bench, *, people: int, cases: int, spent: int) -> tuple[UUID, list[Swab]]:
    """One run of the lot: its cases alone in a tube, everybody else by twenty. Of ``spent`` single
    tubes, and then of one of twenty too, one draw is all there was."""
    single = [bench.swab() for _ in range(cases)]
    shared, rest = divmod(people - cases, FAMILIES)
    tubes = [bench.field_pool(FAMILIES) for _ in range(shared)]
    if rest:
        bench.field_pool(rest)
    for barcode in [swab.barcode for swab in single[:spent]] + [tubes[0].barcode][:spent]:
        say_volume(
            bench.session, barcode, SPENT_UL, site_id=bench.site_id, by="user:hoa", now=bench.now
        )
    bench.run({swab.barcode: 22.0 for swab in single})
    return said_lot(bench, newest_run(bench)), single


def test_a_lot_of_three_runs_2700_people_and_14_cases_is_taken_back_once(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    positives: list[Swab] = []
    for cases, spent in ((5, 1), (5, 0), (4, 0)):
        lot, found = plated(bench, people=PEOPLE // RUNS, cases=cases, spent=spent)
        positives += found
    sign(bench)
    carried = slips(bench)
    team = claimed(bench, CLAIMED)

    foreseen = previewed(bench, of_lot(lot))

    tubes = session.execute(text("SELECT count(*) FROM result WHERE current")).scalar_one()
    assert foreseen == RecallFigures(
        runs=RUNS,
        results=tubes,
        people=PEOPLE,
        findings={"negative": PEOPLE - CASES, "positive": CASES},
        cases={"confirmed": CASES},
        claimed=CLAIMED,
        told=2 * CASES,  # opened and confirmed
        teams=1,
        slips=PEOPLE,
        tubes_again=tubes - 2,
        tubes_spent=2,
    )

    done = recalled(bench.later(600), of_lot(lot), recall_id=(recall_id := uuid7()))

    assert (done.figures, done.replayed) == (foreseen, False)
    said = session.execute(
        text("SELECT status, count(*) FROM result WHERE supersedes_id IS NOT NULL GROUP BY status")
    ).all()
    assert [tuple(row) for row in said] == [("C", tubes)]
    assert len(seen.waiting(session)) == tubes - 2
    again = seen.recollections(session)
    assert len(again) == 1 + FAMILIES
    assert set(again.values()) == {"no volume left"}
    assert {case.state for case in seen.cases(session)} == {"withdrawn"}

    show_on_board(session, bench.now, site_id=bench.site_id)
    corrections = seen.notices(session, "case.corrected")
    assert {one.person_id for one in corrections} == {swab.person_id for swab in positives}
    assert len(corrections) == CASES
    arrived = text(
        "SELECT count(*) FROM notice WHERE kind = 'case.corrected' AND state = 'delivered'"
    )
    assert session.execute(arrived).scalar_one() == CASES
    withdrawn = session.scalars(select(F0Case.id).order_by(F0Case.id)).all()
    for case in withdrawn[:CLAIMED]:
        assert claim(session, case, team, by="user:hanh", now=bench.now).replayed
    for case in withdrawn[CLAIMED:]:
        with pytest.raises(CaseOver):
            claim(session, case, team, by="user:hanh", now=bench.now)
    assert session.scalar(select(func.count()).select_from(Claim)) == CLAIMED

    assert len(carried) == PEOPLE
    looked_at = [carried[swab.specimen_id] for swab in positives] + list(carried.values())[::50]
    assert {check_slip(session, code).worth for code in looked_at} == {Worth.RECALLED}
    revoked = text(
        "SELECT count(*) FROM slip s JOIN recall_finding r ON r.finding_id = s.finding_id"
    )
    assert session.execute(revoked).scalar_one() == PEOPLE

    before = seen.everything(session)
    replayed = recalled(bench, of_lot(lot), recall_id=recall_id)
    assert (replayed.figures, replayed.replayed) == (foreseen, True)
    assert seen.everything(session) == before
    assert previewed(bench, of_lot(lot)).nothing
