"""A team's word that it knows of the corrections of a case.

Only somebody's explicit word says so. A machine that fetches the case, or a page that was opened,
says that it was read; nobody is freed from isolation by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound
from lims.work import live
from lims.work.audit import record


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """``corrections``: how many the team was told of. ``acknowledged_at``: when it said that it
    knows the last of them; empty when none was told. `replayed`: nothing was new to it."""

    case_id: UUID
    team_id: UUID
    corrections: int
    acknowledged_at: datetime | None
    replayed: bool


_TOLD = text("""
SELECT EXISTS (SELECT FROM notice n JOIN subscription s ON s.id = n.subscription_id
               WHERE n.case_id = :case AND s.team_id = :team)
""")

# Told by two ways at once, a team is told of one correction: counted by their sequence.
_KNOWS = text("""
UPDATE notice n SET acknowledged_at = :now, fetched_at = coalesce(n.fetched_at, :now)
FROM subscription s
WHERE n.case_id = :case AND n.kind = 'case.corrected' AND n.acknowledged_at IS NULL
  AND s.id = n.subscription_id AND s.team_id = :team
RETURNING n.sequence
""")

_KNOWN = text("""
SELECT count(DISTINCT n.sequence) AS corrections, max(n.acknowledged_at) AS at
FROM notice n JOIN subscription s ON s.id = n.subscription_id
WHERE n.case_id = :case AND n.kind = 'case.corrected' AND s.team_id = :team
""")


def acknowledge(
    session: Session, case_id: UUID, team_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> Acknowledged:
    """The team knows of every correction of the case so far. Again changes nothing.

    Raises NotFound, also when the case exists but the team was told nothing of it.
    """
    about = {"case": case_id, "team": team_id, "now": now}
    if not session.execute(_TOLD, about).scalar_one():
        raise NotFound(came=f"case {case_id}", where="cases")
    fresh = session.execute(_KNOWS, about).scalars().all()
    known = session.execute(_KNOWN, about).one()
    if fresh:
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="correction-acknowledged",
            subject=str(case_id),
            now=now,
            team_id=str(team_id),
            sequence=max(fresh),
        )
        live.ring(session, "case.seen", case_id=case_id)
    return Acknowledged(case_id, team_id, known.corrections, known.at, replayed=not fresh)
