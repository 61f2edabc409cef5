"""Every page of the HTML door against every role and a stranger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lims.app import OTHER_DOORS
from lims.db.laboratory import Laboratory
from lims.tables import User
from lims.web.access import declared, public
from lims.work.access import Role
from tests.web.browsing import hand_session
from tests.web.route_table import PUBLIC, ROUTES

_ARGUMENT = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>")
SAMPLES = {"uuid": "01890a5d-ac96-774b-bcce-b302099a8057", "int": "1", "path": "look.css"}


@pytest.fixture
def people(laboratory: Laboratory, now: datetime) -> dict[Role, UUID]:
    """One person a role; nobody needs a password here."""
    with laboratory.sessions.begin() as database:
        users = {
            role: User(
                site_id=laboratory.site_id,
                login=role.value,
                name=role.value,
                password_hash="none",
                roles=[role.value],
                created_at=now,
            )
            for role in Role
        }
        database.add_all(users.values())
    return {role: user.id for role, user in users.items()}


@pytest.fixture
def forms_without_tokens(app: Flask) -> Flask:
    """The guard is asked here, not the form token, which has a test of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def rules(app: Flask) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] not in OTHER_DOORS:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule


def ask(client: FlaskClient, method: str, rule: Rule) -> TestResponse:
    path = _ARGUMENT.sub(lambda found: SAMPLES.get(found[1], "not-found"), rule.rule)
    return client.open(path, method=method, buffered=False)


def turned_away(answer: TestResponse) -> bool:
    if answer.status_code == 303:
        return answer.location.startswith("/login?next=")
    return answer.status_code == 403 and "/problems/wrong-scope" in answer.text


def test_the_table_names_every_page_and_no_other(app: Flask) -> None:
    assert sorted(f"{method} {rule.rule}" for method, rule in rules(app)) == sorted(ROUTES)


def test_every_view_declares_what_the_table_says(app: Flask) -> None:
    for method, rule in rules(app):
        declaration = declared(app, rule.endpoint)
        assert declaration is not None, rule.endpoint
        said = PUBLIC if declaration.public else declaration.roles
        assert said == ROUTES[f"{method} {rule.rule}"], rule.endpoint


@pytest.mark.parametrize("role", [*Role, None])
def test_a_role_enters_its_pages_and_no_other(
    forms_without_tokens: Flask, people: dict[Role, UUID], role: Role | None, now: datetime
) -> None:
    app, wrong = forms_without_tokens, []
    signing_out_last = sorted(rules(app), key=lambda one: one[1].rule == "/logout")
    for method, rule in signing_out_last:
        client = app.test_client()
        if role is not None:
            hand_session(client, people[role], now)
        allowed = ROUTES[f"{method} {rule.rule}"]
        answer = ask(client, method, rule)
        if turned_away(answer) is (allowed is PUBLIC or role in allowed):
            wrong.append(f"{method} {rule.rule}: {answer.status_code}")
        assert answer.status_code < 500, rule.rule
        answer.close()
    assert wrong == []


def test_a_view_that_declares_nothing_admits_nobody(
    app: Flask, people: dict[Role, UUID], now: datetime
) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "people's results")
    app.add_url_rule("/open", "open", public(lambda: session.get("user", "nobody")))
    client = app.test_client()
    hand_session(client, people[Role.ADMIN], now)
    assert client.get("/forgotten").status_code == 403
    assert client.get("/open").status_code == 200


def test_a_form_from_another_site_changes_nothing(
    app: Flask, people: dict[Role, UUID], now: datetime
) -> None:
    client = app.test_client()
    hand_session(client, people[Role.ADMIN], now)
    answer = client.post("/admin/teams", data={"name": "Tổ giả"})
    assert answer.status_code == 403
    assert "/problems/csrf" in answer.text
    assert "Tổ giả" not in client.get("/admin/teams").text
