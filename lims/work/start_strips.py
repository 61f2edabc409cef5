"""Drop the strips of a roster together: one timer, one kit lot, one read window (S19).

The laboratory's clock decides when it was.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import refuse_expired
from lims.domain.refusals import DifferentBody
from lims.tables import KitLot, StripTimer
from lims.work.audit import record
from lims.work.kits import VIETNAM, lot_of
from lims.work.roster import StripRunning, locked


@dataclass(frozen=True, slots=True)
class StartGiven:
    """A timer to start. Without numbers it is for everybody who waits for a strip."""

    timer_id: UUID
    roster_id: UUID
    lot_id: UUID
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The receipt: which timer, and for how many people."""

    timer_id: UUID
    number: int
    people: int
    replayed: bool


def start_timer(
    session: Session, given: StartGiven, *, site_id: UUID, by: str, now: datetime
) -> Started:
    """One strip for each person who waits for one. The same timer again changes nothing.

    Who waits: nobody with a strip that runs or that gave an answer. A strip whose window closed
    unread is missed, and its person waits again. Raises NotFound, KitExpired, DifferentBody and
    StripRunning when nobody of those numbers waits.
    """
    roster = locked(session, given.roster_id, site_id=site_id)
    earlier = session.get(StripTimer, given.timer_id)
    if earlier is not None:
        return _started_before(session, earlier, given)
    lot = lot_of(session, given.lot_id, site_id=site_id)
    refuse_expired(lot.lot, lot.expires_on, now.astimezone(VIETNAM).date())
    session.execute(_MISS, {"roster": roster.id, "now": now})
    about = {"roster": roster.id, "first": given.first, "last": given.last}
    members = list(session.execute(_WAITING, about).scalars())
    if not members:
        raise StripRunning(came=_numbers(given), where="timer")
    timer = StripTimer(
        id=given.timer_id,
        site_id=site_id,
        roster_id=roster.id,
        number=session.execute(_NEXT, {"roster": roster.id}).scalar_one(),
        kit_lot_id=lot.lot_id,
        started_at=now,
        started_by=by,
    )
    session.add(timer)
    session.flush()
    dropped = {"timer": timer.id, "roster": roster.id, "site": site_id, "now": now}
    session.execute(_DROP, dropped | {"members": members})
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="start_strips",
        subject=str(timer.id),
        now=now,
        roster_id=str(roster.id),
        people=len(members),
        kit_lot=lot.lot,
    )
    return Started(timer.id, timer.number, len(members), replayed=False)


def _started_before(session: Session, timer: StripTimer, given: StartGiven) -> Started:
    """The receipt again. A lot goes only where two became one, and its timers with it."""
    same_lot = timer.kit_lot_id == given.lot_id or session.get(KitLot, given.lot_id) is None
    if timer.roster_id != given.roster_id or not same_lot:
        raise DifferentBody(came="another timer under this id", where="timer_id")
    people = session.execute(
        text("SELECT count(*) FROM strip WHERE timer_id = :id"), {"id": timer.id}
    ).scalar_one()
    return Started(timer.id, timer.number, people, replayed=True)


def _numbers(given: StartGiven) -> str:
    return "nobody waits" if given.first is None else f"{given.first} to {given.last}"


_NEXT = text("SELECT coalesce(max(number), 0) + 1 FROM strip_timer WHERE roster_id = :roster")

_MISS = text("""
UPDATE strip s SET state = 'missed', mark = NULL
FROM strip_timer t JOIN kit_lot l ON l.id = t.kit_lot_id JOIN kit k ON k.id = l.kit_id
WHERE s.timer_id = t.id AND s.roster_id = :roster AND s.state = 'running'
  AND t.started_at + make_interval(mins => k.reads_to_min) < :now
""")

_WAITING = text("""
SELECT m.id FROM roster_member m
WHERE m.roster_id = :roster
  AND (cast(:first AS int) IS NULL OR m.position BETWEEN :first AND :last)
  AND NOT EXISTS (
    SELECT FROM strip s LEFT JOIN rapid_test r ON r.specimen_id = s.id
    WHERE s.member_id = m.id AND (s.state = 'running' OR r.outcome IN ('negative', 'positive')))
ORDER BY m.position
""")

_DROP = text("""
INSERT INTO strip (id, site_id, roster_id, timer_id, member_id, state, suspect)
SELECT mint_uuid7(:now), :site, :roster, :timer, member, 'running', false
FROM unnest(cast(:members AS uuid[])) AS g(member)
""")
