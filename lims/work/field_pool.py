"""Register a field pool: one tube, several people's swabs, at the desk (S3)."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind, TubeState
from lims.domain.refusals import (
    DifferentBody,
    PersonTwiceInPool,
    PoolFull,
    WasTakenBack,
)
from lims.domain.registration import AreaRef, PersonGiven, digest
from lims.tables import Household, Site, Tube
from lims.work.audit import record
from lims.work.once import one_at_a_time
from lims.work.people import keep_person, lock_people, refuse_unknown_areas
from lims.work.pool import refuse_taken
from lims.work.take_back import was_taken_back


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
    site = session.get_one(Site, site_id)
    one_at_a_time(session, request.tube_id)
    earlier = session.get(Tube, request.tube_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came=f"other members under {request.tube_id}", where="tube_id")
        return _receipt(session, request, site, replayed=True)
    if was_taken_back(session, tube_id=request.tube_id):
        raise WasTakenBack(came=f"tube_id {request.tube_id}", where="tube_id")
    _refuse_unfit(session, request, site)
    if request.household is not None:
        _keep_household(session, request.household, site_id, now)
    people = _keep_people(session, request, site_id, now)
    _keep_tube(session, request, site, by=by, now=now, said=said)
    _keep_swabs(session, request, people, site_id=site_id, by=by, now=now, said=said)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="register_field_pool",
        subject=request.barcode,
        now=now,
        people=len(people),
    )
    return _receipt(session, request, site, replayed=False)


def _refuse_unfit(session: Session, request: FieldPoolRequest, site: Site) -> None:
    if not 1 <= len(request.members) <= site.max_pool_size:
        raise PoolFull(
            expected="one person at least, and no more than the site allows in a tube",
            came=f"{len(request.members)} people, at most {site.max_pool_size}",
            where="members",
        )
    ids = [m.specimen_id for m in request.members]
    if len(set(ids)) < len(ids):
        raise DifferentBody(came="one specimen_id for two people", where="members")
    refuse_taken(session, request.barcode)
    people = [m.person for m in request.members if m.person]
    areas = {a for p in people for a in (p.area, p.work_area) if a}
    if request.household and request.household.area:
        areas.add(request.household.area)
    refuse_unknown_areas(session, areas)
    used = session.execute(
        text("SELECT id FROM specimen WHERE id = ANY(:ids) LIMIT 1"), {"ids": ids}
    ).scalar()
    if used is not None:
        raise DifferentBody(came=f"specimen {used} is in another tube", where="members")


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
    session: Session, request: FieldPoolRequest, site_id: UUID, now: datetime
) -> list[UUID]:
    members = request.members
    lock_people(session, (m.person_id for m in members), (m.person for m in members), site_id)
    people = [_keep_person(session, member, request, site_id, now) for member in members]
    if len(set(people)) < len(people):
        raise PersonTwiceInPool(came="the same person twice", where="members")
    return people


def _keep_person(
    session: Session, member: Swabbed, request: FieldPoolRequest, site_id: UUID, now: datetime
) -> UUID:
    person = member.person
    home = request.household
    if person is not None and home is not None:
        person = replace(
            person,
            household_id=home.household_id,
            address=person.address or home.address,
            area=person.area or home.area,
        )
    return keep_person(
        session,
        person,
        member.person_id,
        specimen_id=member.specimen_id,
        site_id=site_id,
        now=now,
    )


def _keep_tube(
    session: Session, request: FieldPoolRequest, site: Site, *, by: str, now: datetime, said: str
) -> None:
    session.add(
        Tube(
            id=request.tube_id,
            site_id=site.id,
            barcode=request.barcode,
            kind=TubeKind.FIELD_POOL,
            state=TubeState.COLLECTED,
            campaign_id=request.campaign_id,
            assay_code=request.assay,
            capacity=site.max_pool_size,
            created_at=now,
            created_by=by,
            body_digest=said,
        )
    )
    session.flush()


def _keep_swabs(
    session: Session,
    request: FieldPoolRequest,
    people: list[UUID],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
    said: str,
) -> None:
    session.execute(
        text("""
WITH g AS (
    SELECT * FROM unnest(cast(:specimens AS uuid[]), cast(:people AS uuid[])) g(specimen, person)
), swab AS (
    INSERT INTO specimen (id, site_id, person_id, campaign_id, material, collected_at,
                          registered_at, registered_by, body_digest)
    SELECT specimen, :site_id, person, cast(:campaign AS uuid), 'swab', :collected, :now, :by,
           :digest FROM g
), inside AS (
    INSERT INTO tube_specimen (tube_id, specimen_id) SELECT :tube, specimen FROM g
)
UPDATE recollection r SET state = 'done', done_specimen_id = g.specimen, ended_at = :now
FROM g WHERE r.person_id = g.person AND r.state = 'open'
"""),
        {
            "specimens": [m.specimen_id for m in request.members],
            "people": people,
            "site_id": site_id,
            "campaign": request.campaign_id,
            "collected": request.collected_at,
            "now": now,
            "by": by,
            "digest": said,
            "tube": request.tube_id,
        },
    )


def _receipt(
    session: Session, request: FieldPoolRequest, site: Site, *, replayed: bool
) -> FieldPooled:
    rows = session.execute(
        text(
            "SELECT s.id, s.person_id FROM tube_specimen ts JOIN specimen s"
            " ON s.id = ts.specimen_id WHERE ts.tube_id = :tube"
        ),
        {"tube": request.tube_id},
    )
    whose = {row.id: row.person_id for row in rows}
    return FieldPooled(
        tube_id=request.tube_id,
        barcode=request.barcode,
        person_ids=tuple(whose[m.specimen_id] for m in request.members),
        places_left=site.max_pool_size - len(request.members),
        replayed=replayed,
    )
