"""Which other system is asked what is new now, and how far its pages were taken.

No network here. A system is leased whole, to one asker at a time. What a page said and the cursor
behind it are kept in one transaction, and only by whoever holds the lease and asked from where we
stand: killed anywhere, the same page is asked for again, and nothing is lost or stands twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.exchange import PULLED, DestinationKind
from lims.domain.refusals import NotFound
from lims.tables import Destination
from lims.work.audit import record
from lims.work.outbound import LONGEST_ANSWER, Leased

EVERY: Final = timedelta(minutes=1)
_AWAY_S: Final = (5.0, 15.0, 60.0, 300.0)  # between two tries of one that does not answer


class LostLease(Exception):
    """Somebody else asks it now, or somebody stopped it: what was just read is theirs to read."""


@dataclass(frozen=True, slots=True)
class Pulling:
    """A system that nobody else asks until ``leased.until``; ``cursor`` is where we stand."""

    leased: Leased
    site_id: UUID
    cursor: str | None


def lease(
    session: Session,
    now: datetime,
    lease_s: float,
    *,
    site_id: UUID,
    only: UUID | None = None,
) -> Pulling | None:
    """One that is due, the longest waiting first; ``only`` this one, due or not."""
    row = session.execute(
        _LEASE,
        {
            "now": now,
            "until": now + timedelta(seconds=lease_s),
            "site": site_id,
            "kinds": sorted(PULLED),
            "only": only,
        },
    ).one_or_none()
    if row is None:
        return None
    kind = DestinationKind(row.kind)
    leased = Leased(row.id, row.name, kind, row.address, row.options, row.leased_until)
    return Pulling(leased, site_id, row.cursor)


_LEASE = text("""
WITH next AS (
    SELECT d.id FROM destination d
    WHERE d.site_id = :site AND d.kind = ANY(:kinds) AND d.stopped_at IS NULL
      AND (d.leased_until IS NULL OR d.leased_until <= :now)
      AND (d.id = cast(:only AS uuid) OR cast(:only AS uuid) IS NULL
           AND (d.next_attempt_at IS NULL OR d.next_attempt_at <= :now))
    ORDER BY d.next_attempt_at NULLS FIRST, d.id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE destination d SET leased_until = :until FROM next WHERE d.id = next.id
RETURNING d.id, d.name, d.kind, d.address, d.options, d.leased_until, d.cursor
""")


def hold(session: Session, mine: Pulling) -> Destination:
    """The row, locked, while the lease is still ours and nobody stopped it. Raises LostLease."""
    found = session.get_one(
        Destination, mine.leased.destination_id, with_for_update=True, populate_existing=True
    )
    ours = found.leased_until == mine.leased.until and found.cursor == mine.cursor
    if not ours or found.stopped_at is not None:
        raise LostLease(mine.leased.name)
    return found


def move_on(
    session: Session, mine: Pulling, cursor: str | None, now: datetime, lease_s: float
) -> Pulling:
    """They answered, and what they said is kept in this transaction. Raises LostLease."""
    found = hold(session, mine)
    found.cursor = cursor
    found.failures, found.failing_since, found.last_error = 0, None, None
    found.answered_at = now
    found.leased_until = now + timedelta(seconds=lease_s)
    session.flush()
    leased = replace(mine.leased, until=found.leased_until)
    return replace(mine, leased=leased, cursor=cursor)


def rest(session: Session, mine: Pulling, now: datetime, *, more: bool) -> None:
    """All that was new is taken: asked again in a while. With ``more``, after the others' turn."""
    found = session.get_one(Destination, mine.leased.destination_id, with_for_update=True)
    if found.leased_until == mine.leased.until:
        found.leased_until = None
        found.next_attempt_at = now if more else now + EVERY
    session.flush()


def away(session: Session, mine: Pulling, said: str, now: datetime, *, rng: Random) -> None:
    """Nobody answered, or nothing of the contract: asked again, later and later."""
    found = session.get_one(
        Destination, mine.leased.destination_id, with_for_update=True, populate_existing=True
    )
    if found.leased_until != mine.leased.until:
        return
    found.failures += 1
    found.failing_since = found.failing_since or now
    wait_s = _AWAY_S[min(found.failures, len(_AWAY_S)) - 1] * rng.uniform(0.9, 1.1)
    found.next_attempt_at = now + timedelta(seconds=wait_s)
    found.last_error = said.replace("\x00", "\ufffd")[:LONGEST_ANSWER]
    found.leased_until = None
    session.flush()


def pull_now(session: Session, destination_id: UUID, *, by: str, now: datetime) -> None:
    """An administrator does not wait for the minute. Raises NotFound."""
    found = _pulled(session, destination_id)
    if found.stopped_at is None:
        found.next_attempt_at = now
        session.flush()
        _record(session, found, "destination-asked", by, now)


def wanted(session: Session, mine: Pulling, most: int) -> Sequence[UUID]:
    """What is to be fetched once more, some of it."""
    rows = session.execute(
        _WANTED, {"destination": mine.leased.destination_id, "most": most}
    ).scalars()
    return list(rows)


_OF_IT = "comparison_id IN (SELECT id FROM comparison WHERE destination_id = :destination)"
_WANTED = text(
    f"SELECT DISTINCT subject_id FROM comparison_gap WHERE wanted AND {_OF_IT}"  # noqa: S608 - of constants
    " ORDER BY subject_id LIMIT :most"
)
_ASKED_FOR = text(
    f"UPDATE comparison_gap SET wanted = false WHERE wanted AND {_OF_IT}"  # noqa: S608 - of constants
    " AND subject_id = ANY(:subjects)"
)


def fetched(session: Session, mine: Pulling, subjects: Sequence[UUID]) -> None:
    """They were asked for these; what they did not give shows in the next comparison."""
    session.execute(
        _ASKED_FOR, {"destination": mine.leased.destination_id, "subjects": list(subjects)}
    )


def fetch_what_is_not_here(
    session: Session, destination_id: UUID, *, by: str, now: datetime
) -> int:
    """Want what its newest comparison did not find here: how many. Raises NotFound."""
    found = _pulled(session, destination_id)
    many = len(session.execute(_WANT, {"destination": destination_id}).all())
    if many:
        found.next_attempt_at = now
        session.flush()
        _record(session, found, "declarations-wanted", by, now, records=many)
    return many


_WANT = text("""
UPDATE comparison_gap SET wanted = true
WHERE gap = 'untaken' AND comparison_id = (
    SELECT id FROM comparison WHERE destination_id = :destination AND state = 'done'
    ORDER BY asked_at DESC, id DESC LIMIT 1)
RETURNING subject_id
""")


def _pulled(session: Session, destination_id: UUID) -> Destination:
    found = session.get(Destination, destination_id, with_for_update=True)
    if found is None or found.kind not in PULLED:
        raise NotFound(came=str(destination_id), where="destinations that are pulled")
    return found


def _record(
    session: Session, about: Destination, verb: str, by: str, now: datetime, **detail: object
) -> None:
    record(
        session,
        site_id=about.site_id,
        actor=by,
        verb=verb,
        subject=str(about.id),
        now=now,
        **detail,
    )
