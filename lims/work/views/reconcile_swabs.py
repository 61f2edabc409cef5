"""Where every swab of the day is: registered = received + rejected + outstanding, and of those
received: answered + waiting, by the step that they wait for.

Counted from the rows themselves and not by the code that wrote them, so that the two can disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.terse import terse
from lims.work.views.reconcile_parts import Difference, Part

_FOUND = "found"
_LOST = "lost"
MOST_LISTED = 500
"""Tubes on their way that are listed by barcode, the oldest first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Swabs at one step, and since when the one that waits longest does."""

    swabs: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """A registered tube that no laboratory has seen yet."""

    barcode: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Swabs:
    """The span's swabs. ``found`` is by outcome, ``waiting`` by step."""

    received: int = 0
    rejected: int = 0
    outstanding: int = 0
    nowhere: int = 0
    found: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    on_the_way: tuple[OnTheWay, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def registered(self) -> int:
        """Everybody the desks wrote down."""
        return self.received + self.rejected + self.outstanding + self.nowhere


def swabs_of(session: Session, span: Mapping[str, Any]) -> Swabs:
    """Count the swabs registered in ``span`` (site, since, until), and list what is nowhere."""
    places: dict[str, int] = {}
    found: dict[str, int] = {}
    waiting: dict[str, Waiting] = {}
    differences: list[Difference] = []
    for row in session.execute(_SWABS, span):
        places[row.place] = places.get(row.place, 0) + row.swabs
        if row.kind == _LOST:
            differences.extend(Difference(Part.SWABS, tube, row.stage) for tube in row.tubes)
        elif row.place == "received" and row.kind == _FOUND:
            found[row.stage] = found.get(row.stage, 0) + row.swabs
        elif row.place == "received":
            waiting[row.stage] = Waiting(row.swabs, row.oldest_at)
    outstanding = (
        session.execute(_ON_THE_WAY, {**span, "most": MOST_LISTED})
        if places.get("outstanding")
        else ()
    )
    return Swabs(
        received=places.get("received", 0),
        rejected=places.get("rejected", 0),
        outstanding=places.get("outstanding", 0),
        nowhere=places.get("nowhere", 0),
        found=found,
        waiting=waiting,
        on_the_way=tuple(OnTheWay(row.barcode, row.since) for row in outstanding),
        differences=tuple(differences),
    )


_ON_THE_WAY = text("""
SELECT t.barcode, min(s.registered_at) AS since
FROM specimen s JOIN tube_specimen ts ON ts.specimen_id = s.id
JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
WHERE s.site_id = :site AND s.material = 'swab'
  AND s.registered_at >= :since AND s.registered_at < :until
  AND t.received_at IS NULL AND t.rejected_at IS NULL
GROUP BY t.id ORDER BY since, t.id LIMIT :most
""")

# A rejected tube's person may still be cleared by her pool, so she too is followed to the end. In a
# pool that is parted by probability a member may wait for the own test of who is named, or for a
# sub-pool.
_SWABS = terse("""
WITH swab AS (
    SELECT s.id, s.registered_at, t.id AS tube_id, t.received_at,
           coalesce(t.barcode, s.id::text) AS barcode, t.kind,
           coalesce(c.pool_size, 1) AS pool_size,
           CASE WHEN t.id IS NULL THEN 'nowhere'
                WHEN t.rejected_at IS NOT NULL THEN 'rejected'
                WHEN t.received_at IS NULL THEN 'outstanding'
                ELSE 'received' END AS place
    FROM specimen s
    LEFT JOIN LATERAL (
        SELECT t.* FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
        WHERE ts.specimen_id = s.id ORDER BY t.id LIMIT 1
    ) t ON true
    LEFT JOIN campaign c ON c.id = t.campaign_id
    WHERE s.site_id = :site AND s.material = 'swab'
      AND s.registered_at >= :since AND s.registered_at < :until
), tested AS (
    SELECT w.id,
           bool_or(o.state = 'queued') AS queued,
           bool_or(o.state = 'plated') AS plated,
           bool_or(r.held) AS held,
           min(o.created_at) FILTER (WHERE o.state IN ('queued', 'plated')) AS asked_at,
           min(r.created_at) FILTER (WHERE r.held) AS held_at,
           bool_or(o.id IS NOT NULL) AS ordered
    FROM swab w
    JOIN tube_specimen ts ON ts.specimen_id = w.id
    LEFT JOIN test_order o ON o.tube_id = ts.tube_id AND o.state <> 'cancelled'
    LEFT JOIN result r ON r.order_id = o.id AND r.current
    GROUP BY w.id
), known AS (
    SELECT w.id, w.barcode, w.place, f.outcome,
           coalesce(x.held_at, x.asked_at, w.received_at, w.registered_at) AS since,
           coalesce(x.queued, false) AS queued, coalesce(x.plated, false) AS plated,
           coalesce(x.held, false) AS held,
           EXISTS (SELECT FROM recollection a WHERE a.specimen_id = w.id
                   AND a.state <> 'cancelled') AS reswab,
           w.kind = 'individual' AND w.pool_size > 1 AND NOT coalesce(x.ordered, false)
               AND NOT EXISTS (SELECT FROM tube_source d WHERE d.source_id = w.tube_id) AS to_pool,
           EXISTS (SELECT FROM sub_pool_source d JOIN sub_pool p ON p.id = d.sub_pool_id
                   WHERE d.source_id = w.tube_id AND p.state = 'wanted')
               OR EXISTS (SELECT FROM tube_source d
                          JOIN pool_resolution m ON m.pool_id = d.pool_id AND m.current
                                                AND m.strategy = 'bayesian'
                          JOIN tube_source b ON b.pool_id = d.pool_id
                          LEFT JOIN sub_pool_source e ON e.source_id = b.source_id
                          LEFT JOIN sub_pool p ON p.id = e.sub_pool_id
                          JOIN test_order o ON o.tube_id IN (b.source_id, p.tube_id)
                                           AND o.state IN ('queued', 'plated')
                          WHERE d.source_id = w.tube_id) AS to_part
    FROM swab w
    LEFT JOIN tested x ON x.id = w.id
    LEFT JOIN finding f ON f.specimen_id = w.id AND f.current
), stood AS (
    SELECT id, barcode, place, since,
           CASE
               WHEN place = 'nowhere' THEN 'lost'
               WHEN outcome IN ('negative', 'positive', 'discordant') THEN 'found'
               WHEN queued OR plated OR held OR reswab OR to_part THEN
                   CASE WHEN outcome IS NULL THEN 'waiting' ELSE 'found' END
               WHEN outcome IS NOT NULL THEN 'lost'
               WHEN place = 'outstanding' OR to_pool AND place = 'received' THEN 'waiting'
               ELSE 'lost'
           END AS kind,
           CASE
               WHEN place = 'nowhere' THEN 'registered without a tube'
               WHEN outcome IN ('negative', 'positive', 'discordant') THEN outcome
               WHEN outcome IS NOT NULL AND (queued OR plated OR held OR reswab OR to_part)
               THEN outcome
               WHEN outcome IS NOT NULL THEN outcome || ', and nothing is wanted'
               WHEN held THEN 'review'
               WHEN plated THEN 'run'
               WHEN queued THEN 'queue'
               WHEN reswab THEN 'collect'
               WHEN place = 'outstanding' THEN 'collect'
               WHEN to_pool AND place = 'received' THEN 'pool'
               ELSE place || ', nothing is known and nothing is wanted'
           END AS stage
    FROM known
)
SELECT place, kind, stage, count(*) AS swabs, min(since) AS oldest_at,
       array_agg(barcode ORDER BY barcode) FILTER (WHERE kind = 'lost') AS tubes
FROM stood GROUP BY place, kind, stage ORDER BY place, kind, stage
""")
