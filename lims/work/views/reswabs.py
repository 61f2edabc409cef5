"""The re-swab sheet: people whose tube cannot tell, door by door."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.waiting import MOST_LISTED


@dataclass(frozen=True, slots=True)
class SwabAgain:
    """One person of the sheet, and why."""

    person_id: UUID
    name: str
    birth_year: int | None
    sex: str | None
    phone: str | None
    address: str | None
    area: str | None
    barcode: str | None
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Door:
    """A household, or one person alone."""

    household_id: UUID | None
    label: str | None
    address: str | None
    area: str | None
    people: tuple[SwabAgain, ...]

    @property
    def since(self) -> datetime:
        """The longest wait behind this door."""
        return min(person.since for person in self.people)


def doors_to_visit(session: Session, *, site_id: UUID) -> tuple[Door, ...]:
    """Commune by commune, the oldest door of each first."""
    rows = session.execute(
        text("""
SELECT p.id AS person_id, p.name, p.birth_year, p.sex, p.phone, p.address,
       coalesce(home.full_name, '') AS area, r.why, r.created_at AS since,
       h.id AS household_id, h.label, h.address AS door_address, door.full_name AS door_area,
       (SELECT t.barcode FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
        WHERE ts.specimen_id = r.specimen_id AND t.kind <> 'lab_pool' LIMIT 1) AS barcode
FROM recollection r
JOIN person p ON p.id = r.person_id
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN area door ON door.scheme = h.area_scheme AND door.code = h.area_code
WHERE r.site_id = :site AND r.state = 'open'
ORDER BY r.created_at, r.id LIMIT :most
"""),
        {"site": site_id, "most": MOST_LISTED},
    ).all()
    behind: dict[UUID, list[SwabAgain]] = {}
    doors: dict[UUID, tuple[UUID | None, str | None, str | None, str | None]] = {}
    for row in rows:
        key = row.household_id or row.person_id
        area = row.door_area or row.area or None
        doors.setdefault(key, (row.household_id, row.label, row.door_address or row.address, area))
        behind.setdefault(key, []).append(
            SwabAgain(
                row.person_id,
                row.name,
                row.birth_year,
                row.sex,
                row.phone,
                row.address,
                row.area or None,
                row.barcode,
                row.why,
                row.since,
            )
        )
    found = [Door(*doors[key], people=tuple(people)) for key, people in behind.items()]
    return tuple(sorted(found, key=lambda door: (door.area or "", door.since)))
