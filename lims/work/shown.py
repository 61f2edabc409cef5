"""The board's notices: the page is the delivery, so that what is due is settled at once."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.tables import Delivery
from lims.work import live
from lims.work.dispatch import LINES

SHOWN: Final = "shown on the board"

_SHOW = text(
    f"""
    WITH RECURSIVE {LINES}, due AS (
        SELECT n.id FROM notice n
        WHERE n.id IN (
            SELECT first.id FROM line JOIN subscription s ON s.id = line.id
            CROSS JOIN LATERAL (
                SELECT o.id FROM notice o
                WHERE o.subscription_id = s.id AND o.state = 'owed' AND o.next_attempt_at <= :now
                ORDER BY o.next_attempt_at, o.id LIMIT :limit) first
            WHERE s.channel = 'board' AND s.disabled_at IS NULL AND s.site_id = :site
            LIMIT :limit)
          AND n.state = 'owed'
        ORDER BY n.next_attempt_at, n.id FOR UPDATE OF n SKIP LOCKED),
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
    """  # noqa: S608 - put together from constants
)


def show_on_board(session: Session, now: datetime, *, site_id: UUID, limit: int = 500) -> int:
    """Settle the due notices of board subscriptions. How many."""
    rows = session.execute(_SHOW, {"now": now, "site": site_id, "limit": limit}).all()
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
