"""How many of a campaign's pools were positive, by day and area; and of people tested alone."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind

SEVERAL: Final = ""  # the code of pools whose people live in more than one commune, or unknown


@dataclass(frozen=True, slots=True)
class Positivity:
    """Tubes of one kind and size that were answered first on one day, for people of one area."""

    day: date
    kind: TubeKind
    area_code: str
    area_name: str | None
    pool_size: int
    tested: int
    positive: int


# A tube counts by its own tests alone, once, and as positive if it ever was: sub-pools and members,
# which are tested because a pool was positive, would count one carrier twice. People tested alone
# are those whom no campaign pools: a fair share of a town, or only the sick; the page says which.
_POSITIVITY: Final = text("""
WITH asked AS (
    SELECT t.id, t.kind FROM tube t
    WHERE t.site_id = :site AND t.kind <> 'individual' AND t.campaign_id = :campaign
      AND t.created_at >= :since
    UNION ALL
    SELECT t.id, t.kind FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id
    WHERE t.site_id = :site AND t.kind = 'individual' AND t.received_at >= :since
      AND coalesce(c.pool_size, 1) = 1
), answered AS (
    SELECT a.id, a.kind, min(r.created_at) AS answered_at,
           bool_or(r.outcome = 'detected') AS detected
    FROM asked a
    JOIN result r ON r.tube_id = a.id AND r.current AND NOT r.held
                 AND r.outcome IN ('detected', 'not_detected')
    WHERE EXISTS (SELECT FROM test_order o WHERE o.tube_id = a.id AND o.why = 'primary')
    GROUP BY a.id, a.kind
), placed AS (
    SELECT a.kind, (a.answered_at AT TIME ZONE :zone)::date AS day, a.detected,
           m.people, CASE WHEN m.first = m.last THEN m.first END AS place
    FROM answered a CROSS JOIN LATERAL (
        SELECT count(*) AS people,
               min(coalesce(p.area_scheme || ' ' || p.area_code, '')) AS first,
               max(coalesce(p.area_scheme || ' ' || p.area_code, '')) AS last
        FROM tube_specimen ts JOIN specimen s ON s.id = ts.specimen_id
        JOIN person p ON p.id = s.person_id WHERE ts.tube_id = a.id
    ) m
)
SELECT p.day, p.kind, coalesce(home.code, '') AS area_code, home.full_name AS area_name,
       p.people AS pool_size, count(*) AS tested,
       count(*) FILTER (WHERE p.detected) AS positive
FROM placed p
LEFT JOIN area home ON p.place = home.scheme || ' ' || home.code
WHERE p.people > 0
GROUP BY p.day, p.kind, home.scheme, home.code, p.people
ORDER BY p.day, p.kind, area_code, p.people
""")


def positivity(
    session: Session, campaign_id: UUID, *, site_id: UUID, since: datetime, timezone: str
) -> tuple[Positivity, ...]:
    """Since this moment, the campaign's pools and whoever was tested alone at the site."""
    rows = session.execute(
        _POSITIVITY,
        {"site": site_id, "campaign": campaign_id, "since": since, "zone": timezone},
    )
    return tuple(Positivity(**{**row._mapping, "kind": TubeKind(row.kind)}) for row in rows)
