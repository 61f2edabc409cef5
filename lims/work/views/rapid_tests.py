"""Rapid tests as the desk sees them again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class RapidSeen:
    """One test read: whose, what it showed, and the PCR tube a positive asked for."""

    specimen_id: UUID
    person_id: UUID
    name: str
    outcome: str
    kit_lot: str
    started_at: datetime
    read_at: datetime
    pcr_barcode: str | None
    case_state: str | None
    case_basis: str | None
    told: str | None  # the teams that the case was told to

    @property
    def owes_tube(self) -> bool:
        return self.outcome == "positive" and self.pcr_barcode is None


_SEEN = """
SELECT r.specimen_id, p.id AS person_id, p.name, r.outcome, l.lot AS kit_lot, r.started_at,
       r.read_at, pcr.barcode AS pcr_barcode, c.state AS case_state, c.basis AS case_basis,
       (SELECT string_agg(DISTINCT team.name, ', ') FROM notice n
        JOIN subscription sub ON sub.id = n.subscription_id JOIN team ON team.id = sub.team_id
        WHERE n.case_id = c.id) AS told
FROM rapid_test r
JOIN kit_lot l ON l.id = r.kit_lot_id
JOIN specimen s ON s.id = r.specimen_id
JOIN person p ON p.id = s.person_id
LEFT JOIN LATERAL (
    SELECT t.barcode FROM tube_specimen ts
    JOIN tube t ON t.id = ts.tube_id AND t.kind = 'individual'
    WHERE ts.specimen_id = r.pcr_specimen_id
) pcr ON true
LEFT JOIN f0_case c ON c.person_id = p.id AND r.outcome = 'positive'
 AND c.state IN ('presumptive', 'confirmed')
"""


def rapid_test(session: Session, specimen_id: UUID, *, site_id: UUID) -> RapidSeen | None:
    """The test of this specimen, or None."""
    query = text(_SEEN + " WHERE r.specimen_id = :id AND r.site_id = :site")
    row = session.execute(query, {"id": specimen_id, "site": site_id}).one_or_none()
    return None if row is None else RapidSeen(**row._mapping)


def last_rapid_tests(
    session: Session, *, site_id: UUID, by: str, since: datetime, most: int = 8
) -> tuple[RapidSeen, ...]:
    """The last tests this person read, the newest first."""
    query = text(
        _SEEN
        + """
WHERE s.site_id = :site AND s.registered_by = :by AND starts_with(s.registered_by, 'user:')
  AND s.registered_at >= :since
ORDER BY s.registered_at DESC, s.id DESC LIMIT :most
"""
    )
    rows = session.execute(query, {"site": site_id, "by": by, "since": since, "most": most})
    return tuple(RapidSeen(**row._mapping) for row in rows)


def read_before(session: Session, specimen_id: UUID) -> datetime | None:
    """When the test of this id was read, so that a repeated form says the same."""
    found: datetime | None = session.scalar(
        text("SELECT read_at FROM rapid_test WHERE specimen_id = :id"), {"id": specimen_id}
    )
    return found
