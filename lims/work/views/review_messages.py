"""What analysers said that a reviewer must place: second values, strays, unread messages."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.antigen import is_antigen, outcome_said
from lims.domain.interpretation import assay_named
from lims.work.matched import ShownTarget, other_word, shown_target
from lims.work.views.remarks import NONE, Remarks, remarks

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Readings:
    """One measurement's targets, the machine's word for the whole test, the error it had, and what
    else is to be known of it."""

    targets: tuple[ShownTarget, ...]
    call: str | None
    error: str | None
    at: datetime
    remarks: Remarks = NONE


@dataclass(frozen=True, slots=True)
class Correction:
    """A second value for one test beside the first. Of a rapid test the person is told, what its
    strip was read as (``read``), and what the reader says of it now (``says``)."""

    measurement_id: UUID
    barcode: str | None
    plate: str | None
    well: str | None
    instrument: str
    before: Readings | None
    after: Readings
    outcome: str | None
    since: datetime
    person_id: UUID | None
    name: str | None
    read: str | None
    says: str | None


@dataclass(frozen=True, slots=True)
class Stray:
    """A measurement that belongs to no test yet, or (an antigen) to no strip. ``said``: what it was
    told to be of; of a chip card's code the number alone. ``barcode``: of the tube with that label,
    where there is one here. ``attachable``: it could answer a test of ours."""

    measurement_id: UUID
    said: str
    barcode: str | None
    plate: str | None
    well: str | None
    instrument: str
    readings: Readings
    why: str | None
    since: datetime
    antigen: bool
    attachable: bool
    says: str | None  # of an antigen: positive, negative, invalid


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
       m.targets, m.call, m.error, m.received_at, old.targets AS old_targets, old.call AS old_call,
       old.error AS old_error, old.received_at AS old_at, m.flags, m.measured_text, rm.captured_at,
       rm.clock_ahead_s, res.outcome, p.id AS person_id, p.name,
       q.outcome AS read
FROM measurement m
JOIN instrument i ON i.id = m.instrument_id
JOIN raw_message rm ON rm.id = m.message_id
LEFT JOIN tube t ON t.id = m.tube_id
LEFT JOIN run ON run.id = m.run_id
LEFT JOIN LATERAL (
    SELECT id, targets, call, error, received_at FROM measurement o
    WHERE o.id <> m.id AND o.standing IN ('matched', 'control', 'held')
      AND (o.order_id = m.order_id OR (o.run_id = m.run_id AND o.well = m.well)
           OR o.strip_id = m.strip_id)
    ORDER BY o.received_at DESC LIMIT 1
) old ON true
LEFT JOIN result res ON res.measurement_id = old.id AND res.current
LEFT JOIN rapid_test q ON q.specimen_id = m.strip_id
LEFT JOIN specimen s ON s.id = q.specimen_id
LEFT JOIN person p ON p.id = s.person_id
WHERE m.site_id = :site AND m.standing = 'correction' ORDER BY m.received_at, m.id LIMIT :most
""")

_STRAYS = text("""
SELECT m.id AS measurement_id, m.specimen_text AS said, coalesce(run.plate, m.run_text) AS plate,
       m.well, i.name AS instrument, m.targets, m.call, m.error, m.received_at, m.why, m.assay_text,
       m.flags, m.measured_text, rm.captured_at, rm.clock_ahead_s, t.barcode
FROM measurement m
JOIN instrument i ON i.id = m.instrument_id
JOIN raw_message rm ON rm.id = m.message_id
LEFT JOIN run ON run.id = m.run_id
LEFT JOIN tube t ON t.id = coalesce(m.tube_id, (
    SELECT k.id FROM tube k WHERE k.barcode = m.specimen_text AND k.site_id = m.site_id))
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
            before=readings_of(row.old_targets, row.old_call, row.old_error, row.old_at),
            after=said_of(row),
            outcome=row.outcome,
            since=row.received_at,
            person_id=row.person_id,
            name=row.name,
            read=row.read,
            says=_antigen_says(row.targets, row.error) if row.read else None,
        )
        for row in session.execute(_CORRECTIONS, {"site": site_id, "most": MOST})
    ]


def strays(session: Session, *, site_id: UUID) -> list[Stray]:
    """Measurements without a test or a strip, the longest wait first."""
    return [
        Stray(
            measurement_id=row.measurement_id,
            said=row.said.partition("|")[0] if is_antigen(row.assay_text) else row.said,
            barcode=row.barcode,
            plate=row.plate,
            well=row.well,
            instrument=row.instrument,
            readings=said_of(row),
            why=row.why,
            since=row.received_at,
            antigen=is_antigen(row.assay_text),
            attachable=is_antigen(row.assay_text) or assay_named(row.assay_text) is not None,
            says=_antigen_says(row.targets, row.error) if is_antigen(row.assay_text) else None,
        )
        for row in session.execute(_STRAYS, {"site": site_id, "most": MOST})
    ]


def unread(session: Session, *, site_id: UUID, since: datetime) -> list[Unread]:
    """Messages of which nothing could be read, the newest first."""
    rows = session.execute(_MESSAGES, {"site": site_id, "since": since, "most": MOST})
    return [Unread(**row._mapping) for row in rows]


def said_of(row: Row[Any]) -> Readings:
    return replace(
        said(row.targets, row.call, row.error, row.received_at),
        remarks=remarks(row.flags, row.measured_text, row.captured_at, row.clock_ahead_s),
    )


def _antigen_says(targets: Any, error: str | None) -> str | None:
    return outcome_said([target["call"] or "" for target in targets], error)


def readings_of(
    targets: Any, call: str | None, error: str | None, at: datetime | None
) -> Readings | None:
    return None if targets is None or at is None else said(targets, call, error, at)


def said(targets: Any, call: str | None, error: str | None, at: datetime) -> Readings:
    return Readings(
        targets=tuple(shown_target(t) for t in targets),
        call=other_word(call, targets),
        error=error,
        at=at,
    )
