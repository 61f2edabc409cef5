"""Register a field pool: one tube, several people's swabs, at the desk (S3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    NotFound,
    PersonTwiceInPool,
    PoolFull,
    WasTakenBack,
)
from lims.domain.registration import AreaRef, PersonGiven, digest
from lims.tables import Household
from lims.work.once import one_at_a_time
from lims.work.people import keep_people, lock_people, refuse_unknown_areas
from lims.work.people_together import those_known


@dataclass(frozen=True, slots=True)
class HouseholdGiven:
    """The door they share. Its id is minted by the client."""

    household_id: UUID
    label: str
    address: str | None = None
    area: AreaRef | None = None


@dataclass(frozen=True, slots=True)
class Swabbed:
    """One member of the tube: somebody new, or somebody already known."""

    specimen_id: UUID
    person: PersonGiven | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FieldPoolRequest:
    """One tube and the people whose swabs are in it."""

    tube_id: UUID
    barcode: str
    collected_at: datetime
    members: tuple[Swabbed, ...]
    household: HouseholdGiven | None = None
    campaign_id: UUID | None = None
    assay: str = "sars-cov-2"


@dataclass(frozen=True, slots=True)
class FieldPooled:
    """The receipt: the tube, its people in the order given, and the room that is left."""

    tube_id: UUID
    barcode: str
    person_ids: tuple[UUID, ...]
    places_left: int
    replayed: bool


def register_field_pool(
    session: Session, request: FieldPoolRequest, *, site_id: UUID, by: str, now: datetime
) -> FieldPooled:
    """Register everybody in one tube, in one transaction. Safe to repeat.

    Raises PoolFull, PersonTwiceInPool, BarcodeTaken, DifferentBody, NotFound,
    UnknownUnit, WasTakenBack.
    """
    said = digest(request)
    one_at_a_time(session, request.tube_id)
    found = session.execute(_FOUND, _asked(request, site_id)).one()
    if found.there:
        if found.body_digest != said:
            raise DifferentBody(came=f"other members under {request.tube_id}", where="tube_id")
        people = _people_in(session, request)
        return _receipt(request, people, found.max_pool_size, replayed=True)
    if found.undone:
        raise WasTakenBack(came=f"tube_id {request.tube_id}", where="tube_id")
    _refuse_unfit(session, request, found)
    if request.household is not None:
        _keep_household(session, request.household, site_id, now)
    people = _keep_people(session, request, site_id=site_id, now=now)
    if len(set(people)) < len(people):
        raise _twice()
    values = {
        "tube": request.tube_id,
        "barcode": request.barcode,
        "assay": request.assay,
        "capacity": found.max_pool_size,
        "specimens": [m.specimen_id for m in request.members],
        "people": people,
        "site_id": site_id,
        "campaign": request.campaign_id,
        "collected": request.collected_at,
        "now": now,
        "by": by,
        "digest": said,
        "event": uuid7(),
    }
    session.execute(_KEEP, values)
    return _receipt(request, people, found.max_pool_size, replayed=False)


# All that is asked before anything is written, in one round trip.
_FOUND = text("""
SELECT site.max_pool_size, tube.id IS NOT NULL AS there, tube.body_digest,
       EXISTS (SELECT FROM taken_back WHERE tube_id = :tube) AS undone,
       EXISTS (SELECT FROM tube WHERE barcode = :barcode) AS taken,
       (SELECT id FROM specimen WHERE id = ANY(:specimens) LIMIT 1) AS used
FROM site LEFT JOIN tube ON tube.id = :tube WHERE site.id = :site
""")


def _asked(request: FieldPoolRequest, site_id: UUID) -> dict[str, object]:
    return {
        "tube": request.tube_id,
        "barcode": request.barcode,
        "specimens": [m.specimen_id for m in request.members],
        "site": site_id,
    }


def _refuse_unfit(session: Session, request: FieldPoolRequest, found: Row[Any]) -> None:
    if not 1 <= len(request.members) <= found.max_pool_size:
        raise PoolFull(
            expected="one person at least, and no more than the site allows in a tube",
            came=f"{len(request.members)} people, at most {found.max_pool_size}",
            where="members",
        )
    ids = [m.specimen_id for m in request.members]
    if len(set(ids)) < len(ids):
        raise DifferentBody(came="one specimen_id for two people", where="members")
    if found.taken:
        raise BarcodeTaken(came=barcodes.shown(request.barcode), where="barcode")
    people = [m.person for m in request.members if m.person]
    areas = {a for p in people for a in (p.area, p.work_area) if a}
    if request.household and request.household.area:
        areas.add(request.household.area)
    refuse_unknown_areas(session, areas)
    if found.used is not None:
        raise DifferentBody(came=f"specimen {found.used} is in another tube", where="members")


def _keep_household(session: Session, given: HouseholdGiven, site_id: UUID, now: datetime) -> None:
    session.execute(
        insert(Household)
        .values(
            id=given.household_id,
            site_id=site_id,
            label=given.label,
            address=given.address,
            area_scheme=given.area.scheme if given.area else None,
            area_code=given.area.code if given.area else None,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Household.id])
    )


def _keep_people(
    session: Session, request: FieldPoolRequest, *, site_id: UUID, now: datetime
) -> list[UUID]:
    """Everybody's row, in the order of the members."""
    members = request.members
    lock_people(session, (m.person_id for m in members), (m.person for m in members), site_id)
    numbers = [m.person.national_id for m in request.members if m.person and m.person.national_id]
    if len(set(numbers)) < len(numbers):
        raise _twice()
    named = [m.person_id for m in request.members if m.person_id]
    known = those_known(session, named, site_id=site_id)
    for person_id in named:
        if person_id not in known:
            raise NotFound(came=str(person_id), where="person_id")
    cards = [
        (m.specimen_id, _at_their_door(m.person, request.household))
        for m in request.members
        if m.person
    ]
    kept = iter(keep_people(session, cards, site_id=site_id, now=now) if cards else ())
    return [known[m.person_id] if m.person_id else next(kept) for m in request.members]


def _at_their_door(person: PersonGiven, home: HouseholdGiven | None) -> PersonGiven:
    if home is None:
        return person
    return replace(
        person,
        household_id=home.household_id,
        address=person.address or home.address,
        area=person.area or home.area,
    )


def _twice() -> PersonTwiceInPool:
    return PersonTwiceInPool(
        came="the same person twice",
        where="members",
        todo="this person is in this tube already; scan the next card",
    )


_KEEP = text("""
WITH g AS (
    SELECT * FROM unnest(cast(:specimens AS uuid[]), cast(:people AS uuid[])) g(specimen, person)
), plastic AS (
    INSERT INTO tube (id, site_id, barcode, kind, state, campaign_id, assay_code, capacity,
                      created_at, created_by, body_digest)
    VALUES (:tube, :site_id, :barcode, 'field_pool', 'collected', cast(:campaign AS uuid), :assay,
            :capacity, :now, :by, :digest)
), swab AS (
    INSERT INTO specimen (id, site_id, person_id, campaign_id, material, collected_at,
                          registered_at, registered_by, body_digest)
    SELECT specimen, :site_id, person, cast(:campaign AS uuid), 'swab', :collected, :now, :by,
           :digest FROM g
), inside AS (
    INSERT INTO tube_specimen (tube_id, specimen_id) SELECT :tube, specimen FROM g
), seen AS (
    INSERT INTO audit_event (id, site_id, at, actor, verb, subject, detail)
    SELECT :event, :site_id, :now, :by, 'register_field_pool', :barcode,
           jsonb_build_object('people', count(*)) FROM g
)
UPDATE recollection r SET state = 'done', done_specimen_id = g.specimen, ended_at = :now
FROM g WHERE r.person_id = g.person AND r.state = 'open'
""")


def _people_in(session: Session, request: FieldPoolRequest) -> list[UUID]:
    rows = session.execute(
        text(
            "SELECT s.id, s.person_id FROM tube_specimen ts JOIN specimen s"
            " ON s.id = ts.specimen_id WHERE ts.tube_id = :tube"
        ),
        {"tube": request.tube_id},
    )
    whose = {row.id: row.person_id for row in rows}
    return [whose[m.specimen_id] for m in request.members]


def _receipt(
    request: FieldPoolRequest, people: Sequence[UUID], most: int, *, replayed: bool
) -> FieldPooled:
    return FieldPooled(
        tube_id=request.tube_id,
        barcode=request.barcode,
        person_ids=tuple(people),
        places_left=most - len(request.members),
        replayed=replayed,
    )
