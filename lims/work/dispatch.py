"""Owed notices: lease the due ones for sending. No network here.

A lease is a time, not a state: a deliverer killed between sending and settling leaves a lease
that runs out, and the next deliverer sends the same notice again under the same id.

Every question goes recipient by recipient along `ix_notice_owed`, so that it costs as much with a
hundred thousand owed as with ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.telling import Channel
from lims.work.digests import gather
from lims.work.owed import News, Owed, in_order

# Every recipient with something owed, found by skipping along the index from one to the next.
LINES: Final = """
    line AS (
        (SELECT subscription_id AS id FROM notice WHERE state = 'owed'
         ORDER BY subscription_id LIMIT 1)
        UNION ALL
        SELECT (SELECT n.subscription_id FROM notice n
                WHERE n.state = 'owed' AND n.subscription_id > line.id
                ORDER BY n.subscription_id LIMIT 1)
        FROM line WHERE line.id IS NOT NULL)"""

# Of one case (or pool) and recipient, only the first notice still owed may go. The state is written
# so that `ix_notice_owed` cannot answer for it: after a burst, before the next ANALYZE, the planner
# walked along all that one recipient is owed for each notice (64 leased of 10,000: 140 ms).
_FIRST_IN_LINE: Final = """
    NOT EXISTS (SELECT FROM notice e
                WHERE e.subscription_id = n.subscription_id AND e.case_id = n.case_id
                  AND e.sequence < n.sequence AND e.state || '' = 'owed')
    AND NOT EXISTS (SELECT FROM notice e
                    WHERE e.subscription_id = n.subscription_id AND e.pool_id = n.pool_id
                      AND e.sequence < n.sequence AND e.state || '' = 'owed')"""

_SAID: Final = """
    n.id, n.subscription_id, n.digest_id, n.kind, n.case_id, n.pool_id, n.sequence, n.facts,
    n.created_at, n.next_attempt_at, s.channel, coalesce(s.url, s.email) AS addressee, s.secret,
    CASE WHEN s.old_secret_until > :now THEN s.old_secret END AS old_secret,
    s.rests_until IS NOT NULL AS asking"""

_LEASE = text(
    f"""
    WITH RECURSIVE {LINES}, open AS (
        SELECT s.id, CASE WHEN s.rests_until IS NULL THEN coalesce(r.room, :each) ELSE 1 END AS room
        FROM line JOIN subscription s ON s.id = line.id
        LEFT JOIN unnest(cast(:known AS uuid[]), cast(:rooms AS int[])) AS r(id, room)
          ON r.id = s.id
        WHERE s.site_id = :site AND s.channel <> 'board' AND s.disabled_at IS NULL
          AND s.gather_s IS NULL AND (s.rests_until IS NULL OR s.rests_until <= :now)),
    waiting AS (
        SELECT first.id, first.next_attempt_at, row_number() OVER (
                   PARTITION BY open.id ORDER BY first.next_attempt_at, first.id) AS turn
        FROM open CROSS JOIN LATERAL (
            SELECT n.id, n.next_attempt_at FROM notice n
            WHERE n.subscription_id = open.id AND n.state = 'owed' AND n.next_attempt_at <= :now
              AND (n.leased_until IS NULL OR n.leased_until <= :now) AND n.digest_id IS NULL
              AND {_FIRST_IN_LINE}
            ORDER BY n.next_attempt_at, n.id LIMIT greatest(open.room, 0)) first),
    due AS (
        SELECT n.id FROM notice n JOIN waiting w ON w.id = n.id
        WHERE n.state = 'owed' AND (n.leased_until IS NULL OR n.leased_until <= :now)
        ORDER BY w.turn, w.next_attempt_at, n.id
        LIMIT :limit
        FOR UPDATE OF n SKIP LOCKED)
    UPDATE notice n SET leased_until = :until
    FROM due, subscription s
    WHERE n.id = due.id AND s.id = n.subscription_id
    RETURNING {_SAID}
    """  # noqa: S608 - put together from constants of this file
)

# A digest goes whole or not at all, so its own row is what is locked.
_LEASE_DIGESTS = text(
    f"""
    WITH due AS (
        SELECT d.id FROM digest d JOIN subscription s ON s.id = d.subscription_id
        WHERE d.id IN (SELECT digest_id FROM notice n
                       WHERE n.state = 'owed' AND n.digest_id IS NOT NULL
                         AND n.next_attempt_at <= :now
                         AND (n.leased_until IS NULL OR n.leased_until <= :now))
          AND s.site_id = :site AND s.disabled_at IS NULL
          AND (s.rests_until IS NULL OR s.rests_until <= :now)
        ORDER BY d.id LIMIT :limit
        FOR UPDATE OF d SKIP LOCKED)
    UPDATE notice n SET leased_until = :until
    FROM due, subscription s
    WHERE n.digest_id = due.id AND n.state = 'owed' AND s.id = n.subscription_id
      AND (n.leased_until IS NULL OR n.leased_until <= :now)
    RETURNING {_SAID}
    """  # noqa: S608 - put together from constants of this file
)

_ASKED = text(
    "UPDATE subscription SET rests_until = :until"
    " WHERE id = ANY(:asked) AND rests_until IS NOT NULL"
)

_NEXT_DUE = text(
    f"""
    WITH RECURSIVE {LINES}
    SELECT min(greatest(first.at, s.rests_until,
                        s.gathered_at + s.gather_s * interval '1 second'))
    FROM line JOIN subscription s ON s.id = line.id
    CROSS JOIN LATERAL (
        SELECT greatest(n.next_attempt_at, n.leased_until) AS at FROM notice n
        WHERE n.subscription_id = s.id AND n.state = 'owed' AND {_FIRST_IN_LINE}
        ORDER BY n.next_attempt_at, n.id LIMIT :looked_at) first
    WHERE s.site_id = :site AND s.disabled_at IS NULL
    """  # noqa: S608 - put together from constants of this file
)
# More than one recipient may have leased, so that the first that is not leased is among them.
_LOOKED_AT: Final = 300


def lease(
    session: Session,
    now: datetime,
    limit: int,
    lease_s: float,
    *,
    site_id: UUID,
    per_subscription: int = 8,
    room: Mapping[UUID, int] | None = None,
) -> list[Owed]:
    """Take up to `limit` due messages for `lease_s` seconds; no other deliverer gets them.

    Of one case or pool, a recipient's later sequence stays behind until the earlier one is
    delivered or dead. A recipient gets as many as `room` says, `per_subscription` when it says
    nothing, and one when it rests; every recipient has its first turn before any has its second.
    Only this site's notices: a hub holds replicas of other sites' and must not send them again.
    """
    known = room or {}
    given = {"now": now, "until": now + timedelta(seconds=lease_s), "site": site_id, "limit": limit}
    gather(session, now, site_id=site_id)
    together = session.execute(_LEASE_DIGESTS, given).all()
    singly = session.execute(
        _LEASE,
        given
        | {"each": per_subscription, "known": list(known), "rooms": [known[one] for one in known]},
    ).all()
    leased = [
        *(_digest(list(rows)) for _id, rows in groupby(_by_digest(together), key=_digest_id)),
        *(_single(row) for row in sorted(singly, key=lambda row: (row.next_attempt_at, row.id))),
    ]
    asked = [owed.subscription_id for owed in leased if owed.asking]
    if asked:  # nobody asks it again while we do
        session.execute(_ASKED, {"asked": asked, "until": given["until"]})
    return leased


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
    due: datetime | None = session.execute(
        _NEXT_DUE, {"site": site_id, "looked_at": _LOOKED_AT}
    ).scalar_one()
    return due


def _digest_id(row: Row[Any]) -> UUID:
    found: UUID = row.digest_id
    return found


def _by_digest(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    return sorted(rows, key=_digest_id)


def _digest(rows: Sequence[Row[Any]]) -> Owed:
    first = rows[0]
    return _owed(first, first.digest_id, in_order(map(_news, rows)), digest=True)


def _single(row: Row[Any]) -> Owed:
    return _owed(row, row.id, (_news(row),), digest=False)


def _owed(row: Row[Any], message_id: UUID, news: tuple[News, ...], *, digest: bool) -> Owed:
    return Owed(
        message_id=message_id,
        subscription_id=row.subscription_id,
        channel=Channel(row.channel),
        to=row.addressee,
        secrets=tuple(secret for secret in (row.secret, row.old_secret) if secret is not None),
        news=news,
        digest=digest,
        asking=row.asking,
    )


def _news(row: Row[Any]) -> News:
    return News(
        notice_id=row.id,
        kind=row.kind,
        case_id=row.case_id,
        pool_id=row.pool_id,
        sequence=row.sequence,
        facts=row.facts,
        created_at=row.created_at,
    )
