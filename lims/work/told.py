"""What a team was told, in order: the pull side of the hand-off."""

from collections.abc import Collection
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
    complete_until = complete_until_now(session)
    notices = _after(session, team_id, cursor or _NONE, before=first_id(complete_until))
    return ToldPage(notices, complete_until)


@dataclass(frozen=True, slots=True)
class ToldAtOnce:
    """Notices as soon as they can be seen. Of those up to ``safe`` none can still appear: whoever
    goes on from there misses nothing, and may meet again what it was shown beyond it."""

    notices: list[Told]
    safe: UUID


def told_at_once(
    session: Session, team_id: UUID | None, after: UUID, shown: Collection[UUID] = ()
) -> ToldAtOnce:
    """What the team was told after that id, except what was ``shown`` already, at most 500.

    A writer that began earlier and commits later brings notices with earlier ids: so the place to
    go on from is not the last notice shown but the oldest one that could still come.
    """
    horizon = first_id(complete_until_now(session))
    notices = _after(session, team_id, after, shown=shown)
    last = notices[-1].notice_id if len(notices) == PAGE else horizon
    return ToldAtOnce(notices, max(after, min(horizon, last)))


def place_now(session: Session) -> UUID:
    """From where a listener goes on that wants nothing of before."""
    return first_id(complete_until_now(session))


def complete_until_now(session: Session) -> datetime:
    oldest: datetime = session.execute(_OLDEST_WRITER).scalar_one()
    return oldest - CLOCK_MARGIN


_COLUMNS = "n.id, n.kind, n.case_id, n.pool_id, n.sequence, n.facts, n.state, n.created_at"
_AFTER = "n.id > :after AND n.id < :before AND n.id <> ALL(cast(:shown AS uuid[]))"
_OF_TEAM = text(f"""
SELECT n.* FROM subscription s CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM notice n WHERE n.subscription_id = s.id AND {_AFTER}
    ORDER BY n.id LIMIT :page) n
WHERE s.team_id = :team ORDER BY n.id LIMIT :page
""")  # noqa: S608 - constants
_OF_ALL = text(f"""
SELECT {_COLUMNS} FROM notice n WHERE {_AFTER} ORDER BY n.id LIMIT :page
""")  # noqa: S608 - constants
_NONE = UUID(int=0)
_ALL = UUID(int=(1 << 128) - 1)


def _after(
    session: Session,
    team_id: UUID | None,
    after: UUID,
    *,
    before: UUID = _ALL,
    shown: Collection[UUID] = (),
) -> list[Told]:
    given = {
        "team": team_id,
        "after": after,
        "before": before,
        "shown": list(shown),
        "page": PAGE,
    }
    rows = session.execute(_OF_ALL if team_id is None else _OF_TEAM, given)
    return [
        Told(r.id, r.kind, r.case_id, r.pool_id, r.sequence, r.facts, r.state, r.created_at)
        for r in rows
    ]


def first_id(at: datetime) -> UUID:
    """No UUIDv7 minted at or after this moment is smaller."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80)
