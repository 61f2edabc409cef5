"""S21: nobody claims, so somebody more hears of it, and more, until all are rung; a row each."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import NoticeKind
from lims.domain.telling import Channel
from lims.domain.zones import Tie, ZoneKind
from lims.tables import Contact, EscalationStep, F0Case, Notice, Site, Subscription, Team
from lims.work.cases import change_case
from lims.work.claim import claim, release_claim
from lims.work.escalate import Escalated, escalate
from lims.work.subscribe import subscribe
from lims.work.told import place_now, told_at_once
from lims.work.zones import Belonging, join_zones, open_zone
from tests.builders_handoff import CAU_GIAY, DICH_VONG, HANOI, Ward, ward
from tests.builders_roster import on_call


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def look(here: Ward, minutes: float, *, limit: int = 1000) -> Escalated:
    at = here.now + timedelta(minutes=minutes)
    return escalate(here.session, at, site_id=here.site_id, limit=limit)


def told(here: Ward) -> set[UUID]:
    return set(here.session.scalars(select(Notice.subscription_id)))


def desk(here: Ward) -> UUID:
    return here.session.scalars(
        select(Subscription.id).where(Subscription.area_code.is_(None))
    ).one()


def steps(here: Ward) -> list[tuple[str, str | None, str | None, int]]:
    """Which step, of which team, naming whom, after how many minutes; in the order taken."""
    rows = here.session.execute(
        select(EscalationStep.step, Team.name, Contact.name, EscalationStep.unclaimed_min)
        .outerjoin(Team, Team.id == EscalationStep.team_id)
        .outerjoin(Contact, Contact.id == EscalationStep.contact_id)
    ).all()
    order = ["roster", "ward", "province", "nation", "voice"]
    return sorted(
        ((row[0], row[1], row[2], row[3]) for row in rows),
        key=lambda row: (row[3], order.index(row[0]), row[1] or ""),
    )


def test_an_unclaimed_case_goes_step_by_step_until_everybody_is_rung(here: Ward) -> None:
    province = here.board(team=here.team("CDC Hà Nội"), area=HANOI)
    other_ward = here.board(team=here.team("Cầu Giấy"), area=CAU_GIAY)
    team = here.team("Tổ 1")
    ours, case = here.board(team=team), here.case()
    on_call(here, team, "Lan", place=1)
    on_call(here, team, "Hùng", place=2)
    here.owe(ours, case=case)
    made = {minutes: look(here, minutes) for minutes in (14, 15, 29, 30, 44, 45, 46, 600)}
    assert {m: (e.steps, e.notices) for m, e in made.items() if e.steps} == {
        15: (1, 0),
        30: (1, 1),
        45: (2, 1),
    }
    assert told(here) == {ours, province, desk(here)}
    assert other_ward not in told(here)
    assert steps(here) == [
        ("roster", "Tổ 1", "Hùng", 15),
        ("province", "CDC Hà Nội", None, 30),
        ("nation", "National desk", None, 45),
        ("voice", None, None, 45),
    ]


def test_a_team_of_the_ward_that_has_not_heard_is_told_first(here: Ward) -> None:
    first, case = here.board(team=here.team("Tổ 1")), here.case()
    here.owe(first, case=case)
    second = here.board(team=here.team("Tổ 2"))
    assert look(here, 15) == Escalated(cases=1, steps=2, notices=1)
    assert told(here) == {first, second}
    assert steps(here) == [("roster", "Tổ 1", None, 15), ("ward", "Tổ 2", None, 15)]


@pytest.mark.parametrize(
    ("ended", "left", "named"),
    [(False, False, "Hùng"), (True, False, "Lan"), (False, True, "Lan")],
)
def test_the_next_in_the_roster_is_the_second_on_call_now_and_without_one_the_first(
    here: Ward, now: datetime, ended: bool, left: bool, named: str
) -> None:
    team, case = here.team("Tổ 1"), here.case()
    here.owe(here.board(team=team), case=case)
    on_call(here, team, "Lan", place=1)
    until = now + timedelta(minutes=10) if ended else None
    second = on_call(here, team, "Hùng", place=2, until=until)
    if left:
        here.session.get_one(Contact, second).left_at = now
    look(here, 15)
    assert steps(here) == [("roster", "Tổ 1", named, 15)]


def test_a_team_that_listens_only_later_still_hears_of_a_case_nobody_has(here: Ward) -> None:
    here.owe(here.board(team=here.team("Tổ 1")), case=here.case())
    look(here, 60)
    late = here.board(team=here.team("Tổ 2"))
    assert look(here, 70).notices == 1
    assert late in told(here)


def test_the_team_of_a_zone_hears_with_the_teams_of_the_ward(here: Ward, now: datetime) -> None:
    case = here.case()
    person = here.session.get_one(F0Case, case).person_id
    given: dict[str, Any] = {"site_id": here.site_id, "by": "user:op", "now": now}
    zone = open_zone(here.session, name="KCN Tân Tạo", kind=ZoneKind.INDUSTRIAL, **given)
    join_zones(here.session, [Belonging(person, zone, Tie.WORKER)], **given)
    team = here.team("Y tế KCN")
    sub = subscribe(
        here.session,
        team_id=team,
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        url="",
        private=False,
        **given,
    ).subscription_id
    assert look(here, 15).notices == 1
    assert sub in told(here)
    assert ("ward", "Y tế KCN", None, 15) in steps(here)


def test_the_minutes_are_the_laboratorys_policy(here: Ward) -> None:
    here.owe(here.board(team=here.team("Tổ 1")), case=here.case())
    site = here.session.get_one(Site, here.site_id)
    site.roster_after_min, site.province_after_min, site.voice_after_min = 5, 60, 20
    here.session.flush()
    assert [look(here, minutes).steps for minutes in (4, 5, 19, 20)] == [0, 1, 0, 2]


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
        assert escalate(deliverer, late, site_id=here.site_id) == Escalated()
        reviewer.commit()
        assert escalate(deliverer, late, site_id=here.site_id) == Escalated()
        deliverer.commit()
    assert told(here) == set()
    assert steps(here) == []


def test_a_case_that_is_being_escalated_cannot_be_withdrawn_past_its_new_recipients(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    case, late = here.case(), now + timedelta(hours=1)
    here.board(team=here.team("CDC Hà Nội"), area=HANOI)
    session.commit()
    sessions = session_factory(database)
    with sessions() as deliverer, sessions() as reviewer:
        assert escalate(deliverer, late, site_id=here.site_id).notices == 2
        locked = select(F0Case.id).where(F0Case.id == case)
        skipping = locked.with_for_update(key_share=True, skip_locked=True)
        assert reviewer.scalars(skipping).all() == []
        reviewer.rollback()
        deliverer.commit()


def test_several_deliverers_at_one_moment_take_each_step_once(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    province = here.board(team=here.team("CDC Hà Nội"), area=HANOI)
    cases = [here.case(name=f"Người {n}") for n in range(40)]
    session.commit()
    sessions = session_factory(database)
    together, late = threading.Barrier(4), now + timedelta(hours=1)

    def deliver() -> None:
        together.wait()
        while True:
            with sessions.begin() as own:
                if not escalate(own, late, site_id=here.site_id, limit=7).cases:
                    return

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while look(here, 60).cases:  # what one of them had locked when another looked
        session.commit()
    per_case = session.execute(
        select(EscalationStep.case_id, EscalationStep.step, func.count()).group_by(
            EscalationStep.case_id, EscalationStep.step
        )
    ).all()
    assert {(case, step): many for case, step, many in per_case} == {
        (case, step): 1 for case in cases for step in ("province", "nation", "voice")
    }
    assert session.scalar(select(func.count()).where(Notice.subscription_id == province)) == 40


def test_the_ones_that_have_waited_longest_come_first_and_all_come(
    here: Ward, now: datetime
) -> None:
    here.board(team=here.team("CDC Hà Nội"), area=HANOI)
    opened = [now + timedelta(minutes=n) for n in (3, 1, 2, 0)]
    cases = {here.case(name=f"Người {n}", opened_at=at): at for n, at in enumerate(opened)}
    order = []
    for _ in range(4):
        assert look(here, 60, limit=1).cases == 1
        seen = set(here.session.scalars(select(EscalationStep.case_id)))
        order += [cases[case] for case in seen if cases[case] not in order]
    assert order == sorted(opened)
    assert look(here, 60, limit=1) == Escalated()


def test_a_team_and_a_province_of_the_other_scheme_are_reached_by_the_same_name(
    here: Ward,
) -> None:
    here.case()
    for code, parent, name in ((HANOI, None, "Hà Nội"), (DICH_VONG, HANOI, "Dịch Vọng")):
        here.area("2026-01", code, parent, name)
    ward_team = here.board(team=here.team("Tổ mới"), area=DICH_VONG, scheme="2026-01")
    province = here.board(team=here.team("CDC Hà Nội"), area=HANOI, scheme="2026-01")
    assert look(here, 30).notices == 2
    assert told(here) == {ward_team, province}
    assert [step[0] for step in steps(here)] == ["ward", "province"]


def test_a_claimed_case_stays_where_it_is_and_a_returned_one_starts_again(
    here: Ward, session: Session, now: datetime
) -> None:
    team = here.team("Tổ 1")
    ours, case = here.board(team=team), here.case()
    here.owe(ours, case=case)
    claim(session, case, team, by="user:hanh", now=now)
    assert look(here, 120) == Escalated()
    late = now + timedelta(hours=2)
    release_claim(session, case, by="user:hanh", now=late, reason="chuyển phường")
    assert [look(here, 120 + m).steps for m in (14, 15, 44)] == [0, 1, 0]
    assert look(here, 120 + 45) == Escalated(cases=1, steps=2, notices=1)
    since = set(session.scalars(select(EscalationStep.since)))
    assert since == {late}


def test_a_case_given_back_twice_goes_through_the_steps_twice(
    here: Ward, session: Session, now: datetime
) -> None:
    team = here.team("Tổ 1")
    case = here.case()
    here.owe(here.board(team=team), case=case)
    look(here, 20)
    for hours in (1, 3):
        at = now + timedelta(hours=hours)
        claim(session, case, team, by="user:hanh", now=at)
        release_claim(session, case, by="user:hanh", now=at, reason="chuyển phường")
        look(here, hours * 60 + 20)
    roster = select(EscalationStep.since).where(EscalationStep.step == "roster")
    assert sorted(session.scalars(roster)) == [now, *(now + timedelta(hours=h) for h in (1, 3))]


@pytest.mark.parametrize(
    "over", [CaseState.WITHDRAWN, CaseState.NOT_CONFIRMED, CaseState.CLOSED], ids=str
)
def test_a_case_that_was_over_and_is_taken_up_again_waits_from_then_on(
    here: Ward, session: Session, now: datetime, over: CaseState
) -> None:
    ours, case = here.board(team=here.team("Tổ 1")), here.case()
    here.owe(ours, case=case)
    look(here, 60)
    at = now + timedelta(days=3)
    row = session.get_one(F0Case, case)
    row.state = over
    session.flush()
    assert look(here, 3 * 24 * 60) == Escalated()
    change_case(session, row, CaseState.CONFIRMED, NoticeKind.CASE_CORRECTED, now=at)
    made = {m: look(here, 3 * 24 * 60 + m).steps for m in (0, 14, 15, 30, 45, 600)}
    assert {m: many for m, many in made.items() if many} == {15: 2, 45: 1}  # the desk heard before
    assert set(session.scalars(select(EscalationStep.since))) == {now, at}


def test_a_step_that_took_long_to_find_is_not_stepped_over_by_who_pulls(here: Ward) -> None:
    """The look began before its notice was written, and somebody pulled in between."""
    here.board(team=here.team())
    here.case()
    here.session.commit()
    place = place_now(here.session)
    here.session.commit()
    assert look(here, 16).notices == 1
    here.session.commit()
    after = told_at_once(here.session, None, place).notices
    assert [one.kind for one in after] == [NoticeKind.CASE_OPENED]
