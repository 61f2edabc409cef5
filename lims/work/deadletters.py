"""Notices that reached nobody: list them with the reason, and owe them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import NOTICE_MOVES, NoticeState, move
from lims.domain.refusals import Conflict
from lims.domain.telling import Failure
from lims.tables import Notice, Subscription


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
    failure: Failure | None
    tries: int
    last_at: datetime | None
    last_said: str
    disabled_why: str | None


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """How many did not reach one recipient for one reason; None: from before reasons were kept.

    `waiting` are still owed, to a recipient that is switched off.
    """

    subscription_id: UUID
    team: str
    receiver: str
    failure: Failure | None
    notices: int
    waiting: int
    oldest_at: datetime
    disabled_why: str | None


_UNTOLD: Final = """
    FROM notice n
    JOIN subscription s ON s.id = n.subscription_id
    JOIN team t ON t.id = s.team_id
    WHERE n.site_id = :site AND (n.state = 'dead' OR (n.state = 'owed' AND s.id IN (
        SELECT id FROM subscription WHERE disabled_at IS NOT NULL)))"""

_GROUPS = text(
    f"""
    SELECT s.id AS subscription_id, t.name AS team, coalesce(s.url, s.email) AS receiver, n.failure,
           count(*) AS notices, count(*) FILTER (WHERE n.state = 'owed') AS waiting,
           min(n.created_at) AS oldest_at, s.disabled_why
    {_UNTOLD}
    GROUP BY s.id, t.name, n.failure
    ORDER BY t.name, s.id, n.failure NULLS LAST
    """
)

_DEAD = text(
    f"""
    SELECT n.id, n.subscription_id, n.kind, n.case_id, n.pool_id, n.sequence, n.created_at,
           n.failure, t.name AS team, coalesce(s.url, s.email) AS receiver, s.disabled_why,
           coalesce(d.attempt, 0) AS tries, d.at AS last_at, d.status_code, d.error
    FROM (SELECT n.id, row_number() OVER (PARTITION BY n.subscription_id
                                          ORDER BY n.created_at, n.id) AS place
          {_UNTOLD}) untold
    JOIN notice n ON n.id = untold.id
    JOIN subscription s ON s.id = n.subscription_id
    JOIN team t ON t.id = s.team_id
    LEFT JOIN LATERAL (SELECT attempt, at, status_code, error FROM delivery
                       WHERE notice_id = n.id ORDER BY attempt DESC LIMIT 1) d ON true
    WHERE untold.place <= :each
    ORDER BY t.name, s.id, n.created_at, n.id
    """  # noqa: S608 - the same
)


def groups(session: Session, *, site_id: UUID) -> list[DeadGroup]:
    """By recipient and reason: what one deed can mend, and how much it mends."""
    return [
        DeadGroup(
            row.subscription_id,
            row.team,
            host_of(row.receiver),
            Failure(row.failure) if row.failure else None,
            row.notices,
            row.waiting,
            row.oldest_at,
            row.disabled_why,
        )
        for row in session.execute(_GROUPS, {"site": site_id})
    ]


def dead(session: Session, *, site_id: UUID, each: int = 20) -> list[DeadLetter]:
    """Of each recipient the oldest, grouped by team and recipient."""
    return [
        DeadLetter(
            notice_id=row.id,
            subscription_id=row.subscription_id,
            team=row.team,
            receiver=host_of(row.receiver),
            kind=row.kind,
            case_id=row.case_id,
            pool_id=row.pool_id,
            sequence=row.sequence,
            created_at=row.created_at,
            failure=Failure(row.failure) if row.failure else None,
            tries=row.tries,
            last_at=row.last_at,
            last_said=_said(row.status_code, row.error),
            disabled_why=row.disabled_why,
        )
        for row in session.execute(_DEAD, {"site": site_id, "each": each})
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
    if subscription_id is not None:
        recipients = {subscription_id}
    else:
        recipients = set(
            session.scalars(select(Notice.subscription_id).where(Notice.id.in_(ids)).distinct())
        )
    _refuse_disabled(session, recipients)
    return _owe_again(
        session,
        {"ids": None if subscription_id else list(ids), "subscription": subscription_id},
        by=by,
        now=now,
    )


def resend_because(
    session: Session, failure: Failure, *, site_id: UUID, by: str, now: datetime
) -> int:
    """Owe again whatever failed for this reason, to every recipient that is in use: how many.

    Those of a recipient that is switched off stay, for `subscribe.enable` to come first.
    """
    return _owe_again(session, {"failure": failure, "site": site_id}, by=by, now=now)


# A digest that was given up is no more: what it held is gathered anew, under another id, and each
# notice keeps its own.
_OWE_AGAIN = text(
    """
    WITH chosen AS (
        SELECT n.id FROM notice n JOIN subscription s ON s.id = n.subscription_id
        WHERE n.state = 'dead' AND s.disabled_at IS NULL
          AND (cast(:site AS uuid) IS NULL OR n.site_id = :site)
          AND (cast(:ids AS uuid[]) IS NULL OR n.id = ANY(cast(:ids AS uuid[])))
          AND (cast(:subscription AS uuid) IS NULL OR n.subscription_id = :subscription)
          AND (cast(:failure AS text) IS NULL OR n.failure = :failure)
        ORDER BY n.id FOR NO KEY UPDATE OF n),
    owed AS (
        UPDATE notice n SET state = :owed, attempts = 0, next_attempt_at = :now,
                            leased_until = NULL, digest_id = NULL, failure = NULL,
                            resent_at = greatest(:now, n.created_at)
        FROM chosen WHERE n.id = chosen.id RETURNING n.id, n.site_id)
    INSERT INTO audit_event (id, site_id, at, actor, verb, subject, detail)
    SELECT mint_uuid7(:now), site_id, :now, :by, 'notice-resent', id::text,
           jsonb_strip_nulls(jsonb_build_object('because', cast(:failure AS text)))
    FROM owed RETURNING id
    """
)


def _owe_again(session: Session, which: Mapping[str, object], *, by: str, now: datetime) -> int:
    owed = move(NOTICE_MOVES, NoticeState.DEAD, NoticeState.OWED, what="dead notices")
    every = {"ids": None, "subscription": None, "failure": None, "site": None}
    given = every | dict(which) | {"by": by, "now": now, "owed": owed}
    session.flush()
    n = len(session.execute(_OWE_AGAIN, given).all())
    session.expire_all()
    _wake(session)
    return n


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


def host_of(receiver: str | None) -> str:
    """Enough to know the receiver by: an address's path may hold a secret of theirs."""
    if receiver is None or "://" not in receiver:
        return receiver or ""
    return urlsplit(receiver).hostname or ""


def _said(status_code: int | None, error: str | None) -> str:
    return " ".join(str(part) for part in (status_code, error) if part is not None)
