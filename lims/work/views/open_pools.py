"""The positive pools that are open: what each still lacks, and its resolution clock.

Everything is read of what is open now (findings that wait, tests that wait), so that it costs what
is open and not what was ever tested. The board reads all of it, because which pool is the latest is
known only when every clock is; what a line shows beside its clock is read for its page alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.db.terse import terse
from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.clock import (
    Clock,
    Lately,
    Limits,
    Pace,
    Standing,
    Tests,
    clock,
    pace_of,
)
from lims.tables import Site

_RUNS: Final = 20
_LATELY: Final = timedelta(days=7)
CONSIDERED: Final = 2_000
_DEEP: Final = (
    2_000  # tests of the queue that are counted; who stands deeper stands so deep at least
)


@dataclass(frozen=True, slots=True)
class OpenPool:
    """One line of the board."""

    barcode: str
    kind: TubeKind
    campaign: str | None
    people: int
    ct_cycles: float | None
    standing: Standing
    clock: Clock


@dataclass(frozen=True, slots=True)
class OpenPools:
    """A page of the board, the latest first. ``late``: past a deadline; ``will_be``: not yet."""

    pace: Pace
    many: int
    late: int
    will_be: int
    lines: tuple[OpenPool, ...]


def open_pools(
    session: Session, *, site_id: UUID, now: datetime, most: int = 50, skip: int = 0
) -> OpenPools:
    """Those that miss their deadline by most come first.

    In a wave of thousands that holds among the two thousand that were answered first, and the
    others follow: nobody reads so far, and every clock costs.
    """
    pace, limits = pace_now(session, site_id=site_id, now=now), limits_of(session, site_id)
    values = _values(site_id, limits, now, considered=CONSIDERED + skip)
    rows = session.execute(ALL, values).all()
    clocks = [(clock(one, pace, limits, now), one, id) for id, one in map(_standing, rows)]
    clocks.sort(key=lambda told: (-told[0].lateness, told[1].detected_at, told[2]))
    return OpenPools(
        pace=pace,
        many=rows[0].many if rows else 0,
        late=rows[0].late if rows else 0,
        will_be=sum(told.due_at >= now and told.lateness > timedelta() for told, _, _ in clocks),
        lines=_lines(session, clocks[skip : skip + most]),
    )


def pool_clock(session: Session, pool_id: UUID, *, site_id: UUID, now: datetime) -> Clock | None:
    """Of one pool; None when it is not positive, or nothing of it is open any more."""
    limits = limits_of(session, site_id)
    values = _values(site_id, limits, now, considered=1) | {"pool": pool_id}
    row = session.execute(ONE, values).one_or_none()
    if row is None:
        return None
    _, standing = _standing(row)
    return clock(standing, pace_now(session, site_id=site_id, now=now), limits, now)


def _values(site_id: UUID, limits: Limits, now: datetime, *, considered: int) -> dict[str, object]:
    return {
        "site": site_id,
        "deep": _DEEP,
        "considered": considered,
        "named_before": now - limits.to_name,
        "confirmed_before": now - limits.to_confirm,
    }


def limits_of(session: Session, site_id: UUID) -> Limits:
    """What the laboratory has set itself."""
    site = session.get_one(Site, site_id)
    return Limits(timedelta(hours=site.hours_to_name), timedelta(hours=site.hours_to_confirm))


def pace_now(session: Session, *, site_id: UUID, now: datetime) -> Pace:
    """By the last runs, pipettings, words and re-swabs of the last week."""
    values = {"site": site_id, "since": now - _LATELY, "most": _RUNS}
    rows = session.execute(RECENT, values).all()
    runs = sorted(row.at for row in rows if row.what == "run")

    def took(what: str) -> list[timedelta]:
        return [row.took for row in rows if row.what == what and row.took is not None]

    lately = Lately(runs, took("run"), took("pipetting"), took("word"), took("swab"))
    return pace_of(lately, now)


def _standing(row: Row[Any]) -> tuple[UUID, Standing]:
    return row.pool_id, Standing(
        detected_at=row.detected_at,
        strategy=StrategyName(row.strategy) if row.strategy else None,
        unknown=row.unknown,
        named=row.named,
        to_review=row.to_review,
        review_since=row.review_since,
        to_swab=row.to_swab,
        swab_since=row.swab_since,
        to_pipette=row.to_pipette,
        sub_pools=_tests(row.sub_queued, row.sub_ahead, row.sub_plated, row.sub_plated_at),
        alone=_tests(row.own_queued, row.own_ahead, row.own_plated, row.own_plated_at),
        first_lines=row.first_lines,
    )


def _tests(queued: int | None, ahead: int | None, plated: int | None, at: datetime | None) -> Tests:
    return Tests(queued or 0, ahead or 0, plated or 0, at)


def _lines(
    session: Session, clocks: Sequence[tuple[Clock, Standing, UUID]]
) -> tuple[OpenPool, ...]:
    ids = [pool_id for _, _, pool_id in clocks]
    shown = {row.id: row for row in session.execute(_SHOWN, {"ids": ids})}
    return tuple(
        OpenPool(
            barcode=shown[pool_id].barcode,
            kind=TubeKind(shown[pool_id].kind),
            campaign=shown[pool_id].campaign,
            people=shown[pool_id].people,
            ct_cycles=shown[pool_id].ct_cycles,
            standing=standing,
            clock=told,
        )
        for told, standing, pool_id in clocks
    )


# Each by the newest rows of one index.
RECENT = text("""
(SELECT 'run' AS what, created_at AS at, judged_at - created_at AS took FROM run
 WHERE site_id = :site AND created_at >= :since ORDER BY created_at DESC LIMIT :most)
UNION ALL
(SELECT 'pipetting', ended_at, ended_at - wanted_at FROM sub_pool
 WHERE site_id = :site AND state = 'prepared' AND ended_at >= :since
 ORDER BY ended_at DESC LIMIT :most)
UNION ALL
(SELECT 'word', created_at, released_at - created_at FROM finding
 WHERE site_id = :site AND current AND outcome = 'positive' AND created_at >= :since
   AND released_at IS NOT NULL ORDER BY created_at DESC LIMIT :most)
UNION ALL
(SELECT 'swab', ended_at, ended_at - created_at FROM recollection
 WHERE site_id = :site AND state = 'done' AND ended_at >= :since
 ORDER BY ended_at DESC LIMIT :most)
""")

# A pool is open while somebody in it has no last word; whoever was swabbed again has left it.
_OPEN = """
WITH lacking AS MATERIALIZED (
  SELECT t.id AS pool_id, t.kind, f.outcome, f.created_at, rc.state AS swab,
         rc.created_at AS owed_at
  FROM finding f
  JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
  JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'individual' AND t.master_id IS NULL
              AND t.state <> 'rejected'
  LEFT JOIN recollection rc ON rc.specimen_id = f.specimen_id AND rc.state <> 'cancelled'
  WHERE f.site_id = :site AND f.current AND f.status = 'P'
    AND f.outcome IN ('preliminary', 'presumptive', 'inconclusive', 'recollect', 'positive',
                      'discordant')
    AND (rc.state IS NULL OR rc.state = 'open' OR f.outcome IN ('positive', 'discordant'))
    {only}
), answered AS (
  SELECT l.*, CASE l.kind WHEN 'lab_pool'
           THEN (SELECT min(chosen_at) FROM pool_resolution WHERE pool_id = l.pool_id)
           ELSE (SELECT min(created_at) FROM result
                 WHERE tube_id = l.pool_id AND current AND outcome = 'detected') END AS detected_at
  FROM (
    SELECT pool_id, kind,
           count(*) FILTER (WHERE outcome NOT IN ('presumptive', 'positive')) AS unknown,
           count(*) FILTER (WHERE outcome = 'presumptive') AS named,
           count(*) FILTER (WHERE outcome IN ('positive', 'discordant')) AS to_review,
           min(created_at) FILTER (WHERE outcome IN ('positive', 'discordant')) AS review_since,
           count(*) FILTER (WHERE swab = 'open') AS to_swab, min(owed_at) AS swab_since
    FROM lacking GROUP BY pool_id, kind
  ) l
), pools AS MATERIALIZED (
  SELECT a.*, count(*) OVER () AS many,
         count(*) FILTER (WHERE a.detected_at < CASE WHEN a.unknown > 0 THEN :named_before
                                                     ELSE :confirmed_before END) OVER () AS late
  FROM answered a WHERE a.detected_at IS NOT NULL
  ORDER BY a.detected_at, a.pool_id LIMIT :considered
), ranked AS MATERIALIZED (
  SELECT q.tube_id, q.ahead
  FROM (SELECT DISTINCT t.assay_code FROM pools p JOIN tube t ON t.id = p.pool_id) a
  CROSS JOIN LATERAL (
    SELECT tube_id, row_number() OVER (ORDER BY priority DESC, created_at, id) - 1 AS ahead
    FROM (SELECT tube_id, priority, created_at, id FROM test_order
          WHERE site_id = :site AND assay_code = a.assay_code AND state = 'queued'
          ORDER BY priority DESC, created_at, id LIMIT :deep) first
  ) q
), parts AS (
  SELECT pool_id, pool_id AS tube_id, false AS sub, 0 AS stage FROM pools
  UNION ALL
  SELECT p.pool_id, s.source_id, false, 0 FROM pools p JOIN tube_source s ON s.pool_id = p.pool_id
  UNION ALL
  SELECT p.pool_id, s.tube_id, true, s.stage FROM pools p JOIN sub_pool s
    ON s.master_id = p.pool_id AND s.state = 'prepared'
), tests AS (
  SELECT p.pool_id,
         count(*) FILTER (WHERE sub AND o.state = 'queued') AS sub_queued,
         max(coalesce(r.ahead, :deep)) FILTER (WHERE sub AND o.state = 'queued') AS sub_ahead,
         count(*) FILTER (WHERE sub AND o.state = 'plated') AS sub_plated,
         max(run.created_at) FILTER (WHERE sub) AS sub_plated_at,
         count(*) FILTER (WHERE NOT sub AND o.state = 'queued') AS own_queued,
         max(coalesce(r.ahead, :deep)) FILTER (WHERE NOT sub AND o.state = 'queued') AS own_ahead,
         count(*) FILTER (WHERE NOT sub AND o.state = 'plated') AS own_plated,
         max(run.created_at) FILTER (WHERE NOT sub) AS own_plated_at,
         bool_or(sub AND stage = 1) AS first_lines
  FROM parts p
  JOIN test_order o ON o.tube_id = p.tube_id AND o.state IN ('queued', 'plated')
  LEFT JOIN ranked r ON r.tube_id = o.tube_id AND o.state = 'queued'
  LEFT JOIN well w ON w.order_id = o.id AND o.state = 'plated'
  LEFT JOIN run ON run.id = w.run_id
  GROUP BY p.pool_id
), wanted AS (
  SELECT master_id, count(*) AS many, bool_or(stage = 1) AS first_lines
  FROM sub_pool WHERE site_id = :site AND state = 'wanted' GROUP BY master_id
)
SELECT p.pool_id, p.many, p.late, p.detected_at, r.strategy, p.unknown, p.named, p.to_review,
       p.review_since, p.to_swab, p.swab_since, coalesce(w.many, 0) AS to_pipette,
       t.sub_queued, t.sub_ahead, t.sub_plated, t.sub_plated_at,
       t.own_queued, t.own_ahead, t.own_plated, t.own_plated_at,
       coalesce(t.first_lines, false) OR coalesce(w.first_lines, false) AS first_lines
FROM pools p
LEFT JOIN pool_resolution r ON r.pool_id = p.pool_id AND r.current
LEFT JOIN tests t ON t.pool_id = p.pool_id
LEFT JOIN wanted w ON w.master_id = p.pool_id
"""
ALL = terse(_OPEN.format(only=""))
ONE = terse(_OPEN.format(only="AND t.id = :pool"))

_SHOWN = text("""
SELECT t.id, t.barcode, t.kind, c.name AS campaign,
       (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = t.id) AS people,
       (SELECT ct_cycles FROM result WHERE tube_id = t.id AND current AND outcome = 'detected'
        ORDER BY created_at DESC, id DESC LIMIT 1) AS ct_cycles
FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id WHERE t.id = ANY(:ids)
""")
