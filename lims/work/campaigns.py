"""Testing orders of an authority: opened, given a pool size, closed when the wave is over."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import DifferentBody, NotFound
from lims.tables import Campaign
from lims.work.access import Fault, refuse
from lims.work.audit import record


def open_campaign(
    session: Session,
    *,
    site_id: UUID,
    name: str,
    pool_size: int,
    answer_within: timedelta = timedelta(hours=24),
    by: str,
    now: datetime,
    campaign_id: UUID | None = None,
) -> UUID:
    """Open a campaign whose swabs go ``pool_size`` to a pool; 1 tests everybody alone.

    People are promised an answer ``answer_within`` their swab, from 30 minutes to ten
    days. The same ``campaign_id`` again answers the same. Raises InvalidBody, DifferentBody.
    """
    name = name.strip()
    minutes = round(answer_within.total_seconds() / 60)
    earlier = session.get(Campaign, campaign_id) if campaign_id else None
    if earlier is not None:
        said = (earlier.name, earlier.pool_size, earlier.answer_within_min)
        if said != (name, pool_size, minutes):
            raise DifferentBody(came=f"another campaign under {campaign_id}", where="campaign_id")
        return earlier.id
    faults = dict[str, Fault]()
    if not 1 <= len(name) <= 200:
        faults["name"] = Fault.NAME
    elif session.scalar(
        select(Campaign.id).where(Campaign.site_id == site_id, Campaign.name == name)
    ):
        faults["name"] = Fault.NAME_TAKEN
    if not 1 <= pool_size <= 100:
        faults["pool_size"] = Fault.POOL_SIZE
    if not 30 <= minutes <= 14_400:
        faults["answer_within_h"] = Fault.PROMISE
    refuse(faults, where="campaign")
    campaign = Campaign(
        id=campaign_id or uuid7(),
        site_id=site_id,
        name=name,
        pool_size=pool_size,
        answer_within_min=minutes,
        opened_at=now,
    )
    session.add(campaign)
    _record(session, campaign, "campaign-opened", by, now, name=name, pool_size=pool_size)
    session.flush()
    return campaign.id


def set_campaign_open(
    session: Session, campaign_id: UUID, is_open: bool, *, by: str, now: datetime
) -> None:
    """Closed: the desks no longer offer it; its tubes go on their way. Raises NotFound."""
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None:
        raise NotFound(came=str(campaign_id), where="campaigns")
    if (campaign.closed_at is None) != is_open:
        campaign.closed_at = None if is_open else now
        verb = "campaign-reopened" if is_open else "campaign-closed"
        _record(session, campaign, verb, by, now)


def _record(
    session: Session, campaign: Campaign, verb: str, by: str, now: datetime, **detail: object
) -> None:
    record(
        session,
        site_id=campaign.site_id,
        actor=by,
        verb=verb,
        subject=str(campaign.id),
        now=now,
        **detail,
    )
