"""What a laboratory has chosen for itself, and every change of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.policy import Setting
from lims.tables import PolicyChange, Site

MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Changed:
    """One change: from what to what, who, when, why."""

    setting: Setting
    was: int
    became: int
    reason: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Every setting as it stands, switches as 0 or 1, and the changes, newest first."""

    stands: dict[Setting, int]
    history: tuple[Changed, ...]


def policy(session: Session, *, site_id: UUID) -> Policy:
    """The site's policy."""
    site = session.get_one(Site, site_id)
    rows = session.scalars(
        select(PolicyChange)
        .where(PolicyChange.site_id == site_id)
        .order_by(PolicyChange.changed_at.desc(), PolicyChange.id.desc())
        .limit(MOST)
    )
    return Policy(
        stands={setting: int(getattr(site, setting)) for setting in Setting},
        history=tuple(
            Changed(
                Setting(row.setting),
                row.was,
                row.became,
                row.reason,
                row.changed_at,
                row.changed_by,
            )
            for row in rows
        ),
    )
