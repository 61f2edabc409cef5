"""A team's positive list, to print or to work with. Taking it is a deed, so it is posted for."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from lims.domain.days import typed_day
from lims.web.access import current, needs
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory, local, now
from lims.web.reports import saying_here
from lims.web.transaction import in_transaction
from lims.work.access import Role, SignedIn
from lims.work.take_list import ListAsked, ListForm, drawn, take_list
from lims.work.views import board

blueprint = Blueprint("positives", __name__, url_prefix="/handoff/list")

_TAKERS: Final = (Role.TRACER, Role.OPERATOR, Role.REVIEWER)
_OVERSEES: Final = frozenset({Role.OPERATOR, Role.REVIEWER})
_READS_CT: Final = frozenset({Role.REVIEWER})
_TYPES: Final = {
    ListForm.PDF: "application/pdf",
    ListForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@blueprint.get("")
@needs(*_TAKERS)
def page() -> str:
    """Which day, which team, what kind of file."""
    return _page({}, {})


@blueprint.post("")
@needs(*_TAKERS)
def take() -> Response | tuple[str, int]:
    """The file, recorded with everybody who is on it."""
    me, typed, faults = current(), request.form.to_dict(), dict[str, str]()
    try:
        day = typed_day(typed["day"]) if typed.get("day") else None
    except ValueError:
        day, faults["day"] = None, _("Give a day: 21/11/2026.")
    team_id = _team(me, typed.get("team", ""))
    if team_id is None and not me.roles & _OVERSEES:
        faults["team"] = _("You are in no tracing team yet.")
    if faults:
        return _page(typed, faults), 422
    form = ListForm.XLSX if typed.get("form") == ListForm.XLSX else ListForm.PDF
    asked = ListAsked(
        team_id=team_id,
        day=day,
        form=form,
        for_laboratory=bool(me.roles & _READS_CT),
    )
    lab, saying = laboratory(), saying_here()
    listed = in_transaction(
        lambda session: take_list(
            session, asked, saying, site_id=lab.site_id, by=me.actor, by_name=me.name, now=now()
        )
    )
    response = make_response(drawn(listed, form, saying))
    response.headers["Content-Type"] = _TYPES[form]
    name = f"f0-{day or 'open'}.{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _team(me: SignedIn, chosen: str) -> UUID | None:
    """A tracer's own team, whatever the form says; whoever oversees chooses, or takes all."""
    if not me.roles & _OVERSEES:
        return me.team_id
    try:
        return UUID(chosen) if chosen else None
    except ValueError:
        return None


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    me, lab = current(), laboratory()
    with lab.sessions.begin() as session:
        teams = board.teams(session, site_id=lab.site_id) if me.roles & _OVERSEES else []
    return render_template(
        "handoff/list.html",
        typed=typed,
        faults=faults,
        today=local(now()).date(),
        teams=[(team.value, team_name(team.label)) for team in teams],
        oversees=bool(me.roles & _OVERSEES),
        no_team=me.team_id is None and not me.roles & _OVERSEES,
        with_ct=bool(me.roles & _READS_CT),
        forms=[("pdf", _("PDF, to print"), ""), ("xlsx", _("XLSX, to work with"), "")],
    )
