"""Where tests disagree more than chance gives: by lot, laboratory, analyser and plate.

Two disagreements are watched over the days of the site's policy: a positive rapid test that its
PCR refuted, and a positive pool in which nobody was found. Each is held against its exact band.
What was recalled is in neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.control_band import ControlBand, Signal
from lims.tables import Site
from lims.work.kit_names import lot_called

MOST: Final = 40
"""Of each grouping, the most disagreeing."""


class Watched(StrEnum):
    """What disagrees."""

    REFUTED = "refuted"
    EMPTY_POOLS = "empty_pools"


class Grouping(StrEnum):
    """What may be at fault; the words of a recall, and the laboratory as a whole."""

    LABORATORY = "laboratory"
    KIT_LOT = "kit_lot"
    REAGENT_LOT = "reagent_lot"
    INSTRUMENT = "instrument"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Monitored:
    """One thing, and how often it disagreed."""

    watched: Watched
    grouping: Grouping
    subject_id: UUID
    name: str
    band: ControlBand


@dataclass(frozen=True, slots=True)
class Monitors:
    """Everything that is watched; signals first, then the least likely."""

    since: datetime
    days: int
    rows: Sequence[Monitored]

    @property
    def signals(self) -> Sequence[Monitored]:
        """Beyond the action limit."""
        return [row for row in self.rows if row.band.signal is Signal.ACTION]


def monitors(session: Session, *, site_id: UUID, now: datetime) -> Monitors:
    """The last days, each grouping against what the site expects."""
    site = session.get_one(Site, site_id)
    since = now - timedelta(days=site.monitor_window_days)
    about = {"site": site_id, "since": since, "most": MOST}
    rows = [
        *_read(
            Watched.REFUTED,
            session.execute(_REFUTED, about).all(),
            site.expected_refuted_percent / 100,
        ),
        *_read(
            Watched.EMPTY_POOLS,
            session.execute(_EMPTY, about).all(),
            site.expected_empty_pools_percent / 100,
        ),
    ]
    rows.sort(key=lambda row: (row.band.odd < 2, row.band.chance))
    return Monitors(since, site.monitor_window_days, rows)


def _read(watched: Watched, rows: Sequence[Row[Any]], expected: float) -> list[Monitored]:
    return [
        Monitored(
            watched,
            Grouping(row.grouping),
            row.id,
            row.name,
            ControlBand(row.odd, row.many, expected),
        )
        for row in rows
    ]


# A row each of what disagreed or agreed, with what it was measured by; counted by every grouping.
_COUNTED: Final = f"""
, seen AS (
    SELECT 'laboratory' AS grouping, one.site_id AS id, one.id AS one, odd FROM one
    UNION SELECT 'kit_lot', kit_lot_id, one.id, odd FROM one WHERE kit_lot_id IS NOT NULL
    UNION SELECT 'run', run_id, one.id, odd FROM one WHERE run_id IS NOT NULL
    UNION SELECT 'instrument', instrument_id, one.id, odd FROM one WHERE instrument_id IS NOT NULL
    UNION SELECT 'reagent_lot', l.lot_id, one.id, odd FROM one JOIN run_lot l USING (run_id)
), counted AS (
    SELECT grouping, id, count(*) AS many, count(*) FILTER (WHERE odd) AS odd,
           row_number() OVER (PARTITION BY grouping
                              ORDER BY count(*) FILTER (WHERE odd) DESC, id) AS place
    FROM seen GROUP BY grouping, id
)
SELECT c.grouping, c.id, c.many, c.odd,
       coalesce(site.name, {lot_called("k.name", "kl.lot")}, rl.lot, i.name, r.plate) AS name
FROM counted c
LEFT JOIN site ON c.grouping = 'laboratory' AND site.id = c.id
LEFT JOIN kit_lot kl ON c.grouping = 'kit_lot' AND kl.id = c.id
LEFT JOIN kit k ON k.id = kl.kit_id
LEFT JOIN reagent_lot rl ON c.grouping = 'reagent_lot' AND rl.id = c.id
LEFT JOIN instrument i ON c.grouping = 'instrument' AND i.id = c.id
LEFT JOIN run r ON c.grouping = 'run' AND r.id = c.id
WHERE c.place <= :most
"""  # noqa: S608 - names of columns, constants here

# A positive counts as soon as the machine has seen it: waiting for its signature would leave only
# the refuted ones to be counted.
_REFUTED = text(
    f"""
WITH one AS (
    SELECT t.id, t.site_id, t.kit_lot_id, f.outcome = 'negative' AS odd, q.run_id, m.instrument_id
    FROM rapid_test t
    JOIN finding f ON f.specimen_id = t.pcr_specimen_id AND f.current
     AND (f.outcome = 'positive' OR f.outcome = 'negative' AND f.status IN ('F', 'C'))
    LEFT JOIN result q ON q.id = f.evidence[1]
    LEFT JOIN measurement m ON m.id = q.measurement_id
    WHERE t.site_id = :site AND t.outcome = 'positive' AND t.read_at >= :since
      AND NOT EXISTS (SELECT FROM recall_strip x WHERE x.rapid_test_id = t.id)
) {_COUNTED}
"""  # noqa: S608 - put together from constants of this file
)

_EMPTY = text(
    f"""
WITH pools AS (
    SELECT a.pool_id, a.site_id, bool_or(coalesce(f.outcome = 'positive', false)
                                         OR a.state = 'confirmed') AS found
    FROM alert_member a
    LEFT JOIN finding f ON f.specimen_id = a.specimen_id AND f.current
    WHERE a.site_id = :site AND a.raised_at >= :since
    GROUP BY a.pool_id, a.site_id
    HAVING bool_and(coalesce(f.outcome IN ('negative', 'positive', 'discordant'), false)
                    OR a.state <> 'provisional')
), one AS (
    SELECT p.pool_id AS id, p.site_id, cast(NULL AS uuid) AS kit_lot_id, NOT p.found AS odd,
           q.run_id, m.instrument_id
    FROM pools p
    CROSS JOIN LATERAL (
        SELECT r.run_id, r.measurement_id FROM result r
        WHERE r.tube_id = p.pool_id AND r.current AND r.outcome = 'detected'
        ORDER BY r.created_at, r.id LIMIT 1) q
    JOIN measurement m ON m.id = q.measurement_id
) {_COUNTED}
"""  # noqa: S608 - put together from constants of this file
)
