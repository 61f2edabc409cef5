"""The page of the street desk: the last answer large, the person and the tube below it."""

from dataclasses import replace
from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from lims.domain.zones import Tie
from lims.web import roster_words
from lims.web.access import current
from lims.web.answers import Told
from lims.web.collect.draft import Draft
from lims.web.collect.expected import beside, exposure_words
from lims.web.language import laboratory
from lims.web.shell import day_start
from lims.work.views import desk
from lims.work.views.declared import DeclaredPerson, declared_one, expected_at
from lims.work.views.desk import DeskSwab, DeskUndone, HouseholdKnown, KnownPerson
from lims.work.views.zones import open_zones

Answer = str | Response | tuple[str, int]


def show(
    draft: Draft,
    *,
    done: UUID | None = None,
    undone: DeskUndone | None = None,
    refused: Told | None = None,
    alike: tuple[KnownPerson, ...] = (),
    again: bool = False,
    expected: tuple[DeclaredPerson, ...] = (),
) -> str:
    """The page around a draft. ``expected``: several who one code or telephone may mean."""
    lab, by = laboratory(), current().actor
    with lab.statements() as session:
        day = desk.desk_day(session, site_id=lab.site_id, by=by, since=day_start())
        answer = next((line for line in day.last if line.specimen_id == done), None)
        if done and answer is None:  # another desk's, or of another day
            answer = desk.swab(session, done, site_id=lab.site_id)
        if draft.declared_id and not draft.declared:
            declared = declared_one(session, draft.declared_id, site_id=lab.site_id)
            draft = replace(draft, declared=declared)
        door = _door(answer or draft.known, None if answer else draft.declared)
        to_come = expected_at(session, door, site_id=lab.site_id) if door else ()
        home = desk.household_known(session, door, site_id=lab.site_id) if door else None
        zones = open_zones(session, site_id=lab.site_id)
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
        expected=expected,
        to_come=_others(to_come, home, draft),
        exposure_words=exposure_words,
        campaigns=list(names.items()),
        zones=[
            (f"{tie}:{zone_id}", f"{name}: {roster_words.tie(tie)}")
            for zone_id, name in zones
            for tie in (Tie.WORKER, Tie.RESIDENT)
        ],
        campaign=names.get(draft.campaign, ""),
        last=day.last,
        today=day.swabbed,
    )


def _door(who: DeskSwab | KnownPerson | None, declared: DeclaredPerson | None) -> UUID | None:
    """The household of whoever stands here: theirs, or else the one that they declared."""
    if who is not None and who.household_id is not None:
        return who.household_id
    return declared.household_id if declared else None


def _others(
    to_come: tuple[DeclaredPerson, ...], home: HouseholdKnown | None, draft: Draft
) -> list[DeclaredPerson]:
    """Who declared to come from this door, besides whoever stands here and those known there."""
    return [one for one in beside(home, to_come) if one.declared_id != draft.declared_id]


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
