"""Does the day add up? Every swab is somewhere, and everyone who should hear of a case was told.

Three equations (S25), over people swabbed and cases opened in a span of time:
registered = received + rejected + outstanding; received = findings + waiting
by stage; cases by recipients = ``case.opened`` notices. Counted from the rows
themselves and not by the code that wrote them, so that the two can disagree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

_FOUND = "found"
_WAITING = "waiting"
_LOST = "lost"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not add up: a tube by its barcode, or a case by its id."""

    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The day in numbers. ``found`` is by outcome, ``waiting`` by stage."""

    registered: int
    received: int
    rejected: int
    outstanding: int
    found: Mapping[str, int]
    waiting: Mapping[str, int]
    cases: int
    notices_due: int
    notices_owed: int
    differences: tuple[Difference, ...]

    @property
    def clean(self) -> bool:
        """Every equation holds and nothing is listed."""
        return (
            not self.differences
            and self.registered == self.received + self.rejected + self.outstanding
            and self.received == sum(self.found.values()) + sum(self.waiting.values())
            and self.notices_due == self.notices_owed
        )


def reconcile(
    session: Session, *, site_id: UUID, since: datetime, until: datetime
) -> Reconciliation:
    """Reconcile what was registered, and the cases opened, from ``since`` up to ``until``."""
    span = {"site": site_id, "since": since, "until": until}
    places: dict[str, int] = {}
    found: dict[str, int] = {}
    waiting: dict[str, int] = {}
    differences: list[Difference] = []
    for row in session.execute(_SWABS, span):
        places[row.place] = places.get(row.place, 0) + row.swabs
        if row.kind == _LOST:
            differences.extend(Difference(tube, row.stage) for tube in row.tubes)
        elif row.place == "received":
            tally = found if row.kind == _FOUND else waiting
            tally[row.stage] = tally.get(row.stage, 0) + row.swabs
    cases = session.execute(_CASES, span).all()
    differences.extend(wrong for row in cases for wrong in _told_wrong(row))
    return Reconciliation(
        registered=sum(places.values()),
        received=places.get("received", 0),
        rejected=places.get("rejected", 0),
        outstanding=places.get("outstanding", 0),
        found=found,
        waiting=waiting,
        cases=len(cases),
        notices_due=sum(row.due for row in cases),
        notices_owed=sum(row.owed for row in cases),
        differences=tuple(differences),
    )


# A rejected tube's person may still be cleared by her pool, so she too is followed to the end.
_SWABS = text("""
WITH swab AS (
    SELECT s.id, t.id AS tube_id, coalesce(t.barcode, s.id::text) AS barcode, t.kind,
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
           bool_or(o.id IS NOT NULL) AS ordered
    FROM swab w
    JOIN tube_specimen ts ON ts.specimen_id = w.id
    LEFT JOIN test_order o ON o.tube_id = ts.tube_id AND o.state <> 'cancelled'
    LEFT JOIN result r ON r.order_id = o.id AND r.current
    GROUP BY w.id
), known AS (
    SELECT w.id, w.barcode, w.place, f.outcome,
           coalesce(x.queued, false) AS queued, coalesce(x.plated, false) AS plated,
           coalesce(x.held, false) AS held,
           EXISTS (SELECT FROM recollection a WHERE a.specimen_id = w.id
                   AND a.state <> 'cancelled') AS reswab,
           w.kind = 'individual' AND w.pool_size > 1 AND NOT coalesce(x.ordered, false)
               AND NOT EXISTS (SELECT FROM tube_source d WHERE d.source_id = w.tube_id) AS to_pool,
           EXISTS (SELECT FROM sub_pool_source d JOIN sub_pool p ON p.id = d.sub_pool_id
                   WHERE d.source_id = w.tube_id AND p.state = 'wanted') AS to_part
    FROM swab w
    LEFT JOIN tested x ON x.id = w.id
    LEFT JOIN finding f ON f.specimen_id = w.id AND f.current
), stood AS (
    SELECT id, barcode, place,
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
SELECT place, kind, stage, count(*) AS swabs,
       array_agg(barcode ORDER BY barcode) FILTER (WHERE kind = 'lost') AS tubes
FROM stood GROUP BY place, kind, stage ORDER BY place, kind, stage
""")

# Routing written a second time on purpose (S17, S21), as it was when the case opened: the home
# commune's subscriptions, else its province's, else the national desk's; and the workplace's. Units
# are the same in two schemes when code, name and parent agree. Of an address that somebody resolved
# later (S18), what it said before counts, and not who was told by it.
_CASES = text("""
WITH opened AS (
    SELECT c.id, c.site_id, c.opened_at, h.code AS hc, h.name_key AS hn, h.parent_code AS hp,
           u.name_key AS pn, w.code AS wc, w.name_key AS wn, w.parent_code AS wp
    FROM f0_case c JOIN person p ON p.id = c.person_id
    LEFT JOIN LATERAL (
        SELECT d.* FROM address_doubt d WHERE d.person_id = p.id AND d.kind = 'home'
        AND d.settled_at > c.opened_at ORDER BY d.settled_at LIMIT 1) dh ON true
    LEFT JOIN LATERAL (
        SELECT d.* FROM address_doubt d WHERE d.person_id = p.id AND d.kind = 'work'
        AND d.settled_at > c.opened_at ORDER BY d.settled_at LIMIT 1) dw ON true
    LEFT JOIN area h ON (h.scheme, h.code) = (
        CASE WHEN dh.id IS NULL THEN p.area_scheme ELSE dh.scheme END,
        CASE WHEN dh.id IS NULL THEN p.area_code ELSE dh.code END)
    LEFT JOIN area u ON u.scheme = h.scheme AND u.code = h.parent_code
    LEFT JOIN area w ON (w.scheme, w.code) = (
        CASE WHEN dw.id IS NULL THEN p.work_area_scheme ELSE dw.scheme END,
        CASE WHEN dw.id IS NULL THEN p.work_area_code ELSE dw.code END)
    WHERE c.site_id = :site AND c.opened_at >= :since AND c.opened_at < :until
), listening AS (
    SELECT o.id AS case_id, s.id AS subscription_id,
           CASE WHEN s.area_code IS NULL THEN 3
                WHEN (a.code, a.name_key) = (o.hc, o.hn)
                 AND a.parent_code IS NOT DISTINCT FROM o.hp THEN 1
                WHEN (a.code, a.name_key) = (o.hp, o.pn) THEN 2 END AS distance,
           coalesce((a.code, a.name_key) = (o.wc, o.wn), false)
           AND a.parent_code IS NOT DISTINCT FROM o.wp AS copy
    FROM opened o JOIN subscription s
      ON s.site_id = o.site_id AND s.created_at <= o.opened_at
     AND (s.disabled_at IS NULL OR s.disabled_at > o.opened_at)
    LEFT JOIN area a ON a.scheme = s.area_scheme AND a.code = s.area_code
), due AS (
    SELECT l.case_id, l.subscription_id FROM listening l
    WHERE l.copy OR l.distance = (SELECT min(n.distance) FROM listening n
                                  WHERE n.case_id = l.case_id)
), owed AS (
    SELECT n.case_id, n.subscription_id FROM notice n JOIN opened o ON o.id = n.case_id
    WHERE n.kind = 'case.opened' AND n.sequence = 1
      AND NOT jsonb_exists_any(n.facts, ARRAY['unclaimed_min', 'rerouted'])
), told AS (
    SELECT case_id, d.subscription_id AS due, w.subscription_id AS owed
    FROM due d FULL JOIN owed w USING (case_id, subscription_id)
)
SELECT o.id, count(t.due) AS due, count(t.owed) AS owed,
       count(t.due) FILTER (WHERE t.owed IS NULL) AS untold,
       count(t.owed) FILTER (WHERE t.due IS NULL) AS strangers
FROM opened o LEFT JOIN told t ON t.case_id = o.id GROUP BY o.id ORDER BY o.id
""")


def _told_wrong(row: Row[Any]) -> Iterator[Difference]:
    if row.owed == 0:
        yield Difference(str(row.id), "told to nobody")
    elif row.untold:
        yield Difference(str(row.id), "a recipient was not told")
    if row.strangers:
        yield Difference(str(row.id), "told to somebody it does not concern")
