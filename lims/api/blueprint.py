"""All of the API on one blueprint, with its document and its readable page."""

from importlib.metadata import version

from flask import Blueprint, Response, jsonify, render_template, request
from structlog import get_logger
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from lims.api import bench, collection, handoff, messages, problems
from lims.api.door import Door
from lims.api.openapi import document
from lims.domain.refusals import BodyTooLarge, NotFound, Refusal

log = get_logger()


def build() -> Blueprint:
    """The blueprint ``api``; it guards itself with tokens and answers problems only."""
    blueprint = Blueprint("api", __name__, url_prefix="/api", template_folder="templates")
    door = Door()
    for room in (collection, bench, messages, handoff):
        room.declare(door)
    door.hang(blueprint, prefix="/v1")
    written = document(door, version=version("thantoc"))
    blueprint.add_url_rule("/openapi.json", endpoint="openapi", view_func=lambda: jsonify(written))
    blueprint.add_url_rule(
        "/", endpoint="reading", view_func=lambda: render_template("api/reading.html", api=written)
    )
    blueprint.add_url_rule(
        "/<path:rest>",
        endpoint="nowhere",
        view_func=_nowhere,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    )
    blueprint.register_error_handler(Refusal, problems.answer)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _broken)
    return blueprint


def _nowhere(rest: str) -> Response:
    return problems.answer(
        NotFound(
            expected="an endpoint of this API",
            came=f"{request.method} /api/{rest}",
            where="path",
            todo="read /api/ for the list of endpoints",
        )
    )


def _too_large(_error: RequestEntityTooLarge) -> Response:
    limit = (request.max_content_length or 0) // 2**20
    return problems.answer(BodyTooLarge(expected=f"at most {limit} MB", came="more", where="body"))


def _http(error: HTTPException) -> Response:
    body = {
        "type": "about:blank",
        "title": error.name,
        "status": error.code,
        "detail": error.description or error.name,
    }
    response = jsonify(body)
    response.status_code = error.code or 500
    response.content_type = problems.CONTENT_TYPE
    return response


def _broken(error: Exception) -> Response:
    """Ours: nothing was kept, and sending the same again is safe."""
    log.error("api broke", path=request.path, exc_info=error)
    body = {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "detail": "The laboratory's system failed. Nothing was kept; send the same again.",
    }
    response = jsonify(body)
    response.status_code = 500
    response.content_type = problems.CONTENT_TYPE
    return response
