"""What a campaign's pools say of prevalence, and its pool size, which only a person changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.monitoring import Action
from lims.domain.pooling.pool_size import Because
from lims.domain.pooling.validation_panel import DilutionRow, Panel
from lims.domain.refusals import InvalidBody, NotFound, PolicyChanged, PoolAboveValidated
from lims.domain.registration import AreaRef
from lims.tables import AuditEvent, Campaign, TestOrder
from lims.work.campaigns import set_pool_size
from lims.work.validation_panel import enter_panel
from lims.work.views.campaign_pooling import CampaignPooling, campaign_pooling
from lims.work.views.pool_positivity import positivity
from tests.builders import ELSEWHERE, HOME, Bench, open_bench
from tests.captures import Blank

ZONE = "Asia/Ho_Chi_Minh"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def pooled(bench: Bench, campaign_id: UUID, *, areas: tuple[AreaRef, ...] = (HOME,)) -> str:
    swabs = [bench.swab(area=areas[n % len(areas)], campaign_id=campaign_id) for n in range(3)]
    return bench.lab_pool(swabs)


def shown(bench: Bench, campaign_id: UUID) -> CampaignPooling:
    return campaign_pooling(
        bench.session,
        campaign_id,
        site_id=bench.site_id,
        today=bench.now.date(),
        day_start=bench.now - timedelta(hours=12),
        timezone=ZONE,
    )


def test_pools_count_once_by_area_and_members_and_repeats_do_not(bench: Bench) -> None:
    campaign = bench.campaign(pool_size=3)
    here = [pooled(bench, campaign) for _ in range(3)]
    mixed = pooled(bench, campaign, areas=(HOME, ELSEWHERE))
    pooled(bench, bench.campaign(pool_size=3))  # another campaign's
    alone = bench.swab(area=ELSEWHERE)
    invalid = pooled(bench, campaign)
    bench.run({here[0]: 27.0, mixed: 29.0, alone.barcode: 24.0, invalid: Blank.INVALID})
    bench.run({})  # the members, and the repeat of the one without an answer
    since = bench.now - timedelta(days=8)
    lines = positivity(bench.session, campaign, site_id=bench.site_id, since=since, timezone=ZONE)
    pools = [
        (one.area_name, one.pool_size, one.tested, one.positive)
        for one in lines
        if one.kind is TubeKind.LAB_POOL
    ]
    assert sorted(pools, key=str) == [("Tân Định", 3, 4, 1), (None, 3, 1, 1)]
    [single] = [one for one in lines if one.kind is TubeKind.INDIVIDUAL]
    assert (single.area_name, single.tested, single.positive) == ("Cầu Ông Lãnh", 1, 1)


def test_the_window_estimates_warns_and_advises(bench: Bench) -> None:
    campaign = bench.campaign(pool_size=3)
    pools = [pooled(bench, campaign) for _ in range(20)]
    bench.run(dict.fromkeys(pools[:6], 26.0))
    seen = shown(bench, campaign)
    assert (seen.found.pools, seen.found.positive, seen.found.people) == (20, 6, 60)
    assert seen.found.low < 0.1 < seen.found.estimate < 0.15 < seen.found.high
    assert [one.rule.action for one in seen.alarms] == [Action.STOP_TWO_STAGE]
    assert (seen.advice.size, seen.advice.because) == (2, Because.POSITIVITY)
    assert [area.name for area in seen.areas] == ["Tân Định"]
    assert len(seen.rolling) == 1
    empty = shown(bench, bench.campaign(pool_size=10))
    assert (empty.advice.because, empty.alarms, empty.areas) == (Because.TOO_LITTLE, (), ())
    with pytest.raises(NotFound):
        shown(bench, uuid7())


def test_a_changed_size_is_audited_and_pools_that_are_made_stay(bench: Bench) -> None:
    campaign = bench.campaign(pool_size=3)
    made = pooled(bench, campaign)
    for _ in range(2):
        changed = set_pool_size(
            bench.session, campaign, 5, shown=3, by="user:operator", now=bench.now
        )
    assert not changed
    said = bench.session.scalars(
        select(AuditEvent).where(AuditEvent.verb == "campaign-pool-size")
    ).one()
    assert said.detail == {"was": 3, "became": 5}
    receipt = bench.run({made: 25.0})
    assert receipt is not None
    members = select(TestOrder).where(TestOrder.why == "resolve")
    assert len(bench.session.scalars(members).all()) == 3


def test_tested_alone_from_now_on_queues_whoever_waits_for_a_pool(bench: Bench) -> None:
    campaign, other = bench.campaign(pool_size=3), bench.campaign(pool_size=3)
    waiting = [bench.swab(campaign_id=campaign) for _ in range(2)]
    bench.swab(campaign_id=other)
    set_pool_size(bench.session, campaign, 1, shown=3, by="user:operator", now=bench.now)
    asked = "SELECT t.barcode FROM test_order o JOIN tube t ON t.id = o.tube_id"
    assert set(bench.session.scalars(text(asked))) == {one.barcode for one in waiting}
    assert bench.session.scalar(text("SELECT count(*) FROM tube WHERE awaits_pool")) == 1
    set_pool_size(bench.session, campaign, 1, shown=1, by="user:operator", now=bench.now)
    assert len(bench.session.scalars(text(asked)).all()) == 2


def test_what_may_not_be_is_refused(bench: Bench) -> None:
    campaign = bench.campaign(pool_size=3)

    def to(size: int, shown: int = 3) -> None:
        set_pool_size(bench.session, campaign, size, shown=shown, by="user:a", now=bench.now)

    with pytest.raises(InvalidBody):
        to(0)
    with pytest.raises(PolicyChanged):
        to(5, shown=10)
    panel = Panel(36.0, 34.0, (DilutionRow(4, 30.0, 32.0, 20, 20),))
    enter_panel(
        bench.session,
        uuid7(),
        panel,
        source="VR-1",
        site_id=bench.site_id,
        by="user:a",
        now=bench.now,
    )
    with pytest.raises(PoolAboveValidated):
        to(5)
    to(4)
    assert bench.session.get_one(Campaign, campaign).pool_size == 4
