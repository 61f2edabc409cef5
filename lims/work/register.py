"""Register one swab: person, specimen and tube in a single statement.

One statement, since at a street desk's pace round trips cost more than rows
(verified.md: 810/s with three statements, 1,730/s with one).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    NotFound,
    UnknownUnit,
    WasTakenBack,
)
from lims.domain.registration import PersonGiven, Registration
from lims.work.newest_contact import follow_newest_contact
from lims.work.people import person_columns

# `known` waits for a merge (merge.py) and reads the row as that left it. On one line, without a
# comment: psycopg parses a statement anew at each use when it is longer than 4,096 characters
# (tests/work/test_statements.py), and pgbench takes it so.
_WRITTEN = """
WITH earlier AS (
    SELECT s.body_digest, s.person_id FROM specimen s WHERE s.id = :specimen_id
), undone AS (
    SELECT b.specimen_id FROM taken_back b WHERE b.specimen_id = :specimen_id
), taken AS (
    SELECT t.id FROM tube t WHERE t.barcode = :barcode
), unknown AS (
    SELECT g.code || ' of scheme ' || g.scheme AS area
    FROM (VALUES (cast(:area_scheme AS text), cast(:area_code AS text)),
                 (cast(:work_area_scheme AS text), cast(:work_area_code AS text))) g(scheme, code)
    WHERE g.code IS NOT NULL
      AND NOT EXISTS (SELECT FROM area a WHERE a.scheme = g.scheme AND a.code = g.code)
), may AS (
    SELECT 1 AS go WHERE NOT EXISTS (SELECT FROM earlier) AND NOT EXISTS (SELECT FROM taken)
                     AND NOT EXISTS (SELECT FROM unknown) AND NOT EXISTS (SELECT FROM undone)
), newcomer AS (
    INSERT INTO person (id, site_id, name, name_key, birth_year, birth_date, sex, phone,
                        national_id, old_id, household_id, address, area_scheme, area_code,
                        work_area_scheme, work_area_code, created_at)
    SELECT :person_id, :site_id, :name, :name_key, :birth_year, :birth_date, :sex, :phone,
           :national_id, :old_id, :household_id, :address, :area_scheme, :area_code,
           :work_area_scheme, :work_area_code, :now
    FROM may WHERE cast(:known_person_id AS uuid) IS NULL
    ON CONFLICT (site_id, national_id) DO UPDATE SET
        old_id = coalesce(person.old_id, excluded.old_id),
        identity_conflict = CASE
            WHEN person.name_key <> excluded.name_key THEN 'name'
            WHEN person.birth_year <> excluded.birth_year THEN 'birth_year'
            ELSE person.identity_conflict END
    RETURNING id, name_key, birth_year, area_scheme, area_code, work_area_code, phone
), known AS (
    SELECT coalesce(p.merged_into_id, p.id) AS id
    FROM person p, may WHERE p.id = cast(:known_person_id AS uuid) AND p.site_id = :site_id
    FOR SHARE OF p
), whose AS (
    SELECT id FROM newcomer UNION ALL SELECT id FROM known
), swab AS (
    INSERT INTO specimen (id, site_id, person_id, campaign_id, material, collected_at,
                          registered_at, registered_by, body_digest)
    SELECT :specimen_id, :site_id, whose.id, :campaign_id, 'swab', :collected_at,
           :now, :by, :digest FROM whose
    RETURNING person_id
), doubt AS (
    INSERT INTO card_doubt (id, site_id, specimen_id, person_id, name, name_key, birth_year,
                            birth_date, sex, phone, household_id, address, area_scheme, area_code,
                            work_area_scheme, work_area_code, created_at)
    SELECT :doubt_id, :site_id, :specimen_id, n.id, :name, :name_key, :birth_year, :birth_date,
           :sex, :phone, :household_id, :address, :area_scheme, :area_code, :work_area_scheme,
           :work_area_code, :now
    FROM newcomer n
    WHERE n.name_key <> :name_key OR n.birth_year <> cast(:birth_year AS int)
), plastic AS (
    INSERT INTO tube (id, site_id, barcode, kind, state, campaign_id, assay_code, capacity,
                      created_at, created_by)
    SELECT :tube_id, :site_id, :barcode, 'individual', 'collected', :campaign_id, :assay, 1,
           :now, :by FROM swab
), inside AS (
    INSERT INTO tube_specimen (tube_id, specimen_id) SELECT :tube_id, :specimen_id FROM swab
), again AS (
    UPDATE recollection r SET state = 'done', done_specimen_id = :specimen_id, ended_at = :now
    FROM swab WHERE r.person_id = swab.person_id AND r.state = 'open'
), seen AS (
    INSERT INTO audit_event (id, site_id, at, actor, verb, subject, detail)
    SELECT :event_id, :site_id, :now, :by, 'register', :barcode,
           jsonb_build_object('specimen_id', :specimen_id) FROM swab
)
SELECT (SELECT body_digest FROM earlier) AS earlier_digest,
       (SELECT person_id FROM earlier) AS earlier_person_id,
       EXISTS (SELECT FROM taken) AS taken,
       EXISTS (SELECT FROM undone) AS undone,
       (SELECT min(area) FROM unknown) AS unknown_area,
       (SELECT person_id FROM swab) AS person_id,
       (SELECT ARRAY[area_scheme, area_code, work_area_code, phone] FROM newcomer) AS stands
"""
STATEMENT = text(" ".join(_WRITTEN.split()))


@dataclass(frozen=True, slots=True)
class Registered:
    """The receipt. ``replayed`` means that exactly this was registered before."""

    specimen_id: UUID
    person_id: UUID
    barcode: str
    replayed: bool


def register(
    session: Session | Connection, given: Registration, *, site_id: UUID, by: str, now: datetime
) -> Registered:
    """Register a swab, in the caller's transaction or, being one statement, as one of its own. Of
    somebody known who says another home now, a second one writes that, at a replay too.

    Safe to repeat with the same ``specimen_id`` and the same content.

    Raises BarcodeTaken (the tube belongs to another swab), DifferentBody (the
    id was used for other content), NotFound (no such known person), UnknownUnit
    (area code not of that scheme), WasTakenBack (a late replay of what was undone).
    """
    said = given.digest()
    row = session.execute(STATEMENT, _parameters(given, said, site_id, by, now)).one()
    if row.earlier_digest is not None:
        if row.earlier_digest != said:
            raise DifferentBody(
                came=f"other content under specimen_id {given.specimen_id}",
                where="specimen_id",
            )
        if given.person is not None:  # killed after the statement, and told again
            _follow(session, row.earlier_person_id, given, given.person)
        return Registered(given.specimen_id, row.earlier_person_id, given.barcode, replayed=True)
    if row.undone:
        raise WasTakenBack(came=f"specimen_id {given.specimen_id}", where="specimen_id")
    if row.taken:
        raise BarcodeTaken(came=given.barcode, where="barcode")
    if row.unknown_area is not None:
        raise UnknownUnit(came=row.unknown_area, where="area")
    if row.person_id is None:
        raise NotFound(
            expected="a person who is registered here", came=str(given.person_id), where="person_id"
        )
    if given.person is not None and _says_else(given.person, row.stands):
        _follow(session, row.person_id, given, given.person)
    return Registered(given.specimen_id, row.person_id, given.barcode, replayed=False)


def _follow(
    session: Session | Connection, person_id: UUID, given: Registration, said: PersonGiven
) -> None:
    follow_newest_contact(session, [(person_id, given.collected_at, said)])


def _says_else(given: PersonGiven, stands: Sequence[str | None]) -> bool:
    """Whether a card that was known before says another home, workplace or telephone now."""
    home, work = given.area, given.work_area
    said = (home and home.scheme, home and home.code, work and work.code, given.phone)
    return any(now and now != before for now, before in zip(said, stands, strict=True))


_NOBODY = PersonGiven(name="", name_key="")


def _parameters(
    given: Registration, said: str, site_id: UUID, by: str, now: datetime
) -> dict[str, object]:
    person = given.person or _NOBODY
    return {
        "specimen_id": given.specimen_id,
        "known_person_id": given.person_id,
        "person_id": uuid7(),
        "tube_id": uuid7(),
        "event_id": uuid7(),
        "doubt_id": uuid7(),
        "site_id": site_id,
        "barcode": given.barcode,
        "campaign_id": given.campaign_id,
        "assay": given.assay,
        "collected_at": given.collected_at,
        "now": now,
        "by": by,
        "digest": said,
        **person_columns(person),
    }
