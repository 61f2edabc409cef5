"""The provisional alerts a board shows: positive pools, and how many people still wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.views.board import Scope


@dataclass(frozen=True, slots=True)
class AlertRow:
    """A positive pool whose members wait for their own result. Counts, nobody's name."""

    pool_id: UUID
    barcode: str
    areas: str
    provisional: int
    confirmed: int
    withdrawn: int
    raised_at: datetime


# Of everybody's pools: the members themselves.
_ALL_ALERTS = text(
    """
    SELECT a.pool_id, t.barcode, min(a.raised_at) AS raised_at,
           coalesce(string_agg(DISTINCT w.full_name, ', '), '') AS areas,
           count(*) FILTER (WHERE a.state = 'provisional') AS provisional,
           count(*) FILTER (WHERE a.state = 'confirmed') AS confirmed,
           count(*) FILTER (WHERE a.state = 'withdrawn') AS withdrawn
    FROM alert_member a
    JOIN tube t ON t.id = a.pool_id
    JOIN specimen s ON s.id = a.specimen_id
    JOIN person p ON p.id = s.person_id
    LEFT JOIN area w ON w.scheme = p.area_scheme AND w.code = p.area_code
    WHERE a.site_id = :site
    GROUP BY a.pool_id, t.barcode
    HAVING count(*) FILTER (WHERE a.state = 'provisional') > 0
    ORDER BY min(a.raised_at) DESC LIMIT :limit
    """
)

# Of a team's pools: what it was last told, which counts the people of its own areas only.
_TOLD_ALERTS = text(
    """
    WITH last AS (
        SELECT DISTINCT ON (n.pool_id, b.area_scheme, b.area_code, b.zone_id)
               n.pool_id, n.facts, coalesce(w.full_name, z.name) AS area
        FROM notice n
        JOIN subscription b ON b.id = n.subscription_id
        LEFT JOIN area w ON w.scheme = b.area_scheme AND w.code = b.area_code
        LEFT JOIN zone z ON z.id = b.zone_id
        WHERE b.team_id = :team AND n.pool_id IS NOT NULL AND n.site_id = :site
        ORDER BY n.pool_id, b.area_scheme, b.area_code, b.zone_id, n.sequence DESC),
    counted AS (
        SELECT pool_id, coalesce(string_agg(area, ', '), '') AS areas,
               sum((facts->>'provisional')::int) AS provisional,
               sum((facts->>'confirmed')::int) AS confirmed,
               sum((facts->>'withdrawn')::int) AS withdrawn
        FROM last GROUP BY pool_id)
    SELECT c.*, t.barcode, (SELECT min(a.raised_at) FROM alert_member a
                            WHERE a.pool_id = c.pool_id) AS raised_at
    FROM counted c JOIN tube t ON t.id = c.pool_id
    WHERE c.provisional > 0
    ORDER BY raised_at DESC LIMIT :limit
    """
)


def alerts(session: Session, scope: Scope, *, site_id: UUID, limit: int = 50) -> Sequence[AlertRow]:
    """Positive pools with members still waiting, the latest first."""
    query = _ALL_ALERTS if scope.everything else _TOLD_ALERTS
    found = session.execute(query, {"site": site_id, "team": scope.team_id, "limit": limit})
    return [
        AlertRow(
            pool_id=row.pool_id,
            barcode=row.barcode,
            areas=row.areas,
            provisional=row.provisional,
            confirmed=row.confirmed,
            withdrawn=row.withdrawn,
            raised_at=row.raised_at,
        )
        for row in found
    ]
