"""The door itself: what is not there, what is too large, what cannot be read at all."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from lims.api.messages import MOST_BYTES
from lims.work.tokens import Scope
from tests.api import bodies
from tests.api.caller import PROBLEM, Caller, check_problem, refused
from tests.api.conftest import nothing_written


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v2/specimens", "/api/v1/runs/not-a-uuid", "/api/v1/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_is_not_there_is_a_problem_document_too(method: str, path: str, api: Caller) -> None:
    answer = api.client.request(method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, PROBLEM)
    check_problem(answer)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/specimens", "POST"),
        ("DELETE", "/api/v1/pools", "POST"),
        ("POST", "/api/v1/notices", "GET"),
        ("PUT", "/api/v1/queues/sars-cov-2", "GET"),
        ("PATCH", "/api/openapi.json", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    method: str, path: str, allowed: str, api: Caller
) -> None:
    answer = api.client.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.headers["Content-Type"] == PROBLEM
    check_problem(answer)


def test_fifty_megabytes_are_refused_and_the_connection_hears_why(
    api: Caller, database: Engine
) -> None:
    with nothing_written(database):
        said = refused(api.post_bytes("/messages", b" " * 50 * 2**20), 413, "body-too-large")
    assert said["expected"] == f"at most {MOST_BYTES // 2**20} MB"


def test_a_body_without_an_announced_length_is_held_to_the_same_limit(
    api: Caller, database: Engine
) -> None:
    pieces = (b" " * 2**20 for _ in range(MOST_BYTES // 2**20 + 1))
    headers = {"Authorization": f"Bearer {api.tokens[Scope.MEASURE]}"}
    with nothing_written(database):
        answer = api.client.post("/api/v1/messages", content=pieces, headers=headers)
        refused(answer, 413, "body-too-large")


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"", "invalid-body"),
        (b"{", "invalid-body"),
        (b"{}", "invalid-body"),
        (b"[]", "invalid-body"),
        (b"null", "invalid-body"),
        (b"\xff\xfe{}", "not-utf8"),
        ('{"name": "Nguyễn"}'.encode("utf-16"), "not-utf8"),
        (b"\xef\xbb\xbf{}", "invalid-body"),
        (b"{'single': 1}", "invalid-body"),
        (b'{"a": 1} {"b": 2}', "invalid-body"),
        (b"[" * 100_000, "invalid-body"),
        (b'{"specimen_id": "\\ud800"}', "invalid-body"),
        (b"specimen_id=1&barcode=2", "invalid-body"),
        (b"9" * 10_000, "invalid-body"),
    ],
)
def test_what_cannot_be_read_is_refused_without_a_trace(
    content: bytes, slug: str, api: Caller, database: Engine
) -> None:
    with nothing_written(database):
        for path in ("/specimens", "/specimens/batch", "/messages"):
            refused(api.post_bytes(path, content), 422, slug)


def test_a_field_that_nobody_knows_is_pointed_at_as_json_pointers_are_written(
    api: Caller, database: Engine
) -> None:
    with nothing_written(database):
        said = refused(
            api.post("/specimens", bodies.registration(**{"a/b~c d": 1})), 422, "invalid-body"
        )
    assert [error["pointer"] for error in said["errors"]] == ["#/a~1b~0c%20d"]


def test_a_person_can_read_what_there_is(api: Caller) -> None:
    page = api.client.get("/api/")
    assert page.status_code == 200
    for path in api.document.written["paths"]:
        assert path in page.text


def test_an_answer_with_people_in_it_stays_in_no_cache(api: Caller) -> None:
    answer = api.get("/recollections")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
