"""Open a case's file: whoever reads about a person is in the record, and the team has been told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from lims.tables import F0Case, Notice, Subscription
from lims.work import live
from lims.work.audit import record


def fetch_case(
    session: Session, case_id: UUID, *, team_id: UUID | None, by: str, now: datetime
) -> int:
    """Record the reading; mark what the reader's team was told of the case as fetched.

    Returns how many notices that were. Somebody without a team (operator, reviewer) marks none.
    The caller has made sure that they may see the case.
    """
    site_id = session.execute(select(F0Case.site_id).where(F0Case.id == case_id)).scalar_one()
    fetched = 0 if team_id is None else _mark(session, case_id, team_id, now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="case-read",
        subject=str(case_id),
        now=now,
        team_id=None if team_id is None else str(team_id),
        notices_fetched=fetched,
    )
    if fetched:
        live.ring(session, "case.fetched", case_id=case_id)
    return fetched


def _mark(session: Session, case_id: UUID, team_id: UUID, now: datetime) -> int:
    theirs = select(Subscription.id).where(Subscription.team_id == team_id)
    marked = session.execute(
        update(Notice)
        .where(
            Notice.case_id == case_id,
            Notice.subscription_id.in_(theirs),
            Notice.fetched_at.is_(None),
        )
        .values(fetched_at=now)
        .execution_options(synchronize_session=False)
    )
    return marked.rowcount if isinstance(marked, CursorResult) else 0
