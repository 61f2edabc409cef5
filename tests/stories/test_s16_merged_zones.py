"""S16 and S21: what was said of a card and a zone goes along when the card is merged."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.telling import Channel
from lims.domain.zones import Tie, ZoneKind
from lims.tables import F0Case, Notice, Subscription
from lims.work.merge import merge_people, part_people
from lims.work.subscribe import subscribe
from lims.work.zones import Belonging, join_zones, leave_zone, open_zone
from tests.builders import HOME, Bench, Swab, open_bench

BY = "user:op"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    made = open_bench(session, now)
    made.subscribe(HOME)
    return made


@pytest.fixture
def zone(bench: Bench) -> UUID:
    return open_zone(
        bench.session,
        name="KCN Tân Tạo",
        kind=ZoneKind.INDUSTRIAL,
        site_id=bench.site_id,
        by=BY,
        now=bench.now,
    )


@pytest.fixture
def theirs(bench: Bench, zone: UUID) -> UUID:
    """The zone's board."""
    team = bench.session.scalars(
        select(Subscription.team_id).where(Subscription.area_code == HOME.code)
    ).one()
    return subscribe(
        bench.session,
        site_id=bench.site_id,
        team_id=team,
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        url="",
        private=False,
        by=BY,
        now=bench.now,
    ).subscription_id


def given(bench: Bench) -> dict[str, Any]:
    return {"site_id": bench.site_id, "by": BY, "now": bench.now}


def works_there(bench: Bench, person: UUID, zone: UUID) -> None:
    join_zones(bench.session, [Belonging(person, zone, Tie.WORKER)], **given(bench))


def merge(bench: Bench, kept: Swab, merged: Swab) -> None:
    merge_people(
        bench.session, kept.person_id, merged.person_id, "cùng thẻ", **given(bench.later(5))
    )


def told(bench: Bench, theirs: UUID) -> list[tuple[UUID, str]]:
    """Of whose cases the zone's team has heard what."""
    rows = bench.session.execute(
        select(F0Case.person_id, Notice.kind)
        .join(Notice, Notice.case_id == F0Case.id)
        .where(Notice.subscription_id == theirs)
        .order_by(Notice.created_at, Notice.sequence)
    )
    return [(row.person_id, row.kind) for row in rows]


def test_the_zone_of_a_merged_card_hears_of_the_case_that_was_there_already(
    bench: Bench, zone: UUID, theirs: UUID
) -> None:
    kept, card = bench.swab(), bench.swab()
    works_there(bench, card.person_id, zone)
    bench.later(5).run({kept.barcode: 24.0})
    assert told(bench, theirs) == []
    merge(bench, kept, card)
    assert told(bench, theirs) == [(kept.person_id, "case.opened")]


def test_the_zone_of_a_merged_card_hears_of_the_case_that_goes_along(
    bench: Bench, zone: UUID, theirs: UUID
) -> None:
    kept, card = bench.swab(), bench.swab()
    works_there(bench, card.person_id, zone)
    bench.later(5).run({card.barcode: 24.0})
    merge(bench, kept, card)
    assert {who for who, kind in told(bench, theirs) if kind == "case.opened"} == {
        card.person_id,
        kept.person_id,
    }


def test_the_zone_where_a_merged_cards_swab_was_taken_hears_too(
    bench: Bench, zone: UUID, theirs: UUID
) -> None:
    campaign = bench.campaign(pool_size=1)
    bench.session.execute(
        text("UPDATE campaign SET zone_id = :zone WHERE id = :id"), {"zone": zone, "id": campaign}
    )
    kept, card = bench.swab(), bench.swab(campaign_id=campaign)
    bench.later(5).run({kept.barcode: 24.0})
    merge(bench, kept, card)
    assert told(bench, theirs) == [(kept.person_id, "case.opened")]


def test_a_tie_said_of_a_merged_card_is_ended_with_whom_it_became_and_does_not_come_back(
    bench: Bench, zone: UUID, theirs: UUID
) -> None:
    kept, card = bench.swab(), bench.swab()
    works_there(bench, card.person_id, zone)
    merge(bench, kept, card)
    one = Belonging(kept.person_id, zone, Tie.WORKER)
    assert leave_zone(bench.session, one, "nhầm người", **given(bench.later(5))).ended
    part_people(bench.session, card.person_id, **given(bench.later(5)))
    bench.later(5).run({kept.barcode: 24.0, card.barcode: 25.0})
    assert told(bench, theirs) == []


def test_parted_again_the_zone_is_the_cards(bench: Bench, zone: UUID, theirs: UUID) -> None:
    kept, card = bench.swab(), bench.swab()
    works_there(bench, card.person_id, zone)
    merge(bench, kept, card)
    part_people(bench.session, card.person_id, **given(bench.later(5)))
    bench.later(5).run({kept.barcode: 24.0, card.barcode: 25.0})
    assert told(bench, theirs) == [(card.person_id, "case.opened")]
