"""The zones of a laboratory: how many people belong to each, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.zones import ZoneKind


@dataclass(frozen=True, slots=True)
class ZoneLine:
    """A zone, who belongs to it by word, and the teams that are told."""

    zone_id: UUID
    name: str
    kind: ZoneKind
    residents: int
    workers: int
    campaigns: int
    teams: Sequence[str]
    created_at: datetime
    closed_at: datetime | None


def zones(session: Session, *, site_id: UUID) -> Sequence[ZoneLine]:
    """The open first, by name."""
    return [
        ZoneLine(
            row.id,
            row.name,
            ZoneKind(row.kind),
            row.residents,
            row.workers,
            row.campaigns,
            tuple(row.teams or ()),
            row.created_at,
            row.closed_at,
        )
        for row in session.execute(_ZONES, {"site": site_id})
    ]


def open_zones(session: Session, *, site_id: UUID) -> Sequence[tuple[UUID, str]]:
    """Those that a form may offer, by name."""
    rows = session.execute(
        text(
            "SELECT id, name FROM zone WHERE site_id = :site AND closed_at IS NULL"
            " ORDER BY name_key"
        ),
        {"site": site_id},
    )
    return [(row.id, row.name) for row in rows]


_ZONES = text("""
SELECT z.id, z.name, z.kind, z.created_at, z.closed_at,
       count(DISTINCT who.id) FILTER (WHERE p.tie = 'resident') AS residents,
       count(DISTINCT who.id) FILTER (WHERE p.tie = 'worker') AS workers,
       (SELECT count(*) FROM campaign c WHERE c.zone_id = z.id) AS campaigns,
       (SELECT array_agg(DISTINCT t.name ORDER BY t.name)
        FROM subscription s JOIN team t ON t.id = s.team_id
        WHERE s.zone_id = z.id AND s.disabled_at IS NULL) AS teams
FROM zone z LEFT JOIN person_zone p ON p.zone_id = z.id AND p.ended_at IS NULL
LEFT JOIN LATERAL (SELECT coalesce(c.merged_into_id, c.id) AS id FROM person c
                   WHERE c.id = p.person_id) who ON true
WHERE z.site_id = :site
GROUP BY z.id ORDER BY z.closed_at IS NOT NULL, z.name_key
""")
