"""The re-swab sheet: people whose tube cannot tell, door by door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session


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


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of the sheet, and how much there is in all."""

    doors: tuple[Door, ...]
    all_doors: int
    all_people: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages the sheet has."""
        return max(1, -(-self.all_doors // DOORS_A_PAGE))


@dataclass(frozen=True, slots=True)
class Road:
    """Doors to be printed, and how many more there are than paper for them."""

    doors: tuple[Door, ...]
    left_out: int


DOORS_A_PAGE: Final = 40
MOST_DOORS: Final = 10_000  # on paper: some two thousand sheets, more than anybody carries

_DOORS = text("""
WITH door AS (
    SELECT coalesce(p.household_id, p.id) AS key, min(r.created_at) AS since,
           min(coalesce(h.area_code, p.area_code, '')) AS area_code, count(*) AS people
    FROM recollection r
    JOIN person p ON p.id = r.person_id
    LEFT JOIN household h ON h.id = p.household_id
    WHERE r.site_id = :site AND r.state = 'open'
    GROUP BY 1
)
SELECT key, people, count(*) OVER () AS doors, sum(people) OVER () AS all_people
FROM door ORDER BY area_code, since, key LIMIT :most OFFSET :skipped
""")

_PEOPLE = text("""
SELECT coalesce(p.household_id, p.id) AS key, p.id AS person_id, p.name, p.birth_year, p.sex,
       p.phone, p.address, home.full_name AS area, r.why, r.created_at AS since,
       h.id AS household_id, h.label, h.address AS door_address, door.full_name AS door_area,
       (SELECT t.barcode FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
        WHERE ts.specimen_id = r.specimen_id AND t.kind <> 'lab_pool' LIMIT 1) AS barcode
FROM recollection r
JOIN person p ON p.id = r.person_id
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN area door ON door.scheme = h.area_scheme AND door.code = h.area_code
WHERE r.site_id = :site AND r.state = 'open'
  AND coalesce(p.household_id, p.id) = ANY(:keys)
ORDER BY r.created_at, r.specimen_id
""")


def reswab_sheet(session: Session, *, site_id: UUID, page: int = 1) -> Sheet:
    """One page of doors, commune by commune, the oldest of each first."""
    return _read(session, site_id, page, DOORS_A_PAGE)


def every_door(session: Session, *, site_id: UUID, most: int = MOST_DOORS) -> Road:
    """The whole road, up to `most` doors, and how many are beyond."""
    sheet = _read(session, site_id, 1, most)
    return Road(sheet.doors, sheet.all_doors - len(sheet.doors))


def _read(session: Session, site_id: UUID, page: int, doors: int) -> Sheet:
    values = {"site": site_id, "most": doors, "skipped": (page - 1) * doors}
    keys = session.execute(_DOORS, values).all()
    behind: dict[UUID, list[Row[Any]]] = {row.key: [] for row in keys}
    about = {"site": site_id, "keys": list(behind)}
    for row in session.execute(_PEOPLE, about):
        behind[row.key].append(row)
    return Sheet(
        doors=tuple(_door(rows) for rows in behind.values() if rows),
        all_doors=keys[0].doors if keys else 0,
        all_people=int(keys[0].all_people) if keys else 0,
        page=page,
    )


def _door(rows: Sequence[Row[Any]]) -> Door:
    first = rows[0]
    return Door(
        household_id=first.household_id,
        label=first.label,
        address=first.door_address or first.address,
        area=first.door_area or first.area,
        people=tuple(
            SwabAgain(
                row.person_id,
                row.name,
                row.birth_year,
                row.sex,
                row.phone,
                row.address,
                row.area,
                row.barcode,
                row.why,
                row.since,
            )
            for row in rows
        ),
    )
