"""What a team was told, in order: the pull side of the hand-off."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

PAGE = 500
CLOCK_MARGIN = timedelta(seconds=1)  # between the web hosts and the database


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


# A writer has its transaction id before it mints the first notice, so ids minted by writers that
# this does not see yet come after the moment it returns.
_OLDEST_WRITER = text("""
SELECT coalesce(min(xact_start), clock_timestamp()) FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid()
""")


@dataclass(frozen=True, slots=True)
class ToldPage:
    """Notices in the order owed. Everything owed before ``complete_until`` has been shown."""

    notices: list[Told]
    complete_until: datetime


def told_since(session: Session, team_id: UUID | None, cursor: UUID | None) -> ToldPage:
    """Up to 500 notices of the team after the cursor; of every team when none is given.

    A notice is shown once no transaction that could still commit an earlier
    one is running; otherwise a cursor could step over it for ever.
    """
    complete_until: datetime = session.execute(_OLDEST_WRITER).scalar_one() - CLOCK_MARGIN
    rows = session.execute(
        text("""
SELECT n.id, n.kind, n.case_id, n.pool_id, n.sequence, n.facts, n.state, n.created_at
FROM notice n JOIN subscription s ON s.id = n.subscription_id
WHERE (cast(:team AS uuid) IS NULL OR s.team_id = cast(:team AS uuid))
  AND (cast(:cursor AS uuid) IS NULL OR n.id > cast(:cursor AS uuid))
  AND n.id < :horizon
ORDER BY n.id LIMIT :page
"""),
        {"team": team_id, "cursor": cursor, "horizon": _first_id(complete_until), "page": PAGE},
    )
    notices = [
        Told(r.id, r.kind, r.case_id, r.pool_id, r.sequence, r.facts, r.state, r.created_at)
        for r in rows
    ]
    return ToldPage(notices, complete_until)


def _first_id(at: datetime) -> UUID:
    """No UUIDv7 minted at or after this moment is smaller."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80)
