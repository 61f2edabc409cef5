"""How it stands with the registers that are asked about people: asked, answered, without answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.asking import ASKS, QuestionKind, QuestionState, Verdict
from lims.domain.exchange import DestinationKind

MOST_SHOWN: Final = 50
MOST_COUNTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Stand:
    """How many people were asked about, as they are now, and what was answered."""

    verdicts: Mapping[Verdict, int]
    waiting: int
    refused: int

    @property
    def answered(self) -> int:
        return sum(self.verdicts.values())

    @property
    def asked(self) -> int:
        return self.answered + self.waiting + self.refused


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Somebody whom a register said nothing of. ``barcode``: of their newest tube, if any."""

    person_id: UUID
    barcode: str | None
    state: QuestionState
    asked_at: datetime
    tried: int
    said: str | None


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One register. ``to_come``: people with a number whom nobody has looked at yet, at most
    100,000 are counted."""

    destination_id: UUID
    name: str
    kind: DestinationKind
    asks: QuestionKind
    address: str
    stopped_at: datetime | None
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_error: str | None
    answered_at: datetime | None
    stand: Stand
    to_come: int
    without: tuple[Unanswered, ...]


def registers(session: Session, site_id: UUID) -> Sequence[RegisterLine]:
    """Those in use first, by name."""
    rows = session.execute(_LINES, {"site": site_id, "kinds": sorted(ASKS)}).all()
    return [
        RegisterLine(
            destination_id=row.id,
            name=row.name,
            kind=DestinationKind(row.kind),
            asks=ASKS[DestinationKind(row.kind)],
            address=row.address,
            stopped_at=row.stopped_at,
            failing_since=row.failing_since,
            next_attempt_at=row.next_attempt_at,
            last_error=row.last_error,
            answered_at=row.answered_at,
            stand=stand_of(session, row.id),
            to_come=_to_come(session, row.id, DestinationKind(row.kind), site_id),
            without=tuple(without_answer(session, row.id)),
        )
        for row in rows
    ]


def stand_of(
    session: Session,
    destination_id: UUID,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Stand:
    """Of everything that is the question now, or of what was first owed in this time."""
    about = {"destination": destination_id, "since": since, "until": until}
    rows = session.execute(_STAND if since is None else _STAND_OF_A_TIME, about).all()
    counted = {(row.state, row.verdict): row.many for row in rows}
    return Stand(
        verdicts={one: counted.get((QuestionState.ANSWERED, one), 0) for one in Verdict},
        waiting=counted.get((QuestionState.OWED, None), 0),
        refused=counted.get((QuestionState.REFUSED, None), 0),
    )


def without_answer(
    session: Session,
    destination_id: UUID,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    most: int = MOST_SHOWN,
) -> Sequence[Unanswered]:
    """What was refused first, then what was tried in vain or never yet, the oldest first."""
    rows = session.execute(
        _WITHOUT, {"destination": destination_id, "since": since, "until": until, "most": most}
    )
    return [
        Unanswered(
            row.person_id,
            row.barcode,
            QuestionState(row.state),
            row.created_at,
            row.attempts,
            row.said,
        )
        for row in rows
    ]


def _to_come(session: Session, destination_id: UUID, kind: DestinationKind, site_id: UUID) -> int:
    if ASKS[kind] is not QuestionKind.IDENTITY:
        return 0
    about = {"destination": destination_id, "site": site_id, "most": MOST_COUNTED}
    many: int = session.execute(_TO_COME, about).scalar_one()
    return many


_LINES = text("""
SELECT * FROM destination WHERE site_id = :site AND kind = ANY(:kinds)
ORDER BY stopped_at IS NOT NULL, name
""")

_COUNT: Final = """
SELECT state, verdict, count(*) AS many FROM person_question
WHERE destination_id = :destination AND current"""
_STAND = text(f"{_COUNT} GROUP BY state, verdict")
_STAND_OF_A_TIME = text(
    f"{_COUNT} AND created_at >= :since AND created_at < :until GROUP BY state, verdict"
)

_WITHOUT = text("""
SELECT q.*, t.barcode
FROM (SELECT * FROM person_question q
      WHERE q.destination_id = :destination AND q.current AND q.state IN ('owed', 'refused')
        AND (cast(:since AS timestamptz) IS NULL OR q.created_at >= :since)
        AND (cast(:until AS timestamptz) IS NULL OR q.created_at < :until)
      ORDER BY q.state DESC, q.created_at, q.id LIMIT :most) q
LEFT JOIN LATERAL (
    SELECT u.barcode FROM specimen s JOIN tube_specimen ts ON ts.specimen_id = s.id
    JOIN tube u ON u.id = ts.tube_id AND u.kind <> 'lab_pool'
    WHERE s.person_id = q.person_id ORDER BY s.collected_at DESC, s.id DESC LIMIT 1) t ON true
ORDER BY q.state DESC, q.created_at, q.id
""")

_TO_COME = text("""
SELECT count(*) FILTER (WHERE n.asks) FROM (
    SELECT p.national_id IS NOT NULL AND p.merged_into_id IS NULL AND NOT EXISTS (
               SELECT FROM person_question q WHERE q.destination_id = :destination
                 AND q.person_id = p.id AND q.current) AS asks
    FROM person p LEFT JOIN asking a ON a.destination_id = :destination
    WHERE p.site_id = :site
      AND (a.looked_until IS NULL OR (p.changed_at, p.id) > (a.looked_until, a.looked_person_id))
    LIMIT :most) n
""")
