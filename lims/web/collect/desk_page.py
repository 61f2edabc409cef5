"""The page of the street desk: the last answer large, the person and the tube below it."""

from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from lims.web.access import current
from lims.web.answers import Told
from lims.web.collect.draft import Draft
from lims.web.language import laboratory
from lims.web.shell import day_start
from lims.work.views import desk
from lims.work.views.desk import DeskSwab, DeskUndone, HouseholdKnown, KnownPerson

Answer = str | Response | tuple[str, int]


def show(
    draft: Draft,
    *,
    done: UUID | None = None,
    undone: DeskUndone | None = None,
    refused: Told | None = None,
    alike: tuple[KnownPerson, ...] = (),
    again: bool = False,
) -> str:
    """The page around a draft."""
    lab, by = laboratory(), current().actor
    with lab.statements() as session:
        day = desk.desk_day(session, site_id=lab.site_id, by=by, since=day_start())
        answer = next((line for line in day.last if line.specimen_id == done), None)
        if done and answer is None:  # another desk's, or of another day
            answer = desk.swab(session, done, site_id=lab.site_id)
        who = answer or draft.known
        door = who.household_id if who else None
        home = desk.household_known(session, door, site_id=lab.site_id) if door else None
    names = {str(one.campaign_id): one.name for one in day.campaigns}
    return render_template(
        "collect/one.html",
        draft=draft,
        typed=draft.typed,
        faults=draft.faults,
        done=answer,
        undone=undone,
        again=again or "again" in request.args,
        refused=refused,
        alike=alike,
        home=home,
        neighbours=_not_swabbed(home, answer),
        campaigns=list(names.items()),
        campaign=names.get(draft.campaign, ""),
        last=day.last,
        today=day.swabbed,
    )


def _not_swabbed(home: HouseholdKnown | None, done: DeskSwab | None) -> list[KnownPerson]:
    """Who lives behind this door and has no swab of today."""
    if home is None:
        return []
    since = day_start()
    return [
        one
        for one in home.members
        if (one.last_swab_at is None or one.last_swab_at < since)
        and (done is None or one.person_id != done.person_id)
    ]
