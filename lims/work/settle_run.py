"""Settle what a message changed: the simple negatives at once, the rest by conclusion."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.work.clear import clear_negatives
from lims.work.evidence import lock_components
from lims.work.results import Written
from lims.work.settle import settle


def settle_measured(
    session: Session,
    written: Written,
    *,
    site_id: UUID,
    now: datetime,
) -> None:
    """Everything the new results imply, under one lock on all the pools they touch."""
    tubes = [*written.negative_tubes, *written.other_tubes]
    if not tubes:
        return
    lock_components(session, tubes)
    cleared = clear_negatives(session, written.negative_tubes, site_id=site_id, now=now)
    settle(session, [t for t in tubes if t not in cleared], site_id=site_id, now=now)
