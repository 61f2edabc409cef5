"""Owed notices: lease the due ones for sending, show the board's. No network here.

A lease is a time, not a state: a deliverer killed between sending and settling leaves a lease
that runs out, and the next deliverer sends the same notice again under the same id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.tables import Delivery
from lims.work import live

SHOWN = "shown on the board"


@dataclass(frozen=True, slots=True)
class Owed:
    """One leased notice with all that sending needs, so that no connection is held meanwhile."""

    notice_id: UUID
    subscription_id: UUID
    kind: str
    case_id: UUID | None
    pool_id: UUID | None
    sequence: int
    facts: dict[str, Any]
    created_at: datetime
    url: str
    secret: str


# Of one case (or pool) and recipient, only the first notice still owed may go.
_FIRST_IN_LINE = """
    NOT EXISTS (SELECT FROM notice e
                WHERE e.subscription_id = n.subscription_id AND e.case_id = n.case_id
                  AND e.sequence < n.sequence AND e.state = 'owed')
    AND NOT EXISTS (SELECT FROM notice e
                    WHERE e.subscription_id = n.subscription_id AND e.pool_id = n.pool_id
                      AND e.sequence < n.sequence AND e.state = 'owed')"""

_LEASE = text(
    f"""
    WITH open AS (
        SELECT n.id, n.subscription_id,
               row_number() OVER (PARTITION BY n.subscription_id
                                  ORDER BY n.next_attempt_at, n.id) AS turn
        FROM notice n JOIN subscription s ON s.id = n.subscription_id
        WHERE n.state = 'owed' AND n.next_attempt_at <= :now AND n.site_id = :site_id
          AND (n.leased_until IS NULL OR n.leased_until <= :now)
          AND s.channel = 'webhook' AND s.disabled_at IS NULL AND {_FIRST_IN_LINE}),
    in_flight AS (
        SELECT subscription_id, count(*) AS sent FROM notice
        WHERE state = 'owed' AND leased_until > :now AND site_id = :site_id
        GROUP BY subscription_id),
    due AS (
        SELECT n.id FROM notice n
        JOIN open o ON o.id = n.id
        LEFT JOIN in_flight f ON f.subscription_id = o.subscription_id
        WHERE o.turn <= :per_subscription - coalesce(f.sent, 0)
          AND n.state = 'owed' AND (n.leased_until IS NULL OR n.leased_until <= :now)
        ORDER BY o.turn, n.next_attempt_at, n.id
        LIMIT :limit
        FOR UPDATE OF n SKIP LOCKED)
    UPDATE notice n SET leased_until = :until
    FROM due, subscription s
    WHERE n.id = due.id AND s.id = n.subscription_id
    RETURNING n.id AS notice_id, n.subscription_id, n.kind, n.case_id, n.pool_id, n.sequence,
              n.facts, n.created_at, s.url, s.secret, n.next_attempt_at
    """  # noqa: S608 - put together from constants of this file
)

_NEXT_DUE = text(
    f"""
    SELECT min(greatest(n.next_attempt_at, n.leased_until))
    FROM notice n JOIN subscription s ON s.id = n.subscription_id
    WHERE n.state = 'owed' AND n.site_id = :site_id AND s.disabled_at IS NULL
      AND {_FIRST_IN_LINE}
    """  # noqa: S608 - put together from constants of this file
)

_SHOW = text(
    """
    WITH due AS (
        SELECT n.id FROM notice n JOIN subscription s ON s.id = n.subscription_id
        WHERE n.state = 'owed' AND n.next_attempt_at <= :now AND n.site_id = :site_id
          AND s.channel = 'board' AND s.disabled_at IS NULL
        ORDER BY n.next_attempt_at, n.id LIMIT :limit FOR UPDATE OF n SKIP LOCKED),
    shown AS (
        UPDATE notice n SET state = 'delivered', delivered_at = :now, attempts = attempts + 1,
                            leased_until = NULL
        FROM due WHERE n.id = due.id
        RETURNING n.id, n.kind, n.case_id, n.pool_id)
    SELECT shown.id, shown.kind, shown.case_id, shown.pool_id, p.area_code AS area,
           (SELECT coalesce(max(attempt), 0) FROM delivery WHERE notice_id = shown.id) AS tried
    FROM shown
    LEFT JOIN f0_case c ON c.id = shown.case_id
    LEFT JOIN person p ON p.id = c.person_id
    """
)


def lease(
    session: Session,
    now: datetime,
    limit: int,
    lease_s: float,
    *,
    site_id: UUID,
    per_subscription: int = 2,
) -> list[Owed]:
    """Take up to `limit` due webhook notices for `lease_s` seconds; no other deliverer gets them.

    Of one case or pool, a recipient's later sequence stays behind until the earlier one is
    delivered or dead. At most `per_subscription` are out at once, and every recipient has its
    first turn before any has its second: a slow or dead one keeps nobody waiting.
    Only this site's notices: a hub holds replicas of other sites' and must not send them again.
    """
    rows = session.execute(
        _LEASE,
        {
            "now": now,
            "until": now + timedelta(seconds=lease_s),
            "site_id": site_id,
            "limit": limit,
            "per_subscription": per_subscription,
        },
    )
    return [_owed(row) for row in sorted(rows, key=lambda row: (row.next_attempt_at, row[0]))]


def give_back(session: Session, notices: Sequence[UUID]) -> None:
    """Leased and never sent: whoever looks next may have them at once."""
    session.execute(
        text(
            "UPDATE notice SET leased_until = NULL"
            " WHERE id = ANY(cast(:ids AS uuid[])) AND state = 'owed'"
        ),
        {"ids": list(notices)},
    )


def next_due(session: Session, *, site_id: UUID) -> datetime | None:
    """The earliest moment at which something may be sent or shown; None when nothing is owed."""
    due: datetime | None = session.execute(_NEXT_DUE, {"site_id": site_id}).scalar_one()
    return due


def show_on_board(session: Session, now: datetime, *, site_id: UUID, limit: int = 500) -> int:
    """Settle the due notices of board subscriptions: the page is the delivery. How many."""
    rows = session.execute(_SHOW, {"now": now, "site_id": site_id, "limit": limit}).all()
    session.add_all(
        Delivery(
            id=uuid7(),
            notice_id=row.id,
            attempt=row.tried + 1,
            at=now,
            status_code=None,
            error=SHOWN,
            took_ms=0,
        )
        for row in rows
    )
    for row in rows:
        live.ring(session, row.kind, case_id=row.case_id, pool_id=row.pool_id, area=row.area)
    session.flush()
    return len(rows)


def _owed(row: Row[Any]) -> Owed:
    return Owed(
        notice_id=row.notice_id,
        subscription_id=row.subscription_id,
        kind=row.kind,
        case_id=row.case_id,
        pool_id=row.pool_id,
        sequence=row.sequence,
        facts=row.facts,
        created_at=row.created_at,
        url=row.url,
        secret=row.secret,
    )
