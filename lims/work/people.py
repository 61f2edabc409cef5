"""Keep people as they were given: one row a national id, a doubt where two cards disagree."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import NotFound, UnknownUnit
from lims.domain.registration import AreaRef, PersonGiven
from lims.work.newest_contact import follow_newest_contact


def keep_person(
    session: Session,
    given: PersonGiven | None,
    known_id: UUID | None,
    *,
    specimen_id: UUID,
    site_id: UUID,
    now: datetime,
) -> UUID:
    """The row of this person: the one of that id, or of that national id, or a new one.

    Another name or birth year under a known national id is kept beside the
    swab it came with and waits for a reviewer, never merged (S16). A known row is
    share-locked, so that a merge (merge.py) either waits for this swab or is seen
    here. Raises NotFound when ``known_id`` is nobody of this site.
    """
    if given is None:
        known = session.scalar(
            text(
                "SELECT coalesce(merged_into_id, id) FROM person"
                " WHERE id = :id AND site_id = :site FOR SHARE"
            ),
            {"id": known_id, "site": site_id},
        )
        if known is None:
            raise NotFound(came=str(known_id), where="person_id")
        return UUID(str(known))
    return keep_people(session, [(specimen_id, given)], site_id=site_id, now=now)[0]


def keep_people(
    session: Session,
    cards: Sequence[tuple[UUID, PersonGiven]],
    *,
    site_id: UUID,
    now: datetime,
) -> list[UUID]:
    """The same for several cards at once, each with its swab; no national id stands on two."""
    rows = [
        person_columns(given) | {"id": uuid7(), "doubt_id": uuid7(), "specimen_id": swab}
        for swab, given in cards
    ]
    values = {"rows": json.dumps(rows, default=str), "site_id": site_id, "now": now}
    kept = {row.national_id: row.id for row in session.execute(_PEOPLE, values)}
    people = [kept[row["national_id"]] if row["national_id"] else row["id"] for row in rows]
    met_again = [
        (person_id, now, given)
        for person_id, row, (_, given) in zip(people, rows, cards, strict=True)
        if person_id != row["id"]
    ]
    follow_newest_contact(session, met_again)
    return people


# Rows are taken in the order of their numbers, so that two families do not deadlock.
_PEOPLE = text("""
WITH g AS (
    SELECT * FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
        id uuid, doubt_id uuid, specimen_id uuid, name text, name_key text, birth_year int,
        birth_date date, sex text, phone text, national_id text, old_id text, household_id uuid,
        address text, area_scheme text, area_code text, work_area_scheme text, work_area_code text)
), kept AS (
INSERT INTO person (id, site_id, name, name_key, birth_year, birth_date, sex, phone, national_id,
                    old_id, household_id, address, area_scheme, area_code, work_area_scheme,
                    work_area_code, created_at)
SELECT id, :site_id, name, name_key, birth_year, birth_date, sex, phone, national_id, old_id,
       household_id, address, area_scheme, area_code, work_area_scheme, work_area_code, :now
FROM g ORDER BY national_id
ON CONFLICT (site_id, national_id) DO UPDATE SET
    old_id = coalesce(person.old_id, excluded.old_id),
    identity_conflict = CASE
    WHEN person.name_key <> excluded.name_key THEN 'name'
    WHEN person.birth_year <> excluded.birth_year THEN 'birth_year'
    ELSE person.identity_conflict END
RETURNING id, national_id, name_key, birth_year
), doubt AS (
INSERT INTO card_doubt (id, site_id, specimen_id, person_id, name, name_key, birth_year, birth_date,
                        sex, phone, household_id, address, area_scheme, area_code,
                        work_area_scheme, work_area_code, created_at)
SELECT g.doubt_id, :site_id, g.specimen_id, kept.id, g.name, g.name_key, g.birth_year, g.birth_date,
       g.sex, g.phone, g.household_id, g.address, g.area_scheme, g.area_code, g.work_area_scheme,
       g.work_area_code, :now
FROM kept JOIN g ON g.national_id = kept.national_id
WHERE kept.name_key <> g.name_key OR kept.birth_year <> g.birth_year
)
SELECT id, national_id FROM kept
""")


def lock_people(
    session: Session,
    ids: Iterable[UUID | None],
    people: Iterable[PersonGiven | None],
    site_id: UUID,
) -> None:
    """Hold every known person that a request names, by id or by card number, until it ends.

    In id order and before anything is read of them: so does a merge (merge.py), and neither
    can wait for the other crosswise. What a merge has just moved, the number too, is read
    afterwards where it stands now; who is left of it is merged no further.
    """
    asked = {
        "ids": [one for one in ids if one],
        "numbers": [one.national_id for one in people if one and one.national_id],
    }
    if any(asked.values()):
        session.execute(_LOCK, asked | {"site": site_id})


_LOCK = text("""
SELECT p.id FROM (
    SELECT id FROM person WHERE site_id = :site AND id = ANY(cast(:ids AS uuid[]))
    UNION ALL
    SELECT id FROM person WHERE site_id = :site AND national_id = ANY(cast(:numbers AS text[]))
) asked JOIN person p ON p.id = asked.id ORDER BY p.id FOR NO KEY UPDATE OF p
""")


def doubt_too(session: Session, doubted: UUID, swab: UUID, *, now: datetime) -> None:
    """A second swab taken with the same card: whose it is hangs on the same comparison."""
    session.execute(_DOUBT_TOO, {"doubted": doubted, "swab": swab, "now": now})


_DOUBT_TOO = text("""
INSERT INTO card_doubt (id, site_id, specimen_id, person_id, name, name_key, birth_year, birth_date,
                        sex, phone, household_id, address, area_scheme, area_code,
                        work_area_scheme, work_area_code, created_at)
SELECT mint_uuid7(:now), site_id, :swab, person_id, name, name_key, birth_year, birth_date, sex,
       phone, household_id, address, area_scheme, area_code, work_area_scheme, work_area_code, :now
FROM card_doubt WHERE specimen_id = :doubted
""")


def refuse_unknown_areas(session: Session, areas: set[AreaRef]) -> None:
    """Raise UnknownUnit for the first area that its scheme does not have."""
    missing = areas - known_areas(session, areas)
    for area in sorted(missing, key=lambda a: (a.scheme, a.code)):
        raise UnknownUnit(came=f"{area.code} of scheme {area.scheme}", where="area")


def known_areas(session: Session, areas: set[AreaRef]) -> set[AreaRef]:
    """Those of the given areas that exist."""
    if not areas:
        return set()
    rows = session.execute(
        text(
            "SELECT a.scheme, a.code FROM area a"
            " JOIN unnest(cast(:s AS text[]), cast(:c AS text[])) g(s, c)"
            " ON a.scheme = g.s AND a.code = g.c"
        ),
        {"s": [a.scheme for a in areas], "c": [a.code for a in areas]},
    )
    return {AreaRef(scheme, code) for scheme, code in rows}


def person_columns(person: PersonGiven) -> dict[str, Any]:
    """A person's column values, areas spread into scheme and code."""
    home, work = person.area, person.work_area
    return {
        "name": person.name,
        "name_key": person.name_key,
        "birth_year": person.birth_year,
        "birth_date": person.birth_date,
        "sex": person.sex,
        "phone": person.phone,
        "national_id": person.national_id,
        "old_id": person.old_id,
        "household_id": person.household_id,
        "address": person.address,
        "area_scheme": home.scheme if home else None,
        "area_code": home.code if home else None,
        "work_area_scheme": work.scheme if work else None,
        "work_area_code": work.code if work else None,
    }
