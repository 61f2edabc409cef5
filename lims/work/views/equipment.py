"""What the administration lists beside people: analysers and campaigns."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.pooling.choice import Resolution


@dataclass(frozen=True, slots=True)
class InstrumentLine:
    """An analyser, and when it last spoke."""

    instrument_id: UUID
    name: str
    driver: str
    active: bool
    created_at: datetime
    last_message_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """A testing order, and how many swabs were taken for it."""

    campaign_id: UUID
    name: str
    pool_size: int
    answer_within_min: int
    resolution: Resolution
    opened_at: datetime
    closed_at: datetime | None
    zone: str | None
    swabs: int


def instruments(session: Session, site_id: UUID) -> tuple[InstrumentLine, ...]:
    """Those in use first, by name."""
    rows = session.execute(
        text(
            "SELECT id AS instrument_id, name, driver, active, created_at, last_message_at"
            " FROM instrument WHERE site_id = :site ORDER BY NOT active, name"
        ),
        {"site": site_id},
    )
    return tuple(InstrumentLine(**row._mapping) for row in rows)


def campaigns(session: Session, site_id: UUID) -> tuple[CampaignLine, ...]:
    """The open first, the newest on top."""
    rows = session.execute(
        text(
            "SELECT c.id AS campaign_id, c.name, c.pool_size, c.answer_within_min, c.resolution,"
            " c.opened_at, c.closed_at, (SELECT name FROM zone z WHERE z.id = c.zone_id) AS zone,"
            " (SELECT count(*) FROM specimen s WHERE s.campaign_id = c.id) AS swabs"
            " FROM campaign c WHERE c.site_id = :site"
            " ORDER BY c.closed_at IS NOT NULL, c.opened_at DESC, c.name"
        ),
        {"site": site_id},
    )
    return tuple(CampaignLine(**row._mapping) for row in rows)
