"""The FHIR door, /fhir/R4: tokens, formats, links, versions and refusals as FHIR R4 has them.

Nothing is written here but who read whom.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session
from structlog import get_logger
from werkzeug.exceptions import HTTPException

from lims.api.bearer import Bearers
from lims.db.laboratory import Laboratory
from lims.domain.refusals import BadSearch, NotFound, Refusal
from lims.doors.statuses import status_of
from lims.exchange.fhir import asked as asking
from lims.exchange.fhir import documents
from lims.exchange.fhir.capability import FORMAT, statement
from lims.exchange.fhir.listing import Page, Shown, Type, read_one, search
from lims.exchange.fhir.reach import Reach, reach_of
from lims.exchange.fhir.types import TYPES
from lims.work.audit import record_each
from lims.work.tokens import Scope, TokenHolder

PREFIX: Final = "/fhir/R4"
VERB: Final = "read_fhir"
_JSON: Final = frozenset({"json", FORMAT, "application/json", "text/json", "*/*", "application/*"})
_UNKEPT: Final = frozenset({"identifier", "_cursor"})  # of a link
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
log = get_logger()
P = ParamSpec("P")


def build() -> Blueprint:
    """The blueprint ``fhir``; it guards itself with tokens and answers FHIR only."""
    blueprint = Blueprint("fhir", __name__, url_prefix=PREFIX)
    bearers = Bearers()

    def guarded(
        view: Callable[Concatenate[Session, TokenHolder, P], Response],
    ) -> Callable[P, Response]:
        """One transaction, for whoever holds a token of this scope."""

        @wraps(view)
        def opened(*args: P.args, **kwargs: P.kwargs) -> Response:
            refused = _unacceptable()
            if refused is not None:
                return refused
            holder = bearers.holder(_laboratory(), Scope.FHIR)
            with _laboratory().sessions.begin() as session:
                return view(session, holder, *args, **kwargs)

        return opened

    blueprint.add_url_rule("/metadata", view_func=metadata)
    blueprint.add_url_rule("/<kind>", endpoint="search", view_func=guarded(by_url))
    blueprint.add_url_rule(
        "/<kind>/_search", endpoint="posted", view_func=guarded(by_form), methods=["POST"]
    )
    blueprint.add_url_rule("/<kind>/<row_id>", endpoint="read", view_func=guarded(one))
    blueprint.add_url_rule(
        "/<path:rest>", endpoint="nowhere", view_func=nowhere, methods=list(_METHODS)
    )
    blueprint.register_error_handler(Refusal, _refused)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _broken)
    return blueprint


def metadata() -> Response:
    """The CapabilityStatement; nobody need be known for it."""
    said = statement(base=_base(), release=version("thantoc"), at=_laboratory().clock())
    return _unacceptable() or _answer(said)


def nowhere(rest: str) -> Response:
    """No address of ours; or one, but with a method that would write."""
    if request.method in {"GET", "HEAD"}:
        raise NotFound(
            expected="a type, a type and an id, or metadata",
            came=f"{PREFIX}/{rest[:100]}",
            where="path",
            todo=f"read {PREFIX}/metadata for what is served",
        )
    told = documents.plain(
        "not-supported",
        f"Expected GET, or POST to a type's _search, came {request.method}.",
        todo="nothing is written here: people and swabs are registered by /api/",
        where="method",
    )
    response = _answer(told, HTTPStatus.METHOD_NOT_ALLOWED)
    response.headers["Allow"] = "GET, HEAD"
    return response


def one(session: Session, holder: TokenHolder, kind: str, row_id: str) -> Response:
    """One resource, unless the reader has this version already."""
    wanted, reach = _type(kind), reach_of(session, holder.team_id, site_id=holder.site_id)
    found = _id(row_id)
    shown = read_one(session, wanted, found, reach, holder.site_id) if found else None
    if shown is None:
        raise NotFound(came=f"{kind}/{row_id[:60]}", where=kind)
    tag = shown.resource["meta"]["versionId"]
    response = _answer(shown.resource)
    response.set_etag(tag, weak=True)
    response.last_modified = datetime.fromisoformat(shown.resource["meta"]["lastUpdated"])
    if request.if_none_match.contains_weak(tag):
        response.status_code = HTTPStatus.NOT_MODIFIED
        response.set_data(b"")
        return response
    _record(session, holder, wanted, (shown,))
    return response


def _id(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def by_url(session: Session, holder: TokenHolder, kind: str) -> Response:
    """A search by the parameters of an address."""
    pairs = list(request.args.items(multi=True))
    return _searched(session, holder, _type(kind), pairs, in_url=True)


def by_form(session: Session, holder: TokenHolder, kind: str) -> Response:
    """A search by a form, and by what the address says beside it. Another body is refused: what it
    asks for would not be read, and everybody would be found."""
    if request.mimetype not in _FORMS and (request.mimetype or request.get_data()):
        raise BadSearch(
            expected="a form (application/x-www-form-urlencoded)",
            came=request.mimetype[:60] or "a body without a type",
            where="Content-Type",
        )
    by_address = list(request.args.items(multi=True))
    wanted = _type(kind)
    _parsed(wanted, by_address, in_url=True)  # a person's number there is refused all the same
    pairs = [*by_address, *request.form.items(multi=True)]
    return _searched(session, holder, wanted, pairs, in_url=False)


def _searched(
    session: Session,
    holder: TokenHolder,
    kind: Type,
    pairs: list[tuple[str, str]],
    *,
    in_url: bool,
) -> Response:
    asked = _parsed(kind, pairs, in_url=in_url)
    reach: Reach = reach_of(session, holder.team_id, site_id=holder.site_id)
    page = search(session, kind, asked, reach, site_id=holder.site_id)
    _record(session, holder, kind, page.shown)
    return _answer(documents.bundle(page, base=_base(), links=_links(kind, pairs, page)))


def _parsed(kind: Type, pairs: list[tuple[str, str]], *, in_url: bool) -> asking.Asked:
    zone = ZoneInfo(_laboratory().timezone)
    return asking.asked(pairs, kind.parameters, zone=zone, in_url=in_url)


def _links(kind: Type, pairs: list[tuple[str, str]], page: Page) -> dict[str, str]:
    """No link holds a person's number; a list that such a number began is never longer than one."""
    kept = [(name, value) for name, value in pairs if name not in _UNKEPT]
    here = [(name, value) for name, value in pairs if name == "_cursor"]
    links = {"self": _address(kind, [*kept, *here])}
    if page.after is not None:
        links["next"] = _address(kind, [*kept, ("_cursor", page.after.written())])
    return links


def _address(kind: Type, pairs: list[tuple[str, str]]) -> str:
    asked = f"?{urlencode(pairs)}" if pairs else ""
    return f"{_base()}/{kind.name}{asked}"


def _record(session: Session, holder: TokenHolder, kind: Type, shown: tuple[Shown, ...]) -> None:
    """Who was read, each by their id: what asks "who has seen this person" finds it."""
    people = sorted({person for one in shown for person in one.people})
    record_each(
        session,
        site_id=holder.site_id,
        actor=holder.actor,
        verb=VERB,
        subjects=people,
        now=_laboratory().clock(),
        type=kind.name,
    )


def _type(name: str) -> Type:
    kind = TYPES.get(name)
    if kind is None:
        raise NotFound(
            expected="one of " + ", ".join(TYPES),
            came=name[:60],
            where="type",
            todo=f"read {PREFIX}/metadata for what is served",
        )
    return kind


def _laboratory() -> Laboratory:
    laboratory: Laboratory = current_app.extensions["laboratory"]
    return laboratory


def _base() -> str:
    root: str = current_app.config.get("PUBLIC_URL") or request.host_url
    return root.rstrip("/") + PREFIX


def _unacceptable() -> Response | None:
    """JSON is all that is spoken; ``_format`` goes before Accept (R4, 3.1.0.1.11)."""
    said = request.args.get("_format", "").replace(" ", "+")  # as a plus comes that was not escaped
    wanted = [said] if said else [kind for kind, _ in request.accept_mimetypes]
    if not wanted or any(one.partition(";")[0].strip().lower() in _JSON for one in wanted):
        return None
    told = documents.plain(
        "not-supported",
        f"Expected {FORMAT}, came {wanted[0][:60]}.",
        todo=f"ask for {FORMAT}",
        where="_format" if said else "Accept",
    )
    return _answer(told, HTTPStatus.NOT_ACCEPTABLE)


def _answer(document: dict[str, Any], status: int = HTTPStatus.OK) -> Response:
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    response = Response(written, status, content_type=f"{FORMAT}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store" if status == HTTPStatus.OK else "no-cache"
    return response


def _refused(refusal: Refusal) -> Response:
    status = status_of(type(refusal))
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        status = HTTPStatus.BAD_REQUEST  # R4, 3.1.0.4.1: a search that cannot be read
    response = _answer(documents.outcome(refusal), status)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _http(error: HTTPException) -> Response:
    code = {404: "not-found", 413: "too-long"}.get(error.code or 0, "invalid")
    told = documents.plain(
        code,
        f"{error.description or error.name}",
        todo=f"read {PREFIX}/metadata for what is served",
    )
    return _answer(told, error.code or HTTPStatus.BAD_REQUEST)


def _broken(error: Exception) -> Response:
    log.error("fhir broke", path=request.path, exc_info=error)
    said = "The laboratory's system failed; ask again, and tell an operator when it fails again."
    return _answer(documents.plain("exception", said), HTTPStatus.INTERNAL_SERVER_ERROR)
