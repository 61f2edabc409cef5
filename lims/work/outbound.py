"""What other systems are owed: who may send it now, what is next, and what became of it.

No network here. A destination is leased whole, to one sender at a time, so that what it is owed
arrives in order; the lease is a time, so a sender that dies loses it, and the next one sends the
same again. Which words it is owed is decided elsewhere (owe_findings.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.many import rows_as_json
from lims.domain.exchange import DestinationKind, OutboundKind, Says
from lims.domain.lifecycle import NOTICE_MOVES, NoticeState, move
from lims.domain.refusals import NotFound
from lims.domain.retries import RetryPlan
from lims.tables import Destination
from lims.work.audit import record
from lims.work.owe_findings import CHANNEL

LONGEST_ANSWER: Final = 300
_AWAY_S: Final = (5.0, 15.0, 60.0, 300.0)  # between two tries of one that does not answer


@dataclass(frozen=True, slots=True)
class Leased:
    """A destination that nobody else sends to until ``until``."""

    destination_id: UUID
    name: str
    kind: DestinationKind
    address: str
    options: dict[str, Any]
    until: datetime


@dataclass(frozen=True, slots=True)
class Owing:
    """One owed row. ``subject_id`` is what its sequence counts in: for a finding, the swab."""

    outbound_id: UUID
    kind: OutboundKind
    subject_id: UUID
    sequence: int
    says: Says
    finding_id: UUID | None
    created_at: datetime


class Came(StrEnum):
    """What a destination made of one payload."""

    TAKEN = "taken"
    NOT_NOW = "not-now"  # the same may be sent again
    NEVER = "never"  # the same again is no use: a person must look


@dataclass(frozen=True, slots=True)
class Answered:
    """One row's answer. ``said`` is the other side's own word, for a person."""

    outbound_id: UUID
    came: Came
    payload_digest: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one turn with a destination; ``away`` says why it did not answer, if so, and
    ``unanswered`` which rows it was being told when it fell silent."""

    answered: Sequence[Answered]
    away: str | None = None
    unanswered: Sequence[UUID] = ()


def lease(
    session: Session, now: datetime, lease_s: float, *, site_id: UUID, kinds: Sequence[str]
) -> Leased | None:
    """A destination with something to send now, the one that waited longest for its turn."""
    row = session.execute(
        _LEASE,
        {
            "now": now,
            "until": now + timedelta(seconds=lease_s),
            "site": site_id,
            "kinds": list(kinds),
        },
    ).one_or_none()
    if row is None:
        return None
    kind = DestinationKind(row.kind)
    return Leased(row.id, row.name, kind, row.address, row.options, row.leased_until)


# Of one subject and destination, only the first row still owed may go.
_FIRST = """
    NOT EXISTS (SELECT FROM outbound e WHERE e.subject_id = o.subject_id
                AND e.destination_id = o.destination_id AND e.sequence < o.sequence
                AND e.state = 'owed')"""

_LEASE = text(f"""
WITH next AS (
    SELECT d.id FROM destination d
    WHERE d.site_id = :site AND d.kind = ANY(:kinds) AND d.stopped_at IS NULL
      AND (d.leased_until IS NULL OR d.leased_until <= :now)
      AND (d.next_attempt_at IS NULL OR d.next_attempt_at <= :now)
      AND EXISTS (SELECT FROM outbound o WHERE o.destination_id = d.id AND o.state = 'owed'
                  AND o.next_attempt_at <= :now AND {_FIRST})
    ORDER BY greatest(d.answered_at, d.failing_since) NULLS FIRST, d.id
    LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE destination d SET leased_until = :until FROM next WHERE d.id = next.id
RETURNING d.id, d.name, d.kind, d.address, d.options, d.leased_until
""")  # noqa: S608 - put together from constants of this file


def owed_now(session: Session, leased: Leased, now: datetime, limit: int) -> list[Owing]:
    """The next rows, in the order to send them; of one subject only the first that is owed."""
    rows = session.execute(
        _OWED_NOW, {"destination": leased.destination_id, "now": now, "limit": limit}
    )
    return [
        Owing(
            row.id,
            OutboundKind(row.kind),
            row.subject_id,
            row.sequence,
            Says(row.says),
            row.finding_id,
            row.created_at,
        )
        for row in rows
    ]


_OWED_NOW = text(f"""
SELECT o.id, o.kind, o.subject_id, o.sequence, o.says, o.finding_id, o.created_at
FROM outbound o
WHERE o.destination_id = :destination AND o.state = 'owed' AND o.next_attempt_at <= :now
  AND {_FIRST}
ORDER BY o.next_attempt_at, o.id LIMIT :limit
""")  # noqa: S608 - put together from constants of this file


def settle(
    session: Session,
    leased: Leased,
    turn: Turn,
    now: datetime,
    *,
    plan: RetryPlan,
    rng: Random,
    keep_until: datetime | None = None,
) -> bool:
    """Write a turn down. The lease ends, or is kept until then; whether more may be said now.

    Answers count even of a sender whose lease ran out meanwhile: what was taken was taken.
    """
    taken = [one for one in turn.answered if one.came is Came.TAKEN]
    if taken:
        session.execute(_TAKEN, {"rows": rows_as_json(list(map(_row, taken))), "now": now})
    refused = [one for one in turn.answered if one.came is not Came.TAKEN]
    if refused:
        _refuse(session, refused, now, plan=plan, rng=rng)
    away = turn.away
    if away is None and refused and not taken and all(r.came is Came.NOT_NOW for r in refused):
        away = refused[-1].said or "takes nothing now"
    return end_turn(
        session,
        leased,
        now,
        away=away,
        heard=bool(taken) or (away is None and bool(turn.answered)),
        unanswered=turn.unanswered,
        rng=rng,
        keep_until=keep_until,
    )


def end_turn(
    session: Session,
    leased: Leased,
    now: datetime,
    *,
    away: str | None,
    heard: bool,
    rng: Random,
    unanswered: Sequence[UUID] = (),
    keep_until: datetime | None = None,
) -> bool:
    """Whether it answered (``heard``), and when it is tried again, is written down. The lease ends,
    or is kept until then; whether more may be said now."""
    destination = session.get_one(
        Destination, leased.destination_id, with_for_update=True, populate_existing=True
    )
    if heard:
        destination.failures, destination.failing_since = 0, None
        destination.last_error = destination.next_attempt_at = None
        destination.answered_at = now
    if away is not None:
        destination.failures += 1
        destination.failing_since = destination.failing_since or now
        wait_s = _AWAY_S[min(destination.failures, len(_AWAY_S)) - 1] * rng.uniform(0.9, 1.1)
        destination.next_attempt_at = now + timedelta(seconds=wait_s)
        destination.last_error = kept(away)
        session.execute(
            _STAND_BACK, {"rows": list(unanswered), "again_at": destination.next_attempt_at}
        )
    still = destination.leased_until == leased.until and destination.stopped_at is None
    if destination.leased_until == leased.until:
        destination.leased_until = keep_until if away is None and still else None
    session.flush()
    return still and away is None


# Perhaps they are what it falls over: whatever else it is owed by then goes before them.
_STAND_BACK = text("""
UPDATE outbound SET next_attempt_at = :again_at WHERE id = ANY(:rows) AND state = 'owed'
""")

_TAKEN = text("""
UPDATE outbound o SET state = 'delivered', delivered_at = :now, sent_at = :now,
       attempts = attempts + 1, payload_digest = g.digest, answer = g.said
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(id uuid, digest text, said text)
WHERE o.id = g.id AND o.state <> 'delivered'
""")


def _refuse(
    session: Session, refused: Sequence[Answered], now: datetime, *, plan: RetryPlan, rng: Random
) -> None:
    held = session.execute(
        text("SELECT id, attempts FROM outbound WHERE id = ANY(:ids) FOR UPDATE"),
        {"ids": [one.outbound_id for one in refused]},
    )
    tried: dict[UUID, int] = {row.id: row.attempts for row in held}
    rows = []
    for one in refused:
        wait_s = plan.wait_s(tried[one.outbound_id] + 1, rng) if one.came is Came.NOT_NOW else None
        dead = wait_s is None
        later = now + timedelta(seconds=wait_s or 0.0)
        state = NoticeState.DEAD if dead else NoticeState.OWED
        rows.append(_row(one) | {"state": str(state), "later": later})
    session.execute(_REFUSED, {"rows": rows_as_json(rows), "now": now})


_REFUSED = text("""
UPDATE outbound o SET state = g.state, next_attempt_at = g.later, sent_at = :now,
       attempts = attempts + 1, payload_digest = g.digest, answer = g.said
FROM jsonb_to_recordset(cast(:rows AS jsonb))
     AS g(id uuid, digest text, said text, state text, later timestamptz)
WHERE o.id = g.id AND o.state = 'owed'
""")


def _row(one: Answered) -> dict[str, object]:
    return {"id": one.outbound_id, "digest": one.payload_digest, "said": kept(one.said)}


def kept(said: str) -> str:
    """The other side's word as it is kept for a person."""
    return said.replace("\x00", "\ufffd")[:LONGEST_ANSWER]


def next_due(session: Session, *, site_id: UUID, kinds: Sequence[str]) -> datetime | None:
    """When something may be sent next; None when nothing is owed to anybody in use."""
    due: datetime | None = session.execute(
        _NEXT_DUE, {"site": site_id, "kinds": list(kinds)}
    ).scalar_one()
    return due


_NEXT_DUE = text(f"""
SELECT min(greatest(n.due, d.next_attempt_at, d.leased_until))
FROM destination d CROSS JOIN LATERAL (
    SELECT o.next_attempt_at AS due FROM outbound o
    WHERE o.destination_id = d.id AND o.state = 'owed' AND {_FIRST}
    ORDER BY o.next_attempt_at LIMIT 1) n
WHERE d.site_id = :site AND d.kind = ANY(:kinds) AND d.stopped_at IS NULL
""")  # noqa: S608 - put together from constants of this file


def send_again(session: Session, destination_id: UUID, *, by: str, now: datetime) -> int:
    """Owe a destination's dead rows again, with the whole plan before them: how many.

    Raises NotFound.
    """
    destination = session.get(Destination, destination_id)
    if destination is None:
        raise NotFound(came=str(destination_id), where="destinations")
    again = move(NOTICE_MOVES, NoticeState.DEAD, NoticeState.OWED, what="what is owed")
    moved = session.execute(
        _AGAIN, {"destination": destination_id, "state": str(again), "now": now}
    ).all()
    if moved:
        record(
            session,
            site_id=destination.site_id,
            actor=by,
            verb="outbound-resent",
            subject=str(destination_id),
            now=now,
            rows=len(moved),
        )
        session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return len(moved)


_AGAIN = text("""
UPDATE outbound SET state = :state, attempts = 0, next_attempt_at = :now
WHERE destination_id = :destination AND state = 'dead' RETURNING id
""")
