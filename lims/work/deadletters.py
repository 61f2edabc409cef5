"""Notices that reached nobody: list them with the reason, and owe them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import NOTICE_MOVES, NoticeState, move
from lims.domain.refusals import Conflict
from lims.tables import Notice, Subscription
from lims.work import audit


class SubscriptionDisabled(Conflict):
    slug = "subscription-disabled"
    expected = "a subscription that is in use"
    todo = "ask the team for a working address, enable the subscription, then send again"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notice given up on, or one that waits for a disabled recipient to be enabled."""

    notice_id: UUID
    subscription_id: UUID
    team: str
    receiver: str
    kind: str
    case_id: UUID | None
    pool_id: UUID | None
    sequence: int
    created_at: datetime
    tries: int
    last_at: datetime | None
    last_said: str
    disabled_why: str | None


_DEAD = text(
    """
    SELECT n.id, n.subscription_id, t.name AS team, s.url, n.kind, n.case_id, n.pool_id,
           n.sequence, n.created_at, s.disabled_why,
           coalesce(d.attempt, 0) AS tries, d.at AS last_at, d.status_code, d.error
    FROM notice n
    JOIN subscription s ON s.id = n.subscription_id
    JOIN team t ON t.id = s.team_id
    LEFT JOIN LATERAL (SELECT attempt, at, status_code, error FROM delivery
                       WHERE notice_id = n.id ORDER BY attempt DESC LIMIT 1) d ON true
    WHERE n.site_id = :site_id
      AND (n.state = 'dead' OR (n.state = 'owed' AND s.disabled_at IS NOT NULL))
    ORDER BY t.name, s.id, n.created_at, n.id
    LIMIT :limit
    """
)


def dead(session: Session, *, site_id: UUID, limit: int = 200) -> list[DeadLetter]:
    """Grouped by team and recipient, the oldest first."""
    return [
        DeadLetter(
            notice_id=row.id,
            subscription_id=row.subscription_id,
            team=row.team,
            receiver=_host(row.url),
            kind=row.kind,
            case_id=row.case_id,
            pool_id=row.pool_id,
            sequence=row.sequence,
            created_at=row.created_at,
            tries=row.tries,
            last_at=row.last_at,
            last_said=_said(row.status_code, row.error),
            disabled_why=row.disabled_why,
        )
        for row in session.execute(_DEAD, {"site_id": site_id, "limit": limit})
    ]


def resend(
    session: Session,
    *,
    by: str,
    now: datetime,
    ids: Sequence[UUID] = (),
    subscription_id: UUID | None = None,
) -> int:
    """Owe dead notices again, by id or all of a subscription, with the whole plan before them.

    Returns how many. Raises SubscriptionDisabled: `subscribe.enable` comes first.
    """
    wanted = select(Notice).where(Notice.state == NoticeState.DEAD).order_by(Notice.id)
    if subscription_id is not None:
        wanted = wanted.where(Notice.subscription_id == subscription_id)
    else:
        wanted = wanted.where(Notice.id.in_(ids))
    notices = session.scalars(wanted.with_for_update()).all()
    _refuse_disabled(session, {notice.subscription_id for notice in notices})
    for notice in notices:
        notice.state = move(
            NOTICE_MOVES, NoticeState.DEAD, NoticeState.OWED, what=f"notice {notice.id}"
        )
        notice.attempts = 0
        notice.next_attempt_at = now
        audit.record(
            session,
            site_id=notice.site_id,
            actor=by,
            verb="notice-resent",
            subject=str(notice.id),
            now=now,
        )
    _wake(session)
    return len(notices)


def _wake(session: Session) -> None:
    session.flush()
    session.execute(select(func.pg_notify("notice_owed", "")))


def _refuse_disabled(session: Session, subscription_ids: set[UUID]) -> None:
    disabled = session.scalars(
        select(Subscription).where(
            Subscription.id.in_(subscription_ids), Subscription.disabled_at.is_not(None)
        )
    ).first()
    if disabled is not None:
        raise SubscriptionDisabled(
            came=f"one disabled: {disabled.disabled_why}", where=f"subscription {disabled.id}"
        )


def _host(url: str | None) -> str:
    """Enough to know the receiver by; the path may hold a secret of theirs."""
    return (urlsplit(url).hostname or "") if url else ""


def _said(status_code: int | None, error: str | None) -> str:
    return " ".join(str(part) for part in (status_code, error) if part is not None)
