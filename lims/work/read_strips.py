"""Read the strips of one timer together: the marked as marked, the rest negative (S19).

What nobody marks is negative, and only after a person has confirmed what stands there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure, RapidOutcome, refuse_outside_window
from lims.domain.refusals import Conflict, DifferentBody, NotFound
from lims.domain.registration import digest
from lims.domain.strip_standing import StripStands, changed, written
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
    expected = "what stands on the strips now"
    todo = "look at these numbers again, then confirm what the grid shows"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each were kept."""

    negative: int
    positive: int
    invalid: int


@dataclass(frozen=True, slots=True)
class CardedStrip:
    """A strip, and the card of its member where it disagrees with the person of its number."""

    strip_id: UUID
    member_id: UUID
    card: dict[str, Any] | None


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
    seen: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> ReadTimer:
    """Keep every strip of a timer: the marked as marked, the rest negative, in one transaction.

    ``seen`` is what stood on the strips when somebody looked and agreed, as `strip_standing`
    writes it. Again answers the same. Raises RosterChanged when anything else stands there now,
    OutsideReadWindow, NotFound, DifferentBody.
    """
    roster = locked(session, roster_id, site_id=site_id)
    timer = session.get(StripTimer, timer_id)
    if timer is None or timer.roster_id != roster.id:
        raise NotFound(came=str(timer_id), where="timer_id")
    rows = session.execute(_STRIPS, {"timer": timer_id}).all()
    waiting = [row for row in rows if row.state == "running"]
    here = waiting or [row for row in rows if not row.by_reader]
    counts = counted(row.mark for row in here)
    stands = written(_stands(row, roster) for row in here)
    if rows and not waiting:
        if seen != stands:
            raise DifferentBody(came="other numbers were confirmed before", where="seen")
        return ReadTimer(timer_id, counts, replayed=True)
    together = ReadTogether(
        lot_of(session, timer.kit_lot_id, site_id=site_id),
        started_at=timer.started_at,
        read_at=now,
        campaign_id=roster.campaign_id,
    )
    refuse_outside_window(timer.started_at, now, together.lot.window)
    if seen != stands:
        raise RosterChanged(came=f"now {changed(seen, stands)}", where="seen")
    carded = [CardedStrip(row.id, row.member_id, row.card) for row in waiting]
    keep_cards(session, carded, site_id=site_id, now=now)
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


def _stands(row: Row[tuple[object, ...]], roster: Roster) -> StripStands:
    return StripStands(
        row.position,
        RapidOutcome(row.mark or "negative"),
        Exposure(row.exposure or roster.exposure),
        row.suspect,
    )


def _read(row: Row[tuple[object, ...]], roster: Roster) -> StripRead:
    stands = _stands(row, roster)
    return StripRead(
        specimen_id=row.id,
        person_id=row.person_id,
        outcome=stands.outcome,
        digest=digest([str(row.id), str(stands.outcome)]),
        exposure=stands.exposure,
        suspect=stands.suspect,
    )


def keep_cards(
    session: Session, strips: Iterable[CardedStrip], *, site_id: UUID, now: datetime
) -> None:
    """Cards that disagree with their number's person go beside the first swab, for a reviewer."""
    for one in strips:
        if one.card is not None:
            card = card_of(one.card)
            keep_person(session, card, None, specimen_id=one.strip_id, site_id=site_id, now=now)
            session.execute(
                text("UPDATE roster_member SET card = NULL WHERE id = :id"), {"id": one.member_id}
            )


_STRIPS = text("""
SELECT s.id, s.state, s.mark, s.exposure, s.suspect, s.member_id, m.card, m.position,
       coalesce(p.merged_into_id, p.id) AS person_id,
       EXISTS (SELECT FROM measurement x WHERE x.strip_id = s.id AND x.standing = 'matched')
       AS by_reader
FROM strip s JOIN roster_member m ON m.id = s.member_id JOIN person p ON p.id = m.person_id
WHERE s.timer_id = :timer AND s.state <> 'missed' ORDER BY m.position FOR SHARE OF p
""")

_READ = text("UPDATE strip SET state = 'read' WHERE timer_id = :timer AND state = 'running'")
