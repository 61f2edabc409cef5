"""A refusal as people read it: what happened, what to do; and the page for each kind."""

import re
from importlib import import_module
from pkgutil import iter_modules

from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError
from structlog import get_logger
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from lims import work
from lims.domain.refusals import (
    BodyTooLarge,
    ForgedForm,
    InvalidBody,
    NotFound,
    Refusal,
    TooManyAttempts,
    every_refusal,
)
from lims.doors.statuses import status_of
from lims.web.came_words import came_words
from lims.web.language import gettext as _

Page = tuple[str, int, dict[str, str]]
log = get_logger()


def every_kind() -> list[type[Refusal]]:
    """Every leaf of the refusals, those too that a verb keeps beside it in its own file."""
    for module in iter_modules(work.__path__, "lims.work."):
        import_module(module.name)
    return list(every_refusal())


def title_words(kind: type[Refusal]) -> str:
    """The class's name as a sentence, which is its message id: AlreadyInPool → Already in pool."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", kind.__name__)
    return " ".join(parts).capitalize()


def title(kind: type[Refusal]) -> str:
    """The kind's name in this request's language."""
    return _(title_words(kind))


def said(refusal: Refusal) -> str:
    """One or two sentences for a message at the top of a page."""
    came = f" ({came_words(refusal.came)})" if refusal.came else ""
    todo = _(refusal.todo) if refusal.todo else ""
    return f"{title(type(refusal))}{came}. {todo[:1].upper()}{todo[1:]}".strip().rstrip(".") + "."


def faults_of(refusal: InvalidBody) -> dict[str, str]:
    """What is wrong beside each field of a form: field name → sentence in this language."""
    errors = refusal.facts.get("errors")
    if not isinstance(errors, list):
        return {}
    return {
        str(error["pointer"]).removeprefix("#/"): _(str(error["detail"]))
        for error in errors
        if isinstance(error, dict) and {"pointer", "detail"} <= error.keys()
    }


def init_app(app: Flask) -> None:
    """Answer every failure of the HTML door with a page of our own."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(CSRFError, lambda _error: _refused(ForgedForm()))
    app.register_error_handler(RequestEntityTooLarge, lambda _error: _refused(BodyTooLarge()))
    app.register_error_handler(404, lambda _error: _refused(NotFound(came=request.path)))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def _refused(refusal: Refusal) -> Page:
    kind = type(refusal)
    page = render_template(
        "problems/refused.html",
        title=title(kind),
        refusal=refusal,
        came=came_words(refusal.came),
        slug=kind.slug,
        expected=_(refusal.expected) if refusal.expected else "",
        todo=_(refusal.todo) if refusal.todo else "",
    )
    headers = {"X-Problem": kind.slug}
    if kind is TooManyAttempts:
        headers["Retry-After"] = str(refusal.facts["retry_after_s"])
    return page, int(status_of(kind)), headers


def _http(error: HTTPException) -> Page | Response:
    if error.code is None or error.code < 400:
        return Response(status=error.code or 500, headers=dict(error.get_headers()))
    return render_template("problems/http.html", code=error.code), error.code, {}


def _broken(error: Exception) -> Page:
    """Ours: logged with its trace under the path; the page says that nothing was half done."""
    log.error("page broke", path=request.path, exc_info=error)
    return render_template("problems/broken.html"), 500, {}
