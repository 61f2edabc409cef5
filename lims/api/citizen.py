"""The door of the citizens' app: what a result slip is worth, to whoever holds its code.

The code is the whole secret (96 bits), so it comes in a body and never in an address. Nobody is
named or asked for: a code that was never issued and one of another laboratory have one answer, and
the result of a slip that is valid no more is not given. Each code may be asked for so often, and
each address may guess so often: a whole village's telephones have one address between them, and
none of them guesses. The app's own server, which asks for many people, has a token for that.
"""

import json
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from lims.api import problems
from lims.api.bearer import Bearers
from lims.db.laboratory import Laboratory
from lims.domain import slip_codes
from lims.domain.refusals import InvalidBody, Malformed, Refusal
from lims.domain.result_slips import Worth
from lims.doors.pace import Pace
from lims.work.audit import record
from lims.work.tokens import Scope
from lims.work.views.slip_check import Checked, check_slip

PREFIX: Final = "/citizen/v1"
VERB: Final = "lookup_result"
ANYBODY: Final = "citizen"
MOST_BYTES: Final = 1000
_MINUTE: Final = timedelta(minutes=1)
OF_ADDRESS: Final = Pace(most=30, window=_MINUTE)
OF_CODE: Final = Pace(most=10, window=_MINUTE)
OF_TOKEN: Final = Pace(most=6000, window=_MINUTE)


def build() -> Blueprint:
    """The blueprint ``citizen``; it guards itself, and answers problems only."""
    blueprint = Blueprint("citizen", __name__, url_prefix=PREFIX)
    bearers = Bearers()
    blueprint.add_url_rule("/result", view_func=lambda: _result(bearers), methods=["POST"])
    blueprint.register_error_handler(Refusal, problems.answer)
    blueprint.register_error_handler(HTTPException, _http)
    return blueprint


def _result(bearers: Bearers) -> Response:
    """An address that has guessed too often is not listened to."""
    laboratory: Laboratory = current_app.extensions["laboratory"]
    now = laboratory.clock()
    if "Authorization" in request.headers:
        holder = bearers.holder(laboratory, Scope.LOOKUP)
        OF_TOKEN.spend(str(holder.token_id), now)
        return _looked_up(laboratory, now, asker=holder.actor)
    address = request.remote_addr or ""
    OF_ADDRESS.refuse_spent(address, now)
    try:
        return _looked_up(laboratory, now, asker=ANYBODY)
    except (Malformed, slip_codes.UnknownSlip, HTTPException):
        OF_ADDRESS.spend(address, now)
        raise


def _looked_up(laboratory: Laboratory, now: datetime, *, asker: str) -> Response:
    code = slip_codes.parse(_code())
    OF_CODE.spend(code, now)
    with laboratory.sessions.begin() as session:
        checked = check_slip(session, code)
        if checked.slip_id is None:
            raise slip_codes.UnknownSlip(where="code")
        record(
            session,
            site_id=laboratory.site_id,
            actor=asker,
            verb=VERB,
            subject=str(checked.slip_id),
            now=now,
            worth=str(checked.worth),
        )
    response = jsonify(_answer(checked))
    response.headers["Cache-Control"] = "no-store"
    return response


def _code() -> str:
    """Of a body that is an object with a code, and nothing else."""
    request.max_content_length = MOST_BYTES
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or body.keys() != {"code"} or not isinstance(body["code"], str):
        raise InvalidBody(
            errors=[{"pointer": "#/code", "detail": "the code of a slip, and nothing beside it"}],
            where="body",
            came="another shape",
        )
    return str(body["code"])


def _answer(checked: Checked) -> dict[str, Any]:
    said: dict[str, Any] = {
        "state": str(checked.worth),
        "laboratory": checked.laboratory,
        "issued_at": checked.issued_at.isoformat() if checked.issued_at else None,
    }
    paper = checked.on_paper
    if checked.worth is Worth.VALID and paper is not None:
        said |= {
            "result": str(paper.outcome),
            "method": "antigen" if paper.material == "antigen" else "pcr",
            "collected_at": paper.collected_at.isoformat(),
        }
    return said


def _http(error: HTTPException) -> Response:
    return problems.plain(
        HTTPStatus(error.code or 500),
        detail=error.description or error.name,
        expected="POST with a small JSON body",
        came=error.name,
        where=request.path,
        todo="read docs/exchange.md for how to ask",
    )
