"""S21: nobody claims, so the province hears of it, then the national desk; each step a row."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.tables import AuditEvent, Notice, Subscription
from lims.work.claim import claim, release_claim
from lims.work.escalate import Patience, escalate
from tests.builders_handoff import CAU_GIAY, HANOI, Ward, ward


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def told(here: Ward) -> set[UUID]:
    return set(here.session.scalars(select(Notice.subscription_id)))


def desk(here: Ward) -> UUID:
    return here.session.scalars(
        select(Subscription.id).where(Subscription.area_code.is_(None))
    ).one()


def test_an_unclaimed_case_goes_to_the_province_then_to_the_national_desk(
    here: Ward, session: Session, now: datetime
) -> None:
    province = here.board(team=here.team("CDC Hà Nội"), area=HANOI)
    other_ward = here.board(team=here.team("Cầu Giấy"), area=CAU_GIAY)
    ours, case = here.board(team=here.team()), here.case()
    here.owe(ours, case=case)
    made = {}
    for minutes in (14, 29, 30, 44, 45, 46, 600):
        at = now + timedelta(minutes=minutes)
        made[minutes] = escalate(session, at, site_id=here.site_id, patience=Patience())
    assert made == {14: 0, 29: 0, 30: 1, 44: 0, 45: 1, 46: 0, 600: 0}
    assert told(here) == {ours, province, desk(here)}
    assert other_ward not in told(here)
    steps = session.scalars(
        select(AuditEvent.detail).where(AuditEvent.verb == "escalate").order_by(AuditEvent.id)
    ).all()
    assert [(step["step"], step["unclaimed_min"]) for step in steps] == [
        ("province", 30),
        ("nation", 45),
    ]


def test_a_team_of_the_ward_that_has_not_heard_is_told_first(
    here: Ward, session: Session, now: datetime
) -> None:
    first, case = here.board(team=here.team("Tổ 1")), here.case()
    here.owe(first, case=case)
    second = here.board(team=here.team("Tổ 2"))
    at = now + timedelta(minutes=15)
    assert escalate(session, at, site_id=here.site_id, patience=Patience()) == 1
    assert told(here) == {first, second}


def test_a_claimed_case_stays_where_it_is_and_a_returned_one_starts_again(
    here: Ward, session: Session, now: datetime
) -> None:
    team = here.team()
    ours, case = here.board(team=team), here.case()
    here.owe(ours, case=case)
    claim(session, case, team, by="user:hanh", now=now)
    late = now + timedelta(hours=2)
    assert escalate(session, late, site_id=here.site_id, patience=Patience()) == 0
    release_claim(session, case, by="user:hanh", now=late, reason="chuyển phường")
    soon = late + timedelta(minutes=44)
    assert escalate(session, soon, site_id=here.site_id, patience=Patience()) == 0
    assert (
        escalate(session, soon + timedelta(minutes=1), site_id=here.site_id, patience=Patience())
        == 1
    )
