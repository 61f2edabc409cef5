"""Sign in, sign out, change one's password, choose one's language."""

from datetime import timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody, TooManyAttempts
from lims.web import kept_form
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
from lims.work import access, sign_in
from lims.work.passwords import MIN_CHARACTERS
from lims.work.sign_in import Attempt, Proof

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
    typed = request.form.get("login", "")
    try:
        attempt, proof = _proved(typed, request.form.get("password", ""))
    except TooManyAttempts as refusal:
        seconds = int(str(refusal.facts["retry_after_s"]))
        fault = _(
            "Too many attempts. Try again in %(wait)s.",
            wait=lasting(timedelta(seconds=seconds + 59)),
        )
        return _login_page(typed, fault), 429, {"Retry-After": str(seconds)}
    with laboratory().sessions.begin() as session:
        me = sign_in.sign_in(session, attempt, proof, now())
    if me is None:
        return _login_page(typed, _("The login or the password is wrong.")), 403
    enter(me)
    kept = kept_form.carried()
    if kept is not None and kept.typed_by == me.user_id:
        return render_template("doorway/kept.html", kept=kept)
    if kept is not None:
        flash(_("What somebody else had typed here was not sent, and was thrown away."), "careful")
    return redirect(safe_next(request.form.get("next")), 303)


@blueprint.post("/logout")
@public
def logout() -> Response:
    """End it on every device: whoever copied this browser's cookie is out as well."""
    me = maybe_current()
    if me is not None:
        with laboratory().sessions.begin() as session:
            access.sign_out(session, me, now())
    leave()
    if me is not None:
        flash(_("You are signed out, on every device."), "good")
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
    attempt, proof = _proved(me.login, request.form.get("old", ""))
    with lab.sessions.begin() as session:
        known = sign_in.confirm(session, attempt, proof)
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


def _proved(login: str, password: str) -> tuple[Attempt, Proof]:
    """Counted and committed first; then the password is checked with no connection held.

    Raises TooManyAttempts.
    """
    with laboratory().sessions.begin() as session:
        attempt = sign_in.begin(session, login, request.remote_addr or "", now())
    return attempt, sign_in.prove(attempt, password)


def _login_page(typed: str = "", fault: str | None = None) -> str:
    going_to = safe_next(request.values.get("next"))
    return render_template(
        "doorway/login.html",
        typed=typed,
        fault=fault,
        going_to=going_to,
        kept=kept_form.carried(),
        waiting=request.values.get("waiting") == "1",
    )


def _password_page(faults: dict[str, str]) -> tuple[str, int]:
    return render_template("doorway/password.html", faults=faults, least=MIN_CHARACTERS), 422
