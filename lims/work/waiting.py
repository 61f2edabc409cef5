"""What waits for a technician's hands: tubes for a pool, tests for a run, people for a re-swab."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class RackTube:
    """A received tube that nobody has pooled yet."""

    barcode: str
    campaign_id: UUID | None
    pool_size: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Rack:
    """Tubes that wait for a pool, oldest first."""

    tubes: list[RackTube]


@dataclass(frozen=True, slots=True)
class QueueLine:
    """Tests of one priority."""

    priority: int
    tests: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """Tests of one assay that wait for a run, the most urgent first."""

    assay: str
    tests: int
    lines: list[QueueLine]


@dataclass(frozen=True, slots=True)
class Reswab:
    """A person to be swabbed again, and why."""

    recollection_id: UUID
    specimen_id: UUID
    person_id: UUID
    household_id: UUID | None
    why: str
    created_at: datetime


def awaiting_pool(session: Session, *, site_id: UUID) -> Rack:
    """Received individual tubes of pooling campaigns without a pool or a test of their own."""
    rows = session.execute(
        text("""
SELECT t.barcode, t.campaign_id, c.pool_size, t.received_at
FROM tube t JOIN campaign c ON c.id = t.campaign_id
WHERE t.site_id = :site AND t.awaits_pool
ORDER BY t.received_at, t.id LIMIT :most
"""),
        {"site": site_id, "most": MOST_LISTED},
    )
    return Rack([RackTube(r.barcode, r.campaign_id, r.pool_size, r.received_at) for r in rows])


def queue(session: Session, assay: str, *, site_id: UUID) -> Queue:
    """Queued tests by priority."""
    rows = session.execute(
        text("""
SELECT o.priority, count(*) AS tests, min(o.created_at) AS oldest_at
FROM test_order o JOIN tube t ON t.id = o.tube_id AND t.state = 'received'
WHERE o.site_id = :site AND o.assay_code = :assay AND o.state = 'queued'
GROUP BY o.priority ORDER BY o.priority DESC
"""),
        {"site": site_id, "assay": assay},
    ).all()
    lines = [QueueLine(r.priority, r.tests, r.oldest_at) for r in rows]
    return Queue(assay, sum(line.tests for line in lines), lines)


def open_recollections(session: Session, *, site_id: UUID) -> list[Reswab]:
    """People to be swabbed again, household by household, oldest first."""
    rows = session.execute(
        text("""
SELECT r.id, r.specimen_id, r.person_id, p.household_id, r.why, r.created_at
FROM recollection r JOIN person p ON p.id = r.person_id
WHERE r.site_id = :site AND r.state = 'open'
ORDER BY p.household_id NULLS LAST, r.created_at, r.id LIMIT :most
"""),
        {"site": site_id, "most": MOST_LISTED},
    )
    return [
        Reswab(r.id, r.specimen_id, r.person_id, r.household_id, r.why, r.created_at) for r in rows
    ]
