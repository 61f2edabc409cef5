"""How far a notice came is never said by a claim that is older, nor our fault by the office's."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from lims.domain.outcomes import NoticeKind
from lims.tables import Notice, Subscription
from lims.web.handoff_words import case_code
from lims.work.access import Role
from lims.work.claim import claim
from tests.builders_handoff import DICH_VONG, SCHEME, Ward, ward
from tests.web.browsing import words
from tests.web.conftest import SignIn


@pytest.fixture
def here(session: Session, site_id: UUID, now: datetime) -> Ward:
    built = ward(session, now - timedelta(hours=2))
    assert built.site_id == site_id
    return built


def test_a_correction_that_did_not_arrive_is_not_claimed_by_an_older_claim(
    here: Ward, signed_in: SignIn, now: datetime
) -> None:
    team = here.team("Tổ Dịch Vọng")
    hook, case = here.webhook("https://cdc.example.vn/x", team=team), here.case()
    claim(here.session, case, team, by="user:hanh", now=here.now)
    later = here.owe(hook, case=case, sequence=2, kind=NoticeKind.CASE_CORRECTED)
    told = here.session.get_one(Notice, later)
    told.created_at, told.attempts, told.failure = now, 1, "unreachable"
    here.session.commit()
    operator = signed_in(Role.OPERATOR)
    page = words(operator.get("/handoff/sent"))
    assert "tried, not yet arrived" in page
    assert "claimed before, " in page
    told.state, told.delivered_at, told.failure = "delivered", now, None
    here.session.commit()
    assert case_code(case) not in words(operator.get("/handoff/sent?state=claimed"))
    arrived = words(operator.get("/handoff/sent?state=delivered"))
    assert f"correction {case_code(case)}" in arrived
    assert "arrived, not yet opened nobody" not in arrived


def test_a_claim_after_the_notice_is_its_answer(
    here: Ward, signed_in: SignIn, now: datetime
) -> None:
    team = here.team("Tổ Dịch Vọng")
    hook, case = here.webhook("https://cdc.example.vn/x", team=team), here.case()
    told = here.session.get_one(Notice, here.owe(hook, case=case))
    told.state, told.delivered_at = "delivered", here.now
    claim(here.session, case, team, by="user:hanh", now=now)
    here.session.commit()
    page = words(signed_in(Role.OPERATOR).get("/handoff/sent?state=claimed"))
    assert case_code(case) in page
    assert "claimed before" not in page


def test_a_mail_server_that_we_have_not_set_is_our_fault_and_not_the_offices(
    here: Ward, signed_in: SignIn, now: datetime
) -> None:
    mail = Subscription(
        site_id=here.site_id,
        team_id=here.team("Tổ thư"),
        area_scheme=SCHEME,
        area_code=DICH_VONG,
        channel="email",
        email="to@cdc.example.vn",
        created_at=here.now,
        failures=3,
        failing_since=here.now,
    )
    here.session.add(mail)
    here.session.flush()
    told = here.session.get_one(Notice, here.owe(mail.id))
    told.attempts, told.failure = 3, "ours"
    here.session.commit()
    operator = signed_in(Role.OPERATOR)
    page = words(operator.get("/handoff/sent"))
    assert "We cannot send: the fault is here Tổ thư" in page
    assert "a mail server (LIMS_SMTP)" in page
    assert "Offices that do not answer" not in page
    told.failure = "unreachable"
    here.session.commit()
    page = words(operator.get("/handoff/sent"))
    assert "Offices that do not answer" in page
    assert "the fault is here" not in page
