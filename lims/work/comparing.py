"""Ask other systems what they hold of what they took, and send what is not there once more.

What they took is known here; that they still have it, only they can say. The asking itself is the
exchange's (lims/exchange/compare.py): here is what is asked, and what came of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.exchange import (
    COMPARES,
    MENDED_BY_SENDING,
    ComparisonState,
    DestinationKind,
    Gap,
    Says,
)
from lims.domain.lifecycle import NOTICE_MOVES, NoticeState, move
from lims.domain.outcomes import FindingOutcome
from lims.domain.refusals import NotFound
from lims.tables import Comparison, Destination
from lims.work.audit import record
from lims.work.outbound import LONGEST_ANSWER, Leased
from lims.work.owe_findings import CHANNEL

DAYS: Final = 14  # what is compared when nobody says a period
EVERY: Final = timedelta(days=1)
MOST_TRIES: Final = 5
_AGAIN: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Comparing:
    """A comparison that nobody else makes until ``leased.until``."""

    comparison_id: UUID
    leased: Leased
    since: datetime
    until: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Word:
    """The last word on one record that a destination took: a swab's outcome, or a commune's
    figures, where they are still the same."""

    sequence: int
    says: Says
    outcome: FindingOutcome | None
    figures: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """One record that is not there as it was taken; the sequence here and there."""

    gap: Gap
    ours: int | None
    theirs: int | None


def ask_lately(session: Session, destination_id: UUID, *, by: str, now: datetime) -> UUID:
    """The same of the last weeks: what is compared when nobody says a period. Raises NotFound."""
    since = now - timedelta(days=DAYS)
    return ask(session, destination_id, since=since, until=now, by=by, now=now)


def ask(
    session: Session,
    destination_id: UUID,
    *,
    since: datetime,
    until: datetime,
    by: str,
    now: datetime,
) -> UUID:
    """Have it compared soon; one that is open already stays the only one. Raises NotFound."""
    destination = session.get(Destination, destination_id, with_for_update=True)
    if destination is None or destination.kind not in COMPARES:
        raise NotFound(came=str(destination_id), where="destinations that say what they hold")
    open_one = session.scalar(
        select(Comparison.id).where(
            Comparison.destination_id == destination_id,
            Comparison.state == ComparisonState.ASKED,
        )
    )
    if open_one is not None:
        return open_one
    made = Comparison(
        id=uuid7(),
        site_id=destination.site_id,
        destination_id=destination_id,
        since=since,
        until=until,
        state=ComparisonState.ASKED,
        asked_at=now,
        asked_by=by,
    )
    session.add(made)
    record(
        session,
        site_id=destination.site_id,
        actor=by,
        verb="destination-compared",
        subject=str(destination_id),
        now=now,
        since=since.isoformat(),
        until=until.isoformat(),
    )
    session.flush()
    return made.id


def ask_daily(session: Session, *, site_id: UUID, now: datetime) -> int:
    """Ask about each destination in use that nobody asked about for a day: how many."""
    found = session.execute(
        _NOT_LATELY, {"site": site_id, "kinds": sorted(COMPARES), "before": now - EVERY}
    ).scalars()
    due = list(found)
    for destination_id in due:
        ask(
            session,
            destination_id,
            since=now - timedelta(days=DAYS),
            until=now,
            by="exchange",
            now=now,
        )
    return len(due)


_NOT_LATELY = text("""
SELECT d.id FROM destination d
WHERE d.site_id = :site AND d.kind = ANY(:kinds) AND d.stopped_at IS NULL
  AND (EXISTS (SELECT FROM outbound o WHERE o.destination_id = d.id AND o.state = 'delivered')
       OR EXISTS (SELECT FROM declaration n WHERE n.destination_id = d.id))
  AND NOT EXISTS (SELECT FROM comparison c WHERE c.destination_id = d.id
                  AND c.asked_at > :before)
ORDER BY d.id FOR UPDATE SKIP LOCKED
""")


def begin(
    session: Session,
    *,
    site_id: UUID,
    now: datetime,
    lease_s: float,
    only: UUID | None = None,
) -> Comparing | None:
    """One that was asked for and that nobody makes; None when there is none."""
    row = session.execute(
        _BEGIN,
        {"site": site_id, "now": now, "until": now + timedelta(seconds=lease_s), "only": only},
    ).one_or_none()
    if row is None:
        return None
    leased = Leased(
        row.destination_id,
        row.name,
        DestinationKind(row.kind),
        row.address,
        row.options,
        row.leased_until,
    )
    return Comparing(row.id, leased, row.since, row.until, row.tries)


_BEGIN = text("""
WITH next AS (
    SELECT c.id FROM comparison c JOIN destination d ON d.id = c.destination_id
    WHERE c.site_id = :site AND c.state = 'asked'
      AND (c.leased_until IS NULL OR c.leased_until <= :now)
      AND (cast(:only AS uuid) IS NULL OR c.id = :only)
      AND (d.stopped_at IS NULL OR c.id = cast(:only AS uuid))
    ORDER BY c.asked_at LIMIT 1 FOR UPDATE OF c SKIP LOCKED
)
UPDATE comparison c SET leased_until = :until, tries = c.tries + 1
FROM next, destination d WHERE c.id = next.id AND d.id = c.destination_id
RETURNING c.id, c.since, c.until, c.tries, c.leased_until, c.destination_id,
          d.name, d.kind, d.address, d.options
""")


def last_taken(
    session: Session, destination_id: UUID, *, since: datetime, until: datetime
) -> dict[UUID, Word]:
    """By record: the last words that it took, of those owed in this time."""
    rows = session.execute(
        _LAST_TAKEN, {"destination": destination_id, "since": since, "until": until}
    )
    return {row.subject_id: _word(row) for row in rows}


_LATER = """
    NOT EXISTS (SELECT FROM outbound e WHERE e.subject_id = o.subject_id
                AND e.destination_id = o.destination_id AND e.state = 'delivered'
                AND e.sequence > o.sequence)"""
_SAID = """
    o.subject_id, o.sequence, o.says, f.outcome,
    CASE WHEN a.id IS NOT NULL THEN concat_ws(' ', a.opened, a.open, a.presumptive, a.closed,
        a.pcr_answered, a.pcr_positive, a.antigen_read, a.antigen_positive) END AS figures"""
_WHAT = """
FROM outbound o
LEFT JOIN finding f ON f.id = o.finding_id
LEFT JOIN area_day a ON o.kind = 'area-day' AND a.id = o.subject_id AND a.sequence = o.sequence"""
_LAST_TAKEN = text(f"""
SELECT {_SAID} {_WHAT}
WHERE o.destination_id = :destination AND o.state = 'delivered'
  AND o.created_at >= :since AND o.created_at < :until AND {_LATER}
""")


def _word(row: Row[Any]) -> Word:
    outcome = FindingOutcome(row.outcome) if row.outcome is not None else None
    return Word(row.sequence, Says(row.says), outcome, row.figures)


def last_owed(
    session: Session, destination_id: UUID, records: Collection[UUID]
) -> dict[UUID, Word | None]:
    """Of these records, those that were ever owed to it; with the last word that it took."""
    rows = session.execute(_LAST_OWED, {"destination": destination_id, "records": list(records)})
    return {row.subject_id: _word(row) if row.delivered else None for row in rows}


_LAST_OWED = text(f"""
SELECT DISTINCT ON (o.subject_id) {_SAID}, o.state = 'delivered' AS delivered {_WHAT}
WHERE o.destination_id = :destination AND o.subject_id = ANY(:records)
ORDER BY o.subject_id, o.state = 'delivered' DESC, o.sequence DESC
""")


def finish(
    session: Session,
    comparing: Comparing,
    gaps: Mapping[UUID, Found],
    *,
    told: int,
    held: int,
    now: datetime,
) -> None:
    """Write down what was found; of one that somebody else finished meanwhile, nothing."""
    made = session.get_one(Comparison, comparing.comparison_id, with_for_update=True)
    if made.state != ComparisonState.ASKED:
        return
    made.state, made.ended_at, made.leased_until = ComparisonState.DONE, now, None
    made.told, made.held = told, held
    session.flush()
    rows = [
        {"subject": subject, "gap": str(one.gap), "ours": one.ours, "theirs": one.theirs}
        for subject, one in gaps.items()
    ]
    if rows:
        session.execute(_GAPS, {"comparison": made.id, "rows": rows_as_json(rows)})


_GAPS = text("""
INSERT INTO comparison_gap (comparison_id, subject_id, gap, ours, theirs)
SELECT :comparison, g.subject, g.gap, g.ours, g.theirs
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(subject uuid, gap text, ours int, theirs int)
""")


def fail(
    session: Session, comparing: Comparing, said: str, *, now: datetime, last: bool = False
) -> None:
    """They did not say it: asked again in a while, and given up on after MOST_TRIES."""
    made = session.get_one(Comparison, comparing.comparison_id, with_for_update=True)
    if made.state != ComparisonState.ASKED:
        return
    made.said = said[:LONGEST_ANSWER]
    if last or made.tries >= MOST_TRIES:
        made.state, made.ended_at, made.leased_until = ComparisonState.FAILED, now, None
    else:
        made.leased_until = now + _AGAIN
    session.flush()


def send_what_is_not_there(
    session: Session, destination_id: UUID, *, by: str, now: datetime
) -> int:
    """Owe again the last words that its newest comparison did not find there: how many.

    It is the same row, so the same message: who has it after all knows it again. A word that was
    taken since the comparison stays. Raises NotFound.
    """
    destination = session.get(Destination, destination_id)
    if destination is None:
        raise NotFound(came=str(destination_id), where="destinations")
    owed = move(NOTICE_MOVES, NoticeState.DELIVERED, NoticeState.OWED, what="what is owed")
    moved = session.execute(
        _SEND,
        {
            "destination": destination_id,
            "gaps": sorted(MENDED_BY_SENDING),
            "state": str(owed),
            "now": now,
        },
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
            why="not there when compared",
        )
        session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return len(moved)


_SEND = text("""
WITH newest AS (
    SELECT c.id, c.ended_at FROM comparison c
    WHERE c.destination_id = :destination AND c.state = 'done'
    ORDER BY c.asked_at DESC, c.id DESC LIMIT 1
)
UPDATE outbound o
SET state = :state, delivered_at = NULL, attempts = 0, next_attempt_at = :now
FROM newest n JOIN comparison_gap g ON g.comparison_id = n.id AND g.gap = ANY(:gaps)
WHERE o.destination_id = :destination AND o.subject_id = g.subject_id AND o.sequence = g.ours
  AND o.state = 'delivered' AND o.delivered_at <= n.ended_at
  AND NOT EXISTS (SELECT FROM outbound e WHERE e.subject_id = o.subject_id
                  AND e.destination_id = o.destination_id AND e.state = 'delivered'
                  AND e.sequence > o.sequence)
RETURNING o.id
""")
