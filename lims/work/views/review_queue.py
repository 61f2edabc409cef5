"""What waits for a reviewer: how much of each kind, the held runs, the disagreements."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.views.asked_about import OPEN_CONFLICTS
from lims.work.views.discordance import DISCORDANT_TUBES
from lims.work.views.review_addresses import OPEN_DOUBTS

MOST: Final = 50


class ReviewQueue(StrEnum):
    """The kinds of things that only a person may decide."""

    POSITIVES = "positives"
    NEGATIVES = "negatives"
    RUNS = "runs"
    DISCORDANT = "discordant"
    CORRECTIONS = "corrections"
    UNMATCHED = "unmatched"
    INCONCLUSIVE = "inconclusive"
    IDENTITY = "identity"
    ADDRESSES = "addresses"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run whose controls were late, with what it detected."""

    run_id: UUID
    plate: str
    instrument: str | None
    verdict_why: str | None
    held: int
    samples: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Disputed:
    """A pool, or a tube alone, that disagrees with what is in it or with itself."""

    barcode: str
    kind: str
    people: int
    answers: tuple[tuple[str, str, float | None, str | None], ...]
    repeats_waiting: int
    since: datetime


_COUNTS = text(f"""
SELECT 'positives' AS queue, count(*) AS many FROM finding
WHERE site_id = :site AND current AND status = 'P' AND outcome = 'positive'
UNION ALL SELECT 'negatives', count(*) FROM finding
WHERE site_id = :site AND current AND status = 'P' AND outcome = 'negative'
UNION ALL SELECT 'inconclusive', count(*) FROM finding
WHERE site_id = :site AND current AND status = 'P' AND outcome = 'inconclusive'
UNION ALL SELECT 'discordant', count(*) FROM ({DISCORDANT_TUBES}) d
UNION ALL SELECT 'runs', count(*) FROM run WHERE site_id = :site AND state = 'held'
UNION ALL SELECT 'corrections', count(*) FROM measurement
WHERE site_id = :site AND standing = 'correction'
UNION ALL SELECT 'unmatched', count(*) FROM measurement
WHERE site_id = :site AND standing = 'unmatched'
UNION ALL SELECT 'identity', (SELECT count(*) FROM card_doubt
WHERE site_id = :site AND decided_at IS NULL) + (SELECT count(*) FROM ({OPEN_CONFLICTS}) n)
UNION ALL SELECT 'addresses', count(*) FROM ({OPEN_DOUBTS}) a
UNION ALL SELECT 'messages', count(*) FROM raw_message
WHERE site_id = :site AND state = 'quarantined' AND stored_at >= :since
""")  # noqa: S608 - the parts put in are constants of discordance.py and review_addresses.py

_RUNS = text("""
SELECT r.id AS run_id, r.plate, i.name AS instrument, r.verdict_why,
       (SELECT count(*) FROM result x WHERE x.run_id = r.id AND x.current AND x.held) AS held,
       (SELECT count(*) FROM well w WHERE w.run_id = r.id AND w.role = 'specimen') AS samples,
       coalesce(r.judged_at, r.created_at) AS since
FROM run r LEFT JOIN instrument i ON i.id = r.instrument_id
WHERE r.site_id = :site AND r.state = 'held' ORDER BY since LIMIT :most
""")

_DISPUTED = text(f"""
WITH disputed AS ({DISCORDANT_TUBES})
SELECT t.id, t.barcode, t.kind, d.since,
       (SELECT count(*) FROM tube_specimen n WHERE n.tube_id = t.id) AS people,
       (SELECT count(*) FROM test_order o WHERE o.why = 'discordant'
        AND o.state IN ('queued', 'plated')
        AND (o.tube_id = t.id OR o.tube_id IN (
            SELECT source_id FROM tube_source WHERE pool_id = t.id
            UNION ALL SELECT id FROM tube WHERE master_id = t.id
            UNION ALL SELECT d.source_id FROM sub_pool p JOIN sub_pool_source d
                      ON d.sub_pool_id = p.id WHERE p.tube_id = t.id))) AS repeats_waiting
FROM disputed d JOIN tube t ON t.id = d.id ORDER BY d.since, t.id LIMIT :most
""")  # noqa: S608 - the part put in is a constant of discordance.py

_ANSWERS = text("""
SELECT g.id AS disputed, t.barcode, r.outcome, r.ct_cycles, run.plate
FROM unnest(cast(:ids AS uuid[])) g(id)
JOIN tube t ON t.id = g.id OR t.id IN (
    SELECT source_id FROM tube_source WHERE pool_id = g.id
    UNION ALL SELECT id FROM tube WHERE master_id = g.id
    UNION ALL SELECT d.source_id FROM sub_pool p JOIN sub_pool_source d ON d.sub_pool_id = p.id
              WHERE p.tube_id = g.id)
JOIN result r ON r.tube_id = t.id AND r.current
LEFT JOIN run ON run.id = r.run_id
ORDER BY t.kind = 'lab_pool' DESC, r.created_at, t.barcode
""")


def counts(session: Session, *, site_id: UUID, since: datetime) -> dict[ReviewQueue, int]:
    """How many wait in each queue; messages only since then."""
    rows = session.execute(_COUNTS, {"site": site_id, "since": since})
    return {ReviewQueue(row.queue): row.many for row in rows}


def held_runs(session: Session, *, site_id: UUID) -> list[HeldRun]:
    """Runs that a reviewer lets count, or withdraws."""
    rows = session.execute(_RUNS, {"site": site_id, "most": MOST})
    return [HeldRun(**row._mapping) for row in rows]


def disputed(session: Session, *, site_id: UUID) -> list[Disputed]:
    """Tubes that disagree, with every answer that was given."""
    rows = session.execute(_DISPUTED, {"site": site_id, "most": MOST}).all()
    answers: dict[UUID, list[tuple[str, str, float | None, str | None]]] = {}
    for row in session.execute(_ANSWERS, {"ids": [row.id for row in rows]}):
        said = (row.barcode, row.outcome, row.ct_cycles, row.plate)
        answers.setdefault(row.disputed, []).append(said)
    return [
        Disputed(
            barcode=row.barcode,
            kind=row.kind,
            people=row.people,
            answers=tuple(answers.get(row.id, ())),
            repeats_waiting=row.repeats_waiting,
            since=row.since,
        )
        for row in rows
    ]
