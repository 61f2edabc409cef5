"""Who may sign in, and what each may do."""

from typing import Any, assert_never
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
from lims.work import access
from lims.work.access import Role
from lims.work.views import administration

Choice = tuple[Role, str, str]


def role_name(role: Role) -> str:
    """The role in this request's language."""
    match role:
        case Role.TECHNICIAN:
            return _("Technician")
        case Role.REVIEWER:
            return _("Reviewer")
        case Role.TRACER:
            return _("Tracer")
        case Role.OPERATOR:
            return _("Operator")
        case Role.ADMIN:
            return _("Administrator")
        case _:
            assert_never(role)


def role_choices() -> list[Choice]:
    """Every role with what it opens."""
    what = {
        Role.TECHNICIAN: _("collects, receives, pools, runs"),
        Role.REVIEWER: _("has the last word on results"),
        Role.TRACER: _("claims the cases of a team"),
        Role.OPERATOR: _("leads the day and sees every stage"),
        Role.ADMIN: _("people, tokens, teams; no samples"),
    }
    return [(role, role_name(role), what[role]) for role in Role]


@blueprint.get("/users", endpoint="users")
@needs(Role.ADMIN)
def every() -> str:
    """The list, and the form for one more."""
    return _list_page({}, {})


@blueprint.post("/users")
@needs(Role.ADMIN)
def create() -> Response | tuple[str, int]:
    """Somebody new, with a first password told to them by the administrator."""
    lab, form, roles = laboratory(), request.form, ticked("roles", Role)
    try:
        with lab.sessions.begin() as session:
            made = access.create_user(
                session,
                site_id=lab.site_id,
                login=form.get("login", ""),
                name=form.get("name", ""),
                password=form.get("password", ""),
                roles=roles,
                team_id=chosen_id("team"),
                by=current().actor,
                now=now(),
            )
    except InvalidBody as refusal:
        typed = {**form.to_dict(), "password": "", "roles": roles}
        return _list_page(typed, faults_of(refusal)), 422
    flash(_("%(login)s may sign in now.", login=form["login"].strip().lower()), "good")
    return redirect(url_for("admin.user", user_id=made), 303)


@blueprint.get("/users/<uuid:user_id>")
@needs(Role.ADMIN)
def user(user_id: UUID) -> str:
    """One person: roles, team, password, in or out."""
    return _user_page(user_id, {})


@blueprint.post("/users/<uuid:user_id>/roles")
@needs(Role.ADMIN)
def set_roles(user_id: UUID) -> Response | tuple[str, int]:
    """What they may do from their next click on."""
    try:
        with laboratory().sessions.begin() as session:
            administration.user(session, laboratory().site_id, user_id)
            access.set_roles(
                session,
                user_id,
                ticked("roles", Role),
                team_id=chosen_id("team"),
                by=current().actor,
                now=now(),
            )
    except InvalidBody as refusal:
        return _user_page(user_id, faults_of(refusal)), 422
    flash(_("Roles saved."), "good")
    return redirect(url_for("admin.user", user_id=user_id), 303)


@blueprint.post("/users/<uuid:user_id>/password")
@needs(Role.ADMIN)
def set_password(user_id: UUID) -> Response | tuple[str, int]:
    """A new first password; every device of theirs is signed out."""
    try:
        with laboratory().sessions.begin() as session:
            administration.user(session, laboratory().site_id, user_id)
            access.set_password(
                session, user_id, request.form.get("password", ""), by=current().actor, now=now()
            )
    except InvalidBody as refusal:
        return _user_page(user_id, faults_of(refusal)), 422
    flash(_("Password set; every device of theirs is signed out."), "good")
    return redirect(url_for("admin.user", user_id=user_id), 303)


@blueprint.post("/users/<uuid:user_id>/active")
@needs(Role.ADMIN)
def set_active(user_id: UUID) -> Response:
    """Out at once, or in again."""
    active = request.form.get("active") == "yes"
    with laboratory().sessions.begin() as session:
        administration.user(session, laboratory().site_id, user_id)
        access.set_active(session, user_id, active, by=current().actor, now=now())
    flash(_("May sign in again.") if active else _("Shut out on every device."), "good")
    return redirect(url_for("admin.user", user_id=user_id), 303)


def _list_page(typed: dict[str, Any], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        users = administration.users(session, lab.site_id)
        teams = administration.teams(session, lab.site_id)
    return render_template(
        "admin/users.html",
        users=users,
        teams=[(team.team_id, team_name(team.name)) for team in teams],
        role_choices=role_choices(),
        role_name=role_name,
        typed=typed,
        faults=faults,
    )


def _user_page(user_id: UUID, faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        shown = administration.user(session, lab.site_id, user_id)
        teams = administration.teams(session, lab.site_id)
    return render_template(
        "admin/user.html",
        user=shown,
        teams=[(team.team_id, team_name(team.name)) for team in teams],
        role_choices=role_choices(),
        faults=faults,
    )
