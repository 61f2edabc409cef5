"""Open a roster and put people on it, in their order, before any strip is dropped."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import derived, uuid7
from lims.domain.identity import name_key
from lims.domain.rapid_test import Exposure, RosterKind
from lims.domain.refusals import (
    BodyTooLarge,
    DifferentBody,
    InvalidBody,
    NotFound,
    StripRunning,
)
from lims.domain.registration import AreaRef, PersonGiven, digest
from lims.domain.roster_line import MOST_PEOPLE
from lims.tables import Roster, RosterMember
from lims.work.audit import record
from lims.work.copying import copy_people
from lims.work.once import one_at_a_time
from lims.work.people import refuse_unknown_areas


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
class MemberGiven:
    """Somebody new, or somebody already known."""

    person: PersonGiven | None = None
    person_id: UUID | None = None


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
    whose, newcomers, cards = _whose(session, given, site_id)
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


def card_of(said: dict[str, Any]) -> PersonGiven:
    """A member's card as it was kept."""
    areas = {
        field: AreaRef(**said[field]) if said[field] else None for field in ("area", "work_area")
    }
    born = said["birth_date"]
    household = said["household_id"]
    return PersonGiven(
        **{
            **said,
            **areas,
            "birth_date": date.fromisoformat(born) if born else None,
            "household_id": UUID(household) if household else None,
        }
    )


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


def _whose(
    session: Session, members: Sequence[MemberGiven], site_id: UUID
) -> tuple[list[UUID], dict[UUID, PersonGiven], dict[UUID, dict[str, Any]]]:
    """Each member's person; who of them is new; and the cards that disagree with a known number."""
    numbers = [one.person.national_id for one in members if one.person and one.person.national_id]
    rows = session.execute(_BY_NUMBER, {"site": site_id, "numbers": numbers}).all()
    by_number = {row.national_id: row.id for row in rows}
    stored = {row.id: (row.name_key, row.birth_year) for row in rows}
    ids = [one.person_id for one in members if one.person_id]
    there = set(
        session.execute(
            text("SELECT id FROM person WHERE id = ANY(:ids) AND site_id = :site"),
            {"ids": ids, "site": site_id},
        ).scalars()
    )
    whose: list[UUID] = []
    newcomers: dict[UUID, PersonGiven] = {}
    cards: dict[UUID, dict[str, Any]] = {}
    for one in members:
        if one.person is None:
            if one.person_id is None or one.person_id not in there:
                raise NotFound(came=str(one.person_id), where="person_id")
            whose.append(one.person_id)
            continue
        number = one.person.national_id
        person_id = by_number.get(number) if number else None
        if person_id is None:
            person_id = uuid7()
            newcomers[person_id] = one.person
            if number:
                by_number[number] = person_id
                stored[person_id] = (one.person.name_key, one.person.birth_year)
        elif _disagrees(one.person, stored[person_id]):
            cards[person_id] = _as_json(one.person)
        whose.append(person_id)
    return whose, newcomers, cards


def _disagrees(card: PersonGiven, stored: tuple[str, int | None]) -> bool:
    name, year = stored
    return card.name_key != name or (
        card.birth_year is not None and year is not None and card.birth_year != year
    )


def _as_json(person: PersonGiven) -> dict[str, Any]:
    said = asdict(person)
    for field in ("birth_date", "household_id"):
        said[field] = str(said[field]) if said[field] else None
    return said


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

_BY_NUMBER = text("""
SELECT national_id, id, name_key, birth_year FROM person
WHERE site_id = :site AND national_id = ANY(:numbers)
""")

# Numbers close ranks: who left the class since leaves no hole.
_COPY = text("""
INSERT INTO roster_member (id, site_id, roster_id, position, person_id, card, added_at)
SELECT mint_uuid7(:now), m.site_id, :to, row_number() OVER (ORDER BY m.position), m.person_id,
       m.card, :now
FROM roster_member m WHERE m.roster_id = :from AND m.site_id = :site
""")
