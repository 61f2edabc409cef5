"""Kit lots with what their strips said and what PCR said after them (discordance by lot, S19).

A lot whose positives PCR keeps refuting, or one that finds nothing where others do, is seen here
before anybody complains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import LotSource, ReadWindow
from lims.work.kit_names import is_named
from lims.work.kits import LotKnown


@dataclass(frozen=True, slots=True)
class LotSeen:
    """One lot. ``refuted``: positives whose PCR was negative; ``waiting``: no final answer yet."""

    lot_id: UUID
    kit: str
    gtin: str | None
    lot: str
    expires_on: date | None
    reads_from_min: int
    reads_to_min: int
    source: str
    tests: int
    positives: int
    invalid: int
    confirmed: int
    refuted: int

    @property
    def to_name(self) -> bool:
        """A reading brought the box's item number; what the kit is called, a person must say."""
        return self.gtin is not None and not is_named(self.kit)

    @property
    def waiting(self) -> int:
        return self.positives - self.confirmed - self.refuted

    @property
    def discordance(self) -> float | None:
        """The share of answered positives that PCR refuted (0 to 1); None before any answer."""
        answered = self.confirmed + self.refuted
        return self.refuted / answered if answered else None


_LOTS = text("""
SELECT l.id AS lot_id, k.name AS kit, k.gtin, l.lot, l.expires_on, k.reads_from_min,
       k.reads_to_min, l.source, t.tests, t.positives, t.invalid, t.confirmed, t.refuted
FROM kit_lot l JOIN kit k ON k.id = l.kit_id
CROSS JOIN LATERAL (
    SELECT count(*) AS tests,
           count(*) FILTER (WHERE r.outcome = 'positive') AS positives,
           count(*) FILTER (WHERE r.outcome = 'invalid') AS invalid,
           count(*) FILTER (WHERE f.outcome = 'positive') AS confirmed,
           count(*) FILTER (WHERE f.outcome = 'negative') AS refuted
    FROM rapid_test r
    LEFT JOIN finding f ON f.specimen_id = r.pcr_specimen_id AND f.current
                       AND f.status IN ('F', 'C')
    WHERE r.kit_lot_id = l.id
) t
WHERE l.site_id = :site
ORDER BY t.refuted DESC, l.registered_at DESC, l.id DESC LIMIT 200
""")


def kit_lots(session: Session, *, site_id: UUID) -> Sequence[LotSeen]:
    """Every lot of the site, the most refuted first, then the newest."""
    return [LotSeen(**row._mapping) for row in session.execute(_LOTS, {"site": site_id})]


_USABLE = text("""
SELECT l.id, k.name, k.gtin, l.lot, l.expires_on, k.reads_from_min, k.reads_to_min, l.source
FROM kit_lot l JOIN kit k ON k.id = l.kit_id
WHERE l.site_id = :site AND l.expires_on >= :today
ORDER BY l.registered_at DESC, l.id DESC LIMIT 50
""")


def usable_lots(session: Session, *, site_id: UUID, today: date) -> Sequence[LotKnown]:
    """Registered lots that have not expired, the newest first."""
    return [
        LotKnown(
            row.id,
            row.name,
            row.gtin,
            row.lot,
            row.expires_on,
            ReadWindow.of_minutes(row.reads_from_min, row.reads_to_min),
            LotSource(row.source),
        )
        for row in session.execute(_USABLE, {"site": site_id, "today": today})
    ]
