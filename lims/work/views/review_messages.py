"""What analysers said that a reviewer must place: second values, unknown tubes, unread messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Readings:
    """One measurement's targets: names and Ct in cycles, None for no amplification."""

    targets: tuple[tuple[str, float | None], ...]
    error: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """A second value for one test beside the first."""

    measurement_id: UUID
    barcode: str | None
    plate: str | None
    well: str | None
    instrument: str
    before: Readings | None
    after: Readings
    outcome: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Stray:
    """A measurement that belongs to no tube yet."""

    measurement_id: UUID
    said: str
    plate: str | None
    well: str | None
    instrument: str
    readings: Readings
    why: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Unread:
    """A message of which nothing could be read; who opened its bytes last, and when."""

    message_id: UUID
    instrument: str
    reason: str | None
    size_bytes: int
    captured_at: datetime
    since: datetime
    read_by: str | None
    read_at: datetime | None


_CORRECTIONS = text("""
SELECT m.id AS measurement_id, t.barcode, run.plate, m.well, i.name AS instrument,
       m.targets, m.error, m.received_at, old.targets AS old_targets, old.error AS old_error,
       old.received_at AS old_at, res.outcome
FROM measurement m
JOIN instrument i ON i.id = m.instrument_id
LEFT JOIN tube t ON t.id = m.tube_id
LEFT JOIN run ON run.id = m.run_id
LEFT JOIN LATERAL (
    SELECT id, targets, error, received_at FROM measurement o
    WHERE o.id <> m.id AND o.standing IN ('matched', 'control', 'held')
      AND (o.order_id = m.order_id OR (o.run_id = m.run_id AND o.well = m.well))
    ORDER BY o.received_at DESC LIMIT 1
) old ON true
LEFT JOIN result res ON res.measurement_id = old.id AND res.current
WHERE m.site_id = :site AND m.standing = 'correction' ORDER BY m.received_at, m.id LIMIT :most
""")

_STRAYS = text("""
SELECT m.id AS measurement_id, m.specimen_text AS said, coalesce(run.plate, m.run_text) AS plate,
       m.well, i.name AS instrument, m.targets, m.error, m.received_at, m.why
FROM measurement m
JOIN instrument i ON i.id = m.instrument_id
LEFT JOIN run ON run.id = m.run_id
WHERE m.site_id = :site AND m.standing = 'unmatched' ORDER BY m.received_at, m.id LIMIT :most
""")

_MESSAGES = text("""
SELECT m.id AS message_id, i.name AS instrument, m.reason, octet_length(m.body) AS size_bytes,
       m.captured_at, m.stored_at AS since, seen.actor AS read_by, seen.at AS read_at
FROM raw_message m JOIN instrument i ON i.id = m.instrument_id
LEFT JOIN LATERAL (
    SELECT a.actor, a.at FROM audit_event a
    WHERE a.subject = m.id::text AND a.verb = 'read_message' ORDER BY a.at DESC LIMIT 1
) seen ON true
WHERE m.site_id = :site AND m.state = 'quarantined' AND m.stored_at >= :since
ORDER BY m.stored_at DESC LIMIT :most
""")


def corrections(session: Session, *, site_id: UUID) -> list[Correction]:
    """Second values, each beside the first."""
    return [
        Correction(
            measurement_id=row.measurement_id,
            barcode=row.barcode,
            plate=row.plate,
            well=row.well,
            instrument=row.instrument,
            before=readings_of(row.old_targets, row.old_error, row.old_at),
            after=said(row.targets, row.error, row.received_at),
            outcome=row.outcome,
            since=row.received_at,
        )
        for row in session.execute(_CORRECTIONS, {"site": site_id, "most": MOST})
    ]


def strays(session: Session, *, site_id: UUID) -> list[Stray]:
    """Measurements of tubes that nobody knows."""
    return [
        Stray(
            measurement_id=row.measurement_id,
            said=row.said,
            plate=row.plate,
            well=row.well,
            instrument=row.instrument,
            readings=said(row.targets, row.error, row.received_at),
            why=row.why,
            since=row.received_at,
        )
        for row in session.execute(_STRAYS, {"site": site_id, "most": MOST})
    ]


def unread(session: Session, *, site_id: UUID, since: datetime) -> list[Unread]:
    """Messages of which nothing could be read, the newest first."""
    rows = session.execute(_MESSAGES, {"site": site_id, "since": since, "most": MOST})
    return [Unread(**row._mapping) for row in rows]


def readings_of(targets: Any, error: str | None, at: datetime | None) -> Readings | None:
    return None if targets is None or at is None else said(targets, error, at)


def said(targets: Any, error: str | None, at: datetime) -> Readings:
    return Readings(tuple((t["target"], t["ct_cycles"]) for t in targets), error, at)
