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


def test_a_form_of_the_desk_survives_signing_in_again(
    app: Flask, signed_in: SignIn, bench: Bench
) -> None:
    signed_in(Role.TECHNICIAN)
    barcode, late = next(bench.labels), stranger(app)
    typed = {"name": LONG, "birth": "1989", "barcode": barcode, "phone": "0912345678"}
    asked = late.client.post("/collect", data=typed, headers=OURS)
    assert asked.status_code == 401
    assert "what you had typed is kept" in words(asked)
    kept = hidden(asked.text)
    wrong = late.client.post("/login", data={**kept, "login": "technician", "password": "no"})
    assert wrong.status_code == 403
    kept = hidden(wrong.text)
    back = late.client.post("/login", data={**kept, "login": "technician", "password": PASSWORD})
    assert LONG in words(back) and "0912345678" in words(back)
    sent = late.client.post("/collect", data=hidden(back.text))
    assert sent.status_code == 303
    assert bench.session.scalars(select(Person.name)).one() == LONG
    assert bench.session.scalars(select(Tube.barcode)).one() == barcode


def test_a_households_tube_keeps_each_of_its_people(
    app: Flask, signed_in: SignIn, bench: Bench
) -> None:
    signed_in(Role.TECHNICIAN)
    late = stranger(app)
    typed = {"member": ['{"a": 1}', '{"b": "2"}'], "barcode": next(bench.labels)}
    kept = hidden(late.client.post("/collect/field-pool", data=typed, headers=OURS).text)
    back = late.client.post("/login", data={**kept, "login": "technician", "password": PASSWORD})
    assert hidden(back.text)["member"] == typed["member"]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}]
)
def test_a_form_that_is_not_ours_is_not_put_into_anybodys_hands(
    app: Flask, headers: dict[str, str]
) -> None:
    asked = stranger(app).client.post("/collect", data={"name": "An"}, headers=headers)
    assert asked.status_code == 303 and asked.location.startswith("/login")


def test_a_password_is_never_carried(app: Flask) -> None:
    asked = stranger(app).client.post(
        "/admin/users", data={"login": "an", "password": "a secret of an"}, headers=OURS
    )
    assert asked.status_code == 401 and "a secret of an" not in asked.text


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "https://elsewhere.example", "/logout"])
def test_a_kept_form_goes_only_where_forms_go(signed_in: SignIn, app: Flask, path: str) -> None:
    signed_in(Role.TECHNICIAN)
    body = {"kept_path": path, "kept": ["name", "An"], "login": "technician", "password": PASSWORD}
    assert stranger(app).post("/login", body, seen="/login").status_code == 303


def test_a_scan_is_kept_by_the_page_that_sent_it_not_by_the_door(app: Flask) -> None:
    asked = stranger(app).client.post(
        "/collect/scan", data={"text": "x"}, headers=OURS | {"X-Scan": "1"}
    )
    assert asked.status_code == 303
