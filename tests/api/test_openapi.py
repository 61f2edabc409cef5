"""The document that clients are built from: valid, complete, and true of every answer.

`Caller` holds each answer of each test here against it; these tests hold `Caller` to that, and
walk through every endpoint once.
"""

from __future__ import annotations

import re

import httpx
import pytest
from jsonschema.exceptions import ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.domain.refusals import every_refusal
from lims.work.tokens import Scope, issue_token
from tests.api import bodies
from tests.api.caller import PROBLEM, Caller, Clock, Document, check_problem
from tests.api.conftest import Serving


def test_the_document_is_valid_openapi_3_1(api: Caller) -> None:
    assert api.document.written["openapi"] == "3.1.0"
    validate(api.document.written, cls=OpenAPIV31SpecValidator)


def test_every_endpoint_is_in_it_with_its_scope_and_a_sentence(
    serving: Serving, api: Caller
) -> None:
    hung = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in serving.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    written = {
        (method, path): operation
        for path, operations in api.document.written["paths"].items()
        for method, operation in operations.items()
    }
    assert set(written) == hung
    for (method, path), operation in written.items():
        assert operation["summary"].endswith("."), path
        assert operation["security"][0]["token"][0] in set(Scope)
        in_path = [part for part in operation["parameters"] if part["in"] == "path"]
        assert {part["name"] for part in in_path} == set(re.findall(r"{(\w+)}", path))
        assert ("201" in operation["responses"]) is (method == "post")


def test_no_two_models_share_a_name(api: Caller) -> None:
    names = [operation["operationId"] for _, operation in _operations(api.document)]
    assert len(names) == len(set(names))


@pytest.mark.usefixtures("a_second_later")
def test_every_endpoint_answers_as_it_says(
    api: Caller, laboratory: Laboratory, clock: Clock, campaign: str
) -> None:
    """One walk through the laboratory; every answer is checked as it comes."""
    met: set[tuple[str, str]] = set()

    def did(method: str, path: str, answer: httpx.Response) -> bodies.Json:
        assert answer.status_code in (200, 201), answer.text
        met.add((method.lower(), _template(api.document, method, f"/api/v1{path}")))
        said: bodies.Json = answer.json()
        return said

    def post(path: str, body: object = None, token: str | None = None) -> bodies.Json:
        return did("POST", path, api.post(path, body, token=token))

    def get(path: str, token: str | None = None) -> bodies.Json:
        return did("GET", path, api.get(path, token=token))

    alone = [bodies.registration(), bodies.registration(campaign_id=campaign)]
    post("/specimens", alone[0])
    solo = post("/specimens", bodies.registration())["barcode"]
    post("/specimens/batch", {"rows": [*alone, bodies.registration(campaign_id=campaign), {}]})
    family = post("/field-pools", bodies.field_pool(4))
    post("/rapid-tests", bodies.rapid_test("positive", pcr_barcode=bodies.label()))
    roster = post("/rapid-tests/batch", bodies.rapid_batch())
    owes = roster["strips"][1]["specimen_id"]
    post(f"/rapid-tests/{owes}/pcr-tube", {"barcode": bodies.label()})
    for _ in range(6):
        post("/specimens", bodies.registration(campaign_id=campaign))
    with laboratory.sessions.begin() as session:
        session.execute(text("UPDATE campaign SET resolution = 'grid'"))
        barcodes = list(session.execute(text("SELECT barcode FROM tube")).scalars())
    post("/receptions", {"barcodes": [*barcodes, "TT7K-40FQ-9XB", "?"]})
    rack = get("/racks/awaiting-pool")["tubes"]
    pool = post("/pools", bodies.pool([tube["barcode"] for tube in rack]))["barcode"]
    post("/volumes", {"barcode": rack[0]["barcode"], "volume_ul": 3000})
    get("/queues/sars-cov-2")
    layout = post("/runs", bodies.run())
    get(f"/runs/{layout['run_id']}")
    told = bodies.message(layout, {family["barcode"]: 22.0, solo: 21.0, pool: 27.0})
    post("/messages", told)
    post("/messages/batch", {"messages": [told]})
    assert [one["barcode"] for one in get("/sub-pools")["pools"]] == [pool]
    row = get(f"/pools/{pool}/sub-pools")["sub_pools"][0]
    prepared = {"tube_id": bodies.fresh_id(), "barcode": bodies.label()}
    post("/sub-pools", prepared | {"sub_pool_id": row["sub_pool_id"]})
    post("/gateways/heartbeat", bodies.heartbeat("GX-1"))
    post("/instruments/orders", bodies.asked(solo))
    with laboratory.sessions() as session:
        positive = session.execute(
            text("SELECT id FROM finding WHERE current AND outcome = 'positive'")
        ).scalar_one()
    post(f"/findings/{positive}/release")
    get(f"/tubes/{solo}")
    get(f"/reconciliation/{get('/reconciliation')['since'][:10]}")
    post("/rejections", {"barcode": barcodes[0], "reason": "broken"})
    get("/recollections")
    desk = _desk_token(laboratory, clock)
    page = get("/notices", desk)
    get(f"/notices/after/{page['next_cursor']}", desk)
    heard_of = {notice["case_id"] for notice in page["notices"] if notice["case_id"]}
    case = next(
        one for one in sorted(heard_of) if get(f"/cases/{one}", desk)["state"] == "confirmed"
    )
    post(f"/cases/{case}/claim", token=desk)
    post(f"/cases/{case}/acknowledge", token=desk)
    post("/recalls/preview", bodies.recalled(layout["plate"]))
    post("/recalls", bodies.recall(layout["plate"]))

    assert met == {
        (method, path)
        for path, operations in api.document.written["paths"].items()
        for method in operations
        if path != "/api/v1/notices/feed"  # it never ends: test_notice_feed.py
    }


def test_an_answer_that_the_document_does_not_promise_is_noticed(api: Caller) -> None:
    receipt = api.done("/specimens", bodies.registration())
    api.document.hold(receipt, "RegisterSpecimenAnswer")
    for wrong in (
        receipt | {"specimen_id": "1"},
        receipt | {"replayed": "no"},
        {name: said for name, said in receipt.items() if name != "barcode"},
    ):
        with pytest.raises(ValidationError):
            api.document.hold(wrong, "RegisterSpecimenAnswer")


def test_a_refusal_without_a_page_or_a_word_is_noticed() -> None:
    said = {
        "type": "/problems/not-found",
        "title": "t",
        "status": 404,
        "detail": "d",
        "expected": "e",
        "came": "c",
        "where": "w",
        "todo": "t",
    }
    check_problem(_problem(said))
    for wrong in (
        said | {"type": "/problems/no-such-page"},
        said | {"status": 422},
        {name: words for name, words in said.items() if name != "todo"},
    ):
        with pytest.raises(AssertionError):
            check_problem(_problem(wrong))


def test_every_kind_of_refusal_leads_to_a_page(api: Caller) -> None:
    for kind in every_refusal():
        assert api.client.get(f"/problems/{kind.slug}").status_code == 200, kind.slug


def test_a_request_that_the_document_allows_is_not_called_malformed(api: Caller) -> None:
    """Its own examples and every valid body here pass its schemas."""
    for path, body in {
        "/specimens": bodies.registration(),
        "/specimens/batch": {"rows": [bodies.registration()]},
        "/field-pools": bodies.field_pool(),
        "/rapid-tests": bodies.rapid_test(),
        "/rapid-tests/batch": bodies.rapid_batch(),
        "/pools": bodies.pool(["TT7K-40FQ-9XB"]),
        "/runs": bodies.run(),
    }.items():
        operation = api.document.operation("POST", f"/api/v1{path}")
        schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        api.document.hold(body, schema.rpartition("/")[2])


def _operations(document: Document) -> list[tuple[str, bodies.Json]]:
    return [
        (method, operation)
        for operations in document.written["paths"].values()
        for method, operation in operations.items()
    ]


def _template(document: Document, method: str, path: str) -> str:
    found = document.operation(method, path)
    return next(
        str(template)
        for template, operations in document.written["paths"].items()
        if operations.get(method.lower()) is found
    )


def _desk_token(laboratory: Laboratory, clock: Clock) -> str:
    with laboratory.sessions.begin() as session:
        team_id = session.execute(text("SELECT team_id FROM subscription")).scalar_one()
        return issue_token(
            session,
            site_id=laboratory.site_id,
            name="desk",
            scopes=[Scope.CASES],
            team_id=team_id,
            by="test",
            now=clock.now,
        )


def _problem(said: bodies.Json) -> httpx.Response:
    return httpx.Response(404, json=said, headers={"Content-Type": PROBLEM})
