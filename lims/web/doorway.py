"""Sign in, sign out, change one's password, choose one's language."""

from datetime import timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody, TooManyAttempts
from lims.web.access import (
    current,
    enter,
    leave,
    maybe_current,
    public,
    safe_next,
    signed_in_only,
)
from lims.web.language import COOKIE, laboratory, lasting, now, one_of_ours
from lims.web.language import gettext as _
from lims.web.refusing import faults_of
from lims.work import access
from lims.work.passwords import MIN_CHARACTERS

blueprint = Blueprint("doorway", __name__)
_A_YEAR_S = 365 * 24 * 3600


@blueprint.get("/login")
@public
def login() -> str | Response:
    """The one page a stranger sees."""
    if maybe_current() is not None:
        return redirect(safe_next(request.args.get("next")), 303)
    return _login_page()


@blueprint.post("/login")
@public
def try_login() -> str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Wrong login and wrong password are one answer: neither says who exists."""
    lab, typed = laboratory(), request.form.get("login", "")
    try:
        with lab.sessions.begin() as session:  # a failure is a row: committed before we answer
            me = access.sign_in(
                session,
                typed,
                request.form.get("password", ""),
                request.remote_addr or "",
                now(),
            )
    except TooManyAttempts as refusal:
        seconds = int(str(refusal.facts["retry_after_s"]))
        fault = _(
            "Too many attempts. Try again in %(wait)s.",
            wait=lasting(timedelta(seconds=seconds + 59)),
        )
        return _login_page(typed, fault), 429, {"Retry-After": str(seconds)}
    if me is None:
        return _login_page(typed, _("The login or the password is wrong.")), 403
    enter(me)
    return redirect(safe_next(request.form.get("next")), 303)


@blueprint.post("/logout")
@public
def logout() -> Response:
    """End this browser's session; the other devices' stay."""
    leave()
    return redirect(url_for("doorway.login"), 303)


@blueprint.post("/language")
@public
def choose_language() -> Response:
    """Keep the choice in this browser for a year."""
    response = make_response(redirect(safe_next(request.form.get("next")), 303))
    chosen = one_of_ours(request.form.get("language"))
    if chosen:
        response.set_cookie(COOKIE, chosen, max_age=_A_YEAR_S, httponly=True, samesite="Lax")
    return response


@blueprint.get("/me/password")
@signed_in_only
def password() -> str:
    """The form to change one's own password."""
    return render_template("doorway/password.html", faults={}, least=MIN_CHARACTERS)


@blueprint.post("/me/password")
@signed_in_only
def change_password() -> str | Response | tuple[str, int]:
    """Asks for the old one, so that an unattended screen does not give the account away."""
    me, lab = current(), laboratory()
    address = request.remote_addr or ""
    with lab.sessions.begin() as session:
        known = access.sign_in(session, me.login, request.form.get("old", ""), address, now())
    if known is None:
        return _password_page({"old": _("This is not your password.")})
    try:
        with lab.sessions.begin() as session:
            access.set_password(
                session, me.user_id, request.form.get("password", ""), by=me.actor, now=now()
            )
            fresh = access.signed_in(session, me.user_id, me.session_epoch + 1)
    except InvalidBody as refusal:
        return _password_page(faults_of(refusal))
    if fresh:
        enter(fresh)
    flash(_("Your password is changed; other devices are signed out."), "good")
    return redirect("/", 303)


def _login_page(typed: str = "", fault: str | None = None) -> str:
    going_to = safe_next(request.values.get("next"))
    return render_template("doorway/login.html", typed=typed, fault=fault, going_to=going_to)


def _password_page(faults: dict[str, str]) -> tuple[str, int]:
    return render_template("doorway/password.html", faults=faults, least=MIN_CHARACTERS), 422
