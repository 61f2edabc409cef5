"""Read the strips of one timer together: the marked as marked, the rest negative (S19).

What nobody marks is negative, and only after a person has confirmed what stands there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure, RapidOutcome, refuse_outside_window
from lims.domain.refusals import Conflict, DifferentBody, NotFound
from lims.domain.registration import digest
from lims.tables import Roster, StripTimer
from lims.work.audit import record
from lims.work.kits import lot_of
from lims.work.people import keep_person
from lims.work.people_together import card_of
from lims.work.rapid_readings import ReadTogether, StripRead, keep_readings
from lims.work.roster import locked


class RosterChanged(Conflict):
    """Somebody marked another strip between the question and the answer."""

    slug = "roster-changed"
    expected = "the numbers that stand on the roster now"
    todo = "look at the grid again, then confirm the numbers it shows"


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


def _said(counts: Counts) -> str:
    return (
        f"{counts.negative} negative, {counts.positive} positive, {counts.invalid} unreadable now"
    )


_STRIPS = text("""
SELECT s.id, s.state, s.mark, s.exposure, s.suspect, s.member_id, m.card,
       coalesce(p.merged_into_id, p.id) AS person_id
FROM strip s JOIN roster_member m ON m.id = s.member_id JOIN person p ON p.id = m.person_id
WHERE s.timer_id = :timer AND s.state <> 'missed' ORDER BY m.position FOR SHARE OF p
""")

_READ = text("UPDATE strip SET state = 'read' WHERE timer_id = :timer AND state = 'running'")
