"""All of the API on one blueprint, with its document and its readable page."""

from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from structlog import get_logger
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from lims.api import (
    bench,
    collection,
    findings,
    gateways,
    handoff,
    messages,
    problems,
    reading,
    recalls,
)
from lims.api.door import Door
from lims.api.openapi import document
from lims.domain.refusals import BodyTooLarge, NotFound, Refusal

log = get_logger()
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NOWHERE: Final = "nowhere"


def build() -> Blueprint:
    """The blueprint ``api``; it guards itself with tokens and answers problems only."""
    blueprint = Blueprint("api", __name__, url_prefix="/api", template_folder="templates")
    door = Door()
    for room in (collection, bench, messages, gateways, findings, recalls, handoff, reading):
        room.declare(door)
    door.hang(blueprint, prefix="/v1")

    @cache
    def written() -> dict[str, Any]:  # when first asked for: a fifth of a second of every start
        return document(door, version=version("thantoc"))

    blueprint.add_url_rule(
        "/openapi.json", endpoint="openapi", view_func=lambda: jsonify(written())
    )
    blueprint.add_url_rule(
        "/",
        endpoint="reading",
        view_func=lambda: render_template("api/reading.html", api=written()),
    )
    blueprint.add_url_rule(
        "/<path:rest>",
        endpoint=_NOWHERE,
        view_func=_nowhere,
        methods=METHODS,
    )
    blueprint.register_error_handler(Refusal, problems.answer)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _broken)
    return blueprint


def _nowhere(rest: str) -> Response:
    allowed = _methods_here()
    if allowed:
        return _wrong_method(allowed)
    return problems.answer(
        NotFound(
            expected="an endpoint of this API",
            came=f"{request.method} /api/{rest}",
            where="path",
            todo="read /api/ for the list of endpoints",
        )
    )


def _methods_here() -> list[str]:
    """The methods with which this path is an endpoint."""
    adapter = current_app.url_map.bind("")
    found = []
    for method in METHODS:
        endpoint, _ = adapter.match(request.path, method=method)
        if endpoint != f"api.{_NOWHERE}":
            found.append(method)
    return found


def _wrong_method(allowed: list[str]) -> Response:
    response = problems.plain(
        HTTPStatus.METHOD_NOT_ALLOWED,
        detail=f"{request.path} does not take {request.method}.",
        expected=" or ".join(allowed),
        came=request.method,
        where="method",
        todo="read /api/ for what this path takes",
    )
    response.headers["Allow"] = ", ".join(allowed)
    return response


def _too_large(_error: RequestEntityTooLarge) -> Response:
    limit = (request.max_content_length or 0) // 2**20
    return problems.answer(BodyTooLarge(expected=f"at most {limit} MB", came="more", where="body"))


def _http(error: HTTPException) -> Response:
    return problems.plain(
        HTTPStatus(error.code or 500),
        detail=error.description or error.name,
        expected="a request as HTTP has it",
        came=error.name,
        where=request.path,
        todo="read /api/ for how to ask",
    )


def _broken(error: Exception) -> Response:
    """Ours: nothing was kept, and sending the same again is safe."""
    log.error("api broke", path=request.path, exc_info=error)
    return problems.plain(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        detail="The laboratory's system failed. Nothing was kept; send the same again.",
        expected="no failure of ours",
        came="one",
        where=request.path,
        todo="send the same again; tell an operator when it fails again",
    )
