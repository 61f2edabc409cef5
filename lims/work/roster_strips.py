"""The strips of a roster: started together, marked by number, read together (S19).

The laboratory's clock decides: a strip is started now and read now. What nobody marks is negative,
and only after a person has confirmed the numbers that stand there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure, RapidOutcome, refuse_expired, refuse_outside_window
from lims.domain.refusals import Conflict, DifferentBody, NotFound
from lims.domain.registration import digest
from lims.domain.roster_line import Marked, Sign
from lims.tables import Roster, StripTimer
from lims.work.audit import record
from lims.work.kits import VIETNAM, lot_of
from lims.work.people import keep_person
from lims.work.people_together import card_of
from lims.work.rapid_readings import ReadTogether, StripRead, keep_readings
from lims.work.roster import StripRunning, locked


class RosterChanged(Conflict):
    """Somebody marked another strip between the question and the answer."""

    slug = "roster-changed"
    expected = "the numbers that stand on the roster now"
    todo = "look at the grid again, then confirm the numbers it shows"


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


@dataclass(frozen=True, slots=True)
class Counts:
    """What a person confirms."""

    negative: int
    positive: int
    invalid: int


@dataclass(frozen=True, slots=True)
class ReadTimer:
    """The receipt of a confirmation."""

    timer_id: UUID
    counts: Counts
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


def mark_strip(
    session: Session, roster_id: UUID, marked: Marked, *, site_id: UUID, now: datetime
) -> None:
    """Note what somebody sees on one strip; nothing is kept of the person before it is confirmed.

    Raises NotFound when that number has no running strip, OutsideReadWindow.
    """
    roster = locked(session, roster_id, site_id=site_id)
    about = {"roster": roster.id, "position": marked.position}
    strip = session.execute(_RUNNING, about).one_or_none()
    if strip is None:
        raise NotFound(
            expected="a number whose strip is waiting to be read",
            came=str(marked.position),
            where="position",
            todo="look at the number on the grid; start a strip for it first",
        )
    lot = lot_of(session, strip.kit_lot_id, site_id=site_id)
    refuse_outside_window(strip.started_at, now, lot.window)
    session.execute(
        _MARK,
        {
            "strip": strip.id,
            "mark": _MARKS.get(marked.sign),
            "exposure": str(marked.exposure) if marked.exposure else None,
            "suspect": marked.suspect,
        },
    )


def read_timer(
    session: Session,
    roster_id: UUID,
    timer_id: UUID,
    confirmed: Counts,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> ReadTimer:
    """Keep every strip of a timer: the marked as marked, the rest negative, in one transaction.

    ``confirmed`` are the numbers somebody saw and agreed to. Again answers the same. Raises
    RosterChanged when other numbers stand there now, OutsideReadWindow, NotFound.
    """
    roster = locked(session, roster_id, site_id=site_id)
    timer = session.get(StripTimer, timer_id)
    if timer is None or timer.roster_id != roster.id:
        raise NotFound(came=str(timer_id), where="timer_id")
    rows = session.execute(_STRIPS, {"timer": timer_id}).all()
    waiting = [row for row in rows if row.state == "running"]
    counts = counted(row.mark for row in (waiting or rows))
    if rows and not waiting:
        if counts != confirmed:
            raise DifferentBody(came="other numbers were confirmed before", where="counts")
        return ReadTimer(timer_id, counts, replayed=True)
    together = ReadTogether(
        lot_of(session, timer.kit_lot_id, site_id=site_id),
        started_at=timer.started_at,
        read_at=now,
        campaign_id=roster.campaign_id,
    )
    refuse_outside_window(timer.started_at, now, together.lot.window)
    if counts != confirmed:
        raise RosterChanged(came=_said(counts), where="counts")
    _keep_cards(session, waiting, site_id=site_id, now=now)
    strips = [_read(row, roster) for row in waiting]
    keep_readings(session, strips, together, site_id=site_id, by=by, now=now)
    session.execute(_READ, {"timer": timer_id})
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="read_strips",
        subject=str(timer_id),
        now=now,
        roster_id=str(roster.id),
        kit_lot=together.lot.lot,
        negative=counts.negative,
        positive=counts.positive,
        invalid=counts.invalid,
    )
    return ReadTimer(timer_id, counts, replayed=False)


def counted(marks: Iterable[str | None]) -> Counts:
    """How many of each there are; no mark is a negative."""
    seen = list(marks)
    positive, invalid = seen.count("positive"), seen.count("invalid")
    return Counts(len(seen) - positive - invalid, positive, invalid)


def _read(row: Row[tuple[object, ...]], roster: Roster) -> StripRead:
    outcome = RapidOutcome(row.mark or "negative")
    return StripRead(
        specimen_id=row.id,
        person_id=row.person_id,
        outcome=outcome,
        digest=digest([str(row.id), str(outcome)]),
        exposure=Exposure(row.exposure or roster.exposure),
        suspect=row.suspect,
    )


def _keep_cards(
    session: Session, strips: Sequence[Row[tuple[object, ...]]], *, site_id: UUID, now: datetime
) -> None:
    """Cards that disagree with their number's person go beside the first swab, for a reviewer."""
    for row in strips:
        if row.card is not None:
            card = card_of(row.card)
            keep_person(session, card, None, specimen_id=row.id, site_id=site_id, now=now)
            session.execute(
                text("UPDATE roster_member SET card = NULL WHERE id = :id"), {"id": row.member_id}
            )


def _started_before(session: Session, timer: StripTimer, given: StartGiven) -> Started:
    if (timer.roster_id, timer.kit_lot_id) != (given.roster_id, given.lot_id):
        raise DifferentBody(came="another timer under this id", where="timer_id")
    people = session.execute(
        text("SELECT count(*) FROM strip WHERE timer_id = :id"), {"id": timer.id}
    ).scalar_one()
    return Started(timer.id, timer.number, people, replayed=True)


def _numbers(given: StartGiven) -> str:
    return "nobody waits" if given.first is None else f"{given.first} to {given.last}"


def _said(counts: Counts) -> str:
    return (
        f"{counts.negative} negative, {counts.positive} positive, {counts.invalid} unreadable now"
    )


_MARKS: Mapping[Sign, str] = {Sign.POSITIVE: "positive", Sign.INVALID: "invalid"}

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

_RUNNING = text("""
SELECT s.id, t.started_at, t.kit_lot_id FROM strip s
JOIN roster_member m ON m.id = s.member_id JOIN strip_timer t ON t.id = s.timer_id
WHERE m.roster_id = :roster AND m.position = :position AND s.state = 'running'
""")

_MARK = text("""
UPDATE strip SET mark = :mark, exposure = coalesce(cast(:exposure AS text), exposure),
                 suspect = suspect OR :suspect
WHERE id = :strip
""")

_STRIPS = text("""
SELECT s.id, s.state, s.mark, s.exposure, s.suspect, s.member_id, m.card,
       coalesce(p.merged_into_id, p.id) AS person_id
FROM strip s JOIN roster_member m ON m.id = s.member_id JOIN person p ON p.id = m.person_id
WHERE s.timer_id = :timer AND s.state <> 'missed' ORDER BY m.position FOR SHARE OF p
""")

_READ = text("UPDATE strip SET state = 'read' WHERE timer_id = :timer AND state = 'running'")
