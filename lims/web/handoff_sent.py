"""How far each notice has come, as the sender sees it: owed, tried, delivered, fetched, claimed."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request

from lims.web.access import needs
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory
from lims.work.access import Role
from lims.work.views import administration
from lims.work.views.sent import Progress, Wanted, failing, sent

blueprint = Blueprint("sent", __name__, url_prefix="/handoff/sent")


@blueprint.get("")
@needs(Role.OPERATOR)
def page() -> str:
    """The newest first, narrowed to a team or to how far they have come."""
    lab, wanted = laboratory(), _wanted()
    with lab.sessions.begin() as session:
        listed = sent(session, wanted, site_id=lab.site_id)
        troubled = failing(session, site_id=lab.site_id)
        teams = administration.teams(session, lab.site_id)
    return render_template(
        "handoff/sent.html",
        page=listed,
        ours=[one for one in troubled if one.ours],
        troubled=[one for one in troubled if not one.ours],
        wanted=wanted,
        teams=[(str(team.team_id), team_name(team.name)) for team in teams],
        ways=[(str(one), progress_words(one)) for one in Progress],
        words=progress_words,
        query=_query(wanted),
    )


def progress_words(progress: Progress) -> str:
    return {
        Progress.OWED: _("not yet sent"),
        Progress.TRIED: _("tried, not yet arrived"),
        Progress.DEAD: _("did not arrive"),
        Progress.DELIVERED: _("arrived, not yet opened"),
        Progress.FETCHED: _("opened, not claimed since"),
        Progress.CLAIMED: _("claimed"),
    }[progress]


def _wanted() -> Wanted:
    asked = request.args.get("state", "")
    return Wanted(
        progress=Progress(asked) if asked in set(Progress) else None,
        team_id=_id("team"),
        before=_id("before"),
    )


def _id(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _query(wanted: Wanted) -> dict[str, str]:
    given = {"state": wanted.progress, "team": wanted.team_id}
    return {name: str(value) for name, value in given.items() if value}
