"""Every endpoint against every scope: what a token does not name stays shut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from lims.api import bearer
from lims.db.laboratory import Laboratory
from lims.work.tokens import Scope, revoke_token, token_holder
from tests.api import bodies
from tests.api.caller import Caller, Clock, refused
from tests.api.conftest import Serving

OPENS = {
    ("POST", "/specimens"): Scope.REGISTER,
    ("POST", "/specimens/batch"): Scope.REGISTER,
    ("POST", "/field-pools"): Scope.REGISTER,
    ("POST", "/rapid-tests"): Scope.REGISTER,
    ("POST", "/rapid-tests/batch"): Scope.REGISTER,
    ("POST", "/rapid-tests/{specimen_id}/pcr-tube"): Scope.REGISTER,
    ("GET", "/recollections"): Scope.REGISTER,
    ("POST", "/receptions"): Scope.RECEIVE,
    ("POST", "/rejections"): Scope.RECEIVE,
    ("POST", "/pools"): Scope.POOL,
    ("GET", "/pools/{barcode}/sub-pools"): Scope.POOL,
    ("GET", "/sub-pools"): Scope.POOL,
    ("POST", "/sub-pools"): Scope.POOL,
    ("POST", "/volumes"): Scope.RECEIVE,
    ("GET", "/racks/awaiting-pool"): Scope.POOL,
    ("POST", "/runs"): Scope.RUN,
    ("GET", "/runs/{run_id}"): Scope.RUN,
    ("GET", "/queues/{assay}"): Scope.RUN,
    ("POST", "/messages"): Scope.MEASURE,
    ("POST", "/messages/batch"): Scope.MEASURE,
    ("POST", "/gateways/heartbeat"): Scope.MEASURE,
    ("POST", "/instruments/orders"): Scope.MEASURE,
    ("POST", "/findings/{finding_id}/release"): Scope.REVIEW,
    ("POST", "/recalls"): Scope.RECALL,
    ("POST", "/recalls/preview"): Scope.RECALL,
    ("GET", "/tubes/{barcode}"): Scope.READ,
    ("GET", "/reconciliation"): Scope.READ,
    ("GET", "/reconciliation/{day}"): Scope.READ,
    ("GET", "/cases/{case_id}"): Scope.CASES,
    ("POST", "/cases/{case_id}/claim"): Scope.CASES,
    ("POST", "/cases/{case_id}/acknowledge"): Scope.CASES,
    ("GET", "/notices"): Scope.CASES,
    ("GET", "/notices/after/{cursor}"): Scope.CASES,
    ("GET", "/notices/feed"): Scope.CASES,
}


@pytest.fixture
def client(serving: Serving, laboratory: Laboratory) -> FlaskClient:
    return serving.app.test_client()


def endpoints(serving: Serving) -> Iterator[tuple[str, str, str]]:
    """(method, rule, a path of it) of all that hangs under /api/v1, document or not."""
    for rule in serving.app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1"):
            continue
        values = {name: bodies.fresh_id() for name in rule.arguments}
        with serving.app.test_request_context():
            _, path = rule.build(values) or ("", "")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule, path


def test_every_endpoint_is_in_the_table_of_this_test(serving: Serving, api: Caller) -> None:
    declared = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in api.document.written["paths"].items()
        for method in operations
    }
    assert declared == set(OPENS)
    assert len(list(endpoints(serving))) == len(OPENS)


def test_each_endpoint_opens_to_its_scope_and_to_no_other(
    serving: Serving, api: Caller, client: FlaskClient
) -> None:
    for method, _, path in endpoints(serving):
        wanted = api.document.scope(method, path)
        assert OPENS[method, _template(serving, method, path)] is wanted
        for scope, token in api.tokens.items():
            answer = client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
            shut = (
                answer.status_code == 403 and answer.get_json()["type"] == "/problems/wrong-scope"
            )
            # A claim needs a team as well, and says so by the same name.
            streams = answer.mimetype == "text/event-stream"  # and never ends
            named = not streams and "without a team" in answer.text
            answer.close()
            assert shut is (scope is not wanted or named), (method, path, scope)


def test_every_scope_opens_something() -> None:
    assert set(OPENS.values()) == set(Scope) - {Scope.FHIR, Scope.LOOKUP}  # their own doors


def test_nothing_opens_without_a_token_or_with_half_of_one(
    serving: Serving, api: Caller, client: FlaskClient
) -> None:
    good = api.tokens[Scope.REGISTER]
    headers = (
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {good}",
        good,
        f"Bearer {good[:-1]}",
        f"Bearer {good}x",
        f"Bearer {good.upper()}",
    )
    for method, _, path in endpoints(serving):
        for header in headers:
            sent = {} if header is None else {"Authorization": header}
            answer = client.open(path, method=method, headers=sent)
            assert answer.status_code == 401, (method, path, header)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.get_json()["type"] == "/problems/not-signed-in"


def test_a_cookie_of_the_pages_opens_nothing_here(client: FlaskClient) -> None:
    client.set_cookie("lims", "whatever")
    assert client.get("/api/v1/recollections").status_code == 401


def test_a_revoked_token_is_refused_once_the_memory_of_it_is_over(
    api: Caller, laboratory: Laboratory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Stopwatch()
    monkeypatch.setattr(bearer, "time", stopped)
    plain = api.tokens[Scope.REGISTER]
    assert api.get("/recollections").status_code == 200
    with laboratory.sessions.begin() as session:
        token_id = token_holder(session, plain, clock.now).token_id
        revoke_token(session, token_id, by="test", now=clock.now)

    stopped.seconds += bearer.TOKEN_MEMORY_S

    assert bearer.TOKEN_MEMORY_S <= 2
    said = refused(api.get("/recollections"), 401, "not-signed-in")
    assert plain not in str(said)


def test_a_token_is_looked_up_anew_when_its_memory_is_over(
    api: Caller, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Stopwatch()
    monkeypatch.setattr(bearer, "time", stopped)
    for _ in range(3):
        stopped.seconds += bearer.TOKEN_MEMORY_S + 1
        assert api.get("/recollections").status_code == 200


class Stopwatch:
    """Stands where the door reads the time, and moves when told."""

    def __init__(self) -> None:
        self.seconds = 1e9

    def monotonic(self) -> float:
        return self.seconds


def _template(serving: Serving, method: str, path: str) -> str:
    for template in serving.document.written["paths"]:
        found = serving.document.operation(method, path)
        if serving.document.written["paths"][template].get(method.lower()) is found:
            return str(template).removeprefix("/api/v1")
    raise LookupError(path)
