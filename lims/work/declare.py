"""Keep what people declared elsewhere: the newest version of each, and what could not be read.

A page is a handful of statements however many people stand on it. A version that is not newer than
the one kept changes nothing, so pages may come again and in any order.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.db.terse import terse
from lims.domain.declarations import (
    DeclarationKind,
    DeclaredOne,
    Entry,
    Unread,
)
from lims.domain.refusals import NotFound
from lims.tables import DeclarationFault
from lims.work.areas import SCHEME
from lims.work.audit import record


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of some entries: new versions taken, and how many could not be read."""

    taken: int
    unread: int


def keep_declarations(
    session: Session,
    destination_id: UUID,
    entries: Iterable[Entry],
    unread: Sequence[Unread],
    *,
    site_id: UUID,
    now: datetime,
) -> Kept:
    """Take the newest version of each, and list what could not be read with its reasons."""
    newest: dict[UUID, Entry] = {}
    for entry in entries:
        had = newest.get(entry.subject_id)
        if had is None or had.version < entry.version:
            newest[entry.subject_id] = entry
    about = {"destination": destination_id, "site": site_id, "now": now}
    taken: dict[UUID, UUID] = {}
    if newest:
        rows = rows_as_json([_declaration(one) for one in newest.values()])
        kept = session.execute(_KEEP, about | {"rows": rows, "present": SCHEME})
        taken = {row.subject_id: row.id for row in kept}
    if taken:
        people = [
            _person(declaration_id, one)
            for subject, declaration_id in taken.items()
            for one in newest[subject].people
        ]
        session.execute(_GONE, {"declarations": list(taken.values()), "rows": rows_as_json(people)})
        if people:
            session.execute(_PEOPLE, about | {"rows": rows_as_json(people)})
    if unread:
        session.execute(_UNREAD, about | {"rows": rows_as_json([_fault(one) for one in unread])})
    if newest:
        session.execute(_READ_NOW, about | {"subjects": list(newest)})
    return Kept(len(taken), len(unread))


def _declaration(one: Entry) -> dict[str, Any]:
    home, commune = one.home, one.home.commune
    door = home.door or home.address or one.code
    return {
        "id": uuid7(),
        "home": uuid7() if one.kind is DeclarationKind.HOUSEHOLD else None,
        "subject_id": one.subject_id,
        "version": one.version,
        "state": one.state,
        "kind": one.kind,
        "code": one.code,
        "door": home.door,
        "label": door[:200] if door else None,
        "address": home.address,
        "unit": commune.code if commune else None,
        "province": commune.province if commune else None,
        "scheme": commune.scheme if commune else None,
        "unit_keys": list(commune.keys) if commune else [],
        "came": commune.written if commune else None,
        "declared_at": one.declared_at,
    }


def _person(declaration_id: UUID, one: DeclaredOne) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "declaration_id": declaration_id,
        "member": one.member,
        "name": one.name,
        "birth_year": one.birth_year,
        "birth_date": one.birth_date,
        "sex": one.sex,
        "phone": one.phone,
        "national_id": one.national_id,
        "old_id": one.old_id,
        "qid": one.qid,
        "symptoms": list(one.symptoms),
        "exposure": one.exposure,
    }


def _fault(one: Unread) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "digest": hashlib.sha256(one.written.encode()).hexdigest(),
        "subject_id": one.subject_id,
        "version": one.version,
        "entry": one.written,
        "faults": [{"at": wrong.pointer, "fault": wrong.fault.name} for wrong in one.wrong],
    }


# A commune is today's when its scheme is, or when code, name and province agree with today's
# (doubt_address.py): a bare code may be another commune's since 2025. The door of a household is
# written with it, since whoever is swabbed there lives behind it.
_KEEP = terse("""
WITH g AS (
    SELECT * FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
        id uuid, home uuid, subject_id uuid, version int, state text, kind text, code text,
        door text, label text, address text, unit text, province text, scheme text,
        unit_keys text[], came text, declared_at timestamptz)
), fresh AS (
    SELECT g.*, coalesce(d.household_id, g.home) AS household_id, a.scheme AS area_scheme,
           a.code AS area_code, CASE WHEN a.code IS NULL THEN g.came END AS commune_came
    FROM g LEFT JOIN declaration d
      ON d.destination_id = :destination AND d.subject_id = g.subject_id
    LEFT JOIN area a ON a.scheme = :present AND a.code = g.unit AND a.level = 'ward'
     AND (g.scheme = :present
          OR a.name_key = ANY(g.unit_keys)
             AND (g.province = a.parent_code OR g.province IS NULL AND g.scheme IS NULL))
    WHERE d.version IS NULL OR d.version < g.version
), home AS (
    INSERT INTO household (id, site_id, label, address, area_scheme, area_code, created_at)
    SELECT household_id, :site, label, address, area_scheme, area_code, :now
    FROM fresh WHERE kind = 'household'
    ON CONFLICT (id) DO UPDATE SET label = excluded.label, address = excluded.address,
        area_scheme = excluded.area_scheme, area_code = excluded.area_code
)
INSERT INTO declaration AS had (id, site_id, destination_id, subject_id, version, state, kind, code,
    household_id, door, address, area_scheme, area_code, commune_came, declared_at, taken_at)
SELECT id, :site, :destination, subject_id, version, state, kind, code, household_id, door, address,
       area_scheme, area_code, commune_came, declared_at, :now
FROM fresh ORDER BY subject_id
ON CONFLICT (destination_id, subject_id) DO UPDATE SET version = excluded.version,
    state = excluded.state, kind = excluded.kind, code = excluded.code,
    household_id = coalesce(had.household_id, excluded.household_id), door = excluded.door,
    address = excluded.address, area_scheme = excluded.area_scheme, area_code = excluded.area_code,
    commune_came = excluded.commune_came, declared_at = excluded.declared_at,
    taken_at = excluded.taken_at, forgotten_at = NULL
WHERE had.version < excluded.version
RETURNING id, subject_id
""")

_GONE = text("""
DELETE FROM declared_person p
WHERE p.declaration_id = ANY(:declarations) AND NOT EXISTS (
    SELECT FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(declaration_id uuid, member text)
    WHERE g.declaration_id = p.declaration_id AND g.member = p.member)
""")

# Who came for a swab already stays known as such, whatever a later version mends about them.
_PEOPLE = terse("""
INSERT INTO declared_person (id, site_id, declaration_id, member, name, birth_year, birth_date, sex,
    phone, national_id, old_id, qid, symptoms, exposure)
SELECT g.id, :site, g.declaration_id, g.member, g.name, g.birth_year, g.birth_date, g.sex, g.phone,
       g.national_id, g.old_id, g.qid, g.symptoms, g.exposure
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, declaration_id uuid, member text, name text, birth_year int, birth_date date, sex text,
    phone text, national_id text, old_id text, qid text, symptoms jsonb, exposure text)
ON CONFLICT (declaration_id, member) DO UPDATE SET name = excluded.name,
    birth_year = excluded.birth_year, birth_date = excluded.birth_date, sex = excluded.sex,
    phone = excluded.phone, national_id = excluded.national_id, old_id = excluded.old_id,
    qid = excluded.qid, symptoms = excluded.symptoms, exposure = excluded.exposure
""")

# What was read since, in this version or a later one, is no fault when it comes again.
_UNREAD = text("""
INSERT INTO declaration_fault (id, site_id, destination_id, digest, subject_id, version, entry,
                               faults, seen_at)
SELECT g.id, :site, :destination, g.digest, g.subject_id, g.version, g.entry, g.faults, :now
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, digest text, subject_id uuid, version int, entry text, faults jsonb)
WHERE NOT EXISTS (SELECT FROM declaration d WHERE d.destination_id = :destination
                  AND d.subject_id = g.subject_id AND d.version >= g.version)
ON CONFLICT (destination_id, digest) DO NOTHING
""")

_READ_NOW = text("""
UPDATE declaration_fault f SET settled_at = :now, settled_by = 'exchange', entry = NULL
FROM declaration d
WHERE d.destination_id = :destination AND d.subject_id = ANY(:subjects)
  AND f.destination_id = d.destination_id AND f.subject_id = d.subject_id
  AND f.version <= d.version AND f.settled_at IS NULL
""")


def settle_fault(
    session: Session, fault_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Somebody dealt with what could not be read; its words go, that it came stays. Twice is once.

    Raises NotFound.
    """
    found = session.get(DeclarationFault, fault_id, with_for_update=True)
    if found is None or found.site_id != site_id:
        raise NotFound(came=str(fault_id), where="declaration faults")
    if found.settled_at is not None:
        return
    found.settled_at, found.settled_by, found.entry = now, by, None
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="declaration-fault-settled",
        subject=str(fault_id),
        now=now,
        declaration=str(found.subject_id) if found.subject_id else None,
    )
    session.flush()


def came(session: Session, swabs: Mapping[UUID, UUID], *, site_id: UUID) -> None:
    """Who was expected has come: the declared person, and the swab that they came for.

    Somebody known here of no door is of the declared one from now on; not where the card is in
    doubt, for then whose swab it is has still to be found out.
    """
    if swabs:
        session.execute(
            _CAME,
            {"declared": list(swabs), "swabs": list(swabs.values()), "site": site_id},
        )


_CAME = text("""
WITH here AS (
    UPDATE declared_person p SET specimen_id = g.swab
    FROM unnest(cast(:declared AS uuid[]), cast(:swabs AS uuid[])) g(id, swab)
    WHERE p.id = g.id AND p.site_id = :site
    RETURNING p.declaration_id, p.specimen_id
)
UPDATE person SET household_id = d.household_id
FROM here JOIN declaration d ON d.id = here.declaration_id
JOIN specimen s ON s.id = here.specimen_id
WHERE person.id = s.person_id AND person.household_id IS NULL AND d.household_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM card_doubt c WHERE c.specimen_id = s.id AND c.decided_at IS NULL)
""")
