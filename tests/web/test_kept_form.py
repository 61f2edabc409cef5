"""A session that ends in mid-form costs nobody what they had typed."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from lims.tables import Person, Tube
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import PASSWORD, Browser, words
from tests.web.conftest import SignIn

OURS = {"Origin": "http://localhost"}
LONG = "Công Tằng Tôn Nữ Hoàng Thị Phương Thảo Nguyên Nguyễn Phúc Vĩnh Bửu Ưng Quý Định"
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def hidden(page: str) -> dict[str, list[str]]:
    """Every hidden field of the page's main form."""
    fields: dict[str, list[str]] = {}
    for name, value in _HIDDEN.findall(page[page.index("<main") :]):
        fields.setdefault(name, []).append(unescape(value))
    return fields


def stranger(app: Flask) -> Browser:
    return Browser(app.test_client())


def late(app: Flask, whose: Browser) -> tuple[Browser, dict[str, str]]:
    """A browser whose session has ended, and the token that its open form still carries."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', whose.get("/collect").text)
    assert token is not None
    return stranger(app), {"csrf_token": token[1]}


def test_a_form_of_the_desk_survives_signing_in_again(
    app: Flask, signed_in: SignIn, bench: Bench
) -> None:
    barcode = next(bench.labels)
    gone, token = late(app, signed_in(Role.TECHNICIAN))
    typed = token | {"name": LONG, "birth": "1989", "barcode": barcode, "phone": "0912345678"}
    asked = gone.client.post("/collect", data=typed, headers=OURS)
    assert asked.status_code == 401
    assert "what you had typed is kept" in words(asked)
    kept = hidden(asked.text)
    wrong = gone.client.post("/login", data={**kept, "login": "technician", "password": "no"})
    assert wrong.status_code == 403
    kept = hidden(wrong.text)
    back = gone.client.post("/login", data={**kept, "login": "technician", "password": PASSWORD})
    assert LONG in words(back) and "0912345678" in words(back)
    sent = gone.client.post("/collect", data=hidden(back.text))
    assert sent.status_code == 303
    assert bench.session.scalars(select(Person.name)).one() == LONG
    assert bench.session.scalars(select(Tube.barcode)).one() == barcode


def test_a_households_tube_keeps_each_of_its_people(
    app: Flask, signed_in: SignIn, bench: Bench
) -> None:
    gone, token = late(app, signed_in(Role.TECHNICIAN))
    members = ['{"a": 1}', '{"b": "2"}']
    typed = token | {"member": members, "barcode": next(bench.labels)}
    kept = hidden(gone.client.post("/collect/field-pool", data=typed, headers=OURS).text)
    back = gone.client.post("/login", data={**kept, "login": "technician", "password": PASSWORD})
    assert hidden(back.text)["member"] == members


def test_the_sign_in_page_says_that_a_scan_is_kept_also_after_a_wrong_password(
    app: Flask, signed_in: SignIn
) -> None:
    signed_in(Role.TECHNICIAN)
    browser = stranger(app)
    said = "Your scan is kept in this browser and goes on after you sign in"
    assert said not in words(browser.get("/login?next=/collect"))
    page = browser.get("/login?waiting=1&next=/collect")
    assert said in words(page)
    wrong = hidden(page.text) | {"login": "technician", "password": "not this one"}
    again = browser.client.post("/login", data=wrong)
    assert again.status_code == 403 and said in words(again)


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}]
)
def test_a_form_that_is_not_ours_is_not_put_into_anybodys_hands(
    app: Flask, signed_in: SignIn, headers: dict[str, str]
) -> None:
    gone, token = late(app, signed_in(Role.TECHNICIAN))
    asked = gone.client.post("/collect", data=token | {"name": "An"}, headers=headers)
    assert asked.status_code == 303 and asked.location.startswith("/login")


@pytest.mark.parametrize("token", [{}, {"csrf_token": ""}, {"csrf_token": "x.y.z"}])
def test_a_form_that_says_not_whose_it_is_is_not_kept(app: Flask, token: dict[str, str]) -> None:
    asked = stranger(app).client.post("/collect", data=token | {"name": "An"}, headers=OURS)
    assert asked.status_code == 303 and asked.location.startswith("/login")


def test_what_one_person_typed_is_never_shown_to_or_sent_by_another(
    app: Flask, signed_in: SignIn, bench: Bench
) -> None:
    gone, token = late(app, signed_in(Role.TECHNICIAN))
    operator = signed_in(Role.OPERATOR)
    typed = token | {"name": LONG, "barcode": next(bench.labels), "phone": "0912345678"}
    asked = gone.client.post("/collect", data=typed, headers=OURS)
    kept = hidden(asked.text)
    back = gone.client.post("/login", data={**kept, "login": "operator", "password": PASSWORD})
    assert back.status_code == 303 and "0912345678" not in back.text
    first = gone.get("/")
    assert "was thrown away" in words(first) and LONG not in words(first)
    _other, token = late(app, operator)  # a token of the other person is no signature either
    forged = {**kept, "kept_by": token["csrf_token"]}
    signing = {**forged, "login": "operator", "password": PASSWORD}
    again = stranger(app).post("/login", signing, seen="/login")
    assert again.status_code == 303
    assert bench.session.scalars(select(Person.name)).all() == []


def test_a_password_is_never_carried(app: Flask, signed_in: SignIn) -> None:
    gone, token = late(app, signed_in(Role.TECHNICIAN))
    typed = token | {"login": "an", "password": "a secret of an"}
    asked = gone.client.post("/admin/users", data=typed, headers=OURS)
    assert asked.status_code == 401 and "a secret of an" not in asked.text


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "https://elsewhere.example", "/logout"])
def test_a_kept_form_goes_only_where_forms_go(signed_in: SignIn, app: Flask, path: str) -> None:
    gone, token = late(app, signed_in(Role.TECHNICIAN))
    kept = hidden(gone.client.post("/collect", data=token | {"name": "An"}, headers=OURS).text)
    body = {**kept, "login": "technician", "password": PASSWORD}
    assert gone.client.post("/login", data=body).status_code == 200
    elsewhere = stranger(app).post("/login", body | {"kept_path": path}, seen="/login")
    assert elsewhere.status_code == 303


def test_a_scan_is_kept_by_the_page_that_sent_it_not_by_the_door(app: Flask) -> None:
    asked = stranger(app).client.post(
        "/collect/scan", data={"text": "x"}, headers=OURS | {"X-Scan": "1"}
    )
    assert asked.status_code == 303
