"""The page of the street desk: the last answer large, the person and the tube below it."""

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
    done: DeskSwab | None = None,
    undone: DeskUndone | None = None,
    refused: Told | None = None,
    alike: tuple[KnownPerson, ...] = (),
    again: bool = False,
) -> str:
    """The page around a draft."""
    lab, by = laboratory(), current().actor
    who = done.person_id if done else draft.known.person_id if draft.known else None
    with lab.reading() as session:
        day = desk.desk_day(session, site_id=lab.site_id, by=by, since=day_start())
        last = desk.last_swabs(session, site_id=lab.site_id, by=by, since=day_start())
        home = desk.household_of(session, who, site_id=lab.site_id) if who else None
    names = {str(one.campaign_id): one.name for one in day.campaigns}
    return render_template(
        "collect/one.html",
        draft=draft,
        typed=draft.typed,
        faults=draft.faults,
        done=done,
        undone=undone,
        again=again or "again" in request.args,
        refused=refused,
        alike=alike,
        home=home,
        neighbours=_not_swabbed(home, done),
        campaigns=list(names.items()),
        campaign=names.get(draft.campaign, ""),
        last=last,
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
