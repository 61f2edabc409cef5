"""S21: nobody claims, so the province hears of it, then the national desk; each step a row."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.domain.lifecycle import CaseState
from lims.tables import AuditEvent, F0Case, Notice, Subscription
from lims.work.claim import claim, release_claim
from lims.work.escalate import Patience, escalate
from tests.builders_handoff import CAU_GIAY, DICH_VONG, HANOI, Ward, ward


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


def test_a_withdrawal_under_way_is_waited_for_and_then_nobody_more_is_told(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    case, late = here.case(), now + timedelta(hours=1)
    here.board(team=here.team("CDC Hà Nội"), area=HANOI)
    session.commit()
    sessions = session_factory(database)
    with sessions() as reviewer, sessions() as deliverer:
        reviewer.get_one(F0Case, case, with_for_update=True).state = CaseState.WITHDRAWN
        reviewer.flush()
        assert escalate(deliverer, late, site_id=here.site_id, patience=Patience()) == 0
        reviewer.commit()
        assert escalate(deliverer, late, site_id=here.site_id, patience=Patience()) == 0
        deliverer.commit()
    assert told(here) == set()


def test_a_case_that_is_being_escalated_cannot_be_withdrawn_past_its_new_recipients(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    case, late = here.case(), now + timedelta(hours=1)
    here.board(team=here.team("CDC Hà Nội"), area=HANOI)
    session.commit()
    sessions = session_factory(database)
    with sessions() as deliverer, sessions() as reviewer:
        assert escalate(deliverer, late, site_id=here.site_id, patience=Patience()) == 2
        locked = select(F0Case.id).where(F0Case.id == case)
        skipping = locked.with_for_update(key_share=True, skip_locked=True)
        assert reviewer.scalars(skipping).all() == []
        reviewer.rollback()
        deliverer.commit()


def test_a_team_and_a_province_of_the_other_scheme_are_reached_by_the_same_name(
    here: Ward, session: Session, now: datetime
) -> None:
    here.case()
    for code, parent, name in ((HANOI, None, "Hà Nội"), (DICH_VONG, HANOI, "Dịch Vọng")):
        here.area("2026-01", code, parent, name)
    ward_team = here.board(team=here.team("Tổ mới"), area=DICH_VONG, scheme="2026-01")
    province = here.board(team=here.team("CDC Hà Nội"), area=HANOI, scheme="2026-01")
    at = now + timedelta(minutes=30)
    assert escalate(session, at, site_id=here.site_id, patience=Patience()) == 2
    assert told(here) == {ward_team, province}
    steps = session.scalars(select(AuditEvent.detail).where(AuditEvent.verb == "escalate")).all()
    assert sorted(step["step"] for step in steps) == ["province", "ward"]


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
