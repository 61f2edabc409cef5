"""In and out of the HTML door."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lims.app import create_app
from lims.db.laboratory import Laboratory
from lims.settings import Settings
from lims.tables import AuditEvent
from lims.work import passwords
from lims.work.access import Role, create_user
from tests.web.browsing import PASSWORD, Browser, hand_session, words
from tests.web.conftest import SignIn


def test_signing_in_goes_on_to_the_page_asked_for(signed_in: SignIn, app: Flask) -> None:
    signed_in(Role.ADMIN)
    browser = Browser(app.test_client())
    form = {"login": "admin", "password": PASSWORD, "next": "/admin/tokens"}
    assert browser.post("/login", form, seen="/login").location == "/admin/tokens"
    assert browser.get("/login").location == "/"


def test_signing_in_never_leads_to_another_site(signed_in: SignIn, app: Flask) -> None:
    signed_in(Role.ADMIN)
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil", ""):
        browser = Browser(app.test_client())
        form = {"login": "admin", "password": PASSWORD, "next": target}
        assert browser.post("/login", form, seen="/login").location == "/"


def test_a_wrong_password_and_a_wrong_login_are_one_answer(signed_in: SignIn, app: Flask) -> None:
    signed_in(Role.ADMIN)
    answers = []
    for login in ("admin", "nobody"):
        page = Browser(app.test_client()).sign_in(login, "wrong")
        answers.append((page.status_code, words(page)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


def test_the_sixth_attempt_is_told_when_to_try_again(signed_in: SignIn, app: Flask) -> None:
    signed_in(Role.ADMIN)
    browser = Browser(app.test_client())
    for _ in range(5):
        browser.sign_in("admin", "wrong")
    page = browser.sign_in("admin", PASSWORD)
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "901"
    assert "Try again in 16 min" in words(page)


def test_signing_out_ends_it_on_every_device_and_for_a_copied_cookie(
    signed_in: SignIn, app: Flask
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    there = Browser(app.test_client())
    there.sign_in("technician", PASSWORD)
    copied = browser.client.get_cookie("lims")
    assert copied is not None
    browser.post("/logout", seen="/")
    thief = app.test_client()
    thief.set_cookie("lims", copied.value)
    assert thief.get("/").location == "/login?next=/"
    assert there.get("/").location == "/login?next=/"
    assert "signed out, on every device" in words(browser.get("/login"))


def test_a_session_ends_with_the_shift_however_busy_it_was(
    laboratory: Laboratory, settings: Settings, now: datetime
) -> None:
    clock = [now]
    app = create_app(replace(laboratory, clock=lambda: clock[0]), settings)
    with laboratory.sessions.begin() as session:
        who = create_user(
            session,
            site_id=laboratory.site_id,
            login="lan",
            name="KTV Lan",
            password=PASSWORD,
            roles={Role.ADMIN},
            by="test",
            now=now,
        )
    client = app.test_client()
    hand_session(client, who, now)
    for hours, status in ((6, 200), (12, 200), (12.1, 303)):
        clock[0] = now + timedelta(hours=hours)
        assert client.get("/").status_code == status


def test_a_new_password_keeps_this_browser_and_ends_the_other(
    signed_in: SignIn, app: Flask
) -> None:
    here = signed_in(Role.TECHNICIAN)
    there = Browser(app.test_client())
    there.sign_in("technician", PASSWORD)
    form = {"old": PASSWORD, "password": "one more sentence of ours"}
    assert here.post("/me/password", form, seen="/me/password").location == "/"
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303


def test_changing_the_password_is_not_written_down_as_signing_in(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    here = signed_in(Role.TECHNICIAN)
    form = {"old": PASSWORD, "password": "one more sentence of ours"}
    here.post("/me/password", form, seen="/me/password")
    with laboratory.sessions() as session:
        verbs = session.scalars(select(AuditEvent.verb).order_by(AuditEvent.id)).all()
    assert verbs[-3:] == ["user-created", "signed-in", "password-set"]


def test_no_connection_is_held_while_a_password_is_checked(
    signed_in: SignIn, app: Flask, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(Role.TECHNICIAN)
    held = []
    check = passwords.matches

    def matches(stored: str, password: str) -> bool:
        held.append(laboratory.engine.pool.checkedout())  # type: ignore[attr-defined]  # of QueuePool
        return check(stored, password)

    monkeypatch.setattr(passwords, "matches", matches)
    for password in (PASSWORD, "wrong"):
        Browser(app.test_client()).sign_in("technician", password)
    assert held == [0, 0]


def test_an_unattended_screen_does_not_give_the_account_away(signed_in: SignIn) -> None:
    browser = signed_in(Role.TECHNICIAN)
    form = {"old": "a guess", "password": "one more sentence of ours"}
    page = browser.post("/me/password", form, seen="/me/password")
    assert page.status_code == 422
    assert "This is not your password." in words(page)


def test_the_language_is_kept_and_the_page_stays(client: FlaskClient) -> None:
    browser = Browser(client, language="vi")
    answer = browser.post("/language", {"language": "en", "next": "/problems"})
    assert answer.location == "/problems"
    assert "What does this message mean?" in words(browser.get("/problems"))


def test_behind_tls_the_cookie_is_for_tls_only_and_this_host_only(
    laboratory: Laboratory, settings: Settings
) -> None:
    plain = create_app(laboratory, settings).test_client().get("/login")
    assert "Secure" not in plain.headers["Set-Cookie"]
    shielded = create_app(laboratory, replace(settings, trusted_proxies=1))
    answer = shielded.test_client().get("/login", headers={"X-Forwarded-Proto": "https"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-lims=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_no_page_loads_anything_from_elsewhere_or_carries_a_script(signed_in: SignIn) -> None:
    page = signed_in(Role.ADMIN).get("/admin/subscriptions").text
    assert "http://" not in page and "https://" not in page.replace("https only", "")
    assert "style=" not in page and "onclick" not in page
    assert page.count("<script") == page.count('<script type="module" src="/static/')
