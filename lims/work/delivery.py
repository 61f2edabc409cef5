"""What an attempt to hand a notice over came to, and what follows from it. No network here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import NOTICE_MOVES, NoticeState, move
from lims.domain.retries import RetryPlan
from lims.tables import Delivery, Notice, Subscription
from lims.work import audit, live

DELIVERER = "deliverer"
LONGEST_ERROR = 300
# A notice is pulled forward with its receiver's first success, unless it failed this lately:
# then it may be the one notice that this receiver cannot take.
_TRIED_LATELY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one sending: a status code, or an error when no answer came at all."""

    status_code: int | None
    error: str | None
    took_ms: int
    retry_after_s: float | None = None

    @property
    def accepted(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def gone(self) -> bool:
        """410: the receiver asks to be told no more (Standard Webhooks)."""
        return self.status_code == 410

    @property
    def slow_down(self) -> bool:
        return self.status_code in {429, 503} and self.retry_after_s is not None


def settle(
    session: Session,
    notice_id: UUID,
    attempt: Attempt,
    now: datetime,
    *,
    plan: RetryPlan,
    rng: Random,
) -> NoticeState:
    """Write the attempt down and move the notice on.

    A late answer about a notice that another deliverer has settled meanwhile is still recorded;
    it moves the notice only if it says delivered.
    """
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    if attempt.accepted and notice.state == NoticeState.OWED:
        return _delivered_at_once(session, notice, attempt, now)
    _record(session, notice_id, attempt, now)
    match NoticeState(notice.state):
        case NoticeState.OWED:
            notice.attempts += 1
            notice.leased_until = None
            _judge(session, notice, attempt, now, plan=plan, rng=rng)
        case NoticeState.DEAD if attempt.accepted:
            _move(notice, NoticeState.OWED)
            _delivered(session, notice, now)
        case _:
            pass
    session.flush()
    return NoticeState(notice.state)


def _delivered_at_once(
    session: Session, notice: Notice, attempt: Attempt, now: datetime
) -> NoticeState:
    """What nearly every attempt comes to, in one statement: of a wave of results, hundreds of
    notices are told within the same seconds. The notice is locked already: who counts its attempts
    in the statement that waits for its row does not see those of the one it waited for."""
    delivered = move(
        NOTICE_MOVES, NoticeState(notice.state), NoticeState.DELIVERED, what=f"notice {notice.id}"
    )
    values = {
        "notice": notice.id,
        "delivery": uuid7(),
        "status_code": attempt.status_code,
        "took_ms": attempt.took_ms,
        "now": now,
        "lately": now - _TRIED_LATELY,
    }
    session.execute(_DELIVERED, values)
    session.expire(notice)
    return delivered


# One with itself in _record, _move and _pull_forward, which is the way of everything else.
_DELIVERED = text("""
WITH told AS (
    UPDATE notice SET state = 'delivered', delivered_at = :now, attempts = attempts + 1,
                      leased_until = NULL
    WHERE id = :notice RETURNING id, subscription_id
), kept AS (
    INSERT INTO delivery (id, notice_id, attempt, at, status_code, took_ms)
    SELECT :delivery, told.id,
           1 + (SELECT coalesce(max(attempt), 0) FROM delivery WHERE notice_id = told.id),
           :now, :status_code, :took_ms
    FROM told
), forward AS (
    UPDATE notice n SET next_attempt_at = :now
    FROM told WHERE n.subscription_id = told.subscription_id AND n.id <> told.id
      AND n.state = 'owed' AND n.attempts > 0 AND n.next_attempt_at > :now
      AND NOT EXISTS (SELECT FROM delivery d WHERE d.notice_id = n.id AND d.at > :lately)
)
SELECT id FROM told
""")


def _judge(
    session: Session,
    notice: Notice,
    attempt: Attempt,
    now: datetime,
    *,
    plan: RetryPlan,
    rng: Random,
) -> None:
    if attempt.accepted:
        _delivered(session, notice, now)
        return
    if attempt.gone:
        _disable(session, notice.subscription_id, now)
        _bury(session, notice)
        return
    wait_s = plan.wait_s(notice.attempts, rng, attempt.retry_after_s)
    if wait_s is None:
        _bury(session, notice)
        return
    notice.next_attempt_at = now + timedelta(seconds=wait_s)
    if attempt.slow_down:
        _hold_back(session, notice, notice.next_attempt_at)


def _delivered(session: Session, notice: Notice, now: datetime) -> None:
    _move(notice, NoticeState.DELIVERED)
    notice.delivered_at = now
    session.flush()
    _pull_forward(session, notice.subscription_id, now)


def _bury(session: Session, notice: Notice) -> None:
    _move(notice, NoticeState.DEAD)
    session.flush()
    live.ring(session, "notice.dead", case_id=notice.case_id, pool_id=notice.pool_id)


def _move(notice: Notice, wanted: NoticeState) -> None:
    notice.state = move(NOTICE_MOVES, NoticeState(notice.state), wanted, what=f"notice {notice.id}")


def _record(session: Session, notice_id: UUID, attempt: Attempt, now: datetime) -> None:
    tried = session.scalar(
        select(func.coalesce(func.max(Delivery.attempt), 0)).where(Delivery.notice_id == notice_id)
    )
    session.add(
        Delivery(
            notice_id=notice_id,
            attempt=(tried or 0) + 1,
            at=now,
            status_code=attempt.status_code,
            error=_kept(attempt.error),
            took_ms=attempt.took_ms,
        )
    )


def _kept(error: str | None) -> str | None:
    """What a receiver answers is its business: a little of it, and no NUL (PostgreSQL has none)."""
    return None if error is None else error.replace("\x00", "\ufffd")[:LONGEST_ERROR]


def _disable(session: Session, subscription_id: UUID, now: datetime) -> None:
    subscription = session.get_one(Subscription, subscription_id, with_for_update=True)
    if subscription.disabled_at is not None:
        return
    subscription.disabled_at = now
    subscription.disabled_why = "The receiver answered 410 Gone: it asks to be told no more."
    audit.record(
        session,
        site_id=subscription.site_id,
        actor=DELIVERER,
        verb="subscription-disabled",
        subject=str(subscription_id),
        now=now,
        why=subscription.disabled_why,
    )


def _pull_forward(session: Session, subscription_id: UUID, now: datetime) -> None:
    """The receiver answers again, so what waits for its next hour need not (S22)."""
    lately = (
        select(Delivery.id)
        .where(Delivery.notice_id == Notice.id, Delivery.at > now - _TRIED_LATELY)
        .exists()
    )
    session.execute(
        update(Notice)
        .where(
            Notice.subscription_id == subscription_id,
            Notice.state == NoticeState.OWED,
            Notice.attempts > 0,
            Notice.next_attempt_at > now,
            ~lately,
        )
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


def _hold_back(session: Session, notice: Notice, until: datetime) -> None:
    """Retry-After speaks for the receiver, not for one notice."""
    session.execute(
        update(Notice)
        .where(
            Notice.subscription_id == notice.subscription_id,
            Notice.id != notice.id,
            Notice.state == NoticeState.OWED,
            Notice.next_attempt_at < until,
        )
        .values(next_attempt_at=until)
        .execution_options(synchronize_session=False)
    )
