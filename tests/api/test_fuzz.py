"""Whatever is sent, the answer is a receipt or a problem document; never a failure of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.work.tokens import Scope
from tests.api import bodies
from tests.api.bodies import Json
from tests.api.caller import SAYS, Caller
from tests.api.conftest import Serving
from tests.builders import Bench

NASTY: Final = (
    "", " ", "0", "-1", "x" * 201, "NaN", "null", "' OR 1=1 --", "é",
    "\x00", "a\x00b", "\x1c", "\ud800", "\u202e\u200b", "👩‍🔬" * 50, "\ufb2c" * 200,
    "TT7K-40FQ-9XB", "26734", "vn-2025", "A01", "H12", "sars-cov-2", "+84912345678",
    "0000-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2021-02-30",
    "2021-09-11T01:00:00", "2021-09-11T01:00:00Z", "2021-09-11", "000000000000",
    "0190163d-8694-739b-aea5-966c26f8ad91",
)  # fmt: skip
NUMBERS: Final = (0, -1, 2**31, 2**63, 10**30, -(10**30), 1e308, float("inf"), float("nan"), 0.1)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(NUMBERS)
    | st.floats()
    | st.sampled_from(NASTY)
    | st.text(max_size=20)
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
FEW = settings(
    max_examples=40,
    deadline=None,  # a busy machine is no fault
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # one laboratory for all of them
        HealthCheck.too_slow,  # a busy machine is no fault
    ],
)


class World:
    """A laboratory with something of everything, and one valid body for each endpoint."""

    def __init__(self, api: Caller, campaign: str, laboratory: Laboratory) -> None:
        self.sub_pools = _asked_for(api, laboratory)
        self.received = api.received(2)
        self.waiting = api.received(2, campaign_id=campaign)
        self.layout = api.planned()
        self.queued = api.received(1)
        self.plates = 0

    def body(self, path: str) -> Json:
        makers: dict[str, Callable[[], Json]] = {
            "/specimens": bodies.registration,
            "/specimens/batch": lambda: {"rows": [bodies.registration(), bodies.registration()]},
            "/field-pools": bodies.field_pool,
            "/rapid-tests": lambda: bodies.rapid_test("positive", pcr_barcode=bodies.label()),
            "/rapid-tests/batch": bodies.rapid_batch,
            "/rapid-tests/{specimen_id}/pcr-tube": lambda: {"barcode": bodies.label()},
            "/receptions": lambda: {"barcodes": [*self.received, *self.waiting]},
            "/rejections": lambda: {"barcode": self.queued[0], "reason": "broken"},
            "/pools": lambda: bodies.pool(self.waiting),
            "/sub-pools": lambda: {
                "tube_id": bodies.fresh_id(),
                "sub_pool_id": self.sub_pools[0],
                "barcode": bodies.label(),
            },
            "/volumes": lambda: {"barcode": self.received[0], "volume_ul": 3000},
            "/runs": self._run,
            "/messages": lambda: bodies.message(self.layout, {self.received[0]: 24.0}),
            "/messages/batch": lambda: {
                "messages": [bodies.message(self.layout, {self.received[0]: 24.0})]
            },
            "/gateways/heartbeat": bodies.heartbeat,
            "/instruments/orders": lambda: bodies.asked(self.queued[0]),
            "/recalls": lambda: bodies.recall(self.layout["plate"]),
            "/recalls/preview": lambda: bodies.recalled(self.layout["plate"]),
        }
        return makers[path]()

    def _run(self) -> Json:
        self.plates += 1
        wells = [{"position": "A01", "barcode": self.queued[0]}]
        return bodies.run(f"PLATE-F{self.plates:03d}", wells=wells)


@pytest.fixture
def world(api: Caller, campaign: str, laboratory: Laboratory) -> World:
    return World(api, campaign, laboratory)


def _asked_for(api: Caller, laboratory: Laboratory) -> list[str]:
    """The sub-pools of a positive pool that is resolved by a grid."""
    with laboratory.sessions.begin() as session:
        bench = Bench(session, laboratory.site_id, api.clock.now, "QS5-1", bodies.LABELS, 900)
        people = bench.swabs(6)
        session.execute(
            text("UPDATE campaign SET resolution = 'grid' WHERE name LIKE 'Campaign %'")
        )
        pool = bench.lab_pool(people)
        bench.run({pool: 27.0})
        return [str(id) for id in session.execute(text("SELECT id FROM sub_pool")).scalars()]


@pytest.fixture
def door(serving: Serving, laboratory: Laboratory) -> FlaskClient:
    """Without the socket between, since it is asked thousands of times."""
    return serving.app.test_client()


POSTS = (
    "/specimens",
    "/specimens/batch",
    "/field-pools",
    "/rapid-tests",
    "/rapid-tests/batch",
    "/rapid-tests/{specimen_id}/pcr-tube",
    "/receptions",
    "/rejections",
    "/pools",
    "/sub-pools",
    "/volumes",
    "/runs",
    "/messages",
    "/messages/batch",
    "/gateways/heartbeat",
    "/instruments/orders",
    "/recalls",
    "/recalls/preview",
)


def test_every_endpoint_with_a_body_is_fuzzed(api: Caller) -> None:
    taking = {
        path.removeprefix("/api/v1")
        for path, operations in api.document.written["paths"].items()
        if "requestBody" in operations.get("post", {})
    }
    assert taking == set(POSTS)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_changed_anywhere_never_breaks_us(
    path: str, api: Caller, door: FlaskClient, world: World
) -> None:
    headers = bearer(api, path)

    @FEW
    @given(st.data())
    def send(data: st.DataObject) -> None:
        body = world.body(path)
        for _ in range(data.draw(st.integers(1, 3))):
            change(body, data)
        sound(door, path, json.dumps(body).encode("utf-8", "surrogatepass"), headers)

    send()


@pytest.mark.parametrize("path", POSTS)
def test_a_body_of_anything_at_all_never_breaks_us(
    path: str, api: Caller, door: FlaskClient
) -> None:
    headers = bearer(api, path)

    @FEW
    @given(ANYTHING.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40))
    def send(content: bytes) -> None:
        sound(door, path, content, headers)

    send()


@FEW
@given(st.sampled_from(NASTY) | st.text(min_size=1, max_size=30))
def test_a_path_of_anything_at_all_never_breaks_us(
    api: Caller, door: FlaskClient, words: str
) -> None:
    part = quote(words.encode("utf-8", "surrogatepass"), safe="")
    for place in (
        "queues/{}",
        "runs/{}",
        "cases/{}",
        "notices/after/{}",
        "tubes/{}",
        "reconciliation/{}",
        "{}",
        "specimens/{}",
    ):
        for scope in (Scope.RUN, Scope.CASES, Scope.READ):
            token = {"Authorization": f"Bearer {api.tokens[scope]}"}
            answer = door.get(f"/api/v1/{place.format(part)}", headers=token)
            assert answer.status_code < 500, (place, words)


@FEW
@given(st.text(max_size=60))
def test_a_token_of_anything_at_all_never_breaks_us(door: FlaskClient, words: str) -> None:
    header = words.replace("\r", "").replace("\n", "").encode().decode("latin-1")
    answer = door.get("/api/v1/recollections", headers={"Authorization": header})
    assert answer.status_code == 401


def test_after_all_that_no_tube_is_without_its_people(
    api: Caller, door: FlaskClient, world: World, laboratory: Laboratory
) -> None:
    for path in POSTS:
        headers = bearer(api, path)
        body = world.body(path)
        for place, nasty in enumerate(NASTY):
            key = list(body)[place % len(body)]
            content = json.dumps(body | {key: nasty}).encode("utf-8", "surrogatepass")
            sound(door, path, content, headers)
    with laboratory.sessions() as session:
        empty = session.execute(
            text(
                "SELECT barcode FROM tube t WHERE NOT EXISTS"
                " (SELECT FROM tube_specimen s WHERE s.tube_id = t.id)"
            )
        )
        assert empty.all() == []


def bearer(api: Caller, path: str) -> dict[str, str]:
    scope = api.document.scope("POST", f"/api/v1{path}")
    return {"Authorization": f"Bearer {api.tokens[scope]}"}


def sound(door: FlaskClient, path: str, content: bytes, headers: dict[str, str]) -> None:
    there = path.replace("{specimen_id}", str(uuid7()))
    answer = door.post(f"/api/v1{there}", data=content, headers=headers)
    assert answer.status_code < 500, (path, content)
    if answer.status_code >= 400:
        assert set(SAYS) <= answer.get_json().keys()


def change(body: Json, data: st.DataObject) -> None:
    """Replace, remove, double or add something at a place drawn from the whole tree."""
    places = list(walk(body))
    if not places:
        return
    holder, key = data.draw(st.sampled_from(places))
    deed = data.draw(st.sampled_from(["replace", "replace", "remove", "double", "add"]))
    if deed == "remove":
        del holder[key]
    elif deed == "double" and isinstance(holder, list):
        holder.append(holder[key])
    elif deed == "add" and isinstance(holder, dict):
        holder[data.draw(st.text(max_size=10))] = data.draw(LEAVES)
    else:
        holder[key] = data.draw(ANYTHING)


def walk(value: Any) -> Any:
    """Every (container, key) of a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from walk(inner)
