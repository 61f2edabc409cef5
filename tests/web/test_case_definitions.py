"""An administrator enters the Ministry's next definition with the day it comes into force."""

from __future__ import annotations

from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn

NEXT = {
    "name": "byt-2021-10-01/1",
    "source": "QĐ 5000/QĐ-BYT",
    "valid_from": "01/10/2021",
    "grounds": ["antigen_contact", "antigen_twice"],
    "second_within_h": "24",
}


def test_the_next_definition_is_entered_and_shown_as_one_that_will_judge(
    signed_in: SignIn,
) -> None:
    browser = signed_in(Role.ADMIN)
    before = words(browser.get("/admin/case-definitions"))
    assert "byt-2022-2021/1" in before and "12 Sep 2021 or later" in before
    assert browser.post("/admin/case-definitions", NEXT).status_code == 303
    said = words(browser.get("/admin/case-definitions"))
    assert "Evidence from 1 Oct 2021 on is judged by byt-2021-10-01/1." in said
    assert "two positive rapid tests in time, with a factor (within 24 h) will judge" in said
    assert "judges now" in said


def test_a_day_that_was_judged_is_refused_beside_its_field_and_nothing_is_lost(
    signed_in: SignIn, bench: Bench
) -> None:
    bench.run({bench.swab().barcode: 23.0})
    bench.session.commit()
    browser = signed_in(Role.ADMIN)
    answer = browser.post("/admin/case-definitions", {**NEXT, "valid_from": "11092021"})
    assert answer.status_code == 422
    assert "evidence since this one is judged already" in words(answer)
    assert 'value="QĐ 5000/QĐ-BYT"' in answer.text
    assert 'value="antigen_suspect" checked' not in answer.text
    assert 'value="antigen_twice" checked' in answer.text


def test_no_day_and_no_number_are_named(signed_in: SignIn) -> None:
    browser = signed_in(Role.ADMIN)
    answer = browser.post("/admin/case-definitions", {**NEXT, "valid_from": "soon"})
    assert answer.status_code == 422 and "a day such as" in words(answer)
    answer = browser.post("/admin/case-definitions", {**NEXT, "second_within_h": "x"})
    assert answer.status_code == 422 and "whole hours" in words(answer)


def test_an_operator_reads_them_and_changes_nothing(signed_in: SignIn) -> None:
    browser = signed_in(Role.OPERATOR)
    assert "The next definition" not in words(browser.get("/admin/case-definitions"))
    assert browser.post("/admin/case-definitions", NEXT).status_code == 403
