"""Put what is owed to a recipient that wants one message for a burst into one.

The first notice after a silence goes at once, in a digest of its own: an F0 never waits for
company. What is owed within the next `gather_s` seconds then goes together; a correction waits for
five minutes of them at most, and takes the others along. A digest stays what it
is until it has arrived or is given up: sent again it has the same id and holds the same, so that
whoever has it recognises it, and no later word on a case can pass it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.outcomes import NoticeKind

MOST_IN_ONE: Final = 500  # some 150 kB of JSON
CORRECTION_WAITS: Final = timedelta(minutes=5)

# One that another deliverer gathers for at this moment is left to it.
_READY = text("""
SELECT s.id FROM subscription s
WHERE s.gather_s IS NOT NULL AND s.site_id = :site AND s.disabled_at IS NULL
  AND (s.rests_until IS NULL OR s.rests_until <= :now)
  AND (s.gathered_at IS NULL OR s.gathered_at + s.gather_s * interval '1 second' <= :now
       OR s.gathered_at <= :corrected AND EXISTS (
           SELECT FROM notice n WHERE n.subscription_id = s.id AND n.state = 'owed'
             AND n.kind = :correction AND n.next_attempt_at <= :now))
  AND EXISTS (SELECT FROM notice n
              WHERE n.subscription_id = s.id AND n.state = 'owed' AND n.next_attempt_at <= :now)
FOR NO KEY UPDATE OF s SKIP LOCKED
""")

# A statement of its own, after the lock: what another gathered and sent meanwhile is seen.
_UNSENT = text("""
SELECT DISTINCT d.subscription_id FROM digest d
WHERE d.id IN (SELECT digest_id FROM notice WHERE state = 'owed' AND digest_id IS NOT NULL)
  AND d.subscription_id = ANY(:ready)
""")

_GATHER = text("""
WITH chosen AS (
    SELECT n.id, n.subscription_id, n.case_id, n.pool_id, n.sequence FROM notice n
    WHERE n.subscription_id = :subscription AND n.state = 'owed' AND n.digest_id IS NULL
      AND n.next_attempt_at <= :now AND (n.leased_until IS NULL OR n.leased_until <= :now)
      AND NOT EXISTS (SELECT FROM notice e
                      WHERE e.subscription_id = n.subscription_id AND e.state = 'owed'
                        AND (e.case_id = n.case_id OR e.pool_id = n.pool_id)
                        AND e.sequence < n.sequence AND e.leased_until > :now)
    ORDER BY n.next_attempt_at, n.id LIMIT :most),
whole AS (
    SELECT id FROM chosen
    UNION
    SELECT e.id FROM chosen c JOIN notice e
      ON e.subscription_id = c.subscription_id AND e.case_id = c.case_id
         AND e.sequence < c.sequence AND e.state = 'owed' AND e.digest_id IS NULL
    UNION
    SELECT e.id FROM chosen c JOIN notice e
      ON e.subscription_id = c.subscription_id AND e.pool_id = c.pool_id
         AND e.sequence < c.sequence AND e.state = 'owed' AND e.digest_id IS NULL),
made AS (
    INSERT INTO digest (id, site_id, subscription_id, gathered_at)
    SELECT :digest, :site, :subscription, :now WHERE EXISTS (SELECT FROM whole)
    RETURNING id),
held AS (
    UPDATE notice n SET digest_id = made.id, next_attempt_at = :now
    FROM made, whole WHERE n.id = whole.id)
UPDATE subscription SET gathered_at = :now FROM made WHERE subscription.id = :subscription
""")


def gather(session: Session, now: datetime, *, site_id: UUID) -> None:
    """Make the digests that may go now: one at a time for each recipient."""
    about = {
        "site": site_id,
        "now": now,
        "corrected": now - CORRECTION_WAITS,
        "correction": str(NoticeKind.CASE_CORRECTED),
    }
    ready = session.execute(_READY, about).scalars().all()
    if not ready:
        return
    unsent = set(session.execute(_UNSENT, {"ready": list(ready)}).scalars())
    for subscription in sorted(set(ready) - unsent):
        session.execute(
            _GATHER,
            {
                "subscription": subscription,
                "digest": uuid7(),
                "site": site_id,
                "now": now,
                "most": MOST_IN_ONE,
            },
        )
