"""Today's rosters, and opening one: a class, a shift or a lane."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.rapid_test import Exposure, RosterKind
from lims.domain.refusals import InvalidBody, Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK
from lims.web.collect.draft import kept_area, kept_campaign
from lims.web.collect.one import Answer
from lims.web.collect.person_form import chosen_uuid, invalid, read_area
from lims.web.language import laboratory, later, now, when
from lims.web.rapid.blueprint import blueprint
from lims.web.rapid.roster_people import people_of_lines
from lims.web.refusing import faults_of
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.roster import RosterGiven, add_members, open_roster
from lims.work.views import desk
from lims.work.views.rosters import earlier_rosters, rosters_since

ROSTER_NAME: Final = later("the class, the shift or the lane")
KIND: Final = later("say what its people share")

_TYPED: Final = ("kind", "name", "place", "area", "campaign", "exposure", "copied_from", "people")


@dataclass(frozen=True)
class RosterDraft:
    """A roster to be opened."""

    roster_id: UUID
    kind: str = ""
    name: str = ""
    place: str = ""
    area: str = ""
    campaign: str = ""
    exposure: str = Exposure.NONE
    copied_from: str = ""
    people: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)


@blueprint.get("/rosters")
@needs(*DESK)
def rosters() -> str:
    """Those of today, the one to be read first on top; below, the form for another."""
    return _page(RosterDraft(uuid7(), area=kept_area(), campaign=kept_campaign()))


@blueprint.post("/rosters")
@needs(*DESK)
def save_roster() -> Answer:
    """Open it, with the people of a pasted list or of an earlier roster."""
    form = request.form
    said = {name: form.get(name, "").strip() for name in _TYPED}
    draft = RosterDraft(
        roster_id=chosen_uuid(form, "roster_id") or uuid7(),
        kind=said["kind"],
        name=said["name"],
        place=said["place"],
        area=said["area"],
        campaign=said["campaign"],
        exposure=said["exposure"],
        copied_from=said["copied_from"],
        people=said["people"],
    )
    try:
        in_transaction(lambda session: _open(session, draft))
    except InvalidBody as refusal:
        faulty = replace(draft, faults=faults_of(refusal))
        return _page(faulty, refused=told(refusal)), 422
    except Refusal as refusal:
        return _page(draft, refused=told(refusal)), int(status_of(type(refusal)))
    return redirect(url_for("rapid.roster", roster_id=draft.roster_id), 303)


def _open(session: Session, draft: RosterDraft) -> None:
    faults: dict[str, str] = {}
    if draft.kind not in set(RosterKind):
        faults["kind"] = KIND
    if not 1 <= len(draft.name) <= 200:
        faults["name"] = ROSTER_NAME
    area = read_area(session, draft.area, "area", faults)
    try:
        people = people_of_lines(session, draft.people)
    except InvalidBody as refusal:
        faults |= faults_of(refusal)
        people = []
    if faults:
        raise invalid(faults)
    lab = laboratory()
    given = RosterGiven(
        roster_id=draft.roster_id,
        kind=RosterKind(draft.kind),
        name=draft.name,
        place=draft.place[:200] or None,
        area=area.value() if area else None,
        campaign_id=chosen_uuid({"campaign": draft.campaign}, "campaign"),
        exposure=Exposure(draft.exposure) if draft.exposure in set(Exposure) else Exposure.NONE,
        copied_from=chosen_uuid({"copied_from": draft.copied_from}, "copied_from"),
    )
    open_roster(session, given, site_id=lab.site_id, by=current().actor, now=now())
    if people:
        add_members(
            session,
            given.roster_id,
            people,
            add_id=given.roster_id,
            site_id=lab.site_id,
            now=now(),
        )


def _page(draft: RosterDraft, *, refused: Told | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        today = rosters_since(session, site_id=lab.site_id, since=day_start())
        earlier = earlier_rosters(session, site_id=lab.site_id)
        campaigns = desk.open_campaigns(session, site_id=lab.site_id)
    return render_template(
        "rapid/rosters.html",
        draft=draft,
        faults=draft.faults,
        refused=refused,
        rosters=today,
        earlier=earlier,
        choices_of_earlier=[
            (one.roster_id, f"{one.name} · {one.people} · {when(one.opened_at)}") for one in earlier
        ],
        campaigns=[(one.campaign_id, one.name) for one in campaigns],
    )
