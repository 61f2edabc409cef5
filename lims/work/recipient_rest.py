"""A recipient that keeps failing rests (domain/resting.py); one that is gone is told no more.

Lock order of a settling transaction: its notices first, then the recipient, and of other notices
only those that nobody holds.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.resting import RestPlan
from lims.tables import Subscription
from lims.work import audit
from lims.work.owed import Owed

DELIVERER: Final = "deliverer"
_LONGEST_ASKED_S: Final = 24 * 3600.0


def rests(
    session: Session,
    owed: Owed,
    now: datetime,
    plan: RestPlan,
    rng: Random,
    *,
    asked_s: float | None,
) -> datetime | None:
    """Count a failure, and let the recipient rest when it is one too many or it asked for that.

    `asked_s`, a Retry-After, speaks for the recipient and not for one notice. What was on its way
    when the rest began says nothing new about it. Until when it rests, None when it does not.
    """
    recipient = session.get_one(
        Subscription, owed.subscription_id, with_for_update={"key_share": True}
    )
    if recipient.rests_until is not None and not owed.asking and asked_s is None:
        return recipient.rests_until
    recipient.failures += 1
    recipient.failing_since = recipient.failing_since or now
    rest_s = plan.rest_s(recipient.failures, rng)
    if asked_s is not None:
        rest_s = max(rest_s or 0.0, min(asked_s, _LONGEST_ASKED_S))
    if rest_s is not None:
        if recipient.rests_until is None:
            _record(session, recipient, "recipient-rests", now, failures=recipient.failures)
        recipient.rests_until = now + timedelta(seconds=rest_s)
    session.flush()
    return recipient.rests_until


def takes_again(session: Session, recipients: Collection[UUID], now: datetime) -> None:
    """They answered: whoever rested is told everything owed, from now on."""
    back = session.execute(
        text("""
        UPDATE subscription SET failures = 0, failing_since = NULL, rests_until = NULL
        FROM (SELECT id, rests_until FROM subscription
              WHERE id = ANY(:recipients) AND failures > 0
              ORDER BY id FOR NO KEY UPDATE) before
        WHERE subscription.id = before.id
        RETURNING subscription.id, subscription.site_id, before.rests_until
        """),
        {"recipients": list(recipients)},
    ).all()
    for row in back:
        if row.rests_until is not None:
            audit.record(
                session,
                site_id=row.site_id,
                actor=DELIVERER,
                verb="recipient-answers",
                subject=str(row.id),
                now=now,
            )


def gone(session: Session, subscription_id: UUID, now: datetime) -> None:
    """It answered 410: it asks to be told no more."""
    recipient = session.get_one(Subscription, subscription_id, with_for_update={"key_share": True})
    if recipient.disabled_at is not None:
        return
    recipient.disabled_at = now
    recipient.disabled_why = "The receiver answered 410 Gone: it asks to be told no more."
    _record(session, recipient, "subscription-disabled", now, why=recipient.disabled_why)
    session.flush()


def _record(
    session: Session, recipient: Subscription, verb: str, now: datetime, **detail: object
) -> None:
    audit.record(
        session,
        site_id=recipient.site_id,
        actor=DELIVERER,
        verb=verb,
        subject=str(recipient.id),
        now=now,
        **detail,
    )
