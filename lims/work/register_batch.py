"""Register up to 10,000 swabs in a handful of set-based statements, row by row in outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    InvalidBody,
    NotFound,
    Refusal,
    UnknownUnit,
)
from lims.domain.registration import AreaRef, PersonGiven, Registration
from lims.work.audit import record
from lims.work.copying import SwabInTube, copy_people, copy_swabs
from lims.work.newest_contact import follow_newest_contact
from lims.work.people import known_areas, lock_people, person_columns
from lims.work.register import Registered

MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row: a receipt, or the refusal that says how to correct it."""

    row: int
    receipt: Registered | None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    row: int
    given: Registration
    said: str
    person_id: UUID
    newcomer: bool


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the database already knows that touches these rows; ``earlier`` grows with each row."""

    earlier: dict[UUID, tuple[str, UUID]]
    taken: set[str]
    areas: set[AreaRef]
    by_national_id: dict[str, UUID]
    known_people: dict[UUID, UUID]  # a merged row names who is left
    campaigns: set[UUID]


def register_batch(
    session: Session,
    rows: Sequence[tuple[int, Registration]],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
    import_job_id: UUID | None = None,
) -> list[RowOutcome]:
    """Register the good rows and say of each bad one what is wrong; order is kept.

    ``rows`` carries the caller's own row numbers. Repeating a batch answers
    the same and adds nothing. ``import_job_id`` is the list that the rows came
    with, so that it can be taken back.
    """
    standing = _look_up(session, rows, site_id)
    outcomes: list[RowOutcome] = []
    fresh: list[_Row] = []
    barcodes: set[str] = set()
    for number, given in rows:
        said = given.digest()
        refusal = _refusal(given, said, standing, barcodes)
        if refusal is not None:
            outcomes.append(RowOutcome(number, None, refusal))
            continue
        if given.specimen_id in standing.earlier:
            person_id = standing.earlier[given.specimen_id][1]
            receipt = Registered(given.specimen_id, person_id, given.barcode, replayed=True)
            outcomes.append(RowOutcome(number, receipt))
            continue
        barcodes.add(given.barcode)
        person_id, newcomer = _whose(given, standing)
        standing.earlier[given.specimen_id] = (said, person_id)
        fresh.append(_Row(number, given, said, person_id, newcomer))
        receipt = Registered(given.specimen_id, person_id, given.barcode, replayed=False)
        outcomes.append(RowOutcome(number, receipt))
    if fresh:
        _insert(session, fresh, site_id, by=by, now=now, import_job_id=import_job_id)
    return outcomes


def _look_up(
    session: Session, rows: Sequence[tuple[int, Registration]], site_id: UUID
) -> _Standing:
    given = [registration for _, registration in rows]
    lock_people(session, (g.person_id for g in given), (g.person for g in given), site_id)
    taken = session.execute(
        text("SELECT barcode FROM tube WHERE barcode = ANY(:barcodes)"),
        {"barcodes": [g.barcode for g in given]},
    )
    people = [g.person for g in given if g.person]
    national = session.execute(
        text(
            "SELECT national_id, id FROM person WHERE site_id = :site AND national_id = ANY(:ids)"
        ),
        {"site": site_id, "ids": [p.national_id for p in people if p.national_id]},
    )
    known = session.execute(
        text(
            "SELECT id, coalesce(merged_into_id, id) AS left_id FROM person"
            " WHERE id = ANY(:ids) AND site_id = :site"
        ),
        {"ids": [g.person_id for g in given if g.person_id], "site": site_id},
    )
    campaigns = session.execute(
        text("SELECT id FROM campaign WHERE id = ANY(:ids)"),
        {"ids": list({g.campaign_id for g in given if g.campaign_id})},
    )
    areas = {a for p in people for a in (p.area, p.work_area) if a}
    # Last, so that whoever took a barcode a moment ago is seen as the same request when it was.
    earlier = session.execute(
        text("SELECT id, body_digest, person_id FROM specimen WHERE id = ANY(:ids)"),
        {"ids": [g.specimen_id for g in given]},
    )
    return _Standing(
        earlier={row.id: (row.body_digest, row.person_id) for row in earlier},
        taken=set(taken.scalars()),
        areas=known_areas(session, areas),
        by_national_id={row.national_id: row.id for row in national},
        known_people={row.id: row.left_id for row in known},
        campaigns=set(campaigns.scalars()),
    )


def _refusal(
    given: Registration, said: str, standing: _Standing, barcodes: set[str]
) -> Refusal | None:
    earlier = standing.earlier.get(given.specimen_id)
    if earlier is not None:
        return None if earlier[0] == said else _different(given)
    if given.barcode in standing.taken or given.barcode in barcodes:
        return BarcodeTaken(came=given.barcode, where="barcode")
    if given.person_id is not None and given.person_id not in standing.known_people:
        return NotFound(came=str(given.person_id), where="person_id")
    if given.campaign_id is not None and given.campaign_id not in standing.campaigns:
        fault = {"pointer": "#/campaign_id", "detail": "nothing here has this id"}
        return InvalidBody(errors=[fault], where="body", came=str(given.campaign_id))
    for area in (given.person.area, given.person.work_area) if given.person else ():
        if area is not None and area not in standing.areas:
            return UnknownUnit(came=f"{area.code} of scheme {area.scheme}", where="area")
    return None


def _different(given: Registration) -> Refusal:
    return DifferentBody(
        came=f"other content under specimen_id {given.specimen_id}", where="specimen_id"
    )


def _whose(given: Registration, standing: _Standing) -> tuple[UUID, bool]:
    if given.person_id is not None:
        return standing.known_people[given.person_id], False
    national_id = given.person.national_id if given.person else None
    if national_id is None:
        return uuid7(), True
    known = standing.by_national_id.get(national_id)
    if known is not None:
        return known, False
    return standing.by_national_id.setdefault(national_id, uuid7()), True


_CONFLICTS = text("""
WITH card AS (
    SELECT g.*, p.name_key AS first_key FROM unnest(
        cast(:specimen_id AS uuid[]), cast(:person_id AS uuid[]), cast(:name AS text[]),
        cast(:name_key AS text[]), cast(:birth_year AS int[]), cast(:birth_date AS date[]),
        cast(:sex AS text[]), cast(:phone AS text[]), cast(:household_id AS uuid[]),
        cast(:address AS text[]), cast(:area_scheme AS text[]), cast(:area_code AS text[]),
        cast(:work_area_scheme AS text[]), cast(:work_area_code AS text[])
    ) AS g(specimen_id, person_id, name, name_key, birth_year, birth_date, sex, phone, household_id,
           address, area_scheme, area_code, work_area_scheme, work_area_code)
    JOIN person p ON p.id = g.person_id
    WHERE p.name_key <> g.name_key OR p.birth_year <> g.birth_year
), flagged AS (
    UPDATE person SET identity_conflict =
        CASE WHEN card.name_key <> card.first_key THEN 'name' ELSE 'birth_year' END
    FROM card WHERE person.id = card.person_id
)
INSERT INTO card_doubt (id, site_id, specimen_id, person_id, name, name_key, birth_year, birth_date,
                        sex, phone, household_id, address, area_scheme, area_code,
                        work_area_scheme, work_area_code, created_at)
SELECT mint_uuid7(:now), :site_id, specimen_id, person_id, name, name_key, birth_year, birth_date,
       sex, phone, household_id, address, area_scheme, area_code, work_area_scheme, work_area_code,
       :now
FROM card
""")

_RESWABBED = text("""
UPDATE recollection r SET state = 'done', done_specimen_id = g.specimen, ended_at = :now
FROM unnest(cast(:person AS uuid[]), cast(:specimen AS uuid[])) AS g(person, specimen)
WHERE r.person_id = g.person AND r.state = 'open'
""")


def _insert(
    session: Session,
    fresh: Sequence[_Row],
    site_id: UUID,
    *,
    by: str,
    now: datetime,
    import_job_id: UUID | None,
) -> None:
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="register_batch",
        subject=str(fresh[0].given.specimen_id),
        now=now,
        rows=len(fresh),
    )
    newcomers = {r.person_id: r.given.person for r in fresh if r.newcomer and r.given.person}
    copy_people(session, newcomers, site_id=site_id, now=now)
    tubes = [SwabInTube(uuid7(), r.person_id, r.said, r.given) for r in fresh]
    copy_swabs(session, tubes, site_id=site_id, by=by, now=now, import_job_id=import_job_id)
    known = [r for r in fresh if not r.newcomer or r.given.person is not newcomers[r.person_id]]
    if not known:
        return
    met_again = [r for r in known if r.given.person is not None]
    if met_again:
        cards = _columns(_claimed(r) for r in met_again)
        session.execute(_CONFLICTS, cards | {"site_id": site_id, "now": now})
        follow_newest_contact(
            session,
            [
                (r.person_id, r.given.collected_at, r.given.person)
                for r in met_again
                if r.given.person is not None
            ],
        )
    reswabbed = _columns({"person": r.person_id, "specimen": r.given.specimen_id} for r in known)
    session.execute(_RESWABBED, reswabbed | {"now": now})


def _claimed(row: _Row) -> dict[str, object]:
    person = row.given.person or PersonGiven(name="", name_key="")
    swab = {"specimen_id": row.given.specimen_id, "person_id": row.person_id}
    return swab | person_columns(person)


def _columns(rows: Iterable[dict[str, object]]) -> dict[str, Any]:
    listed = list(rows)
    return {name: [row[name] for row in listed] for name in listed[0]}
