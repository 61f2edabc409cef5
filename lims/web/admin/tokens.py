"""Which machines may speak to the API: gateways, registration points, other systems."""

from typing import Any, Final, assert_never
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import chosen_id, ticked
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of
from lims.work import tokens
from lims.work.access import Role
from lims.work.tokens import Scope
from lims.work.views import administration

_EVERY_TEAM: Final = "every"


def scope_name(scope: Scope) -> str:  # noqa: PLR0911 - one word per member, checked by the type checker
    """What the scope opens, in this request's language."""
    match scope:
        case Scope.REGISTER:
            return _("register people and swabs")
        case Scope.RECEIVE:
            return _("receive tubes")
        case Scope.POOL:
            return _("make pools")
        case Scope.RUN:
            return _("plan plates")
        case Scope.MEASURE:
            return _("send measurements")
        case Scope.REVIEW:
            return _("release results")
        case Scope.RECALL:
            return _("recall results")
        case Scope.CASES:
            return _("fetch and claim cases")
        case Scope.READ:
            return _("read")
        case Scope.FHIR:
            return _("read people and results by FHIR")
        case Scope.LOOKUP:
            return _("look results up by the code of a slip")
        case _:
            assert_never(scope)


@blueprint.get("/tokens", endpoint="tokens")
@needs(Role.ADMIN)
def every() -> str:
    """The list, and the form for one more."""
    return _page({}, {})


@blueprint.post("/tokens")
@needs(Role.ADMIN)
def issue() -> str | tuple[str, int]:
    """The answer itself shows the token, once: it is nowhere to be read again."""
    lab, form, scopes = laboratory(), request.form, ticked("scopes", Scope)
    try:
        with lab.sessions.begin() as session:
            plain = tokens.issue_token(
                session,
                site_id=lab.site_id,
                name=form.get("name", ""),
                scopes=scopes,
                team_id=chosen_id("team"),
                every_team=form.get("team") == _EVERY_TEAM,
                by=current().actor,
                now=now(),
            )
    except InvalidBody as refusal:
        return _page({**form.to_dict(), "scopes": scopes}, faults_of(refusal)), 422
    return _page({}, {}, issued=(form["name"].strip(), plain))


@blueprint.post("/tokens/<uuid:token_id>/revoke")
@needs(Role.ADMIN)
def revoke(token_id: UUID) -> Response:
    """It opens nothing from the next request on."""
    with laboratory().sessions.begin() as session:
        tokens.revoke_token(session, token_id, by=current().actor, now=now())
    flash(_("The token is revoked."), "good")
    return redirect(url_for("admin.tokens"), 303)


def _page(
    typed: dict[str, Any], faults: dict[str, str], issued: tuple[str, str] | None = None
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lines = administration.tokens(session, lab.site_id)
        teams = administration.teams(session, lab.site_id)
    return render_template(
        "admin/tokens.html",
        tokens=lines,
        teams=[
            *((team.team_id, team_name(team.name)) for team in teams),
            (_EVERY_TEAM, _("every team (sees every case)")),
        ],
        scope_choices=[(scope, scope, scope_name(scope)) for scope in Scope],
        typed=typed,
        faults=faults,
        issued=issued,
    )
