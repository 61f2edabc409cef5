"""Registers on the pages: set up, what they answered about somebody, conflicts to look at."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.work import told
from lims.work.access import Role
from tests.api.caller import Clock
from tests.builders import Bench
from tests.exchange.laboratories import Lab
from tests.exchange.people_asked import MAI, AskingLab, number
from tests.exchange.registers import LABORATORY, TOKEN, Citizen, Registers, registers
from tests.web.browsing import words
from tests.web.conftest import SignIn

PAGE = "/admin/destinations"


@pytest.fixture
def asking(
    bench: Bench, laboratory: Laboratory, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> AskingLab:
    monkeypatch.setattr(told, "CLOCK_MARGIN", timedelta(0))
    return AskingLab(Lab(bench, laboratory, Clock(now)))


def given(there: Registers, kind: str = "population") -> dict[str, str]:
    return {
        "kind": kind,
        "name": f"Sổ {kind}",
        "url": there.url,
        "token": TOKEN,
        "laboratory": LABORATORY,
    }


def test_a_register_is_set_up_counted_and_asked_again(signed_in: SignIn, asking: AskingLab) -> None:
    browser = signed_in(Role.ADMIN)
    assert "Population database" in browser.get(f"{PAGE}?kind=population").text
    with registers() as there:
        browser.post(f"{PAGE}/register", given(there))
        swabs = asking.people(3, there)
        asking.lab.bench.session.commit()
        shown = words(browser.get(PAGE))
        assert "nothing asked yet" in shown
        del there.citizens[number(1)]
        there.judge = lambda entry: (
            {"outcome": "refused", "reason": "khóa"} if entry["cccd"] == number(2) else None
        )
        asking.ask()
        shown = words(browser.get(PAGE))
        for said in (
            "People asked about Answered Waiting Refused Still to ask 3 2 0 1 0",
            "the number is theirs: 1 · does not know the number: 1",
            "1 person has no answer",
            "refused to say khóa",
        ):
            assert said in shown, said
        assert swabs[2].barcode in browser.get(PAGE).text
        assert TOKEN not in browser.get(PAGE).text
        assert "final results were never owed" not in shown, "it is told of nothing"
        there.judge = lambda _entry: None
        one = asking.one("SELECT id FROM destination")[0]
        browser.post(f"{PAGE}/{one}/ask-again", {})
        asking.ask()
        assert "has no answer" not in browser.get(PAGE).text
        browser.post(f"{PAGE}/{one}/stop", {"asks": "1"})
        assert "stopped since" in browser.get(PAGE).text


def test_a_register_that_cannot_be_is_said_beside_its_fields(signed_in: SignIn) -> None:
    browser = signed_in(Role.ADMIN)
    wrong = {"kind": "vaccination", "name": "", "url": "ftp://x", "token": "a b", "laboratory": ""}
    answer = browser.post(f"{PAGE}/register", wrong)
    assert answer.status_code == 422
    assert "an https address, or http inside a private network" in answer.text
    assert "Ask this register" in answer.text


def test_a_confirmed_number_is_a_small_mark_and_only_while_it_is_that_person(
    signed_in: SignIn, asking: AskingLab
) -> None:
    reviewer, operator = signed_in(Role.REVIEWER), signed_in(Role.OPERATOR)
    with registers() as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        swab = asking.f0()
        asking.ask()
        person, case = f"/people/{swab.person_id}", f"/handoff/cases/{asking.case(swab)}"
        for browser, page in ((reviewer, person), (reviewer, case), (operator, "/handoff")):
            assert "number confirmed" in browser.get(page).text, page
        asking.rename(swab, "Nguyễn Thị Mái")
        for browser, page in ((reviewer, person), (reviewer, case), (operator, "/handoff")):
            assert "number confirmed" not in browser.get(page).text, page


def test_a_conflict_is_looked_at_on_the_worklist_and_changes_nobody(
    signed_in: SignIn, asking: AskingLab
) -> None:
    browser = signed_in(Role.REVIEWER)
    with registers() as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Trần Thị Khác", "1980-05-05")
        swab = asking.swab(MAI)
        asking.lab.bench.run()
        asking.ask()
        before = asking.one("SELECT * FROM person")
        shown = words(browser.get("/review?show=identity"))
        assert "Nguyễn Thị Mai" in shown and "another name" in shown
        assert "Identity conflicts 1" in shown
        assert "Trần Thị Khác" not in shown, "whose number it is was never told"
        finding = asking.one("SELECT outcome, status FROM finding WHERE current")
        assert tuple(finding) == ("negative", "F"), "nothing is held for it"
        assert "the number is somebody else" in browser.get(f"/people/{swab.person_id}").text
        one = asking.one("SELECT id FROM person_question")[0]
        refused = browser.post(f"/review/conflicts/{one}/looked-at", {"reason": " "})
        assert refused.status_code == 422
        for _ in range(2):
            browser.post(f"/review/conflicts/{one}/looked-at", {"reason": "thẻ ghi đúng"})
        shown = words(browser.get("/review?show=identity"))
        assert "No card number has two names." in shown
        assert "thẻ ghi đúng" in browser.get(f"/people/{swab.person_id}").text
    assert asking.one("SELECT * FROM person") == before
    audited = asking.one("SELECT count(*) FROM audit_event WHERE verb = 'looked-at-conflict'")
    assert audited[0] == 1


def test_a_conflict_that_was_mended_there_is_asked_again(
    signed_in: SignIn, asking: AskingLab
) -> None:
    browser = signed_in(Role.REVIEWER)
    with registers() as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Trần Thị Khác", "1980-05-05")
        swab = asking.swab(MAI)
        asking.ask()
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        one = asking.one("SELECT id FROM person_question")[0]
        browser.post(f"/review/conflicts/{one}/ask-again", {})
        asking.ask()
        assert asking.rows() == [("answered", "verified")]
        browser.post(f"/people/{swab.person_id}/ask", {"kind": "identity"})
        browser.post(f"/people/{swab.person_id}/ask", {"kind": "nonsense"})
        asking.ask()
    assert len(there.asked) == 3


def test_doses_of_the_register_and_of_the_hand_are_both_shown_where_they_differ(
    signed_in: SignIn, asking: AskingLab
) -> None:
    operator = signed_in(Role.OPERATOR)
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", ("2021-06-01", "2021-08-20"))
        swab = asking.f0()
        asking.ask()
    case = f"/handoff/cases/{asking.case(swab)}"
    shown = words(operator.get(case))
    assert "Vaccine doses 2 (said by Sổ tiêm chủng" in shown
    form = operator.get(f"{case}/triage").text
    assert "Left empty: 2, as Sổ tiêm chủng says." in form
    operator.post(f"{case}/triage", {"doses": "0", "spo2_percent": "98"})
    shown = words(operator.get(case))
    assert "Vaccine doses 0 · Sổ tiêm chủng says 2" in shown
    operator.post(f"{case}/triage", {"doses": "2"})
    assert "Sổ tiêm chủng says so too" in words(operator.get(case))
    with asking.lab.laboratory.sessions.begin() as session:
        session.execute(text("UPDATE destination SET stopped_at = now()"))
    operator.post(f"{case}/triage", {"doses": ""})
    assert "Vaccine doses 2 (said by" in words(operator.get(case)), "what it answered stays"


def test_without_a_register_no_page_speaks_of_one(signed_in: SignIn, asking: AskingLab) -> None:
    swab = asking.f0()
    asking.lab.bench.session.commit()
    browser = signed_in(Role.REVIEWER)
    assert "What registers say" not in browser.get(f"/people/{swab.person_id}").text
    assert browser.get(f"/handoff/cases/{asking.case(swab)}").status_code == 200
