"""A tracer asks an F0 by telephone; the colour follows, and the table is the laboratory's own."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from lims.tables import F0Case
from lims.web.handoff_words import case_code
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


@pytest.fixture
def case(bench: Bench) -> UUID:
    bench.run({bench.swab(name="Lò Thị Ớt").barcode: 23.0})
    bench.session.commit()
    return bench.session.scalars(select(F0Case.id)).one()


ANSWERS = {"signs": "none", "spo2_percent": "98", "doses": "2", "asked_illness": "yes"}


def test_the_worklist_leads_to_the_form_and_the_form_to_a_colour(
    signed_in: SignIn, case: UUID
) -> None:
    browser = signed_in(Role.OPERATOR)
    said = words(browser.get("/handoff/unclassified"))
    assert "Lò Thị Ớt" in said and "nothing was asked yet" in said
    form = browser.get(f"/handoff/cases/{case}/triage")
    assert "How ill is Lò Thị Ớt?" in words(form)

    browser.post(f"/handoff/cases/{case}/triage", {**ANSWERS, "doses": ""})
    assert "Still to ask: vaccine doses." in words(browser.get(f"/handoff/cases/{case}"))
    assert "Still to ask" in words(browser.get("/handoff/unclassified"))

    browser.post(f"/handoff/cases/{case}/triage", ANSWERS)
    assert "Classified: green: low risk." in words(browser.get(f"/handoff/cases/{case}"))
    assert "Everybody has a colour." in words(browser.get("/handoff/unclassified"))
    file = words(browser.get(f"/handoff/cases/{case}"))
    assert "How ill green: low risk" in file and "Underlying illness none" in file


@pytest.mark.parametrize(
    ("field", "value"), [("spo2_percent", "7"), ("doses", "many"), ("onset_on", "soon")]
)
def test_a_wrong_answer_keeps_the_form_and_says_what_it_wants(
    signed_in: SignIn, case: UUID, field: str, value: str
) -> None:
    browser = signed_in(Role.OPERATOR)
    answer = browser.post(f"/handoff/cases/{case}/triage", {**ANSWERS, field: value})
    assert answer.status_code == 422
    assert value in answer.text and 'aria-invalid="true"' in answer.text


def test_an_administrator_gives_the_laboratory_its_own_table(signed_in: SignIn, case: UUID) -> None:
    browser = signed_in(Role.ADMIN)
    assert "tham-khao-5525/1" in words(browser.get("/admin/triage"))
    lines = {
        "name": "cdc-hanoi/1",
        "source": "QĐ 77/QĐ-CDC",
        "colour": ["red", "orange", "green"],
        **{
            name: ["", "", ""]
            for name in ("age_from", "age_to", "doses_from", "doses_to", "spo2_from", "ill")
        },
        "spo2_to": ["96", "", ""],
        "signs_from": ["severe", "severe", ""],
    }
    looked = browser.post("/admin/triage", lines)
    assert "It does not hold yet." in words(looked)
    seen = re.search(r'name="seen" value="(\w+)"', looked.text)
    assert seen
    assert browser.post("/admin/triage", {**lines, "seen": seen[1]}).status_code == 303
    said = words(browser.get("/admin/triage"))
    assert "This table holds from now on" in said
    assert "SpO₂ up to 96, signs: at least severe" in said and "everybody else" in said


def test_a_line_that_is_no_rule_is_kept_and_named(signed_in: SignIn, case: UUID) -> None:
    browser = signed_in(Role.ADMIN)
    line = {"name": "x", "source": "y", "colour": ["red"], "age_from": ["old"]}
    answer = browser.post("/admin/triage", line)
    assert answer.status_code == 422
    assert "a colour, and whole numbers" in answer.text and 'value="old"' in answer.text


def test_a_table_says_which_open_cases_change_colour_before_it_holds(
    signed_in: SignIn, case: UUID
) -> None:
    signed_in(Role.OPERATOR).post(f"/handoff/cases/{case}/triage", ANSWERS)
    browser = signed_in(Role.ADMIN)
    line = {"name": "cdc-hanoi/2", "source": "QĐ 78/QĐ-CDC", "colour": ["orange"]}
    looked = browser.post("/admin/triage", {**line, "doses_to": ["2"]})
    assert looked.status_code == 200
    assert f"1 open case changes colour: {case_code(case)} green → orange" in words(looked)
    assert "tham-khao-5525/1" in words(browser.get("/admin/triage"))
    seen = re.search(r'name="seen" value="(\w+)"', looked.text)
    assert seen
    other = browser.post("/admin/triage", {**line, "doses_to": ["1"], "seen": seen[1]})
    assert "It does not hold yet." in words(other)  # other lines than were looked at
    kept = browser.post("/admin/triage", {**line, "doses_to": ["2"], "seen": seen[1]})
    assert kept.status_code == 303
    assert "cdc-hanoi/2" in words(browser.get("/admin/triage"))


def test_a_line_that_fits_nobody_is_refused_and_kept_in_the_form(
    signed_in: SignIn, case: UUID
) -> None:
    browser = signed_in(Role.ADMIN)
    line = {"name": "x", "source": "y", "colour": ["red"], "age_from": ["80"], "age_to": ["70"]}
    answer = browser.post("/admin/triage", line)
    assert answer.status_code == 422
    assert "lines that fit somebody: from not above to" in words(answer)
    assert 'value="80"' in answer.text and 'value="70"' in answer.text
