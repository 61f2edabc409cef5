"""Each notice of one case and what became of it: arrived, opened, and who took the case up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import NoticeState
from lims.domain.outcomes import NoticeKind


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice about the case: to whom, by what way, and how far it came.

    ``claimed_*``: the claim that answers it, of the team that was told (``claimed_until``: given
    back or taken over by then). Only where that team has none: ``holder``, the other team that has
    it or had it next, and ``passed_to``, the teams that the next step of the escalation went to
    (none at ``passed_at``: the voice list). ``stands_for``: teams that were told before and that no
    channel reaches any more; whoever got this notice rings them.
    """

    team: str
    channel: str
    kind: NoticeKind
    sequence: int
    state: NoticeState
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    delivered_at: datetime | None
    fetched_at: datetime | None
    claimed_by: str | None
    claimed_at: datetime | None
    claimed_until: datetime | None
    holder: str | None
    held_at: datetime | None
    stands_for: Sequence[str]
    passed_to: Sequence[str]
    passed_at: datetime | None


# A claim answers a notice when it was still held, or made, after the notice was owed. A step is
# counted within the time of waiting (`since`) that the notice fell into.
_NOTICES = text("""
SELECT t.name AS team, b.channel, n.kind, n.sequence, n.state, n.created_at, n.attempts,
       n.next_attempt_at, n.delivered_at, n.fetched_at,
       own.claimed_by, own.claimed_at, own.ended_at AS claimed_until,
       other.name AS holder, other.claimed_at AS held_at,
       coalesce(passed.teams, '{}') AS passed_to, passed.at AS passed_at,
       coalesce((SELECT array_agg(f.name ORDER BY f.name) FROM team f
                 WHERE n.facts -> 'stands_for' ? f.id::text), '{}') AS stands_for
FROM notice n JOIN subscription b ON b.id = n.subscription_id JOIN team t ON t.id = b.team_id
LEFT JOIN LATERAL (
    SELECT k.claimed_by, k.claimed_at, k.ended_at FROM claim k
    WHERE k.case_id = n.case_id AND k.team_id = b.team_id
      AND (k.ended_at IS NULL OR k.ended_at > n.created_at)
    ORDER BY k.claimed_at LIMIT 1) own ON true
LEFT JOIN LATERAL (
    SELECT h.name, k.claimed_at FROM claim k JOIN team h ON h.id = k.team_id
    WHERE own.claimed_at IS NULL AND k.case_id = n.case_id AND k.team_id <> b.team_id
      AND (k.ended_at IS NULL OR k.ended_at > n.created_at)
    ORDER BY k.claimed_at LIMIT 1) other ON true
LEFT JOIN LATERAL (
    SELECT e.at, array_agg(DISTINCT h.name ORDER BY h.name)
                     FILTER (WHERE h.name IS NOT NULL) AS teams
    FROM escalation_step e LEFT JOIN team h ON h.id = e.team_id
    WHERE own.claimed_at IS NULL AND e.case_id = n.case_id AND e.step <> 'roster'
      AND e.team_id IS DISTINCT FROM b.team_id
      AND e.since <= n.created_at AND e.at > n.created_at
    GROUP BY e.at ORDER BY e.at LIMIT 1) passed ON true
WHERE n.case_id = :case ORDER BY n.sequence, t.name, b.channel, n.created_at
""")


def case_notices(session: Session, case_id: UUID) -> Sequence[NoticeLine]:
    """In the order of the case's news, by team."""
    return [
        NoticeLine(
            team=row.team,
            channel=row.channel,
            kind=NoticeKind(row.kind),
            sequence=row.sequence,
            state=NoticeState(row.state),
            created_at=row.created_at,
            attempts=row.attempts,
            next_attempt_at=row.next_attempt_at,
            delivered_at=row.delivered_at,
            fetched_at=row.fetched_at,
            claimed_by=row.claimed_by,
            claimed_at=row.claimed_at,
            claimed_until=row.claimed_until,
            holder=row.holder,
            held_at=row.held_at,
            stands_for=row.stands_for,
            passed_to=row.passed_to,
            passed_at=row.passed_at,
        )
        for row in session.execute(_NOTICES, {"case": case_id})
    ]
