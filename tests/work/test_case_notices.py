"""What became of each notice of a case: claimed by whom of the team that was told, or passed on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.tables import Subscription
from lims.work.claim import claim, release_claim, take_over
from lims.work.escalate import escalate
from lims.work.views.case_notices import NoticeLine, case_notices
from tests.builders_handoff import HANOI, Ward, ward

OURS, THEIRS, CDC = "Tổ Dịch Vọng", "Tổ Cầu Giấy", "CDC Hà Nội"


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def after(here: Ward, minutes: int) -> datetime:
    return here.now + timedelta(minutes=minutes)


def lines(here: Ward, case: UUID) -> dict[tuple[str, int], NoticeLine]:
    return {(line.team, line.sequence): line for line in case_notices(here.session, case)}


def told(here: Ward, *teams: UUID) -> UUID:
    case = here.case()
    for team in teams:
        here.owe(here.board(team=team), case=case)
    here.session.flush()
    return case


def test_a_claim_is_written_beside_the_claimers_own_notice_and_its_team_beside_the_others(
    here: Ward,
) -> None:
    ours, theirs = here.team(OURS), here.team(THEIRS)
    case = told(here, ours, theirs)
    claim(here.session, case, ours, by="user:hanh", now=after(here, 4))
    found = lines(here, case)
    mine, other = found[OURS, 1], found[THEIRS, 1]
    assert (mine.claimed_by, mine.claimed_at, mine.holder) == ("user:hanh", after(here, 4), None)
    assert (other.claimed_by, other.holder, other.held_at) == (None, OURS, after(here, 4))
    assert mine.passed_at is other.passed_at is None


def test_what_nobody_claimed_says_to_whom_it_was_passed_on_and_when(here: Ward) -> None:
    ours, cdc = here.team(OURS), here.team(CDC)
    here.board(team=cdc, area=HANOI)
    case = told(here, ours)
    for minutes in (16, 31, 46):
        escalate(here.session, after(here, minutes), site_id=here.site_id)
    found = lines(here, case)
    assert (found[OURS, 1].passed_to, found[OURS, 1].passed_at) == ([CDC], after(here, 31))
    # the province's own notice went on to the national desk, at the hour of the voice list
    desk = next(name for name, _ in found if name not in {OURS, CDC})
    assert (found[CDC, 1].passed_to, found[CDC, 1].passed_at) == ([desk], after(here, 46))
    claim(here.session, case, cdc, by="user:minh", now=after(here, 50))
    found = lines(here, case)
    assert found[CDC, 1].passed_at is None
    assert (found[OURS, 1].passed_to, found[OURS, 1].holder) == ([CDC], CDC)


def test_after_the_last_step_it_is_the_voice_list_that_has_it(here: Ward) -> None:
    ours = here.team(OURS)
    case = told(here, ours)
    here.owe(_desk_board(here), case=case)
    escalate(here.session, after(here, 46), site_id=here.site_id)
    line = lines(here, case)[OURS, 1]
    assert (line.passed_to, line.passed_at) == ([], after(here, 46))


def _desk_board(here: Ward) -> UUID:
    return here.session.scalars(
        select(Subscription.id).where(
            Subscription.area_code.is_(None), Subscription.zone_id.is_(None)
        )
    ).one()


def test_each_waiting_has_its_own_answer_when_a_case_was_given_back(here: Ward) -> None:
    ours, theirs = here.team(OURS), here.team(THEIRS)
    case = told(here, ours, theirs)
    claim(here.session, case, ours, by="user:hanh", now=after(here, 4))
    release_claim(
        here.session, case, by="user:hanh", now=after(here, 9), reason="Bệnh viện đã nhận"
    )
    first = lines(here, case)[OURS, 1]
    assert (first.claimed_at, first.claimed_until) == (after(here, 4), after(here, 9))
    assert lines(here, case)[OURS, 2].claimed_at is None
    claim(here.session, case, theirs, by="user:binh", now=after(here, 12))
    found = lines(here, case)
    assert _claims(found.values()) == {
        (OURS, 1, "user:hanh"),
        (THEIRS, 2, "user:binh"),
        (THEIRS, 1, "user:binh"),
    }
    assert found[OURS, 2].holder == THEIRS


def test_a_take_over_ends_one_teams_claim_and_begins_the_others(here: Ward) -> None:
    ours, theirs = here.team(OURS), here.team(THEIRS)
    case = told(here, ours, theirs)
    claim(here.session, case, ours, by="user:hanh", now=after(here, 4))
    take_over(here.session, case, theirs, by="user:op", now=after(here, 7), reason="Cùng hộ")
    found = lines(here, case)
    assert (found[OURS, 1].claimed_by, found[OURS, 1].claimed_until) == (
        "user:hanh",
        after(here, 7),
    )
    assert (found[THEIRS, 1].claimed_by, found[THEIRS, 1].claimed_until) == ("user:op", None)


def _claims(found: Iterable[NoticeLine]) -> set[tuple[str, int, str]]:
    return {
        (line.team, line.sequence, line.claimed_by) for line in found if line.claimed_by is not None
    }
