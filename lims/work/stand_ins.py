"""Who hears of a case or a pool in the stead of a subscription that was switched off since.

Its team was told and must learn what changed: by another subscription of the team's, the board
before all others, and where it has none left by the national desk, which rings it (S21). What is
owed to a switched-off subscription reaches nobody, so nothing more is. Once the team has a channel
again, what it missed is owed to that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

Subject = TypeVar("Subject")
Hearers = Mapping[UUID, frozenset[UUID]]
"""Subscriptions that hear, each with the teams that it stands in for, none as a rule."""

# `instead`: what listens in its stead; of its own team when `by_itself`.
_HEARD_BY = text("""
SELECT b.id, b.team_id, b.disabled_at IS NULL AS listens, own.id IS NOT NULL AS by_itself,
       CASE WHEN own.id IS NULL THEN desk.ids ELSE ARRAY[own.id] END AS instead
FROM subscription b
LEFT JOIN LATERAL (
    SELECT o.id FROM subscription o
    WHERE b.disabled_at IS NOT NULL AND o.team_id = b.team_id AND o.disabled_at IS NULL
    ORDER BY o.channel <> 'board', o.created_at, o.id LIMIT 1) own ON true
LEFT JOIN LATERAL (
    SELECT array_agg(d.id) AS ids FROM subscription d
    WHERE b.disabled_at IS NOT NULL AND d.site_id = b.site_id AND d.disabled_at IS NULL
      AND d.area_code IS NULL AND d.zone_id IS NULL) desk ON true
WHERE b.id = ANY(:told)
""")

# The last word on each case that the team was told of and this subscription has not heard, nor
# the team by another; as it was said to others, without what concerned only them.
_OWE_MISSED = text("""
WITH heard AS (
    SELECT n.case_id,
           coalesce(max(n.sequence) FILTER (WHERE n.subscription_id = s.id), max(n.sequence))
               AS sequence
    FROM subscription s JOIN subscription o ON o.team_id = s.team_id
    JOIN notice n ON n.subscription_id = o.id AND n.case_id IS NOT NULL
    WHERE s.id = :subscription
    GROUP BY n.case_id, s.id
), missed AS (
    SELECT c.id, c.site_id, c.sequence FROM heard h JOIN f0_case c ON c.id = h.case_id
    WHERE h.sequence < c.sequence
), owed AS (
    INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts, state,
                        attempts, next_attempt_at, created_at)
    SELECT mint_uuid7(:now), m.site_id, :subscription, l.kind, m.id, m.sequence,
           l.facts - 'unclaimed_min' - 'rerouted' - 'stands_for', 'owed', 0, :now, :now
    FROM missed m CROSS JOIN LATERAL (
        SELECT n.kind, n.facts FROM notice n
        WHERE n.case_id = m.id AND n.sequence = m.sequence ORDER BY n.created_at, n.id LIMIT 1) l
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*), pg_notify('notice_owed', '') FROM owed
""")


def in_their_stead(
    session: Session, told: Mapping[Subject, Collection[UUID]]
) -> dict[Subject, Hearers]:
    """For each subject, of those who are told or were before, who listens now."""
    if not told:
        return {}
    known = {
        row.id: row
        for row in session.execute(_HEARD_BY, {"told": sorted(set().union(*told.values()))})
    }
    return {subject: _hearers([known[one] for one in subs]) for subject, subs in told.items()}


def owe_missed(session: Session, subscription_id: UUID, *, now: datetime) -> int:
    """Owe a subscription that listens from now on what its team missed: of how many cases."""
    session.flush()
    asked = {"subscription": subscription_id, "now": now}
    missed: int = session.execute(_OWE_MISSED, asked).one()[0]
    return missed


def _hearers(told: Iterable[Row[Any]]) -> Hearers:
    rows = list(told)
    hearing = {row.id: set[UUID]() for row in rows if row.listens}
    reached = {row.team_id for row in rows if row.listens}
    for row in rows:
        if row.listens or row.team_id in reached:
            continue
        for one in row.instead or ():
            hearing.setdefault(one, set()).update(() if row.by_itself else (row.team_id,))
    return {one: frozenset(teams) for one, teams in hearing.items()}
