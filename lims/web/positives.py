"""A team's list of F0, to print or to work with. Taking it is a deed, so it is posted for."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from flask import Blueprint, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.days import typed_day
from lims.domain.refusals import NotFound, WrongScope
from lims.domain.registration import AreaRef
from lims.domain.tracing_lists import ListForm, ListKind
from lims.web import list_words
from lims.web.access import current, needs
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory, local, now
from lims.web.reports import saying_here
from lims.web.transaction import in_transaction
from lims.work.access import Role, SignedIn
from lims.work.kept_lists import KeptFile, Reader, expire_lists, fetch_list, kept_lists
from lims.work.scheduled_lists import schedules
from lims.work.take_list import (
    Days,
    ListAsked,
    drawn,
    keep_list,
    last_progress,
    read_list,
    refuse_list,
)
from lims.work.views import board
from lims.work.views.board import Scope
from lims.work.views.case_places import case_places
from lims.work.views.list_places import list_zones

blueprint = Blueprint("positives", __name__, url_prefix="/handoff")

TAKERS: Final = (Role.TRACER, Role.OPERATOR, Role.REVIEWER)
OVERSEES: Final = frozenset({Role.OPERATOR, Role.REVIEWER})
_READS_CT: Final = frozenset({Role.REVIEWER})
_ZONE: Final = "zone"
_TYPES: Final = {
    ListForm.PDF: "application/pdf",
    ListForm.SHEET: "application/pdf",
    ListForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ListForm.CSV: "text/csv; charset=utf-8",
}


@blueprint.get("/list")
@needs(*TAKERS)
def page() -> str:
    """Which cases, which team, what kind of file; the lists still kept, and the standing orders."""
    return shown_page({}, {})


@blueprint.post("/list")
@needs(*TAKERS)
def take() -> Response | tuple[str, int]:
    """The file, kept with everybody who is on it; the same form sent twice is the same list."""
    me, typed, faults = current(), request.form.to_dict(), dict[str, str]()
    kind = _kind(typed)
    days = _days(typed, faults) if kind is ListKind.DAY else None
    team_id = team_of(me, typed.get("team", ""))
    if team_id is None and not me.roles & OVERSEES:
        faults["team"] = _("You are in no tracing team yet.")
    if faults:
        return shown_page(typed, faults), 422
    asked = ListAsked(
        team_id=team_id,
        days=days,
        progressive=kind is ListKind.SINCE,
        area=_area(typed.get("area", "")),
        zone_id=_zone(typed.get("area", "")),
        form=_form(typed),
        for_laboratory=bool(me.roles & _READS_CT),
    )
    list_id = _list_id(typed.get("list", ""))
    again = _taken_before(me, list_id)
    if again is not None:
        return _file(again)
    return _file(_take(me, asked, list_id))


@blueprint.get("/lists/<uuid:list_id>")
@needs(*TAKERS)
def again(list_id: UUID) -> Response:
    """The same file, as long as it is kept; reading it again is recorded."""
    me, lab, at = current(), laboratory(), now()
    kept = in_transaction(
        lambda session: fetch_list(session, list_id, _reader(me), site_id=lab.site_id, now=at)
    )
    return _file(kept)


def team_of(me: SignedIn, chosen: str) -> UUID | None:
    """A tracer's own team, whatever the form says; whoever oversees chooses, or takes all."""
    if not me.roles & OVERSEES:
        return me.team_id
    try:
        return UUID(chosen) if chosen else None
    except ValueError:
        return None


def shown_page(typed: dict[str, str], faults: dict[str, str]) -> str:
    """The page with what was typed; opening it lets go of the files whose time is over."""
    me, lab, at = current(), laboratory(), now()
    oversees = bool(me.roles & OVERSEES)
    team_id = team_of(me, typed.get("team", ""))
    asked = ListAsked(team_id=team_id, form=ListForm.XLSX, progressive=True)
    with lab.sessions.begin() as session:
        expire_lists(session, now=at)
        teams = board.teams(session, site_id=lab.site_id) if oversees else []
        scope = Scope(everything=oversees, team_id=me.team_id)
        return render_template(
            "handoff/list.html",
            typed=typed,
            faults=faults,
            list_id=uuid7(),
            today=local(at).date(),
            since=last_progress(session, asked, by=me.actor),
            teams=[(team.value, team_name(team.label)) for team in teams],
            places=[
                *(
                    (f"{_ZONE}:{zone}", name)
                    for zone, name in list_zones(session, scope, site_id=lab.site_id)
                ),
                *(
                    (f"{place.scheme}:{place.code}", list_words.place(place))
                    for place in case_places(session, scope, site_id=lab.site_id)
                ),
            ],
            kept=kept_lists(session, _reader(me), site_id=lab.site_id, now=at),
            orders=schedules(session, None if oversees else me.team_id, site_id=lab.site_id),
            say=list_words,
            kinds=list_words.kinds(),
            forms=list_words.forms(),
            arrivals=list_words.arrivals(),
            has_mail=current_app.config["MAIL"],
            oversees=oversees,
            may_order=team_id is not None or oversees,
            no_team=me.team_id is None and not oversees,
            with_ct=bool(me.roles & _READS_CT),
            reads_board=bool(me.roles & {Role.TRACER, Role.OPERATOR}),
        )


def _take(me: SignedIn, asked: ListAsked, list_id: UUID) -> KeptFile:
    """Read, draw, keep: three steps, and no connection held while it is drawn."""
    lab, at, saying = laboratory(), now(), saying_here()
    try:
        read = in_transaction(
            lambda session: read_list(
                session, asked, saying, site_id=lab.site_id, by=me.actor, by_name=me.name, now=at
            )
        )
    except WrongScope as refusal:
        why = refusal.slug
        in_transaction(
            lambda session: refuse_list(
                session, asked, why, site_id=lab.site_id, by=me.actor, now=at
            )
        )
        raise
    file = drawn(read)
    in_transaction(
        lambda session: keep_list(session, list_id, read, file, site_id=lab.site_id, by=me.actor)
    )
    return KeptFile(asked.form, at, file)


def _taken_before(me: SignedIn, list_id: UUID) -> KeptFile | None:
    lab, at = laboratory(), now()
    try:
        return in_transaction(
            lambda session: fetch_list(session, list_id, _reader(me), site_id=lab.site_id, now=at)
        )
    except NotFound:
        return None


def _reader(me: SignedIn) -> Reader:
    return Reader(
        by=me.actor,
        team_id=me.team_id,
        everything=bool(me.roles & OVERSEES),
        for_laboratory=bool(me.roles & _READS_CT),
    )


def _file(kept: KeptFile) -> Response:
    response = make_response(kept.file)
    response.headers["Content-Type"] = _TYPES[kept.form]
    ending = "pdf" if kept.form is ListForm.SHEET else kept.form
    which = "-on-foot" if kept.form is ListForm.SHEET else ""
    name = f"f0-{local(kept.taken_at):%Y%m%d-%H%M}{which}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _kind(typed: dict[str, str]) -> ListKind:
    try:
        return ListKind(typed["which"])
    except (KeyError, ValueError):
        return ListKind.DAY if typed.get("day") else ListKind.OPEN


def _form(typed: dict[str, str]) -> ListForm:
    try:
        return ListForm(typed.get("form", ""))
    except ValueError:
        return ListForm.PDF


def _days(typed: dict[str, str], faults: dict[str, str]) -> Days | None:
    first = _day(typed, "day", faults)
    last = _day(typed, "to_day", faults) if typed.get("to_day") else first
    if first is not None and last is not None and last < first:
        faults["to_day"] = _("The last day is before the first.")
    return Days(first, last) if first and last and not faults else None


def _day(typed: dict[str, str], name: str, faults: dict[str, str]) -> date | None:
    try:
        return typed_day(typed.get(name, ""))
    except ValueError:
        faults[name] = _("Give a day: 21/11/2026.")
        return None


def _area(chosen: str) -> AreaRef | None:
    scheme, _mark, code = chosen.partition(":")
    return AreaRef(scheme, code) if code and scheme != _ZONE else None


def _zone(chosen: str) -> UUID | None:
    """Raises NotFound for what is no zone's id."""
    scheme, _mark, zone = chosen.partition(":")
    if scheme != _ZONE:
        return None
    try:
        return UUID(zone)
    except ValueError:
        raise NotFound(came=zone, where="zones") from None


def _list_id(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        return uuid7()
