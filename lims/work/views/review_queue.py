"""What waits for a reviewer, queue by queue, each with why it waits."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.views.discordance import DISCORDANT_TUBES
from lims.work.views.review_items import (
    Correction,
    Disputed,
    Doubt,
    HeldRun,
    Positive,
    Readings,
    ReviewQueue,
    Stray,
    Unread,
)

MOST: Final = 50


_COUNTS = text(f"""
SELECT 'positives' AS queue, count(*) AS many FROM finding
WHERE site_id = :site AND current AND status = 'P' AND outcome = 'positive'
UNION ALL SELECT 'inconclusive', count(*) FROM finding
WHERE site_id = :site AND current AND status = 'P' AND outcome = 'inconclusive'
UNION ALL SELECT 'discordant', count(*) FROM ({DISCORDANT_TUBES}) d
UNION ALL SELECT 'runs', count(*) FROM run WHERE site_id = :site AND state = 'held'
UNION ALL SELECT 'corrections', count(*) FROM measurement
WHERE site_id = :site AND standing = 'correction'
UNION ALL SELECT 'unmatched', count(*) FROM measurement
WHERE site_id = :site AND standing = 'unmatched'
UNION ALL SELECT 'identity', count(*) FROM person
WHERE site_id = :site AND identity_conflict IS NOT NULL
UNION ALL SELECT 'messages', count(*) FROM raw_message
WHERE site_id = :site AND state = 'quarantined' AND stored_at >= :since
""")  # noqa: S608 - the part put in is a constant of discordance.py

_FINDINGS = text("""
SELECT f.id AS finding_id, p.id AS person_id, p.name, p.birth_year, home.full_name AS area,
       t.barcode, f.ct_cycles, f.created_at AS since, run.plate, m.well, res.why, res.rule,
       m.targets, m.error, m.received_at, pool.barcode AS pool, pr.ct_cycles AS pool_ct,
       run.state AS run_state, p.identity_conflict AS conflict,
       (SELECT c.id FROM f0_case c WHERE c.person_id = p.id
        AND c.state IN ('presumptive', 'confirmed') LIMIT 1) AS case_id
FROM finding f
JOIN person p ON p.id = f.person_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
LEFT JOIN result res ON res.id = f.evidence[1]
LEFT JOIN measurement m ON m.id = res.measurement_id
LEFT JOIN run ON run.id = res.run_id
LEFT JOIN tube_source src ON src.source_id = t.id
LEFT JOIN tube pool ON pool.id = src.pool_id
LEFT JOIN LATERAL (
    SELECT ct_cycles FROM result WHERE tube_id = pool.id AND current AND outcome = 'detected'
    ORDER BY created_at DESC LIMIT 1
) pr ON true
WHERE f.site_id = :site AND f.current AND f.status = 'P' AND f.outcome = :outcome
ORDER BY f.created_at, f.id LIMIT :most
""")

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
            SELECT source_id FROM tube_source WHERE pool_id = t.id))) AS repeats_waiting
FROM disputed d JOIN tube t ON t.id = d.id ORDER BY d.since, t.id LIMIT :most
""")  # noqa: S608 - the part put in is a constant of discordance.py

_ANSWERS = text("""
SELECT g.id AS disputed, t.barcode, r.outcome, r.ct_cycles, run.plate
FROM unnest(cast(:ids AS uuid[])) g(id)
JOIN tube t ON t.id = g.id OR t.id IN (SELECT source_id FROM tube_source WHERE pool_id = g.id)
JOIN result r ON r.tube_id = t.id AND r.current
LEFT JOIN run ON run.id = r.run_id
ORDER BY t.kind = 'lab_pool' DESC, r.created_at, t.barcode
""")

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

_DOUBTS = text("""
SELECT p.id AS person_id, p.name, p.birth_year, p.identity_conflict AS about, count(s.id) AS swabs,
       max(s.registered_at) AS since
FROM person p LEFT JOIN specimen s ON s.person_id = p.id
WHERE p.site_id = :site AND p.identity_conflict IS NOT NULL
GROUP BY p.id ORDER BY since LIMIT :most
""")

_MESSAGES = text("""
SELECT m.id AS message_id, i.name AS instrument, m.reason, octet_length(m.body) AS size_bytes,
       m.captured_at, m.stored_at AS since
FROM raw_message m JOIN instrument i ON i.id = m.instrument_id
WHERE m.site_id = :site AND m.state = 'quarantined' AND m.stored_at >= :since
ORDER BY m.stored_at DESC LIMIT :most
""")


def counts(session: Session, *, site_id: UUID, since: datetime) -> dict[ReviewQueue, int]:
    """How many wait in each queue; messages only since then."""
    rows = session.execute(_COUNTS, {"site": site_id, "since": since})
    return {ReviewQueue(row.queue): row.many for row in rows}


def positives(session: Session, *, site_id: UUID, outcome: str = "positive") -> list[Positive]:
    """People whose finding is not final, the longest wait first."""
    about = {"site": site_id, "outcome": outcome, "most": MOST}
    return [
        Positive(
            finding_id=row.finding_id,
            person_id=row.person_id,
            name=row.name,
            birth_year=row.birth_year,
            area=row.area,
            barcode=row.barcode,
            ct_cycles=row.ct_cycles,
            since=row.since,
            plate=row.plate,
            well=row.well,
            why=row.why,
            rule=row.rule,
            readings=_readings(row.targets, row.error, row.received_at),
            pool=row.pool,
            pool_ct=row.pool_ct,
            case_id=row.case_id,
            run_state=row.run_state,
            conflict=row.conflict,
        )
        for row in session.execute(_FINDINGS, about)
    ]


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


def corrections(session: Session, *, site_id: UUID) -> list[Correction]:
    """Second values, each beside the first."""
    return [
        Correction(
            measurement_id=row.measurement_id,
            barcode=row.barcode,
            plate=row.plate,
            well=row.well,
            instrument=row.instrument,
            before=_readings(row.old_targets, row.old_error, row.old_at),
            after=_said(row.targets, row.error, row.received_at),
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
            readings=_said(row.targets, row.error, row.received_at),
            why=row.why,
            since=row.received_at,
        )
        for row in session.execute(_STRAYS, {"site": site_id, "most": MOST})
    ]


def doubts(session: Session, *, site_id: UUID) -> list[Doubt]:
    """Cards that were given with two names."""
    rows = session.execute(_DOUBTS, {"site": site_id, "most": MOST})
    return [Doubt(**row._mapping) for row in rows]


def unread(session: Session, *, site_id: UUID, since: datetime) -> list[Unread]:
    """Messages of which nothing could be read, the newest first."""
    rows = session.execute(_MESSAGES, {"site": site_id, "since": since, "most": MOST})
    return [Unread(**row._mapping) for row in rows]


def _readings(targets: Any, error: str | None, at: datetime | None) -> Readings | None:
    return None if targets is None or at is None else _said(targets, error, at)


def _said(targets: Any, error: str | None, at: datetime) -> Readings:
    return Readings(tuple((t["target"], t["ct_cycles"]) for t in targets), error, at)
