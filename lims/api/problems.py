"""Refusals as RFC 9457 problem documents: a stable type, what was expected, what to do next."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from pydantic import ValidationError

from lims.domain.refusals import InvalidBody, Refusal, TooManyAttempts
from lims.doors.statuses import status_of

CONTENT_TYPE = "application/problem+json"


def problem(refusal: Refusal) -> dict[str, Any]:
    """The document of one refusal; its type has a page at the same path."""
    return {
        "type": f"/problems/{refusal.slug}",
        "title": refusal.slug.replace("-", " ").capitalize(),
        "status": int(status_of(type(refusal))),
        "detail": str(refusal),
        "expected": refusal.expected,
        "came": refusal.came,
        "where": refusal.where,
        "todo": refusal.todo,
        **refusal.facts,
    }


def answer(refusal: Refusal) -> Response:
    """The HTTP answer of one refusal."""
    body = problem(refusal)
    response = Response(
        json.dumps(body, ensure_ascii=False), body["status"], content_type=CONTENT_TYPE
    )
    if isinstance(refusal, TooManyAttempts):
        response.headers["Retry-After"] = str(refusal.facts["retry_after_s"])
    if body["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def invalid(error: ValidationError) -> InvalidBody:
    """What pydantic found wrong, by JSON pointer (RFC 6901); the values stay out of the answer."""
    listed = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidBody(errors=[_fault(item) for item in listed], where="body")


def _fault(item: Mapping[str, Any]) -> dict[str, str]:
    path: Sequence[object] = item["loc"]
    return {"pointer": "#" + "".join(f"/{part}" for part in path), "detail": str(item["msg"])}
