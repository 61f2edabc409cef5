"""A person resolves a positive pool another way than the rule chose."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.pooling.choice import StrategyName
from lims.work.resolution import override
from lims.work.settle import settle


def resolve_otherwise(
    session: Session,
    scan: str,
    strategy: StrategyName,
    reason: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    """Change the strategy, with the tests and sub-pools that it asks for, in one transaction.

    Raises what ``override`` raises.
    """
    pool = override(session, scan, strategy, reason, site_id=site_id, by=by, now=now)
    settle(session, [pool], site_id=site_id, now=now)
