"""Whether everyone who should hear of a case was told, and of its last change; and how far that is.

Cases by recipients = notices; notices = delivered + pending + dead; whoever was ever told of a case
was told of its last change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.zones import SWAB_TIES
from lims.work.views.reconcile_parts import Difference, Part


@dataclass(frozen=True, slots=True)
class Told:
    """Of the cases opened in the span: first notices ``due`` by the routing and ``owed`` in fact;
    and every notice about them and about the pools of the span, by what became of it."""

    cases: int
    claimed: int
    due: int
    owed: int
    notices: int
    delivered: int
    pending: int
    dead: int
    fetched: int
    differences: tuple[Difference, ...]


def told_of(session: Session, span: Mapping[str, Any]) -> Told:
    """Hold the notices of ``span`` (site, since, until) against whom they should have reached."""
    cases = session.execute(_CASES, {**span, "swab_ties": SWAB_TIES}).all()
    sent = session.execute(_SENT, span).one()
    differences = [wrong for row in cases for wrong in _told_wrong(row)]
    differences += [
        Difference(Part.NOTICES, row.subject, row.why) for row in session.execute(_UNHEARD, span)
    ]
    return Told(
        cases=len(cases),
        claimed=sum(row.claimed for row in cases),
        due=sum(row.due for row in cases),
        owed=sum(row.owed for row in cases),
        notices=sent.notices,
        delivered=sent.delivered,
        pending=sent.pending,
        dead=sent.dead,
        fetched=sent.fetched,
        differences=tuple(differences),
    )


def _told_wrong(row: Row[Any]) -> Iterator[Difference]:
    if row.owed == 0:
        yield Difference(Part.NOTICES, str(row.id), "told to nobody")
    elif row.untold:
        yield Difference(Part.NOTICES, str(row.id), "a recipient was not told")
    if row.strangers:
        yield Difference(Part.NOTICES, str(row.id), "told to somebody it does not concern")


_ABOUT = """
WITH about AS (
    SELECT n.*, c.id::text AS subject FROM f0_case c JOIN notice n ON n.case_id = c.id
    WHERE c.site_id = :site AND c.opened_at >= :since AND c.opened_at < :until
    UNION ALL
    SELECT n.*, t.barcode FROM notice n JOIN tube t ON t.id = n.pool_id
    WHERE n.site_id = :site AND n.created_at >= :since AND n.created_at < :until
      AND n.pool_id IS NOT NULL
)
"""

_SENT = text(
    f"""{_ABOUT}
SELECT count(*) AS notices, count(*) FILTER (WHERE state = 'delivered') AS delivered,
       count(*) FILTER (WHERE state = 'owed') AS pending,
       count(*) FILTER (WHERE state = 'dead') AS dead, count(fetched_at) AS fetched
FROM about
"""  # noqa: S608 - put together from constants of this file
)

# A receiver hears of the changes after the one that it was first told; none may be missing. Of one
# that was switched off, its team hears by another or somebody stands in for it (stand_ins.py).
_UNHEARD = text(
    f"""{_ABOUT}
SELECT subject, 'a notice could not be delivered' AS why
FROM about WHERE state = 'dead'
UNION
SELECT subject, 'delivered, and no attempt is kept' FROM about a
WHERE state = 'delivered' AND NOT EXISTS (SELECT FROM delivery d WHERE d.notice_id = a.id)
UNION
SELECT c.id::text, 'somebody who was told did not hear of the last change'
FROM (SELECT case_id, subscription_id, max(sequence) AS heard FROM about
      WHERE case_id IS NOT NULL GROUP BY case_id, subscription_id) h
JOIN f0_case c ON c.id = h.case_id JOIN subscription s ON s.id = h.subscription_id
WHERE h.heard <> c.sequence AND NOT (s.disabled_at IS NOT NULL AND EXISTS (
    SELECT FROM about a JOIN subscription o ON o.id = a.subscription_id
    WHERE a.case_id = c.id AND a.sequence = c.sequence
      AND (o.team_id = s.team_id OR a.facts -> 'stands_for' ? s.team_id::text)))
ORDER BY 1, 2
"""  # noqa: S608 - put together from constants of this file
)

# Routing written a second time on purpose (S17, S21), as it was when the case opened: the home
# commune's subscriptions, else its province's, else the national desk's; and the workplace's and
# the zones'. Units are the same in two schemes when code, name and parent agree. Of an address that
# somebody resolved later (S18), what it said before counts, and not who was told by it. A recipient
# that was stopped and a zone that was closed, and are not any more, were so by the audit trail.
# What a merge brought, a card's zones and swabs, counts from then on.
_WHO_WAS_DUE = """
WITH opened AS (
    SELECT c.id, c.person_id, c.opened_at, h.code AS hc, h.name_key AS hn,
           h.parent_code AS hp, u.name_key AS pn, w.code AS wc, w.name_key AS wn,
           w.parent_code AS wp
    FROM f0_case c JOIN person p ON p.id = c.person_id
    LEFT JOIN LATERAL (
        SELECT * FROM address_doubt WHERE person_id = p.id AND kind = 'home'
        AND settled_at >= c.opened_at ORDER BY settled_at LIMIT 1) x ON true
    LEFT JOIN LATERAL (
        SELECT * FROM address_doubt WHERE person_id = p.id AND kind = 'work'
        AND settled_at >= c.opened_at ORDER BY settled_at LIMIT 1) y ON true
    LEFT JOIN area h ON (h.scheme, h.code) = (
        CASE WHEN x.id IS NULL THEN p.area_scheme ELSE x.scheme END,
        CASE WHEN x.id IS NULL THEN p.area_code ELSE x.code END)
    LEFT JOIN area u ON u.scheme = h.scheme AND u.code = h.parent_code
    LEFT JOIN area w ON (w.scheme, w.code) = (
        CASE WHEN y.id IS NULL THEN p.work_area_scheme ELSE y.scheme END,
        CASE WHEN y.id IS NULL THEN p.work_area_code ELSE y.code END)
    WHERE c.site_id = :site AND c.opened_at >= :since AND c.opened_at < :until
), away AS MATERIALIZED (
    SELECT * FROM (
        SELECT x.id, e.verb, e.at AS since,
               lead(e.at) OVER (PARTITION BY x.id ORDER BY e.at, e.id) AS until
        FROM (SELECT id FROM subscription WHERE site_id = :site
              UNION ALL SELECT id FROM zone WHERE site_id = :site) x
        JOIN audit_event e ON e.subject = x.id::text
         AND e.verb IN ('subscription-disabled', 'subscription-enabled', 'zone-closed',
                        'zone-reopened')) told
    WHERE verb IN ('subscription-disabled', 'zone-closed') AND until IS NOT NULL
), belonged AS (
    SELECT o.id AS case_id, z.id AS zone_id
    FROM opened o JOIN zone z ON z.site_id = :site
     AND coalesce(z.closed_at, 'infinity') > o.opened_at
     AND NOT EXISTS (SELECT FROM away y WHERE y.id = z.id AND y.since <= o.opened_at
                     AND y.until > o.opened_at)
    WHERE EXISTS (
        SELECT FROM person_zone t
        WHERE t.zone_id = z.id
          AND (t.person_id = o.person_id OR EXISTS (
               SELECT FROM person_merge m
               WHERE m.merged_id = t.person_id AND m.kept_id = o.person_id
                 AND m.merged_at <= o.opened_at
                 AND coalesce(m.undone_at, 'infinity') > o.opened_at))
          AND t.created_at <= o.opened_at
          AND coalesce(t.ended_at, 'infinity') > o.opened_at)
       OR EXISTS (
        SELECT FROM specimen s JOIN campaign g ON g.id = s.campaign_id
        WHERE s.person_id = o.person_id AND g.zone_id = z.id AND s.registered_at <= o.opened_at
          AND s.collected_at > o.opened_at - cast(:swab_ties AS interval)
          AND NOT EXISTS (SELECT FROM person_merge m WHERE m.kept_id = o.person_id
                          AND s.id = ANY(m.moved) AND m.merged_at > o.opened_at))
), listening AS (
    SELECT o.id AS case_id, s.id AS sub,
           CASE WHEN s.area_code IS NULL AND s.zone_id IS NULL THEN 3
                WHEN (a.code, a.name_key) = (o.hc, o.hn)
                 AND a.parent_code IS NOT DISTINCT FROM o.hp THEN 1
                WHEN (a.code, a.name_key) = (o.hp, o.pn) THEN 2 END AS distance,
           coalesce((a.code, a.name_key) = (o.wc, o.wn), false)
           AND a.parent_code IS NOT DISTINCT FROM o.wp
           OR s.zone_id IN (SELECT b.zone_id FROM belonged b WHERE b.case_id = o.id) AS copy
    FROM opened o JOIN subscription s
      ON s.site_id = :site AND s.created_at <= o.opened_at
     AND (s.disabled_at IS NULL OR s.disabled_at > o.opened_at)
     AND NOT EXISTS (SELECT FROM away y WHERE y.id = s.id AND y.since <= o.opened_at
                     AND y.until > o.opened_at)
    LEFT JOIN area a ON a.scheme = s.area_scheme AND a.code = s.area_code
), due AS (
    SELECT l.case_id, l.sub FROM listening l
    WHERE l.copy OR l.distance = (SELECT min(n.distance) FROM listening n
                                  WHERE n.case_id = l.case_id)
), owed AS (
    SELECT n.case_id, n.subscription_id AS sub FROM notice n JOIN opened o ON o.id = n.case_id
    WHERE n.kind = 'case.opened' AND n.sequence = 1
      AND NOT jsonb_exists_any(n.facts, ARRAY['unclaimed_min', 'rerouted'])
), told AS (
    SELECT case_id, d.sub AS due, w.sub AS owed FROM due d FULL JOIN owed w USING (case_id, sub)
)
SELECT o.id, EXISTS (SELECT FROM claim WHERE case_id = o.id AND ended_at IS NULL) AS claimed,
       count(t.due) AS due, count(t.owed) AS owed,
       count(t.due) FILTER (WHERE t.owed IS NULL) AS untold,
       count(t.owed) FILTER (WHERE t.due IS NULL) AS strangers
FROM opened o LEFT JOIN told t ON t.case_id = o.id GROUP BY o.id ORDER BY o.id
"""
_CASES = text(" ".join(_WHO_WAS_DUE.split()))  # short enough to be remembered by psycopg
