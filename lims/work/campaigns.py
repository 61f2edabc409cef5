"""Testing orders of an authority: opened, given a pool size, closed when the wave is over."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.choice import Resolution
from lims.domain.pooling.evidence import USUAL_PRIORITY
from lims.domain.pooling.strategies import offered
from lims.domain.refusals import DifferentBody, NotFound, PolicyChanged, PoolAboveValidated
from lims.tables import Campaign
from lims.work.access import Fault, refuse
from lims.work.audit import record
from lims.work.validation_panel import validated_pool
from lims.work.zones import zone_is_open


def open_campaign(
    session: Session,
    *,
    site_id: UUID,
    name: str,
    pool_size: int,
    answer_within: timedelta = timedelta(hours=24),
    resolution: str = Resolution.DORFMAN,
    by: str,
    now: datetime,
    campaign_id: UUID | None = None,
    zone_id: UUID | None = None,
) -> UUID:
    """Open a campaign whose swabs go ``pool_size`` to a pool; 1 tests everybody alone.

    People are promised an answer ``answer_within`` their swab, from 30 minutes to ten
    days. Held at a zone, whom it swabs belongs there for a while (domain/zones.py).
    The same ``campaign_id`` again answers the same. Raises InvalidBody, DifferentBody.
    """
    name = name.strip()
    minutes = round(answer_within.total_seconds() / 60)
    earlier = session.get(Campaign, campaign_id) if campaign_id else None
    if earlier is not None:
        said = (earlier.name, earlier.pool_size, earlier.answer_within_min, earlier.resolution)
        if (*said, earlier.zone_id) != (name, pool_size, minutes, resolution, zone_id):
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
    if not offered(resolution):
        faults["resolution"] = Fault.RESOLUTION
    if zone_id is not None and not zone_is_open(session, zone_id, site_id=site_id):
        faults["zone"] = Fault.ZONE
    refuse(faults, where="campaign")
    campaign = Campaign(
        id=campaign_id or uuid7(),
        site_id=site_id,
        name=name,
        pool_size=pool_size,
        answer_within_min=minutes,
        resolution=resolution,
        zone_id=zone_id,
        opened_at=now,
    )
    session.add(campaign)
    _record(session, campaign, "campaign-opened", by, now, name=name, pool_size=pool_size)
    session.flush()
    return campaign.id


def set_resolution(
    session: Session, campaign_id: UUID, resolution: str, *, by: str, now: datetime
) -> None:
    """How positive pools are resolved from now on. What was chosen for an open pool is stored with
    it, and stays. Raises NotFound; InvalidBody for one that is not built in."""
    if not offered(resolution):
        refuse({"resolution": Fault.RESOLUTION}, where="campaign")
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None:
        raise NotFound(came=str(campaign_id), where="campaigns")
    was = campaign.resolution
    if was != resolution:
        campaign.resolution = resolution
        _record(session, campaign, "campaign-resolution", by, now, was=was, became=resolution)


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


def set_pool_size(
    session: Session, campaign_id: UUID, size: int, *, shown: int, by: str, now: datetime
) -> bool:
    """From now on so many swabs go to a pool; False when it is so already.

    Pools that are made stay as they are. With 1, tubes that wait for a pool are queued alone at
    once: nobody would make one for them any more. ``shown`` is the size whoever decides had seen.
    Raises NotFound, InvalidBody, PoolAboveValidated, PolicyChanged when somebody was faster.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None:
        raise NotFound(came=str(campaign_id), where="campaigns")
    if not 1 <= size <= 100:
        refuse({"pool_size": Fault.POOL_SIZE}, where="campaign")
    validated = validated_pool(session, site_id=campaign.site_id, assay=campaign.assay_code)
    if validated is not None and size > validated:
        raise PoolAboveValidated(came=f"{size} tubes, at most {validated}", where="pool_size")
    changes = campaign.pool_size != size
    if changes:
        if campaign.pool_size != shown:
            raise PolicyChanged(where="pool_size", came=str(campaign.pool_size))
        was, campaign.pool_size = campaign.pool_size, size
        _record(session, campaign, "campaign-pool-size", by, now, was=was, became=size)
        session.flush()
    if size == 1:  # again too: a tube may have been received beside the change
        _queue_alone(session, campaign_id, now)
    return changes


def _queue_alone(session: Session, campaign_id: UUID, now: datetime) -> None:
    session.execute(
        text(
            "INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state,"
            " created_at)"
            " SELECT mint_uuid7(:now), site_id, id, assay_code, 1, :priority, 'primary', 'queued',"
            " :now FROM tube WHERE awaits_pool AND campaign_id = :campaign"
        ),
        {"now": now, "priority": USUAL_PRIORITY, "campaign": campaign_id},
    )


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
