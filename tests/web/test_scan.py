"""One field understands every scan: a scan on any page goes where it belongs."""

from __future__ import annotations

import re

import pytest

from lims.db.ids import uuid7
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn
from tests.web.test_collect import CARD


def test_a_tube_a_pool_and_a_plate_open_their_pages(signed_in: SignIn, bench: Bench) -> None:
    swabs = bench.swabs(2)
    pool = bench.lab_pool(swabs)
    plate = bench.plate().plate
    bench.session.commit()
    browser = signed_in(Role.REVIEWER)
    for text, path in (
        (swabs[0].barcode.lower(), f"/tubes/{swabs[0].barcode}"),
        (pool, f"/pools/{pool}"),
        (plate, f"/runs/{plate}"),
    ):
        assert browser.post("/scan", {"text": text}).location == path


def test_a_card_on_any_page_begins_a_registration(signed_in: SignIn, bench: Bench) -> None:
    page = signed_in(Role.TECHNICIAN).post("/scan", {"text": CARD})
    assert "Now scan the tube" in words(page)
    assert 'name="name" value="Phạm Thị Hồng Nhung"' in page.text


def test_a_reviewer_scanning_a_card_is_not_sent_to_the_desk(
    signed_in: SignIn, bench: Bench
) -> None:
    page = signed_in(Role.REVIEWER).post("/scan", {"text": CARD})
    assert page.status_code == 404
    assert "Hồng Nhung" not in page.text


def test_an_unknown_tube_may_be_registered_at_once(signed_in: SignIn, bench: Bench) -> None:
    browser, barcode = signed_in(Role.TECHNICIAN), next(bench.labels)
    page = browser.post("/scan", {"text": barcode})
    assert page.status_code == 404
    assert "Register this tube" in words(page)
    draft = browser.post("/collect/scan", {"text": barcode})
    assert "Now scan the person's card" in words(draft).replace("&#39;", "'")


def test_a_misread_tube_offers_the_ones_that_exist(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    bench.session.commit()
    wrong = swab.barcode[:-1] + ("0" if swab.barcode[-1] != "0" else "1")
    page = signed_in(Role.TECHNICIAN).post("/scan", {"text": wrong})
    assert page.status_code == 422
    assert f"/tubes/{swab.barcode}" in page.text


@pytest.mark.parametrize("path", ["/scan", "/collect/scan", "/receive"])
def test_eleven_digits_are_a_number_to_be_counted(
    signed_in: SignIn, bench: Bench, path: str
) -> None:
    answer = signed_in(Role.TECHNICIAN).post(path, {"text": "09123456781"})
    assert answer.status_code == 422
    assert "a telephone has 10 digits" in words(answer).replace("A telephone", "a telephone")
    assert "09123456781" in answer.text and "ten before it" not in answer.text
    assert "Perhaps" not in answer.text


@pytest.mark.parametrize("number", ["02438251234", "0912 345 67"])
def test_a_number_that_finds_nobody_at_the_desk_is_called_a_number(
    signed_in: SignIn, bench: Bench, number: str
) -> None:
    bench.session.commit()
    answer = signed_in(Role.TECHNICIAN).post("/collect/scan", {"text": number})
    assert answer.status_code == 422 and "Nobody known here has this number" in words(answer)


def test_a_landline_of_eleven_digits_finds_whose_it_is(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    whose = {"name": "Lê Văn Ước", "phone": "024 3825 1234", "barcode": next(bench.labels)}
    assert browser.post("/collect", whose).status_code == 303
    answer = browser.post("/scan", {"text": "02438251234"})
    assert "Lê Văn Ước" in words(answer)


@pytest.mark.parametrize("text", ["xin chào", "<script>alert(1)</script>", "x" * 5000])
def test_what_nobody_knows_is_said_so(signed_in: SignIn, bench: Bench, text: str) -> None:
    page = signed_in(Role.TECHNICIAN).post("/scan", {"text": text})
    assert page.status_code == 404
    assert "<script>alert" not in page.text


def test_a_scan_of_another_person_is_refused_with_any_token(signed_in: SignIn) -> None:
    desk = signed_in(Role.TECHNICIAN)
    token = re.search(r'name="csrf_token" value="([^"]+)"', desk.get("/collect").text)
    who = re.search(r'data-who="([^"]+)"', desk.get("/collect").text)
    assert token is not None and who is not None
    body = {"text": "CMD-10", "csrf_token": token[1]}
    theirs = desk.client.post("/collect/scan", data=body, headers={"X-Who": str(uuid7())})
    assert theirs.status_code == 403 and theirs.headers["X-Problem"] == "csrf"
    own = desk.client.post("/collect/scan", data=body, headers={"X-Who": who[1]})
    assert "X-Problem" not in own.headers
