"""A person's file as the laboratory keeps it: swabs, findings, rapid tests, cases."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.identity import name_key
from lims.domain.refusals import NotFound
from lims.work.views.desk import KnownPerson, people_alike, person_known
from lims.work.views.tube_story import Sign


@dataclass(frozen=True, slots=True)
class SwabLine:
    """One swab and what is known of it."""

    specimen_id: UUID
    material: str
    barcode: str | None
    kind: str | None
    pool: str | None
    campaign: str | None
    collected_at: datetime
    registered_by: str
    sign: Sign
    status: str | None
    ct_cycles: float | None
    decided_at: datetime | None
    released_by: str | None
    rule: str | None
    holds: tuple[str, ...]
    recollect: str | None
    kit_lot: str | None
    finding_id: UUID | None


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One F0 case of the person."""

    case_id: UUID
    state: str
    basis: str
    opened_at: datetime
    changed_at: datetime
    team: str | None


@dataclass(frozen=True, slots=True)
class MergedRow:
    """A row that was merged with this one: which, by whom, why."""

    person_id: UUID
    name: str
    swabs: int
    merged_at: datetime
    merged_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class PersonFile:
    """Everything about one person, newest first.

    ``left`` is who is left, where this row was merged into another; ``under`` are the rows that
    were merged into this one; ``alike`` are others who may be the same person.
    """

    person: KnownPerson
    left: MergedRow | None
    under: tuple[MergedRow, ...]
    alike: tuple[KnownPerson, ...]
    swabs: tuple[SwabLine, ...]
    cases: tuple[CaseLine, ...]


_SWABS = text("""
SELECT s.id AS specimen_id, s.material, t.barcode, t.kind, pool.barcode AS pool,
       c.name AS campaign, s.collected_at, s.registered_by, coalesce(f.outcome, 'waiting') AS sign,
       f.status, f.ct_cycles, coalesce(f.released_at, f.created_at) AS decided_at, f.released_by,
       f.rule, coalesce(f.holds, '{}') AS holds,
       rc.state AS recollect, lot.lot AS kit_lot, f.id AS finding_id
FROM specimen s
LEFT JOIN tube_specimen ts ON ts.specimen_id = s.id
  AND EXISTS (SELECT FROM tube n WHERE n.id = ts.tube_id AND n.kind <> 'lab_pool')
LEFT JOIN tube t ON t.id = ts.tube_id
LEFT JOIN tube_source src ON src.source_id = t.id
LEFT JOIN tube pool ON pool.id = src.pool_id
LEFT JOIN campaign c ON c.id = s.campaign_id
LEFT JOIN finding f ON f.specimen_id = s.id AND f.current
LEFT JOIN recollection rc ON rc.specimen_id = s.id
LEFT JOIN rapid_test rt ON rt.specimen_id = s.id
LEFT JOIN kit_lot lot ON lot.id = rt.kit_lot_id
WHERE s.person_id = :person AND (t.id IS NOT NULL OR s.material = 'antigen')
ORDER BY s.collected_at DESC, s.id DESC LIMIT 200
""")

_CASES = text("""
SELECT c.id AS case_id, c.state, c.basis, c.opened_at, c.changed_at, team.name AS team
FROM f0_case c
LEFT JOIN claim ON claim.case_id = c.id AND claim.ended_at IS NULL
LEFT JOIN team ON team.id = claim.team_id
WHERE c.person_id = :person ORDER BY c.opened_at DESC
""")


_MERGED = """
SELECT p.id AS person_id, p.name, cardinality(g.moved) AS swabs, g.merged_at, g.merged_by, g.reason
FROM person_merge g JOIN person p ON p.id = g.{shown} WHERE g.{asked} = :person
AND g.undone_at IS NULL ORDER BY g.merged_at DESC
"""
_LEFT = text(_MERGED.format(shown="kept_id", asked="merged_id"))
_UNDER = text(_MERGED.format(shown="merged_id", asked="kept_id"))


def person_file(session: Session, person_id: UUID, *, site_id: UUID) -> PersonFile:
    """Raises NotFound."""
    person = person_known(session, person_id, site_id=site_id)
    if person is None:
        raise NotFound(came=str(person_id), where="people")
    about = {"person": person_id}
    left = session.execute(_LEFT, about).one_or_none()
    return PersonFile(
        person=person,
        left=MergedRow(**left._mapping) if left else None,
        under=tuple(MergedRow(**row._mapping) for row in session.execute(_UNDER, about)),
        alike=() if left else _alike(session, person, site_id=site_id),
        swabs=tuple(
            SwabLine(**{**row._mapping, "sign": Sign(row.sign), "holds": tuple(row.holds)})
            for row in session.execute(_SWABS, about)
        ),
        cases=tuple(CaseLine(**row._mapping) for row in session.execute(_CASES, about)),
    )


def _alike(session: Session, person: KnownPerson, *, site_id: UUID) -> tuple[KnownPerson, ...]:
    """Others of this name and year, near by; two card numbers are two people."""
    found = people_alike(
        session,
        site_id=site_id,
        name_key=name_key(person.name),
        birth_year=person.birth_year,
        phone=person.phone,
        area_code=person.area_code,
    )
    return tuple(
        one
        for one in found
        if one.person_id != person.person_id and not (one.national_id and person.national_id)
    )
