"""The hand-off's pages: what a tracing team sees, claims and opens, and what it never sees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lims.db.ids import uuid7
from lims.domain.lifecycle import CaseState, NoticeState
from lims.domain.outcomes import Basis, NoticeKind
from lims.tables import AuditEvent, Claim, Notice, Subscription
from lims.web.handoff_words import case_code
from lims.work.access import Role
from lims.work.claim import claim
from lims.work.escalate import escalate
from tests.builders_handoff import CAU_GIAY, DICH_VONG, HANOI, Ward, ward
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn


@dataclass
class Town:
    """Two wards' teams, each with its board."""

    ward: Ward
    ours: UUID
    ours_board: UUID
    theirs: UUID
    theirs_board: UUID


@pytest.fixture
def town(session: Session, site_id: UUID, now: datetime) -> Town:
    built = ward(session, now)
    assert built.site_id == site_id
    ours, theirs = built.team("Tổ Dịch Vọng"), built.team("Tổ Cầu Giấy")
    return Town(
        built,
        ours,
        built.board(team=ours),
        theirs,
        built.board(team=theirs, area=CAU_GIAY),
    )


def tell(town: Town, case: UUID, *boards: UUID, kind: NoticeKind | None = None) -> None:
    for board in boards or (town.ours_board,):
        town.ward.owe(board, case=case, kind=kind)
    town.ward.session.commit()


@pytest.fixture
def hanh(signed_in: SignIn, town: Town) -> Browser:
    """A tracer of the ward's team."""
    town.ward.session.commit()
    return signed_in(Role.TRACER, team_id=town.ours)


def test_a_team_sees_the_cases_it_was_told_of_and_no_others(town: Town, hanh: Browser) -> None:
    mine = town.ward.case(name="Nguyễn Thị Ánh")
    other = town.ward.case(name="Trần Quốc Việt", area=CAU_GIAY)
    tell(town, mine)
    tell(town, other, town.theirs_board)
    page = words(hanh.get("/handoff"))
    assert "Nguyễn Thị Ánh" in page
    assert "Trần Quốc Việt" not in page
    assert hanh.get(f"/handoff/cases/{other}").status_code == 404
    assert hanh.get(f"/handoff/cases/{other}/row").status_code == 204
    assert hanh.post(f"/handoff/cases/{other}/claim").status_code == 404


def test_an_operator_sees_every_ward_and_can_look_at_one_team_or_area(
    town: Town, signed_in: SignIn
) -> None:
    tell(town, town.ward.case(name="Nguyễn Thị Ánh"))
    tell(town, town.ward.case(name="Trần Quốc Việt", area=CAU_GIAY), town.theirs_board)
    operator = signed_in(Role.OPERATOR)
    everything = words(operator.get("/handoff"))
    assert "Nguyễn Thị Ánh" in everything
    assert "Trần Quốc Việt" in everything
    for narrowed in (f"?area={CAU_GIAY}", f"?team={town.theirs}"):
        page = words(operator.get("/handoff" + narrowed))
        assert "Trần Quốc Việt" in page
        assert "Nguyễn Thị Ánh" not in page


def test_a_tracer_without_a_team_sees_nobody_and_is_told_why(town: Town, signed_in: SignIn) -> None:
    tell(town, town.ward.case(name="Nguyễn Thị Ánh"))
    page = words(signed_in(Role.TRACER).get("/handoff"))
    assert "Nguyễn Thị Ánh" not in page
    assert "You are in no tracing team yet" in page


def test_the_board_shows_half_the_number_and_the_file_all_of_it(town: Town, hanh: Browser) -> None:
    case = town.ward.case(phone="+84912345218")
    tell(town, case)
    board = words(hanh.get("/handoff"))
    assert "09x xxx x218" in board
    assert "345" not in board
    assert "0912 345 218" in words(hanh.get(f"/handoff/cases/{case}"))


def test_claiming_opens_the_file_and_the_other_team_is_told_who_was_faster(
    town: Town, hanh: Browser, signed_in: SignIn
) -> None:
    case = town.ward.case()
    tell(town, case, town.ours_board, town.theirs_board)
    claimed = hanh.post(f"/handoff/cases/{case}/claim", seen="/handoff")
    assert (claimed.status_code, claimed.location) == (303, f"/handoff/cases/{case}")
    late = signed_in(Role.TRACER, Role.TECHNICIAN, team_id=town.theirs)
    refused = late.post(f"/handoff/cases/{case}/claim", seen="/handoff")
    assert refused.location == "/handoff"
    assert "Tổ Dịch Vọng" in words(late.get("/handoff"))
    held = town.ward.session.scalars(select(Claim)).all()
    assert [row.team_id for row in held] == [town.ours]


def test_a_tracer_claims_for_their_own_team_whatever_the_form_says(
    town: Town, hanh: Browser
) -> None:
    case = town.ward.case()
    tell(town, case)
    hanh.post(f"/handoff/cases/{case}/claim", {"team": str(town.theirs)}, seen="/handoff")
    assert town.ward.session.scalars(select(Claim.team_id)).all() == [town.ours]


def test_an_operator_gives_a_case_to_a_team(town: Town, signed_in: SignIn) -> None:
    case = town.ward.case()
    tell(town, case)
    operator = signed_in(Role.OPERATOR)
    operator.post(f"/handoff/cases/{case}/claim", {"team": str(town.ours)})
    assert town.ward.session.scalars(select(Claim.team_id)).all() == [town.ours]
    assert operator.post(f"/handoff/cases/{case}/claim").status_code == 403


def test_only_the_team_that_has_a_case_gives_it_back_and_says_why(
    town: Town, hanh: Browser, signed_in: SignIn, now: datetime
) -> None:
    case = town.ward.case()
    tell(town, case, town.ours_board, town.theirs_board)
    claim(town.ward.session, case, town.ours, by="user:hanh", now=now)
    town.ward.session.commit()
    stranger = signed_in(Role.TRACER, Role.TECHNICIAN, team_id=town.theirs)
    stranger.post(f"/handoff/cases/{case}/release", {"reason": "của tôi"})
    hanh.post(f"/handoff/cases/{case}/release", {"reason": " "})
    assert "Say why" in words(hanh.get(f"/handoff/cases/{case}"))
    assert town.ward.session.scalars(select(Claim.ended_at)).all() == [None]
    hanh.post(f"/handoff/cases/{case}/release", {"reason": "nhầm phường"})
    town.ward.session.expire_all()
    assert town.ward.session.scalars(select(Claim.ended_at)).all() == [now]


def test_a_take_over_moves_the_case_and_keeps_both_teams(
    town: Town, signed_in: SignIn, now: datetime
) -> None:
    case = town.ward.case()
    tell(town, case, town.ours_board, town.theirs_board)
    claim(town.ward.session, case, town.ours, by="user:hanh", now=now)
    town.ward.session.commit()
    other = signed_in(Role.TRACER, team_id=town.theirs)
    other.post(f"/handoff/cases/{case}/take-over", {"why": "không gọi được tổ kia"})
    page = words(other.get(f"/handoff/cases/{case}"))
    assert "Tổ Dịch Vọng" in page
    holders = town.ward.session.scalars(select(Claim.team_id).where(Claim.ended_at.is_(None)))
    assert holders.all() == [town.theirs]


def test_opening_a_file_is_recorded_and_marks_the_team_as_having_fetched_it(
    town: Town, hanh: Browser, now: datetime
) -> None:
    case = town.ward.case()
    tell(town, case, town.ours_board, town.theirs_board)
    hanh.get(f"/handoff/cases/{case}")
    fetched = {
        row.subscription_id: row.fetched_at for row in town.ward.session.scalars(select(Notice))
    }
    assert fetched == {town.ours_board: now, town.theirs_board: None}
    read = town.ward.session.scalars(select(AuditEvent).where(AuditEvent.verb == "read_case")).one()
    assert (read.actor, read.subject) == ("user:tracer", str(case))


@pytest.mark.parametrize(("roles", "shown"), [((Role.TRACER,), False), ((Role.REVIEWER,), True)])
def test_a_ct_is_for_reviewers_only(
    town: Town, signed_in: SignIn, roles: tuple[Role, ...], shown: bool
) -> None:
    case = town.ward.case_with_result(ct_cycles=23.7)
    tell(town, case)
    browser = signed_in(*roles, team_id=town.ours)
    page = words(browser.get(f"/handoff/cases/{case}"))
    assert "detected" in page
    assert ("23.7" in page) is shown
    assert "23.7" not in browser.get("/handoff").text


def test_a_correction_stands_on_the_board_until_the_team_says_it_knows(
    town: Town, hanh: Browser, now: datetime
) -> None:
    long_ago = now - timedelta(days=5)
    case = town.ward.case(state=CaseState.WITHDRAWN, opened_at=long_ago)
    tell(town, case, kind=NoticeKind.CASE_CORRECTED)
    assert 'data-standing="corrected"' in hanh.get("/handoff").text
    hanh.post(f"/handoff/cases/{case}/seen", seen="/handoff")
    assert 'data-standing="corrected"' not in hanh.get("/handoff").text


def test_the_cards_count_what_is_unclaimed_and_say_when_it_is_late(
    town: Town, hanh: Browser, now: datetime
) -> None:
    tell(town, town.ward.case(opened_at=now - timedelta(minutes=16)))
    tell(
        town,
        town.ward.case(
            name="Trần Quốc Việt",
            state=CaseState.PRESUMPTIVE,
            basis=Basis.ANTIGEN_PRESUMPTIVE,
        ),
    )
    page = words(hanh.get("/handoff/figures"))
    assert re.search(r"Nobody has them 2 .*Longest wait 16 min late", page)
    assert "Claimed today 0" in page
    assert "Presumptive, isolate at once 1" in page


def test_a_positive_pool_is_an_early_warning_with_counts_and_no_names(
    town: Town, hanh: Browser, signed_in: SignIn
) -> None:
    pool = town.ward.positive_pool(people=10)
    facts = {"provisional": 7, "withdrawn": 0, "confirmed": 0}
    town.ward.owe(town.ours_board, pool=pool, facts=facts)
    town.ward.session.commit()
    ours = words(hanh.get("/handoff"))
    assert "7 people" in ours
    assert "Người 0" not in ours
    assert "10 people" in words(signed_in(Role.OPERATOR).get("/handoff"))
    stranger = signed_in(Role.TRACER, Role.TECHNICIAN, team_id=town.theirs)
    assert "No positive pool has people waiting" in words(stranger.get("/handoff"))


def test_three_hundred_cases_are_pages_that_stay_light(
    town: Town, hanh: Browser, now: datetime
) -> None:
    for minutes in range(300):
        case = town.ward.case(
            name=f"Nguyễn Thị Người {minutes:03d}", opened_at=now - timedelta(minutes=minutes)
        )
        town.ward.owe(town.ours_board, case=case)
    town.ward.session.commit()
    first = hanh.get("/handoff")
    assert len(first.data) < 150_000
    assert "Người 000" in first.text
    assert "Người 299" not in first.text
    assert "Người 299" in hanh.get("/handoff?order=oldest").text
    assert "Người 299" in hanh.get("/handoff?page=4").text


def test_dead_letters_say_why_and_are_sent_again(
    town: Town, signed_in: SignIn, hanh: Browser, now: datetime
) -> None:
    gone = town.ward.webhook("https://receiver.test/secret-path", team=town.ours)
    notice = town.ward.owe(gone)
    row = town.ward.session.get_one(Notice, notice)
    row.state = NoticeState.DEAD
    subscription = town.ward.session.get_one(Subscription, gone)
    subscription.disabled_at, subscription.disabled_why = now, "answered 410 Gone"
    town.ward.session.commit()
    assert hanh.get("/handoff/dead").status_code == 403
    operator = signed_in(Role.OPERATOR)
    page = operator.get("/handoff/dead")
    assert "answered 410 Gone" in words(page)
    assert "receiver.test" in words(page)
    assert "secret-path" not in page.text
    refused = operator.post(f"/handoff/dead/{notice}/resend")
    assert refused.status_code == 303
    assert "Subscription disabled" in words(operator.get("/handoff/dead"))
    operator.post(f"/handoff/dead/receivers/{gone}/resend")
    assert "Everybody was told" in words(operator.get("/handoff/dead"))
    town.ward.session.expire_all()
    assert town.ward.session.get_one(Notice, notice).state == NoticeState.OWED


def test_the_sender_sees_how_far_each_notice_came_and_who_claimed_it_when(
    town: Town, signed_in: SignIn
) -> None:
    here = town.ward
    hook = here.webhook("https://cdc.example.vn/secret-path", team=town.ours)
    case, other = here.case(), here.case(name="Lê Văn Bình")
    told = here.session.get_one(Notice, here.owe(hook, case=case))
    told.state, told.delivered_at, told.fetched_at = "delivered", here.now, here.now
    here.owe(hook, case=other)
    claim(here.session, case, town.ours, by="user:hanh", now=here.now)
    failing = here.session.get_one(Subscription, hook)
    failing.failures, failing.failing_since = 3, here.now
    here.session.commit()
    operator = signed_in(Role.OPERATOR)
    page = operator.get("/handoff/sent")
    assert "Offices that do not answer" in words(page)
    assert "secret-path" not in page.text
    assert "Lê Văn Bình" not in page.text
    assert case_code(case) in words(operator.get("/handoff/sent?state=claimed"))
    waiting = words(operator.get("/handoff/sent?state=owed"))
    assert case_code(other) in waiting
    assert case_code(case) not in waiting


def test_the_case_says_of_each_recipient_who_claimed_it_and_when_or_to_whom_it_was_passed_on(
    town: Town, signed_in: SignIn
) -> None:
    here = town.ward
    cdc = here.team("CDC Hà Nội")
    here.board(team=cdc, area=HANOI)
    taken, waiting = here.case(), here.case(name="Lê Văn Bình")
    tell(town, taken, town.ours_board, town.theirs_board)
    tell(town, waiting)
    operator = signed_in(Role.OPERATOR)
    assert "unclaimed" in told_table(operator.get(f"/handoff/cases/{waiting}"))
    claim(here.session, taken, town.ours, by="user:hanh", now=here.now + timedelta(minutes=4))
    escalate(here.session, here.now + timedelta(minutes=31), site_id=here.site_id)
    here.session.commit()
    shown = told_table(operator.get(f"/handoff/cases/{taken}"))
    at = here.now + timedelta(minutes=4)
    assert f"hanh, {clock(at)}" in shown
    assert f"by another team, {clock(at)}" in shown
    passed = told_table(operator.get(f"/handoff/cases/{waiting}"))
    assert f"passed on to CDC Hà Nội at {clock(here.now + timedelta(minutes=31))}" in passed
    assert "Lê" not in passed


def told_table(page: TestResponse) -> str:
    """What the table of who was told says."""
    section = page.text.split("Who was told</h2>")[1].split("</section>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", section))).replace(" ,", ",")


def clock(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo('Asia/Ho_Chi_Minh')):%d %b %H:%M}"


def test_what_failed_for_one_reason_is_sent_again_at_once(town: Town, signed_in: SignIn) -> None:
    here = town.ward
    hook = here.webhook("https://cdc.example.vn/hook", team=town.ours)
    for failure in ("certificate", "certificate", "broken"):
        dead = here.session.get_one(Notice, here.owe(hook))
        dead.state, dead.failure = "dead", failure
    here.session.commit()
    operator = signed_in(Role.OPERATOR)
    assert "its certificate is not valid" in words(operator.get("/handoff/dead"))
    operator.post("/handoff/dead/reasons/certificate/resend", seen="/handoff/dead")
    left = words(operator.get("/handoff/dead"))
    assert "2 notices will be sent again" in left
    assert "its certificate is not valid" not in left
    assert "fails by itself" in left


def test_a_technician_has_no_business_here(signed_in: SignIn, town: Town) -> None:
    town.ward.session.commit()
    technician = signed_in(Role.TECHNICIAN)
    for path in ("/handoff", "/handoff/figures", "/handoff/dead", "/handoff/feed"):
        assert technician.get(path).status_code == 403
    assert technician.get(f"/handoff/cases/{uuid7()}").status_code == 403


def test_a_claim_without_the_forms_token_is_refused(town: Town, hanh: Browser) -> None:
    case = town.ward.case()
    tell(town, case)
    assert hanh.client.post(f"/handoff/cases/{case}/claim").status_code == 403
    assert town.ward.session.scalars(select(Claim)).all() == []


def test_the_ward_of_somebodys_work_can_be_asked_for_too(town: Town, signed_in: SignIn) -> None:
    case = town.ward.case(name="Lý A Páo", area=DICH_VONG, work_area=CAU_GIAY)
    tell(town, case)
    page = words(signed_in(Role.OPERATOR).get(f"/handoff?area={CAU_GIAY}"))
    assert "Lý A Páo" in page
    assert "works in Phường Cầu Giấy" in page


@pytest.mark.parametrize(("role", "linked"), [(Role.TRACER, False), (Role.OPERATOR, True)])
def test_a_tube_is_a_link_for_those_who_may_open_it(
    town: Town, signed_in: SignIn, role: Role, linked: bool
) -> None:
    case = town.ward.case_with_result(ct_cycles=23.7)
    tell(town, case)
    page = signed_in(role, team_id=town.ours).get(f"/handoff/cases/{case}").text
    assert ('href="/tubes/' in page) is linked
