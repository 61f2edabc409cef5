"""S24, at the LIMS's door: the answer is lost on the way, so the gateway posts again.

A process killed between commit and response looks the same from outside as an answer that never
arrives: what was done is done, and nobody was told.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller
from tests.api.conftest import (  # noqa: F401 - fixtures, which pytest finds by name
    Serving,
    api,
    clock,
    laboratory,
    serving,
)
from tests.api.racing import at_once


class LostAnswers:
    """The application does its work; its first answers never leave the building."""

    def __init__(self, wsgi_app: Any, *, first: int) -> None:
        self._wsgi_app = wsgi_app
        self.left = first

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._wsgi_app(environ, start_response)
        if not self.left:
            return answer
        self.left -= 1
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return answer


@pytest.fixture
def killed_once(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811 - the fixture
    """The next request is committed and never answered."""
    lost = LostAnswers(serving.app.wsgi_app, first=1)
    monkeypatch.setattr(serving.app, "wsgi_app", lost)


KEPT = ("raw_message", "measurement", "result", "finding", "f0_case", "notice", "test_order")


def kept(laboratory: Laboratory) -> dict[str, int]:  # noqa: F811 - its value
    with laboratory.sessions() as session:
        return {
            table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in KEPT
        }


def test_a_message_whose_answer_was_lost_is_there_once_with_the_same_receipt(
    api: Caller,  # noqa: F811 - the fixture
    laboratory: Laboratory,  # noqa: F811 - the fixture
    request: pytest.FixtureRequest,
) -> None:
    positive, _ = api.received(2)
    body = bodies.message(api.planned(), {positive: 24.0})
    request.getfixturevalue("killed_once")

    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/messages", body)
    committed = kept(laboratory)
    again, and_again = api.post("/messages", body), api.post("/messages", body)

    assert (again.status_code, and_again.status_code) == (200, 200)
    assert again.json() == and_again.json()
    assert (again.json()["state"], again.json()["matched"]) == ("accepted", 4)
    assert kept(laboratory) == committed
    assert (committed["raw_message"], committed["result"], committed["f0_case"]) == (1, 2, 1)


def test_a_registration_whose_answer_was_lost_is_there_once(
    api: Caller,  # noqa: F811 - the fixture
    laboratory: Laboratory,  # noqa: F811 - the fixture
    killed_once: None,
) -> None:
    body = bodies.registration()

    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/specimens", body)
    again = api.post("/specimens", body)

    assert (again.status_code, again.json()["replayed"]) == (200, True)
    with laboratory.sessions() as session:
        assert session.execute(text("SELECT count(*) FROM person")).scalar_one() == 1


def test_a_message_posted_by_two_gateways_at_once_is_taken_by_one_of_them(
    api: Caller,  # noqa: F811 - the fixture
    laboratory: Laboratory,  # noqa: F811 - the fixture
) -> None:
    for plate in range(4):
        positive, _ = api.received(2)
        body = bodies.message(api.planned(f"PLATE-{plate:04d}"), {positive: 24.0})

        answers = at_once(*[partial(api.post, "/messages", body)] * 2)

        assert sorted(answer.status_code for answer in answers) == [200, 201]
        assert answers[0].json() == answers[1].json()
        found = kept(laboratory)
        assert found["raw_message"] == plate + 1
        assert found["result"] == 2 * (plate + 1)
        assert found["f0_case"] == plate + 1
