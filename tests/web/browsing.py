"""A browser without a screen: it keeps cookies and sends the form's token along, as pages do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from html import unescape
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "a sentence only tests know"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """Posts as a person does: from a page that was loaded before."""

    def __init__(self, client: FlaskClient, *, language: str = "en") -> None:
        self.client = client
        client.set_cookie("language", language)

    def sign_in(self, login: str, password: str) -> TestResponse:
        return self.post("/login", {"login": login, "password": password}, seen="/login")

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(
        self, path: str, form: Mapping[str, object] | None = None, *, seen: str = "/problems"
    ) -> TestResponse:
        """`seen` is the page the form was on."""
        token = _TOKEN.search(self.get(seen).text)
        return self.client.post(path, data={**(form or {}), "csrf_token": token and token[1]})


def hand_session(client: FlaskClient, user_id: UUID, now: datetime) -> None:
    """What signing in leaves in the browser, for tests that are not about signing in."""
    with client.session_transaction() as kept:
        kept.permanent = True
        kept.update(user=str(user_id), epoch=1, since=int(now.timestamp()))


def words(response: TestResponse) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.text)))
