"""What waits on the tube's way, how old it is, and what will miss the moment it was promised for.

An answer is due so many hours after the swab (the campaign says how many). When it will come is
the time that each further step has lately taken, the middle of it (median): a forecast of the
laboratory as it runs today, not a law.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind


class Step(StrEnum):
    """Where a tube without its final answer stands, in the order of its way."""

    DOOR = "door"
    POOL = "pool"
    PLATE = "plate"
    READ = "read"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one step has lately taken: half of the tubes, and nine in ten."""

    median: timedelta
    p90: timedelta
    counted: int


@dataclass(frozen=True, slots=True)
class StepLoad:
    """What stands at one step. ``late`` is past its due moment, ``at_risk`` will be."""

    step: Step
    tubes: int
    people: int
    oldest_at: datetime | None
    late: int
    at_risk: int


@dataclass(frozen=True, slots=True)
class DueTube:
    """One tube with the moments that matter."""

    barcode: str
    kind: TubeKind
    people: int
    step: Step
    since: datetime
    swabbed_at: datetime
    due_at: datetime
    expected_at: datetime


# Without a campaign; the days of 2021 asked for an answer within a day of the swab (domain.md).
USUAL_PROMISE: Final = timedelta(hours=24)
# Until a step has been seen ten times today: our guess, so that the first hour has a forecast.
GUESSED: Final[Mapping[Step, timedelta]] = {
    Step.DOOR: timedelta(hours=2),
    Step.POOL: timedelta(minutes=40),
    Step.PLATE: timedelta(minutes=60),
    Step.READ: timedelta(minutes=110),
    Step.WORD: timedelta(minutes=20),
}
SEEN_ENOUGH: Final = 10
_LATELY: Final = timedelta(hours=24)
_SAMPLE: Final = 2_000

# Each step by the newest rows of one index: what ended lately, and how long it had taken.
_PACE = text("""
SELECT step, count(*) AS counted,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS median_s,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY took) AS p90_s
FROM (
  (SELECT 'door' AS step, extract(epoch FROM received_at - created_at) AS took FROM tube
   WHERE site_id = :site AND received_at >= :since AND kind <> 'lab_pool'
   ORDER BY received_at DESC LIMIT :sample)
  UNION ALL
  (SELECT 'pool', extract(epoch FROM p.created_at - t.received_at)
   FROM (SELECT id, created_at FROM tube WHERE site_id = :site AND kind = 'lab_pool'
         AND created_at >= :since ORDER BY created_at DESC LIMIT :sample) p
   JOIN LATERAL (SELECT min(m.received_at) AS received_at FROM tube_source s
                 JOIN tube m ON m.id = s.source_id WHERE s.pool_id = p.id) t
     ON t.received_at IS NOT NULL)
  UNION ALL
  (SELECT 'plate', extract(epoch FROM r.created_at - o.created_at)
   FROM (SELECT id, created_at FROM run WHERE site_id = :site AND created_at >= :since
         ORDER BY created_at DESC LIMIT 40) r
   JOIN well w ON w.run_id = r.id AND w.order_id IS NOT NULL
   JOIN test_order o ON o.id = w.order_id)
  UNION ALL
  (SELECT 'read', extract(epoch FROM judged_at - created_at) FROM run
   WHERE site_id = :site AND created_at >= :since AND judged_at IS NOT NULL
   ORDER BY created_at DESC LIMIT :sample)
  UNION ALL
  (SELECT 'word', extract(epoch FROM released_at - created_at) FROM finding
   WHERE site_id = :site AND current AND created_at >= :since AND outcome = 'positive'
     AND released_at IS NOT NULL ORDER BY created_at DESC LIMIT :sample)
) ended GROUP BY step
""")

# A pool is as old as the oldest swab in it; a tube inside a pool waits with the pool.
_STANDING = """
WITH standing AS (
  SELECT 'door' AS step, t.id, t.barcode, t.kind, t.created_at AS since,
         t.created_at AS swabbed_at, t.campaign_id
  FROM tube t WHERE t.site_id = :site AND t.state = 'collected'
  UNION ALL
  SELECT 'pool', t.id, t.barcode, t.kind, t.received_at, t.created_at, t.campaign_id
  FROM tube t WHERE t.site_id = :site AND t.awaits_pool AND t.received_at >= :keeps
  UNION ALL
  SELECT CASE o.state WHEN 'queued' THEN 'plate' ELSE 'read' END, t.id, t.barcode, t.kind,
         CASE o.state WHEN 'queued' THEN o.created_at ELSE r.created_at END,
         CASE WHEN t.kind = 'lab_pool'
              THEN (SELECT min(m.created_at) FROM tube_source s
                    JOIN tube m ON m.id = s.source_id
                    WHERE s.pool_id = coalesce(t.master_id, t.id))
              ELSE t.created_at END,
         t.campaign_id
  FROM test_order o JOIN tube t ON t.id = o.tube_id AND t.state = 'received'
  LEFT JOIN well w ON w.order_id = o.id LEFT JOIN run r ON r.id = w.run_id
  WHERE o.site_id = :site AND o.state IN ('queued', 'plated')
  UNION ALL
  SELECT 'word', t.id, t.barcode, t.kind, f.created_at, s.collected_at, t.campaign_id
  FROM finding f JOIN specimen s ON s.id = f.specimen_id
  JOIN LATERAL (SELECT u.* FROM tube_specimen ts JOIN tube u ON u.id = ts.tube_id
                WHERE ts.specimen_id = f.specimen_id AND u.kind <> 'lab_pool'
                ORDER BY u.created_at LIMIT 1) t ON true
  WHERE f.site_id = :site AND f.current AND f.status = 'P'
    AND f.outcome IN ('positive', 'inconclusive', 'discordant')
), due AS (
  SELECT t.*, coalesce(t.swabbed_at, t.since)
              + make_interval(mins => coalesce(c.answer_within_min, :promise_min)) AS due_at,
         greatest(t.since + f.own, :now) + f.rest AS expected_at
  FROM standing t
  JOIN unnest(cast(:steps AS text[]), cast(:own AS interval[]), cast(:rest AS interval[]))
       AS f(step, own, rest) ON f.step = t.step
  LEFT JOIN campaign c ON c.id = t.campaign_id
)
"""

_LOADS = text(
    _STANDING  # noqa: S608 - both halves are this file's own words
    + """
SELECT d.step, count(*) AS tubes, min(d.since) AS oldest_at,
       sum((SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = d.id)) AS people,
       count(*) FILTER (WHERE d.due_at < :now) AS late,
       count(*) FILTER (WHERE d.due_at >= :now AND d.expected_at > d.due_at) AS at_risk
FROM due d GROUP BY d.step
"""
)

_NEXT = text(
    _STANDING  # noqa: S608 - both halves are this file's own words
    + """
SELECT d.barcode, d.kind, d.step, d.since, coalesce(d.swabbed_at, d.since) AS swabbed_at,
       d.due_at, d.expected_at,
       (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = d.id) AS people
FROM due d WHERE d.expected_at > d.due_at OR d.due_at < :soon
ORDER BY d.due_at, d.id LIMIT :most
"""
)


def paces(session: Session, *, site_id: UUID, now: datetime) -> dict[Step, Pace]:
    """How long each step took over the last 24 hours; steps that ended nothing are missing."""
    values = {"site": site_id, "since": now - _LATELY, "sample": _SAMPLE}
    return {
        Step(row.step): Pace(
            timedelta(seconds=float(row.median_s)),
            timedelta(seconds=float(row.p90_s)),
            row.counted,
        )
        for row in session.execute(_PACE, values)
    }


def step_loads(
    session: Session, paces: Mapping[Step, Pace], *, site_id: UUID, now: datetime
) -> tuple[StepLoad, ...]:
    """Every step with what stands there, the empty ones too."""
    rows = {row.step: row for row in session.execute(_LOADS, _forecast(paces, site_id, now))}
    return tuple(
        StepLoad(step, row.tubes, int(row.people), row.oldest_at, row.late, row.at_risk)
        if (row := rows.get(step))
        else StepLoad(step, 0, 0, None, 0, 0)
        for step in Step
    )


def next_due(
    session: Session,
    paces: Mapping[Step, Pace],
    *,
    site_id: UUID,
    now: datetime,
    most: int = 100,
) -> tuple[DueTube, ...]:
    """Tubes that are late, will be, or are due within the hour: the earliest due first."""
    values = _forecast(paces, site_id, now) | {"most": most, "soon": now + timedelta(hours=1)}
    return tuple(
        DueTube(**{**row._mapping, "kind": TubeKind(row.kind), "step": Step(row.step)})
        for row in session.execute(_NEXT, values)
    )


def usual(step: Step, paces: Mapping[Step, Pace]) -> timedelta:
    """The middle time of a step: as measured, or our guess until it has been seen enough."""
    pace = paces.get(step)
    return pace.median if pace and pace.counted >= SEEN_ENOUGH else GUESSED[step]


def _forecast(paces: Mapping[Step, Pace], site_id: UUID, now: datetime) -> dict[str, object]:
    own = [usual(step, paces) for step in Step]
    # Only positives wait for a word, so that it is in nobody else's forecast.
    machine = [step for step in Step if step is not Step.WORD]
    rest = [sum((usual(s, paces) for s in machine[i + 1 :]), timedelta()) for i in range(len(own))]
    return {
        "site": site_id,
        "now": now,
        "keeps": now - timedelta(days=5),
        "promise_min": int(USUAL_PROMISE.total_seconds() // 60),
        "steps": [str(step) for step in Step],
        "own": own,
        "rest": rest,
    }
