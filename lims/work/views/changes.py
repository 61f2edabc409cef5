"""What changed on the boards, and for which teams: the live feed asks here, never for a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from lims.work.views.board import Scope

_TOLD = text(
    """
    SELECT coalesce(n.case_id, n.pool_id) AS about, b.team_id
    FROM notice n JOIN subscription b ON b.id = n.subscription_id
    WHERE n.case_id = ANY(:ids) OR n.pool_id = ANY(:ids)
    GROUP BY 1, 2
    """
)

_TOLD_OF_CALLS = text(
    """
    SELECT x.call_id AS about, b.team_id
    FROM voice_call_case x JOIN notice n ON n.case_id = x.case_id
    JOIN subscription b ON b.id = n.subscription_id
    WHERE x.call_id = ANY(:ids)
    GROUP BY 1, 2
    """
)

_CASES_SINCE = text(
    """
    SELECT id FROM f0_case c
    WHERE site_id = :site
      AND (changed_at >= :since
           OR EXISTS (SELECT FROM claim k WHERE k.case_id = c.id
                      AND greatest(k.claimed_at, k.ended_at) >= :since))
      AND (:everything OR EXISTS (
          SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
          WHERE n.case_id = c.id AND b.team_id = :team))
    ORDER BY changed_at LIMIT :limit
    """
)

_POOLS_SINCE = text(
    """
    SELECT DISTINCT pool_id FROM alert_member a
    WHERE site_id = :site AND changed_at >= :since
      AND (:everything OR EXISTS (
          SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
          WHERE n.pool_id = a.pool_id AND b.team_id = :team))
    LIMIT :limit
    """
)


def told_teams(session: Session, ids: Collection[UUID]) -> Mapping[UUID, frozenset[UUID]]:
    """For each case or pool, the teams that were told of it."""
    return _by_subject(session, _TOLD, ids)


def teams_of_calls(session: Session, ids: Collection[UUID]) -> Mapping[UUID, frozenset[UUID]]:
    """For each call, the teams that were told of one of its cases: they see that it was made."""
    return _by_subject(session, _TOLD_OF_CALLS, ids)


def _by_subject(
    session: Session, asked: TextClause, ids: Collection[UUID]
) -> Mapping[UUID, frozenset[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    for row in session.execute(asked, {"ids": list(ids)}):
        found.setdefault(row.about, set()).add(row.team_id)
    return {about: frozenset(teams) for about, teams in found.items()}


def cases_since(
    session: Session, scope: Scope, since: datetime, *, site_id: UUID, limit: int
) -> Sequence[UUID]:
    """Cases opened, changed, claimed or given back since, the oldest change first."""
    return session.execute(_CASES_SINCE, _values(scope, since, site_id, limit)).scalars().all()


def pools_since(
    session: Session, scope: Scope, since: datetime, *, site_id: UUID, limit: int
) -> Sequence[UUID]:
    """Positive pools whose alert changed since."""
    return session.execute(_POOLS_SINCE, _values(scope, since, site_id, limit)).scalars().all()


def _values(scope: Scope, since: datetime, site_id: UUID, limit: int) -> dict[str, object]:
    return {
        "site": site_id,
        "since": since,
        "everything": scope.everything,
        "team": scope.team_id,
        "limit": limit,
    }
