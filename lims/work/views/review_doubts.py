"""One card number, two cards: both as they were given, for a reviewer to compare (S16)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Card:
    """What one card and its desk said of a person."""

    name: str
    birth_year: int | None
    sex: str | None
    phone: str | None
    address: str | None
    area: str | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """The person whose number it is, and the card that a swab came with under that number."""

    doubt_id: UUID
    person_id: UUID
    first: Card
    second: Card
    barcode: str | None
    outcome: str | None
    since: datetime


_DOUBTS = text("""
SELECT d.id AS doubt_id, p.id AS person_id, t.barcode, f.outcome, d.created_at AS since,
       p.name, p.birth_year, p.sex, p.phone, p.address, home.full_name AS area,
       d.name AS name_2, d.birth_year AS birth_year_2, d.sex AS sex_2, d.phone AS phone_2,
       d.address AS address_2, there.full_name AS area_2
FROM card_doubt d
JOIN person p ON p.id = d.person_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN area there ON there.scheme = d.area_scheme AND there.code = d.area_code
LEFT JOIN finding f ON f.specimen_id = d.specimen_id AND f.current
LEFT JOIN LATERAL (
    SELECT tube.barcode FROM tube_specimen ts JOIN tube ON tube.id = ts.tube_id
    WHERE ts.specimen_id = d.specimen_id AND tube.kind <> 'lab_pool' LIMIT 1
) t ON true
WHERE d.site_id = :site AND d.decided_at IS NULL ORDER BY d.created_at, d.id LIMIT :most
""")


def doubts(session: Session, *, site_id: UUID) -> list[Doubt]:
    """Cards that disagree with their number's person, the longest wait first."""
    return [_doubt(row) for row in session.execute(_DOUBTS, {"site": site_id, "most": MOST})]


def _doubt(row: Row[Any]) -> Doubt:
    return Doubt(
        doubt_id=row.doubt_id,
        person_id=row.person_id,
        first=Card(row.name, row.birth_year, row.sex, row.phone, row.address, row.area),
        second=Card(
            row.name_2, row.birth_year_2, row.sex_2, row.phone_2, row.address_2, row.area_2
        ),
        barcode=row.barcode,
        outcome=row.outcome,
        since=row.since,
    )
