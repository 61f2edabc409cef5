"""Recall at the HTML door: what is seen before, the one act, and what every reader is told."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from lims.db.ids import uuid7
from lims.work.access import Role
from lims.work.acknowledge import acknowledge
from lims.work.kit_names import unseen_kit
from tests import seen
from tests.builders import Bench
from tests.builders_doubt import refuted
from tests.builders_rapid import box
from tests.builders_recall import LotDay, claimed, lot_day, newest_run, of_lot, recalled
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn


@pytest.fixture
def reviewer(signed_in: SignIn) -> Browser:
    return signed_in(Role.REVIEWER)


@pytest.fixture
def day(bench: Bench) -> LotDay:
    made = lot_day(bench, runs=2)
    bench.session.commit()
    return made


def _form(day: LotDay, **more: object) -> dict[str, object]:
    return {
        "kind": "reagent_lot",
        "subject": day.lot_id,
        "recall_id": uuid7(),
        "reason": "contaminated buffer",
        **more,
    }


def test_a_preview_shows_the_numbers_and_the_cases_and_changes_nothing(
    reviewer: Browser, bench: Bench, day: LotDay
) -> None:
    claimed(bench, 1)
    bench.session.commit()
    before = seen.everything(bench.session)

    page = reviewer.get(f"/recall/preview?kind=reagent_lot&subject={day.lot_id}")

    assert page.status_code == 200
    said = words(page)
    for part in ("VN-2198", "16 negative", "4 positive", "1 claimed already", "20 people"):
        assert part in said
    bench.session.rollback()
    assert seen.everything(bench.session) == before


def test_the_form_recalls_once_however_often_it_is_sent(
    reviewer: Browser, bench: Bench, day: LotDay
) -> None:
    form = _form(day)
    first, again = (reviewer.post("/recall", form) for _ in range(2))

    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    page = words(reviewer.get(first.location))
    assert "contaminated buffer" in page
    assert "Reviewer" in page
    bench.session.rollback()
    assert len(seen.audited(bench.session, "recall")) == 1
    assert seen.findings(bench.session) == {}


def test_without_a_reason_the_preview_stays_and_says_so(
    reviewer: Browser, bench: Bench, day: LotDay
) -> None:
    answer = reviewer.post("/recall", _form(day, reason=" "))
    assert answer.status_code == 422
    assert "say why" in words(answer).lower()
    bench.session.rollback()
    assert len(seen.findings(bench.session)) == 20


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("kind=run&subject=PLATE-9999", 404),
        ("kind=run&subject=plate-0001", 200),
        ("kind=kit_lot&subject=x", 404),
        ("kind=moon&subject=x", 404),
        ("kind=instrument&subject={analyser}", 422),
        ("kind=instrument&subject={analyser}&from=yesterday", 422),
        ("kind=instrument&subject={analyser}&from=10/09/2021 00:00", 200),
        ("kind=instrument&subject={analyser}&from=10/09/2021 00:00&to=09/09/2021 00:00", 422),
    ],
)
def test_what_cannot_be_recalled_is_said_on_the_page(
    reviewer: Browser, bench: Bench, day: LotDay, asked: str, status: int
) -> None:
    analyser = bench.session.execute(text("SELECT id FROM instrument")).scalar_one()
    page = reviewer.get(f"/recall/preview?{asked.format(analyser=analyser)}")
    assert page.status_code == status
    assert "<h1>" in page.text


def test_a_lot_entered_on_the_run_s_page_is_found_by_its_recall(
    signed_in: SignIn, bench: Bench
) -> None:
    swab = bench.swab()
    bench.run({})
    bench.session.commit()
    technician = signed_in(Role.TECHNICIAN)

    kept = technician.post("/recall/lots/PLATE-0001", {"kind": "pcr", "lot": " vn-2198 "})

    assert kept.status_code == 303
    assert "VN-2198" in words(technician.get("/runs/PLATE-0001"))
    lot = bench.session.execute(text("SELECT id FROM reagent_lot")).scalar_one()
    recalled(bench, of_lot(lot))
    bench.session.commit()
    assert seen.waiting(bench.session) == {swab.barcode}
    assert "recalled: wrong kit lot" in words(technician.get("/runs/PLATE-0001"))


def test_the_check_of_a_slip_says_that_it_was_recalled(
    reviewer: Browser, bench: Bench, day: LotDay
) -> None:
    code = next(iter(day.slips.values()))
    assert "This slip is valid" in words(reviewer.get(f"/verify/{code}"))

    reviewer.post("/recall", _form(day))

    said = words(reviewer.get(f"/verify/{code}"))
    assert "This slip was recalled" in said
    assert "negative" not in said.lower()


def test_a_team_sees_the_correction_until_it_says_that_it_knows(
    signed_in: SignIn, bench: Bench, day: LotDay
) -> None:
    team = claimed(bench, 1)
    recalled(bench, of_lot(day.lot_id))
    bench.session.commit()
    tracer = signed_in(Role.TRACER, team_id=team)

    board = tracer.get("/handoff")

    assert "Recall of VN-2198" in words(board)
    act = re.findall(r'formaction="(/handoff/cases/[^"]+/seen)"', board.text)
    assert len(act) == 4
    assert tracer.post(act[0]).status_code == 303
    again = tracer.get("/handoff").text
    assert len(re.findall(r'formaction="(/handoff/cases/[^"]+/seen)"', again)) == 3


def test_disagreements_beyond_chance_are_told_where_a_reviewer_looks(
    reviewer: Browser, bench: Bench
) -> None:
    assert "more than chance" not in words(reviewer.get("/review"))
    refuted(bench)
    newest = newest_run(bench)
    bench.session.commit()

    assert "more than chance" in words(reviewer.get("/review"))
    page = reviewer.get("/recall")
    assert "6 / 8" in words(page)
    assert f"subject={newest}" in page.text


def test_a_kit_lot_whose_kit_has_no_name_is_listed_by_itself(
    bench: Bench, reviewer: Browser
) -> None:
    lot = box(bench, "LOTX9").lot_id
    unseen = unseen_kit(bench.session, site_id=bench.site_id, now=bench.now)
    bench.session.execute(
        text("UPDATE kit_lot SET kit_id = :kit WHERE id = :lot"), {"kit": unseen, "lot": lot}
    )
    bench.session.commit()
    page = words(reviewer.get("/recall"))
    assert "LOTX9" in page and "— · LOTX9" not in page
    preview = words(reviewer.get(f"/recall/preview?kind=kit_lot&subject={lot}"))
    assert "LOTX9" in preview and "— · LOTX9" not in preview


def test_the_recalls_page_says_which_team_knows_and_which_does_not(
    reviewer: Browser, bench: Bench, day: LotDay
) -> None:
    team = claimed(bench, 1)
    done = recalled(bench, of_lot(day.lot_id))
    bench.session.commit()
    assert "National desk 4 0 0 not yet: 4" in words(reviewer.get(f"/recall/{done.recall_id}"))
    cases = bench.session.scalars(text("SELECT id FROM f0_case ORDER BY id")).all()
    for known, case in enumerate(cases):
        if known == 1:
            page = words(reviewer.get(f"/recall/{done.recall_id}"))
            assert "not yet: 3 1 acknowledged" in page
        site, at = bench.site_id, bench.now
        acknowledge(bench.session, case, team, site_id=site, by="user:hanh", now=at)
        bench.session.commit()
    page = words(reviewer.get(f"/recall/{done.recall_id}"))
    assert "not yet" not in page
    assert "National desk 4 0 4 all, " in page


def test_what_came_between_the_preview_and_the_recall_is_said(
    reviewer: Browser, bench: Bench, day: LotDay
) -> None:
    preview = reviewer.get(f"/recall/preview?kind=reagent_lot&subject={day.lot_id}").text
    seen_then = dict(re.findall(r'name="(\w+_seen)" value="(\d+)"', preview))
    assert seen_then == {"people_seen": "20", "cases_seen": "4"}
    later = lot_day(bench, runs=1)
    bench.session.commit()
    assert later.lot_id == day.lot_id

    done = reviewer.post("/recall", _form(day, **seen_then))

    page = words(reviewer.get(done.location))
    assert "10 people more since the preview, 2 cases more." in page
    same = words(reviewer.get(done.location.partition("?")[0]))
    assert "since the preview" not in same


def test_a_case_says_which_of_its_evidence_was_recalled(
    signed_in: SignIn, bench: Bench, day: LotDay
) -> None:
    recalled(bench, of_lot(day.lot_id))
    bench.session.commit()
    case = bench.session.scalars(text("SELECT id FROM f0_case LIMIT 1")).one()
    page = words(signed_in(Role.OPERATOR).get(f"/handoff/cases/{case}"))
    assert "detected recalled: it does not count" in page
