"""A correction stands on top of the board and in every count until a person says they know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import NoticeKind
from lims.tables import AuditEvent, F0Case, Notice
from lims.work.access import Role
from lims.work.claim import claim
from lims.work.views import board
from tests.builders_handoff import Ward, ward
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn


@dataclass
class Taken:
    """A team and its board, a case that was withdrawn after it was claimed, and others."""

    ward: Ward
    team: UUID
    board: UUID
    withdrawn: UUID

    def case(self, *, state: CaseState = CaseState.CONFIRMED, held: bool = True) -> UUID:
        made = self.ward.case(name=f"Người {state}")
        self.ward.owe(self.board, case=made)
        if held:
            claim(self.ward.session, made, self.team, by="user:hanh", now=self.ward.now)
        self.ward.session.get_one(F0Case, made).state = state
        self.ward.session.commit()
        return made

    def corrected(self) -> UUID:
        """One that was claimed and withdrawn, and the correction that is owed for it."""
        made = self.case(state=CaseState.WITHDRAWN)
        self.ward.owe(self.board, case=made, sequence=2, kind=NoticeKind.CASE_CORRECTED)
        self.ward.session.commit()
        return made


@pytest.fixture
def taken(session: Session, site_id: UUID, now: datetime) -> Taken:
    built = ward(session, now)
    assert built.site_id == site_id
    team = built.team("Tổ Dịch Vọng")
    board = built.board(team=team)
    made = Taken(built, team, board, UUID(int=0))
    made.withdrawn = made.corrected()
    return made


@pytest.fixture
def hanh(signed_in: SignIn, taken: Taken) -> Browser:
    return signed_in(Role.TRACER, team_id=taken.team)


def _order(page: str, *cases: UUID) -> list[UUID]:
    return sorted(cases, key=lambda case: page.index(f'id="case-{case}"'))


def test_a_withdrawal_nobody_knows_of_stands_above_new_and_claimed_cases(
    taken: Taken, hanh: Browser
) -> None:
    held, fresh = taken.case(), taken.case(held=False)
    page = hanh.get("/handoff").text
    assert _order(page, held, fresh, taken.withdrawn) == [taken.withdrawn, fresh, held]


def test_a_tile_the_heading_and_the_stage_count_it_until_it_is_acknowledged(
    taken: Taken, hanh: Browser
) -> None:
    page = words(hanh.get("/handoff"))
    assert "1 F0 hand-off 1 correction" in page
    assert "Corrected, not acknowledged 1" in page
    assert "1 case was withdrawn or corrected" in page
    assert "1 correction to acknowledge" in words(hanh.get("/"))
    hanh.post(f"/handoff/cases/{taken.withdrawn}/seen", seen="/handoff")
    page = words(hanh.get("/handoff"))
    assert "0 F0 hand-off nothing waits" in page
    assert "Corrected, not acknowledged" not in page
    assert "withdrawn or corrected" not in page
    assert "withdrawn, 0 min acknowledged" in page


def test_the_corrections_of_a_large_recall_do_not_hide_the_new_cases(
    taken: Taken, hanh: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "FIRST_CORRECTED", 2)
    withdrawn = [taken.withdrawn, *(taken.corrected() for _ in range(4))]
    fresh, held = taken.case(held=False), taken.case()
    order = _order(hanh.get("/handoff").text, *withdrawn, fresh, held)
    assert order.index(fresh) == 2
    assert order.index(held) == len(order) - 1
    assert "Corrected, not acknowledged 5" in words(hanh.get("/handoff"))


def test_an_operator_sees_the_teams_withdrawals_on_top_too(taken: Taken, signed_in: SignIn) -> None:
    fresh = taken.case(held=False)
    operator = signed_in(Role.OPERATOR)
    page = operator.get("/handoff")
    assert _order(page.text, fresh, taken.withdrawn) == [taken.withdrawn, fresh]
    assert "Corrected, not acknowledged 1" in words(page)


def test_opening_the_case_is_not_the_teams_word_that_it_knows(
    taken: Taken, hanh: Browser, now: datetime
) -> None:
    page = words(hanh.get(f"/handoff/cases/{taken.withdrawn}"))
    assert "We know" in page
    assert 'data-standing="corrected"' in hanh.get("/handoff").text
    hanh.post(f"/handoff/cases/{taken.withdrawn}/seen", seen="/handoff")
    hanh.post(f"/handoff/cases/{taken.withdrawn}/seen", seen="/handoff")
    session = taken.ward.session
    session.expire_all()
    correction = select(Notice.acknowledged_at).where(Notice.kind == NoticeKind.CASE_CORRECTED)
    assert session.scalars(correction).all() == [now]
    said = select(AuditEvent.actor).where(AuditEvent.verb == "correction-acknowledged")
    assert session.scalars(said).all() == ["user:tracer"]
    assert "We know" not in words(hanh.get(f"/handoff/cases/{taken.withdrawn}"))


def test_a_withdrawn_case_is_not_offered_to_be_given_back_and_says_so_when_asked(
    taken: Taken, hanh: Browser
) -> None:
    address = f"/handoff/cases/{taken.withdrawn}"
    assert "Give it back" not in words(hanh.get(address))
    refused = hanh.post(f"{address}/release", {"reason": "xong"}, seen="/handoff")
    assert refused.location == address
    assert "Case over (one that is withdrawn)" in words(hanh.get(address))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Case over (one that is withdrawn)"),
        ("vi", "Cứ để nguyên ca này; không còn phải truy vết nữa"),
    ],
)
def test_who_claims_what_was_withdrawn_meanwhile_is_told_so(
    taken: Taken, signed_in: SignIn, language: str, said: str
) -> None:
    tracer = signed_in(Role.TRACER, team_id=taken.team, language=language)
    case = taken.case(held=False)
    page = tracer.get("/handoff")
    taken.ward.session.get_one(F0Case, case).state = CaseState.WITHDRAWN
    taken.ward.session.commit()
    assert f"/handoff/cases/{case}/claim" in page.text
    assert tracer.post(f"/handoff/cases/{case}/claim", seen="/handoff").location == "/handoff"
    assert said in words(tracer.get("/handoff"))


def test_isolation_stays_only_for_a_contact(taken: Taken, hanh: Browser) -> None:
    page = words(hanh.get(f"/handoff/cases/{taken.withdrawn}"))
    assert "Isolation stays only for who is a contact (F1)." in page


def test_the_reason_of_giving_back_is_on_the_case_and_on_the_next_teams_board(
    taken: Taken, hanh: Browser, signed_in: SignIn, now: datetime
) -> None:
    case = taken.case()
    next_team = taken.ward.team("Tổ Cầu Giấy")
    taken.ward.owe(taken.ward.board(team=next_team), case=case)
    taken.ward.session.commit()
    hanh.post(f"/handoff/cases/{case}/release", {"reason": "nhầm phường"}, seen="/handoff")
    theirs = signed_in(Role.TRACER, Role.TECHNICIAN, team_id=next_team)
    assert "given back by Tổ Dịch Vọng: nhầm phường" in words(theirs.get("/handoff"))
    assert "Given up: nhầm phường" in words(theirs.get(f"/handoff/cases/{case}"))
    theirs.post(f"/handoff/cases/{case}/claim", seen="/handoff")
    assert "given back by" not in words(theirs.get("/handoff"))
