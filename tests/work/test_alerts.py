"""An early warning follows those who were told of it, wherever its people live now."""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.tables import Notice, Subscription
from lims.work.subscribe import disable
from tests.builders import ELSEWHERE, HOME, WORK, open_bench


def test_a_team_told_of_a_pool_hears_of_its_outcome_after_the_people_have_moved(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    home, other = bench.subscribe(HOME), bench.subscribe(WORK)
    campaign = bench.campaign(pool_size=3)
    swabs = [bench.swab(campaign_id=campaign) for _ in range(3)]
    bench.run({bench.lab_pool(swabs): 27.0})
    session.execute(text("UPDATE person SET area_code = :code"), {"code": WORK.code})
    bench.run({swabs[0].barcode: 24.0})
    updated = session.execute(
        select(Notice.subscription_id, Notice.facts).where(Notice.kind == "alert.updated")
    ).all()
    assert {row.subscription_id: row.facts for row in updated} == {
        home: {"provisional": 0, "withdrawn": 0, "confirmed": 0},
        other: {"provisional": 0, "withdrawn": 2, "confirmed": 1},
    }


def test_of_a_team_that_was_switched_off_its_other_subscription_hears_or_the_desk_does(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    home, far = bench.subscribe(HOME), bench.subscribe(WORK)
    campaign = bench.campaign(pool_size=2)
    swabs = [bench.swab(campaign_id=campaign, area=area) for area in (HOME, WORK)]
    bench.run({bench.lab_pool(swabs): 27.0})
    teams = [session.get_one(Subscription, one).team_id for one in (home, far)]
    again = Subscription(
        site_id=bench.site_id,
        team_id=teams[0],
        area_scheme=ELSEWHERE.scheme,
        area_code=ELSEWHERE.code,
        channel="board",
        created_at=bench.now,
    )
    session.add(again)
    for one in (home, far):
        disable(session, one, by="user:op", now=bench.now)
    session.flush()
    bench.run({swabs[0].barcode: 24.0})
    updated = session.execute(
        select(Notice.subscription_id, Notice.facts).where(Notice.kind == "alert.updated")
    ).all()
    assert {row.subscription_id: row.facts.get("stands_for") for row in updated} == {
        again.id: None,
        bench.desk(): [str(teams[1])],
    }
