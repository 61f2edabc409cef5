"""The strips of the person whose tube or number was scanned, dropped or read, with their kits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.barcodes import normalise
from lims.work.kits import LotKnown, lot_of

_NUMBER: Final = 12  # digits of a national number


@dataclass(frozen=True, slots=True)
class DroppedStrip:
    """A strip of the person that is named, and the timer it was dropped with."""

    strip_id: UUID
    person_id: UUID
    member_id: UUID
    card: dict[str, Any] | None
    state: str
    mark: str | None
    exposure: str
    suspect: bool
    campaign_id: UUID | None
    started_at: datetime
    outcome: str | None
    lot: LotKnown


class NotThisStrip(Exception):
    """Why a word cannot be the reading of a strip; for the reviewer, without naming anybody."""


def strips_named(session: Session, scanned: str, *, site_id: UUID) -> list[DroppedStrip]:
    """The strips of the person whose label or number was scanned, in the order of their drops.
    Raises NotThisStrip."""
    people = _people_named(session, scanned, site_id=site_id)
    if len(people) != 1:
        raise NotThisStrip(
            "what the reader scanned names several people"
            if people
            else "what the reader scanned names nobody here"
        )
    about = {"person": people.pop(), "site": site_id}
    session.execute(_LOCK, about)
    return [
        DroppedStrip(
            **{name: value for name, value in row._mapping.items() if name != "kit_lot_id"},
            lot=lot_of(session, row.kit_lot_id, site_id=site_id),
        )
        for row in session.execute(_STRIPS, about)
    ]


def _people_named(session: Session, scanned: str, *, site_id: UUID) -> set[UUID]:
    """A chip card's code begins with the number."""
    number = scanned.strip().partition("|")[0]
    about = {
        "site": site_id,
        "barcode": normalise(scanned),
        "number": number if len(number) == _NUMBER and number.isdecimal() else None,
    }
    return set(session.execute(_PEOPLE, about).scalars())


_PEOPLE = text("""
SELECT coalesce(p.merged_into_id, p.id)
FROM tube t JOIN tube_specimen h ON h.tube_id = t.id JOIN specimen s ON s.id = h.specimen_id
JOIN person p ON p.id = s.person_id
WHERE t.barcode = :barcode AND t.site_id = :site
UNION
SELECT coalesce(p.merged_into_id, p.id) FROM person p
WHERE p.site_id = :site AND p.national_id = cast(:number AS text)
""")

_LOCK = text("""
SELECT r.id FROM roster r WHERE r.site_id = :site AND r.id IN (
    SELECT m.roster_id FROM roster_member m JOIN person p ON p.id = m.person_id
    WHERE p.id = :person OR p.merged_into_id = :person)
ORDER BY r.id FOR NO KEY UPDATE
""")

_STRIPS = text("""
SELECT s.id AS strip_id, cast(:person AS uuid) AS person_id, s.member_id, m.card, s.state, s.mark,
       coalesce(s.exposure, r.exposure) AS exposure, s.suspect, r.campaign_id, t.started_at,
       q.outcome, t.kit_lot_id
FROM person p JOIN roster_member m ON m.person_id = p.id JOIN roster r ON r.id = m.roster_id
JOIN strip s ON s.member_id = m.id JOIN strip_timer t ON t.id = s.timer_id
LEFT JOIN rapid_test q ON q.specimen_id = s.id
WHERE (p.id = :person OR p.merged_into_id = :person) AND r.site_id = :site AND s.state <> 'missed'
ORDER BY t.started_at, s.id
""")
