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
           count(*) AS people,
           min(coalesce(p.area_scheme || ' ' || p.area_code, '')) AS first,
           max(coalesce(p.area_scheme || ' ' || p.area_code, '')) AS last
    FROM answered a
    JOIN tube_specimen ts ON ts.tube_id = a.id
    JOIN specimen s ON s.id = ts.specimen_id
    JOIN person p ON p.id = s.person_id
    GROUP BY a.id, a.kind, a.answered_at, a.detected
), counted AS MATERIALIZED (
    SELECT day, kind, people, CASE WHEN first = last THEN first ELSE '' END AS place,
           count(*) AS tested, count(*) FILTER (WHERE detected) AS positive
    FROM placed GROUP BY 1, 2, 3, 4
)
SELECT c.day, c.kind, coalesce(home.code, '') AS area_code, home.full_name AS area_name,
       c.people AS pool_size, c.tested, c.positive
FROM counted c LEFT JOIN area home ON c.place = home.scheme || ' ' || home.code
ORDER BY c.day, c.kind, area_code, c.people
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
