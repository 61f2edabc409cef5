"""Who knows of a recall: each team that was owed its corrections, and what it acknowledged.

A case counts by the first correction that a team was owed of it since the recall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class TeamTold:
    """``known`` of ``cases`` are acknowledged; ``arrived`` and ``opened``: how far the others came.
    ``last_at``: when the team said so last."""

    team_id: UUID
    team: str
    phone: str | None
    cases: int
    arrived: int
    opened: int
    known: int
    last_at: datetime | None


_TOLD: Final = text("""
WITH first AS (
    SELECT DISTINCT ON (b.team_id, n.case_id) b.team_id, n.case_id, n.sequence
    FROM recall y
    JOIN recall_finding x ON x.recall_id = y.id
    JOIN finding f ON f.id = x.finding_id
    JOIN f0_case c ON c.person_id = f.person_id
    JOIN notice n ON n.case_id = c.id AND n.kind = 'case.corrected'
     AND n.created_at >= y.recalled_at
    JOIN subscription b ON b.id = n.subscription_id
    WHERE y.id = :recall
    ORDER BY b.team_id, n.case_id, n.sequence
), told AS (
    SELECT first.team_id, first.case_id, bool_or(n.state = 'delivered') AS arrived,
           max(n.fetched_at) AS fetched_at, max(n.acknowledged_at) AS acknowledged_at
    FROM first JOIN notice n ON n.case_id = first.case_id AND n.sequence = first.sequence
    JOIN subscription b ON b.id = n.subscription_id AND b.team_id = first.team_id
    GROUP BY first.team_id, first.case_id
)
SELECT t.id AS team_id, t.name AS team, t.phone, count(*) AS cases,
       count(*) FILTER (WHERE told.arrived) AS arrived,
       count(told.fetched_at) AS opened, count(told.acknowledged_at) AS known,
       max(told.acknowledged_at) AS last_at
FROM told JOIN team t ON t.id = told.team_id
GROUP BY t.id ORDER BY count(*) = count(told.acknowledged_at), t.name
""")


def teams_told(session: Session, recall_id: UUID) -> Sequence[TeamTold]:
    """Those that do not know all of it first."""
    rows = session.execute(_TOLD, {"recall": recall_id})
    return [TeamTold(**row._mapping) for row in rows]
