"""The voice list's page: whom to ring, what came of it, and that only the button claims."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.tables import Claim, Contact, Team, VoiceCall
from lims.work.access import Role
from lims.work.claim import claim
from lims.work.escalate import escalate
from tests.api.racing import at_once
from tests.builders_handoff import HANOI, Ward, ward
from tests.builders_roster import on_call
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn


@pytest.fixture
def here(session: Session, site_id: UUID, now: datetime) -> Ward:
    """The ward an hour ago: what was opened then is on the voice list now."""
    built = ward(session, now - timedelta(minutes=60))
    assert built.site_id == site_id
    return built


@pytest.fixture
def team(here: Ward) -> UUID:
    made = here.team("Tổ Dịch Vọng")
    on_call(here, made, "Trần Văn Hùng", place=2, phone="+84901000002")
    on_call(here, made, "Lê Thị Lan", place=1, phone="+84901000001")
    return made


def unclaimed(here: Ward, team: UUID, now: datetime, *, cases: int = 1) -> list[UUID]:
    board = here.board(team=team)
    made = [here.case(name="Nguyễn Thị Ánh") for _ in range(cases)]
    for case in made:
        here.owe(board, case=case)
    escalate(here.session, now, site_id=here.site_id)
    here.session.commit()
    return made


def form(page: str, team: UUID) -> dict[str, str]:
    """What the team's form on the page would send, without the outcome."""
    one = page[page.index(f'action="/handoff/calls/{team}"') :]
    return {field: _value(field, one) for field in ("call_id", "as_of")}


def _value(field: str, page: str) -> str:
    found = re.search(rf'name="{field}" value="([^"]*)"', page)
    assert found is not None, field
    return found[1]


def test_the_page_says_whom_to_ring_with_the_number_and_no_patients_name(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    (case,) = unclaimed(here, team, now)
    page = signed_in(Role.OPERATOR).get("/handoff/calls")
    assert 'href="tel:+84901000002"' in page.text
    shown = words(page)
    assert "Ring Trần Văn Hùng 0901 000 002" in shown
    assert f"F0-{case.hex[-6:].upper()}" in shown
    assert "unclaimed for 1 h 00" in shown
    assert "Ánh" not in shown


def test_a_call_is_kept_with_who_and_when_and_claims_nothing(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    (case,) = unclaimed(here, team, now)
    operator = signed_in(Role.OPERATOR)
    sent = form(operator.get("/handoff/calls").text, team)
    hung = here.session.scalars(select(Contact.id).where(Contact.name.like("%Hùng"))).one()
    sent |= {"contact": str(hung), "outcome": "reached", "note": "đang đi"}
    for _ in range(2):
        answer = operator.post(f"/handoff/calls/{team}", sent, seen="/handoff/calls")
        assert answer.location == "/handoff/calls"
    kept = here.session.scalars(select(VoiceCall)).one()
    assert (kept.contact_id, kept.phone, kept.outcome, kept.note, kept.at, kept.by) == (
        hung,
        "+84901000002",
        "reached",
        "đang đi",
        now,
        "user:operator",
    )
    assert here.session.scalar(select(func.count()).select_from(Claim)) == 0
    page = words(operator.get("/handoff/calls"))
    assert "Spoken with, not claimed yet" in page
    assert "Ring Trần Văn Hùng" not in page
    file = words(operator.get(f"/handoff/cases/{case}"))
    assert "Reached: Trần Văn Hùng of Tổ Dịch Vọng" in file
    assert "Trần Văn Hùng of Tổ Dịch Vọng is to be rung: next on call" in file
    assert "Put on the voice list" in file


def test_the_button_beside_it_claims_for_that_team(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    cases = unclaimed(here, team, now, cases=3)
    operator = signed_in(Role.OPERATOR)
    sent = form(operator.get("/handoff/calls").text, team)
    operator.post(f"/handoff/calls/{team}/claim", sent, seen="/handoff/calls")
    page = words(operator.get("/handoff/calls"))
    assert "3 cases claimed." in page
    assert "Nobody is to be rung." in page
    held = here.session.execute(select(Claim.case_id, Claim.team_id)).all()
    assert {row.case_id for row in held} == set(cases)
    assert {row.team_id for row in held} == {team}


def test_two_who_claim_by_word_at_once_one_wins_and_the_other_sees_who(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    cases = unclaimed(here, team, now, cases=5)
    other = here.team("Tổ Cầu Giấy")
    on_call(here, other, "Mai", place=1)
    board = here.board(team=other)
    for case in cases:
        here.owe(board, case=case)
    escalate(here.session, now, site_id=here.site_id)
    here.session.commit()
    operator = signed_in(Role.OPERATOR)
    tracer = signed_in(Role.TRACER, team_id=other)
    pages = [one.get("/handoff/calls").text for one in (operator, tracer)]
    answers = at_once(
        partial(operator.post, f"/handoff/calls/{team}/claim", form(pages[0], team)),
        partial(tracer.post, f"/handoff/calls/{other}/claim", form(pages[1], other)),
    )
    assert [answer.status_code for answer in answers] == [303, 303]
    held = here.session.execute(select(Claim.team_id, func.count()).group_by(Claim.team_id)).all()
    assert sum(many for _, many in held) == 5
    said = [words(one.get("/handoff/calls")) for one in (operator, tracer)]
    names = {team: "Tổ Dịch Vọng", other: "Tổ Cầu Giấy"}
    for one, loser_page in ((team, said[1]), (other, said[0])):
        if dict(held).get(one, 0) == 5:
            assert (
                f"{names[one]} was faster with" in loser_page
                or "Somebody has claimed them meanwhile" in loser_page
            )


def test_two_teams_that_claim_one_case_on_its_page_at_once_one_wins_and_the_other_sees_who(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    other = here.team("Tổ Cầu Giấy")
    (case,) = unclaimed(here, team, now)
    here.owe(here.board(team=other), case=case)
    here.session.commit()
    ours = signed_in(Role.TRACER, team_id=team)
    theirs = signed_in(Role.TRACER, Role.TECHNICIAN, team_id=other)
    answers = at_once(
        *(
            partial(browser.post, f"/handoff/cases/{case}/claim", seen="/handoff")
            for browser in (ours, theirs)
        )
    )
    assert sorted(answer.location for answer in answers) == [
        "/handoff",
        f"/handoff/cases/{case}",
    ]
    holder = here.session.scalars(select(Team.name).join(Claim, Claim.team_id == Team.id)).one()
    loser = ours if answers[0].location == "/handoff" else theirs
    assert f"one that {holder} claimed" in words(loser.get("/handoff"))


def test_a_claim_clicked_twice_at_once_is_one_claim(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    (case,) = unclaimed(here, team, now)
    browser = signed_in(Role.TRACER, team_id=team)
    csrf = _value("csrf_token", browser.get("/handoff").text)
    clicks = [
        partial(
            browser.client.application.test_client(use_cookies=False).post,
            f"/handoff/cases/{case}/claim",
            data={"csrf_token": csrf},
            headers={"Cookie": _cookies(browser)},
        )
        for _ in range(3)
    ]
    answers = at_once(*clicks)
    assert {answer.location for answer in answers} == {f"/handoff/cases/{case}"}
    assert here.session.scalar(select(func.count()).select_from(Claim)) == 1


def _cookies(browser: Browser) -> str:
    found = browser.client._cookies or {}
    return "; ".join(f"{one.key}={one.value}" for one in found.values())


def test_a_tracer_rings_about_their_cases_and_claims_for_their_own_team_alone(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    cdc = here.team("CDC Hà Nội")
    here.board(team=cdc, area=HANOI)
    unclaimed(here, team, now)
    tracer = signed_in(Role.TRACER, team_id=cdc)
    page = tracer.get("/handoff/calls").text
    assert "Trần Văn Hùng" in page
    assert f"/handoff/calls/{cdc}/claim" in page
    assert f"/handoff/calls/{team}/claim" not in page
    refused = tracer.post(f"/handoff/calls/{team}/claim", form(page, team))
    assert refused.status_code == 404
    far = here.team("Tổ xa")
    here.session.commit()
    stranger = signed_in(Role.TRACER, Role.TECHNICIAN, team_id=far)
    assert "Trần Văn Hùng" not in stranger.get("/handoff/calls").text


def test_a_team_without_a_number_is_shown_as_that(
    here: Ward, signed_in: SignIn, now: datetime
) -> None:
    unclaimed(here, here.team("Tổ không số"), now)
    page = words(signed_in(Role.OPERATOR).get("/handoff/calls"))
    assert "Nobody to ring: no number is known" in page
    assert "Tổ không số 1 case, unclaimed for 1 h 00 Give it one" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"outcome": "perhaps"}, "what came of the call"),
        ({"contact": str(uuid7())}, "Not found"),
        ({"contact": ""}, "a number that can be rung"),
        ({"note": "x" * 501}, "at most 500 characters"),
    ],
)
def test_a_call_that_cannot_be_is_refused_in_words(
    here: Ward, team: UUID, signed_in: SignIn, changed: dict[str, str], said: str
) -> None:
    unclaimed(here, team, here.now + timedelta(minutes=60))
    operator = signed_in(Role.OPERATOR)
    lan = here.session.scalars(select(Contact.id).where(Contact.name.like("%Lan"))).one()
    sent = form(operator.get("/handoff/calls").text, team)
    sent |= {"contact": str(lan), "outcome": "reached", **changed}
    operator.post(f"/handoff/calls/{team}", sent, seen="/handoff/calls")
    assert said in words(operator.get("/handoff/calls"))
    assert here.session.scalar(select(func.count()).select_from(VoiceCall)) == 0


def test_a_case_claimed_meanwhile_is_said(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    (case,) = unclaimed(here, team, now)
    operator = signed_in(Role.OPERATOR)
    sent = form(operator.get("/handoff/calls").text, team)
    claim(here.session, case, team, by="user:hanh", now=now)
    here.session.commit()
    operator.post(f"/handoff/calls/{team}/claim", sent, seen="/handoff/calls")
    assert "They were claimed or withdrawn meanwhile." in words(operator.get("/handoff/calls"))


def test_the_board_counts_whom_to_ring_says_how_far_a_case_is_and_who_is_on_call(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    unclaimed(here, team, now)
    board = words(signed_in(Role.OPERATOR).get("/handoff"))
    assert "Voice list: 2 teams to ring" in board
    assert "on the voice list" in board
    assert "Lê Thị Lan 0901 000 001 first" in board
    mine = words(signed_in(Role.TRACER, team_id=team).get("/handoff"))
    assert "Trần Văn Hùng 0901 000 002 second" in mine


def test_late_is_what_the_policy_says(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    unclaimed(here, team, now)
    here.session.execute(text("UPDATE site SET roster_after_min = 90"))
    here.session.commit()
    operator = signed_in(Role.OPERATOR)
    board = words(operator.get("/handoff"))
    assert "Unclaimed for 90 minutes, it is late." in board
    assert "late: 1 h 00" not in board
    assert not late_stages(operator)
    assert "late: 1 h 00" not in words(operator.get("/"))
    here.session.execute(text("UPDATE site SET roster_after_min = 59"))
    here.session.commit()
    assert late_stages(operator) == {"handoff"}
    assert late_stages(signed_in(Role.TRACER, team_id=team)) == {"handoff"}
    assert "late: 1 h 00" in words(operator.get("/"))


def late_stages(browser: Browser) -> set[str]:
    """The stages of the navigation that are marked as late."""
    nav = browser.get("/handoff").text.split('<nav class="way', 1)[1].split("</nav>")[0]
    links = re.findall(r'data-stage="(\w+)"(.*?)</a>', nav, re.S)
    return {stage for stage, said in links if 'class="late"' in said}


def rings(page: str) -> list[UUID]:
    """The teams that are to be rung, as the page has them."""
    return [UUID(one) for one in re.findall(r'id="ring-([0-9a-f-]{36})"', page)]


def selected(page: str, team: UUID) -> str:
    """Whom the team's form offers first."""
    found = re.search(rf'<select id="contact-{team}".*?<option value="([^"]*)"', page, re.S)
    assert found is not None
    return found[1]


def test_once_everybody_was_spoken_with_the_list_does_not_say_that_every_case_has_a_team(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    unclaimed(here, team, now, cases=2)
    here.session.execute(text("UPDATE team SET phone = '+84901000009' WHERE phone IS NULL"))
    here.session.commit()
    operator = signed_in(Role.OPERATOR)
    first = operator.get("/handoff/calls").text
    for one in rings(first):
        sent = form(first, one) | {"contact": selected(first, one), "outcome": "reached"}
        operator.post(f"/handoff/calls/{one}", sent, seen="/handoff/calls")
    page = words(operator.get("/handoff/calls"))
    assert "Every team was spoken with." in page
    assert "Every case has a team" not in page
    assert "Spoken with, not claimed yet" in page


def test_a_wrong_number_is_marked_and_the_next_one_offered(
    here: Ward, team: UUID, signed_in: SignIn, now: datetime
) -> None:
    unclaimed(here, team, now)
    operator = signed_in(Role.OPERATOR)
    page = operator.get("/handoff/calls").text
    wrong = selected(page, team)
    sent = form(page, team) | {"contact": wrong, "outcome": "wrong_number"}
    operator.post(f"/handoff/calls/{team}", sent, seen="/handoff/calls")
    page = operator.get("/handoff/calls").text
    assert selected(page, team) != wrong
    on_call_now = page[page.index('id="on-call"') :].split("</section>")[0]
    name = here.session.get_one(Contact, UUID(wrong)).name
    assert re.search(rf"{name} <s [^>]*>[^<]*</s> <small class=.late.>wrong number", on_call_now)
    assert on_call_now.index(name) > on_call_now.index("Lê Thị Lan")  # the next to ring first
    second = selected(page, team)
    sent = form(page, team) | {"contact": second, "outcome": "wrong_number"}
    operator.post(f"/handoff/calls/{team}", sent, seen="/handoff/calls")
    shown = words(operator.get("/handoff/calls"))
    assert "No other number of this team is known. Give it one" in shown
    assert "no other number" in shown


def test_a_duty_of_a_day_says_until_when_with_the_day(
    here: Ward, signed_in: SignIn, now: datetime
) -> None:
    team = here.team("Tổ Dịch Vọng")
    on_call(here, team, "Mai", place=1, until=here.now + timedelta(hours=24))
    on_call(here, team, "Lan", place=2, until=now + timedelta(minutes=30), phone="+84901000002")
    unclaimed(here, team, now)
    board = words(signed_in(Role.OPERATOR).get("/handoff"))
    assert "first, until 12 Sep 07:00" in board
    assert "second, until 08:30" in board
