"""Who was told of a case and cannot be told any more: somebody else of the team is, or the desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.telling import Channel
from lims.tables import F0Case, Notice, Subscription
from lims.work import deadletters
from lims.work.subscribe import AreaKey, disable, enable, subscribe
from lims.work.tell import CaseNews, owe_case_news
from lims.work.views.case_notices import case_notices
from lims.work.views.reconcile_told import told_of
from tests.builders_handoff import CAU_GIAY, DICH_VONG, SCHEME, Ward, ward

HOOK = "https://cdc.example.vn/hook"


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def opened(here: Ward) -> UUID:
    """A case whose recipients were owed the first word."""
    case = here.case()
    news(here, case, NoticeKind.CASE_OPENED, sequence=1)
    return case


def corrected(here: Ward, case: UUID) -> int:
    """The result no longer counts, and whoever was told is owed that."""
    row = here.session.get_one(F0Case, case)
    row.state, row.sequence = CaseState.WITHDRAWN, row.sequence + 1
    here.session.flush()
    news(here, case, NoticeKind.CASE_CORRECTED, sequence=row.sequence)
    return row.sequence


def news(here: Ward, case: UUID, kind: NoticeKind, *, sequence: int) -> None:
    row = here.session.get_one(F0Case, case)
    said = CaseNews(case, row.person_id, kind, sequence, CaseState(row.state), Basis(row.basis))
    owe_case_news(here.session, [said], site_id=here.site_id, now=here.now)
    here.session.flush()


def heard(here: Ward, case: UUID, sequence: int) -> dict[UUID, list[str] | None]:
    """Who is owed that word on the case, and whom they stand in for."""
    rows = here.session.execute(
        select(Notice.subscription_id, Notice.facts).where(
            Notice.case_id == case, Notice.sequence == sequence
        )
    )
    return {row.subscription_id: row.facts.get("stands_for") for row in rows}


def off(here: Ward, subscription: UUID) -> None:
    disable(here.session, subscription, by="user:op", now=here.now + timedelta(minutes=1))
    here.session.flush()


def unreconciled(here: Ward) -> list[str]:
    day = timedelta(days=1)
    span: dict[str, Any] = {"site": here.site_id, "since": here.now - day, "until": here.now + day}
    return [one.why for one in told_of(here.session, span).differences]


def desk(here: Ward) -> UUID:
    return here.session.scalars(
        select(Subscription.id).where(
            Subscription.area_code.is_(None), Subscription.zone_id.is_(None)
        )
    ).one()


def test_the_teams_own_board_hears_what_its_dead_webhook_cannot(here: Ward) -> None:
    team = here.team()
    hook, board = here.webhook(HOOK, team=team), here.board(team=team, area=CAU_GIAY)
    case = opened(here)
    assert heard(here, case, 1) == {hook: None}
    off(here, hook)
    corrected(here, case)
    assert heard(here, case, 2) == {board: None, desk(here): None}  # nobody listens in its ward now
    assert unreconciled(here) == []


def test_a_team_that_hears_by_another_way_is_not_told_twice(here: Ward) -> None:
    team = here.team()
    hook, board = here.webhook(HOOK, team=team), here.board(team=team)
    elsewhere = here.board(team=team, area=CAU_GIAY)
    case = opened(here)
    off(here, hook)
    corrected(here, case)
    assert heard(here, case, 2) == {board: None}
    assert elsewhere not in heard(here, case, 2)
    assert unreconciled(here) == []


def test_for_a_team_with_no_way_left_the_desk_is_told_to_ring_it(here: Ward) -> None:
    team, others = here.team("Tổ Dịch Vọng"), here.team("Tổ cùng phường")
    hook, board = here.webhook(HOOK, team=team), here.board(team=others)
    case = opened(here)
    off(here, hook)
    corrected(here, case)
    assert heard(here, case, 2) == {board: None, desk(here): [str(team)]}
    (line,) = [one for one in case_notices(here.session, case) if one.stands_for]
    assert (line.sequence, list(line.stands_for)) == (2, ["Tổ Dịch Vọng"])
    assert unreconciled(here) == []


def test_no_correction_waits_as_a_dead_letter_for_a_receiver_that_is_switched_off(
    here: Ward,
) -> None:
    hook = here.webhook(HOOK)
    case = opened(here)
    here.session.execute(
        text("UPDATE notice SET state = 'delivered', delivered_at = :now"), {"now": here.now}
    )
    off(here, hook)
    corrected(here, case)
    assert deadletters.groups(here.session, site_id=here.site_id) == []


def test_what_a_team_missed_is_owed_once_it_is_switched_on_again(here: Ward) -> None:
    hook = here.webhook(HOOK)
    changed, same = opened(here), opened(here)
    off(here, hook)
    corrected(here, changed)
    corrected(here, changed)
    enable(here.session, hook, by="user:op", now=here.now)
    assert heard(here, changed, 3) == {hook: None, desk(here): heard(here, changed, 3)[desk(here)]}
    assert hook not in heard(here, changed, 2)
    assert list(heard(here, same, 1)) == [hook]
    missed = here.session.scalars(
        select(Notice).where(Notice.subscription_id == hook, Notice.sequence == 3)
    ).one()
    assert (missed.kind, missed.facts["state"]) == ("case.corrected", "withdrawn")
    enable(here.session, hook, by="user:op", now=here.now)
    assert corrected(here, changed) == 4
    assert heard(here, changed, 4) == {hook: None, desk(here): None}
    assert unreconciled(here) == []


def test_a_new_subscription_of_the_team_hears_what_the_old_one_could_not(here: Ward) -> None:
    team = here.team()
    hook = here.webhook(HOOK, team=team)
    case, unchanged = opened(here), opened(here)
    off(here, hook)
    corrected(here, case)
    made = subscribe(
        here.session,
        site_id=here.site_id,
        team_id=team,
        area=AreaKey(SCHEME, DICH_VONG),
        channel=Channel.EMAIL,
        email="truc@phuong.example.vn",
        private=False,
        by="user:op",
        now=here.now,
    )
    assert made.subscription_id in heard(here, case, 2)
    assert made.subscription_id not in heard(here, unchanged, 1)
    stranger = subscribe(
        here.session,
        site_id=here.site_id,
        team_id=here.team("Tổ mới"),
        area=AreaKey(SCHEME, DICH_VONG),
        channel=Channel.BOARD,
        private=False,
        by="user:op",
        now=here.now,
    )
    assert stranger.subscription_id not in heard(here, case, 2)
