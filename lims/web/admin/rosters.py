"""A team's roster: its people with their numbers, and a week of duties."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.days import day_of
from lims.domain.refusals import InvalidBody, Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import chosen_id
from lims.web.language import gettext as _
from lims.web.language import laboratory, local, ngettext, now
from lims.web.refusing import faults_of, said
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.duty import (
    Span,
    add_contact,
    change_phone,
    end_duty,
    leave_team,
    plan_duty,
    repeat_week,
)
from lims.work.views.duty import DutyLine, roster

WEEK: Final = timedelta(days=7)
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])[:h]([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class Day:
    """One day of the week shown, with the duties that begin on it, and whether it is covered."""

    day: date
    today: bool
    over: bool
    duties: tuple[DutyLine, ...]


@blueprint.get("/teams/<uuid:team_id>/roster", endpoint="roster")
@needs(Role.ADMIN, Role.OPERATOR)
def week(team_id: UUID) -> str:
    """This week, or the one of `?week=` (its Monday, or any day of it)."""
    return _page(team_id, {}, {})


@blueprint.post("/teams/<uuid:team_id>/contacts")
@needs(Role.ADMIN, Role.OPERATOR)
def add_person(team_id: UUID) -> Response | tuple[str, int]:
    """Somebody more who can be rung."""
    lab, form = laboratory(), request.form
    try:
        in_transaction(
            lambda session: add_contact(
                session,
                team_id,
                name=form.get("name", ""),
                phone=form.get("phone", ""),
                site_id=lab.site_id,
                by=current().actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _page(team_id, form.to_dict(), faults_of(refusal)), 422
    flash(_("In the team's directory."), "good")
    return _back(team_id)


@blueprint.post("/teams/<uuid:team_id>/contacts/<uuid:contact_id>")
@needs(Role.ADMIN, Role.OPERATOR)
def change_person(team_id: UUID, contact_id: UUID) -> Response:
    """Another number, or gone from the team."""
    lab, form = laboratory(), request.form
    site_id, by = lab.site_id, current().actor
    leaves = form.get("leaves") == "yes"
    try:
        with lab.sessions.begin() as session:
            if leaves:
                leave_team(session, contact_id, site_id=site_id, by=by, now=now())
            else:
                number = form.get("phone", "")
                change_phone(session, contact_id, number, site_id=site_id, by=by, now=now())
    except InvalidBody as refusal:
        flash(" ".join(faults_of(refusal).values()), "bad")
    else:
        flash(_("Not rung any more.") if leaves else _("The number is changed."), "good")
    return _back(team_id)


@blueprint.post("/teams/<uuid:team_id>/duties")
@needs(Role.ADMIN, Role.OPERATOR)
def plan(team_id: UUID) -> Response | tuple[str, int]:
    """One person, first or second, on the ticked days, in the same hours."""
    lab, form = laboratory(), request.form
    contact = chosen_id("contact")
    place = form.get("place", "")
    try:
        if contact is None:
            raise InvalidBody(
                errors=[{"pointer": "#/contact", "detail": "somebody of the team"}], where="duty"
            )
        spans = _spans()
        made = in_transaction(
            lambda session: plan_duty(
                session,
                contact,
                int(place) if place in ("1", "2") else 0,
                spans,
                site_id=lab.site_id,
                by=current().actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _page(team_id, form.to_dict(), faults_of(refusal)), 422
    except Refusal as refusal:
        status = int(status_of(type(refusal)))
        return _page(team_id, form.to_dict(), {"hours": said(refusal)}), status
    flash(ngettext("%(num)s duty planned.", "%(num)s duties planned.", made), "good")
    return _back(team_id)


@blueprint.post("/teams/<uuid:team_id>/duties/repeat")
@needs(Role.ADMIN, Role.OPERATOR)
def repeat(team_id: UUID) -> Response:
    """The week shown as the one before it."""
    lab, monday = laboratory(), _monday()
    made = in_transaction(
        lambda session: repeat_week(
            session,
            team_id,
            _midnight(monday),
            site_id=lab.site_id,
            by=current().actor,
            now=now(),
        )
    )
    flash(ngettext("%(num)s duty planned.", "%(num)s duties planned.", made), "good")
    return _back(team_id)


@blueprint.post("/teams/<uuid:team_id>/duties/<uuid:duty_id>/end")
@needs(Role.ADMIN, Role.OPERATOR)
def end(team_id: UUID, duty_id: UUID) -> Response:
    """Taken away; one that runs ends now."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        end_duty(session, duty_id, site_id=lab.site_id, by=current().actor, now=now())
    flash(_("Taken away."), "good")
    return _back(team_id)


def _spans() -> list[Span]:
    """The ticked days from one hour to another; no later than it begins is the next morning."""
    starts, ends = _clock("starts"), _clock("ends")
    spans = []
    for text in request.form.getlist("day"):
        day = _day(text)
        if day is None or starts is None or ends is None:
            return []
        until = day if ends > starts else day + timedelta(days=1)
        spans.append(Span(_at(day, starts), _at(until, ends)))
    return spans


def _clock(field: str) -> time | None:
    """07:00, 7:00 or 7h00, as people write it."""
    found = _CLOCK.fullmatch(request.form.get(field, "").strip())
    return time(int(found[1]), int(found[2])) if found else None


def _day(text: str) -> date | None:
    try:
        return day_of(text)
    except ValueError:
        return None


def _monday() -> date:
    """The Monday of the week asked for, else of this week."""
    asked = _day(request.values.get("week", "")) or local(now()).date()
    return asked - timedelta(days=asked.weekday())


def _midnight(day: date) -> datetime:
    return _at(day, time())


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(laboratory().timezone))


def _back(team_id: UUID) -> Response:
    return redirect(url_for("admin.roster", team_id=team_id, week=_monday().isoformat()), 303)


def _page(team_id: UUID, typed: dict[str, str], faults: dict[str, str]) -> str:
    lab, monday = laboratory(), _monday()
    since, until = _midnight(monday), _midnight(monday + WEEK)
    with lab.sessions.begin() as session:
        shown = roster(session, team_id, site_id=lab.site_id, since=since, until=until)
    today = local(now()).date()
    days = [monday + timedelta(days=n) for n in range(7)]
    return render_template(
        "admin/roster.html",
        team=shown,
        days=[
            Day(
                day,
                day == today,
                day < today,
                tuple(
                    one for one in shown.duties if max(local(one.starts_at).date(), monday) == day
                ),
            )
            for day in days
        ],
        monday=monday,
        before=(monday - WEEK).isoformat(),
        after=(monday + WEEK).isoformat(),
        ticked=request.form.getlist("day")
        if faults
        else [d.isoformat() for d in days if d >= today],
        weekday=_weekday,
        typed=typed,
        faults=faults,
    )


def _weekday(day: date) -> str:
    """Mon 21/11."""
    names = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return f"{names[day.weekday()]} {day:%d/%m}"
