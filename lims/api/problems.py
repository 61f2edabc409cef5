"""Refusals as RFC 9457 problem documents: a stable type, what was expected, what to do next."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

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
    response = _response(body)
    if isinstance(refusal, TooManyAttempts):
        response.headers["Retry-After"] = str(refusal.facts["retry_after_s"])
    if body["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def plain(status: HTTPStatus, *, detail: str, **words: str) -> Response:
    """A problem that HTTP itself has a name for (RFC 9457, section 4.2.1: about:blank)."""
    said = {"expected": "", "came": "", "where": "", "todo": ""} | words
    kind = {"type": "about:blank", "title": status.phrase, "status": int(status)}
    return _response(kind | {"detail": detail} | said)


def _response(body: Mapping[str, Any]) -> Response:
    written = json.dumps(body, ensure_ascii=False)
    return Response(written, body["status"], content_type=CONTENT_TYPE)


def invalid(error: ValidationError) -> InvalidBody:
    """What pydantic found wrong, by JSON pointer (RFC 6901); the values stay out of the answer."""
    listed = error.errors(include_url=False, include_context=False, include_input=False)
    faults = [_fault(item) for item in listed]
    return InvalidBody(errors=faults, where="body", came=f"{len(faults)} that cannot be taken")


def _fault(item: Mapping[str, Any]) -> dict[str, str]:
    path: Sequence[object] = item["loc"]
    return {"pointer": pointer(*path), "detail": str(item["msg"])}


def pointer(*path: object) -> str:
    """A JSON pointer as a URI fragment (RFC 6901, sections 3 and 6)."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "#" + "".join("/" + quote(part, safe="~") for part in parts)
