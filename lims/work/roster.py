"""Open a roster and put people on it, in their order, before any strip is dropped."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import derived
from lims.domain.identity import name_key
from lims.domain.rapid_test import Exposure, RosterKind
from lims.domain.refusals import (
    BodyTooLarge,
    Conflict,
    DifferentBody,
    InvalidBody,
    NotFound,
)
from lims.domain.registration import AreaRef, PersonGiven, digest
from lims.domain.roster_line import MOST_PEOPLE
from lims.tables import Roster, RosterMember
from lims.work.audit import record
from lims.work.copying import copy_people
from lims.work.once import one_at_a_time
from lims.work.people import refuse_unknown_areas
from lims.work.people_together import MemberGiven, whose_are


class StripRunning(Conflict):
    slug = "strip-running"
    expected = "people without a strip that is waiting to be read"
    todo = "read the strip that is running first; a late one is repeated after its window"


@dataclass(frozen=True, slots=True)
class RosterGiven:
    """A class, a shift or a lane. Its id is minted by the client."""

    roster_id: UUID
    kind: RosterKind
    name: str
    place: str | None = None
    area: AreaRef | None = None
    campaign_id: UUID | None = None
    exposure: Exposure = Exposure.NONE
    copied_from: UUID | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """Where each of them stands now, in the order given; `fresh` were not there before."""

    positions: tuple[int, ...]
    fresh: int


def open_roster(
    session: Session, given: RosterGiven, *, site_id: UUID, by: str, now: datetime
) -> bool:
    """Make it, with the people of an earlier one where named; False when it was there already.

    Raises DifferentBody, UnknownUnit, NotFound.
    """
    said = digest(given)
    one_at_a_time(session, given.roster_id)
    earlier = session.get(Roster, given.roster_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came="another roster under this id", where="roster_id")
        return False
    refuse_unknown_areas(session, {given.area} if given.area else set())
    session.add(
        Roster(
            id=given.roster_id,
            site_id=site_id,
            kind=given.kind,
            name=given.name,
            name_key=name_key(given.name),
            place=given.place,
            area_scheme=given.area.scheme if given.area else None,
            area_code=given.area.code if given.area else None,
            campaign_id=given.campaign_id,
            exposure=given.exposure,
            opened_at=now,
            opened_by=by,
            body_digest=said,
        )
    )
    session.flush()
    if given.copied_from is not None:
        session.execute(
            _COPY,
            {"to": given.roster_id, "from": given.copied_from, "site": site_id, "now": now},
        )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="open_roster",
        subject=str(given.roster_id),
        now=now,
        kind=str(given.kind),
    )
    return True


def add_members(
    session: Session,
    roster_id: UUID,
    members: Sequence[MemberGiven],
    *,
    add_id: UUID,
    site_id: UUID,
    now: datetime,
) -> Added:
    """Put them after the last number; who is on the roster keeps their number.

    ``add_id`` is minted by the client: the same list sent twice is put on once. A card whose number
    belongs to another name is that person's until a reviewer compares them (S16). Raises NotFound,
    BodyTooLarge, UnknownUnit.
    """
    roster = locked(session, roster_id, site_id=site_id)
    before = {row.person_id: row.position for row in session.execute(_MEMBERS, {"id": roster_id})}
    known = _already_added(session, add_id, members)
    if known:
        return Added(known, fresh=0)
    if len(before) + len(members) > MOST_PEOPLE:
        raise BodyTooLarge(came=f"more than {MOST_PEOPLE} rows", where="members")
    given = [replace(one, person=_at_home(one.person, roster)) for one in members]
    people = [one.person for one in given if one.person]
    refuse_unknown_areas(session, {a for p in people for a in (p.area, p.work_area) if a})
    whose, newcomers, cards = whose_are(session, given, site_id=site_id)
    copy_people(session, newcomers, site_id=site_id, now=now)
    last = max(before.values(), default=0)
    positions: list[int] = []
    first_free = last + 1
    for number, person_id in enumerate(whose):
        if person_id not in before:
            last += 1
            before[person_id] = last
            session.add(
                RosterMember(
                    id=derived(add_id, str(number)),
                    site_id=site_id,
                    roster_id=roster_id,
                    position=last,
                    person_id=person_id,
                    card=cards.get(person_id),
                    added_at=now,
                )
            )
        positions.append(before[person_id])
    session.flush()
    return Added(tuple(positions), fresh=last + 1 - first_free)


def take_out(session: Session, roster_id: UUID, position: int, *, site_id: UUID) -> None:
    """Somebody is not here today. Their number stays empty. Raises NotFound, StripRunning."""
    locked(session, roster_id, site_id=site_id)
    about = {"id": roster_id, "position": position}
    member = session.execute(_MEMBER, about).one_or_none()
    if member is None:
        raise NotFound(came=str(position), where="position")
    if member.strips:
        raise StripRunning(came=str(position), where="position")
    session.execute(text("DELETE FROM roster_member WHERE id = :id"), {"id": member.id})


def locked(session: Session, roster_id: UUID, *, site_id: UUID) -> Roster:
    """The roster, and nobody else changes it until this transaction ends. Raises NotFound."""
    roster = session.scalars(
        select(Roster)
        .where(Roster.id == roster_id, Roster.site_id == site_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if roster is None:
        raise NotFound(came=str(roster_id), where="rosters")
    return roster


def _already_added(
    session: Session, add_id: UUID, members: Sequence[MemberGiven]
) -> tuple[int, ...]:
    ids = [derived(add_id, str(number)) for number in range(len(members))]
    rows = session.execute(
        text("SELECT position FROM roster_member WHERE id = ANY(:ids) ORDER BY position"),
        {"ids": ids},
    )
    return tuple(rows.scalars())


def _at_home(person: PersonGiven | None, roster: Roster) -> PersonGiven | None:
    """A newcomer of a lane lives there; one of a class or a shift studies or works there."""
    if person is None or roster.area_code is None or roster.area_scheme is None:
        return person
    area = AreaRef(roster.area_scheme, roster.area_code)
    if roster.kind == RosterKind.LANE:
        return replace(person, area=person.area or area)
    return replace(person, work_area=person.work_area or area)


def refuse_nobody(members: Sequence[MemberGiven]) -> None:
    """Raise InvalidBody for an empty list."""
    if not members:
        fault = {"pointer": "#/people", "detail": "one name in a line"}
        raise InvalidBody(errors=[fault], where="people", came="nobody")


_MEMBERS = text("SELECT person_id, position FROM roster_member WHERE roster_id = :id")

_MEMBER = text("""
SELECT m.id, EXISTS (SELECT FROM strip s WHERE s.member_id = m.id) AS strips
FROM roster_member m WHERE m.roster_id = :id AND m.position = :position
""")

# Numbers close ranks: who left the class since leaves no hole, and two who were merged are one.
_COPY = text("""
INSERT INTO roster_member (id, site_id, roster_id, position, person_id, card, added_at)
SELECT mint_uuid7(:now), :site, :to, row_number() OVER (ORDER BY g.position), g.person_id, g.card,
       :now
FROM (
    SELECT DISTINCT ON (coalesce(p.merged_into_id, p.id))
           coalesce(p.merged_into_id, p.id) AS person_id, m.position, m.card
    FROM roster_member m JOIN person p ON p.id = m.person_id
    WHERE m.roster_id = :from AND m.site_id = :site
    ORDER BY coalesce(p.merged_into_id, p.id), m.position
) g
""")
