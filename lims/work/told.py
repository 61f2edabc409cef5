"""What a team was told, in order: the pull side of the hand-off."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

PAGE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """One notice, thin: no identifier of a person."""

    notice_id: UUID
    kind: str
    case_id: UUID | None
    pool_id: UUID | None
    sequence: int
    facts: dict[str, Any]
    state: str
    owed_at: datetime


def told_since(session: Session, team_id: UUID | None, cursor: UUID | None) -> list[Told]:
    """Up to 500 notices of the team after the cursor; of every team when none is given."""
    rows = session.execute(
        text("""
SELECT n.id, n.kind, n.case_id, n.pool_id, n.sequence, n.facts, n.state, n.created_at
FROM notice n JOIN subscription s ON s.id = n.subscription_id
WHERE (cast(:team AS uuid) IS NULL OR s.team_id = cast(:team AS uuid))
  AND (cast(:cursor AS uuid) IS NULL OR n.id > cast(:cursor AS uuid))
ORDER BY n.id LIMIT :page
"""),
        {"team": team_id, "cursor": cursor, "page": PAGE},
    )
    return [
        Told(r.id, r.kind, r.case_id, r.pool_id, r.sequence, r.facts, r.state, r.created_at)
        for r in rows
    ]
