"""The citizens' app asks by the code of a slip, over a real socket: thin, paced, audited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from lims.api import citizen
from lims.db.laboratory import Laboratory
from lims.domain import slip_codes
from lims.domain.barcodes import minted_from
from lims.doors.pace import Pace
from lims.work.issue_slip import issue_slip
from lims.work.tokens import Scope
from tests.api.caller import Caller, Clock
from tests.api.conftest import Serving
from tests.builders import Bench
from tests.until import WITHIN_S


@pytest.fixture(autouse=True)
def fresh_paces(monkeypatch: pytest.MonkeyPatch) -> None:
    pace(monkeypatch, "OF_ADDRESS", 1000)
    pace(monkeypatch, "OF_CODE", 1000)
    pace(monkeypatch, "OF_TOKEN", 1000)


def pace(monkeypatch: pytest.MonkeyPatch, which: str, most: int) -> None:
    monkeypatch.setattr(citizen, which, Pace(most=most, window=timedelta(minutes=1)))


@pytest.fixture
def app(serving: Serving, laboratory: Laboratory) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.address, timeout=WITHIN_S) as client:
        yield client


def look(app: httpx.Client, code: str, **headers: str) -> httpx.Response:
    return app.post("/citizen/v1/result", json={"code": code}, headers=headers)


@pytest.fixture
def slip(laboratory: Laboratory, clock: Clock) -> tuple[str, UUID]:
    """A negative's slip, and its swab."""
    with laboratory.sessions.begin() as session:
        labels = (barcode for _, barcode in minted_from("TT", "A1", 1))
        at = clock.now - timedelta(hours=3)
        bench = Bench(session, laboratory.site_id, at, "QS5-1", labels)
        swab = bench.swab(name="Nguyễn Thị Mai")
        bench.run()
        finding = session.execute(text("SELECT id FROM finding WHERE current")).scalar_one()
        issued = issue_slip(
            session,
            finding,
            site_id=laboratory.site_id,
            language="vi",
            by="user:desk",
            now=bench.now,
        )
        return issued.code, swab.specimen_id


def test_whoever_holds_the_code_learns_the_result_and_nobodys_name(
    app: httpx.Client, slip: tuple[str, UUID], laboratory: Laboratory
) -> None:
    code, _ = slip
    answer = look(app, slip_codes.shown(code).lower())
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.json()
    assert (said["state"], said["result"], said["method"]) == ("valid", "negative", "pcr")
    assert said.keys() == {
        "state",
        "laboratory",
        "issued_at",
        "result",
        "method",
        "collected_at",
    }
    with laboratory.sessions.begin() as session:
        seen = session.execute(
            text("SELECT actor, detail->>'worth' FROM audit_event WHERE verb = 'lookup_result'")
        ).all()
    assert [tuple(row) for row in seen] == [("citizen", "valid")]


def test_a_slip_that_is_valid_no_more_says_no_result(
    app: httpx.Client, slip: tuple[str, UUID], laboratory: Laboratory
) -> None:
    code, specimen = slip
    with laboratory.sessions.begin() as session:
        session.execute(
            text("UPDATE finding SET current = false WHERE specimen_id = :s"), {"s": specimen}
        )
    said = look(app, code).json()
    assert said["state"] == "checked"
    assert "result" not in said
    assert "collected_at" not in said


def test_a_code_that_was_never_issued_and_one_mistyped_are_told_apart(
    app: httpx.Client, slip: tuple[str, UUID]
) -> None:
    code, _ = slip
    never = slip_codes.from_chance(12345)
    assert never is not None
    answer = look(app, never)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-slip"
    assert never not in answer.text
    swapped = code[1] + code[0] + code[2:] if code[0] != code[1] else code[:-1] + "Z"
    mistyped = look(app, swapped)
    assert mistyped.status_code == 422
    said = mistyped.json()["detail"]
    assert "compare the code with the paper" in said
    assert "barcode" not in said and "suggestions" not in said
    assert look(app, "short").status_code == 422


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"code": 1}', b'{"code": "A", "name": "Mai"}', b"[" * 900]
)
def test_another_shape_is_refused(app: httpx.Client, body: bytes) -> None:
    answer = app.post("/citizen/v1/result", content=body)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid-body"


def test_a_large_body_and_another_method_are_refused(app: httpx.Client) -> None:
    assert app.post("/citizen/v1/result", content=b" " * 5000).status_code == 413
    assert app.get("/citizen/v1/result").status_code == 405


def test_an_address_pays_for_guesses_too(
    app: httpx.Client, slip: tuple[str, UUID], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    pace(monkeypatch, "OF_ADDRESS", 2)
    assert look(app, "guess").status_code == 422
    assert look(app, "guess again").status_code == 422
    refused = look(app, slip[0])
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 30
    clock.later(1)
    assert look(app, slip[0]).status_code == 200


def test_a_village_behind_one_address_is_not_refused(
    app: httpx.Client, slip: tuple[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mobile operators give thousands of telephones one address; whoever has a slip does not
    guess."""
    pace(monkeypatch, "OF_ADDRESS", 2)
    assert [look(app, slip[0]).status_code for _ in range(5)] == [200] * 5
    unknown = slip_codes.from_chance(12345)
    assert unknown is not None
    assert [look(app, unknown).status_code for _ in range(3)] == [404, 404, 429]


def test_one_code_is_looked_at_so_often_whoever_asks(
    app: httpx.Client, slip: tuple[str, UUID], monkeypatch: pytest.MonkeyPatch, api: Caller
) -> None:
    pace(monkeypatch, "OF_CODE", 2)
    token = {"Authorization": f"Bearer {api.tokens[Scope.LOOKUP]}"}
    assert look(app, slip[0]).status_code == 200
    assert look(app, slip[0], **token).status_code == 200
    assert look(app, slip[0], **token).status_code == 429
    assert look(app, slip[0]).status_code == 429


def test_the_apps_own_server_asks_for_many_with_a_token(
    app: httpx.Client,
    slip: tuple[str, UUID],
    monkeypatch: pytest.MonkeyPatch,
    api: Caller,
    laboratory: Laboratory,
) -> None:
    pace(monkeypatch, "OF_ADDRESS", 1)
    token = {"Authorization": f"Bearer {api.tokens[Scope.LOOKUP]}"}
    assert [look(app, slip[0], **token).status_code for _ in range(3)] == [200] * 3
    other = {"Authorization": f"Bearer {api.tokens[Scope.READ]}"}
    assert look(app, slip[0], **other).status_code == 403
    assert look(app, slip[0], Authorization="Bearer tt_nobody").status_code == 401
    with laboratory.sessions.begin() as session:
        actors = session.execute(
            text("SELECT DISTINCT actor FROM audit_event WHERE verb = 'lookup_result'")
        ).scalars()
        assert list(actors) == [f"token:a machine to {Scope.LOOKUP}"]
