"""One team holds a case; the second is told who was faster."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.domain.lifecycle import CaseState
from lims.domain.refusals import InvalidBody, NotFound
from lims.tables import AuditEvent, Claim, F0Case, Notice
from lims.work.claim import AlreadyClaimed, CaseOver, NotClaimed, claim, release_claim, take_over
from tests.builders_handoff import CAU_GIAY, Ward, ward


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def verbs(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEvent.verb).order_by(AuditEvent.id)))


def test_a_team_that_claims_twice_has_claimed_once(
    here: Ward, session: Session, now: datetime
) -> None:
    case, team = here.case(), here.team()
    first = claim(session, case, team, by="user:hanh", now=now)
    again = claim(session, case, team, by="user:lan", now=now + timedelta(minutes=5))
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.claim_id, again.claimed_by, again.claimed_at) == (
        first.claim_id,
        "user:hanh",
        now,
    )
    assert verbs(session).count("claim") == 1


def test_a_second_team_is_told_who_has_the_case_and_since_when(
    here: Ward, session: Session, now: datetime
) -> None:
    case, team, other = here.case(), here.team("Tổ Dịch Vọng"), here.team("Tổ Cầu Giấy")
    claim(session, case, team, by="user:hanh", now=now)
    with pytest.raises(AlreadyClaimed, match="Tổ Dịch Vọng claimed at 2021-09-11T01:00") as refused:
        claim(session, case, other, by="user:lan", now=now)
    assert refused.value.facts["team_id"] == str(team)


def test_of_two_teams_claiming_at_one_moment_one_has_it(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    case, teams = here.case(), [here.team("A"), here.team("B")]
    session.commit()
    sessions = session_factory(database)
    together, outcomes = threading.Barrier(2), dict[UUID, str]()

    def try_it(team: UUID) -> None:
        with sessions() as own:
            own.execute(select(1))
            together.wait()
            try:
                claim(own, case, team, by="user:x", now=now)
                own.commit()
                outcomes[team] = "has it"
            except AlreadyClaimed:
                outcomes[team] = "too late"

    threads = [threading.Thread(target=try_it, args=(team,)) for team in teams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes.values()) == ["has it", "too late"]
    assert session.scalar(select(func.count()).select_from(Claim)) == 1


def test_a_released_case_can_be_claimed_by_another_team(
    here: Ward, session: Session, now: datetime
) -> None:
    case, team, other = here.case(), here.team("A"), here.team("B")
    claim(session, case, team, by="user:hanh", now=now)
    release_claim(session, case, by="user:hanh", now=now, reason="nhầm phường")
    assert claim(session, case, other, by="user:lan", now=now).team_id == other
    assert verbs(session) == ["claim", "claim-released", "claim"]


def test_a_case_given_back_after_everybody_was_told_rings_with_all_of_them_again(
    here: Ward, session: Session, now: datetime
) -> None:
    case, team, other = here.case(), here.team("A"), here.team("B")
    mine, theirs = here.board(team=team), here.board(team=other, area=CAU_GIAY)
    for told in (mine, theirs):
        here.owe(told, case=case)
    claim(session, case, team, by="user:hanh", now=now)
    release_claim(session, case, by="user:hanh", now=now, reason="không liên lạc được")
    rung = session.execute(
        select(Notice.subscription_id, Notice.kind, Notice.state).where(Notice.sequence == 2)
    ).all()
    assert set(rung) == {(mine, "case.opened", "owed"), (theirs, "case.opened", "owed")}
    assert session.get_one(F0Case, case).sequence == 2


@pytest.mark.parametrize("state", [CaseState.WITHDRAWN, CaseState.CLOSED])
def test_a_case_that_is_over_is_neither_claimed_nor_given_back_nor_taken_over(
    here: Ward, session: Session, now: datetime, state: CaseState
) -> None:
    case, team, other = here.case(), here.team("A"), here.team("B")
    here.owe(here.board(team=team), case=case)
    held = claim(session, case, team, by="user:hanh", now=now)
    session.get_one(F0Case, case).state = state
    session.flush()
    with pytest.raises(CaseOver):
        claim(session, here.case(state=state), team, by="user:hanh", now=now)
    again = claim(session, case, team, by="user:lan", now=now)
    assert (again.claim_id, again.replayed) == (held.claim_id, True)
    with pytest.raises(CaseOver, match=str(state)):
        release_claim(session, case, by="user:hanh", now=now, reason="xong")
    with pytest.raises(CaseOver):
        take_over(session, case, other, by="user:lan", now=now, reason="xong")
    assert session.scalar(select(func.count()).select_from(Notice)) == 1


def test_a_take_over_ends_the_first_claim_and_keeps_both_in_the_record(
    here: Ward, session: Session, now: datetime
) -> None:
    case, team, other = here.case(), here.team("A"), here.team("B")
    claim(session, case, team, by="user:hanh", now=now)
    later = now + timedelta(minutes=20)
    take_over(session, case, other, by="user:op", now=later, reason="không liên lạc được")
    rows = session.scalars(select(Claim).order_by(Claim.claimed_at)).all()
    assert [(row.team_id, row.ended_at) for row in rows] == [(team, later), (other, None)]
    detail = session.scalars(
        select(AuditEvent.detail).where(AuditEvent.verb == "claim-taken-over")
    ).one()
    assert detail["reason"] == "không liên lạc được"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_giving_back_or_taking_over_needs_a_reason(
    here: Ward, session: Session, now: datetime, reason: str
) -> None:
    case, team = here.case(), here.team()
    claim(session, case, team, by="user:hanh", now=now)
    with pytest.raises(InvalidBody):
        release_claim(session, case, by="user:hanh", now=now, reason=reason)
    with pytest.raises(InvalidBody):
        take_over(session, case, here.team("B"), by="user:hanh", now=now, reason=reason)


def test_what_does_not_exist_or_nobody_holds_is_refused(
    here: Ward, session: Session, now: datetime
) -> None:
    with pytest.raises(NotFound):
        claim(session, uuid4(), here.team(), by="user:hanh", now=now)
    with pytest.raises(NotFound):
        claim(session, here.case(), uuid4(), by="user:hanh", now=now)
    with pytest.raises(NotClaimed):
        release_claim(session, here.case(), by="user:hanh", now=now, reason="nhầm")
