"""A tracing team's token: told of its cases, fetches and claims them, and sees no others."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.domain.lifecycle import CaseState
from lims.tables import F0Case, Subscription
from lims.work.teams import create_team
from lims.work.tokens import Scope, issue_token
from tests.api import bodies
from tests.api.caller import Caller, Clock, refused
from tests.api.racing import at_once


@pytest.fixture
def second(laboratory: Laboratory, clock: Clock) -> str:
    """Another desk that is told of every case, as the national one."""
    with laboratory.sessions.begin() as session:
        team_id = create_team(
            session, site_id=laboratory.site_id, name="Second", phone="", by="test", now=clock.now
        )
        session.flush()
        session.add(
            Subscription(
                site_id=laboratory.site_id, team_id=team_id, channel="board", created_at=clock.now
            )
        )
    return token_of(laboratory, clock, team_id, "second")


@pytest.fixture
def case_id(api: Caller, laboratory: Laboratory) -> str:
    """One F0, told to the national desk, since nobody else listens."""
    api.done("/rapid-tests", bodies.rapid_test("positive", pcr_barcode=bodies.label()))
    with laboratory.sessions() as session:
        return str(session.execute(text("SELECT id FROM f0_case")).scalar_one())


def token_of(laboratory: Laboratory, clock: Clock, team_id: UUID, name: str) -> str:
    with laboratory.sessions.begin() as session:
        return issue_token(
            session,
            site_id=laboratory.site_id,
            name=name,
            scopes=[Scope.CASES],
            team_id=team_id,
            by="test",
            now=clock.now,
        )


@pytest.fixture
def desk(laboratory: Laboratory, clock: Clock) -> str:
    with laboratory.sessions() as session:
        team_id = session.execute(
            text("SELECT id FROM team WHERE name = 'National desk'")
        ).scalar_one()
    return token_of(laboratory, clock, team_id, "desk")


@pytest.fixture
def stranger(laboratory: Laboratory, clock: Clock) -> str:
    with laboratory.sessions.begin() as session:
        team_id = create_team(
            session,
            site_id=laboratory.site_id,
            name="Another ward",
            phone="",
            by="test",
            now=clock.now,
        )
    return token_of(laboratory, clock, team_id, "another ward")


@pytest.mark.usefixtures("a_second_later")
def test_a_team_reads_what_it_was_told_page_after_page(
    api: Caller, case_id: str, desk: str
) -> None:
    page = api.get("/notices", token=desk).json()
    assert [notice["case_id"] for notice in page["notices"]] == [case_id]
    after = api.get(f"/notices/after/{page['next_cursor']}", token=desk).json()
    assert (after["notices"], after["next_cursor"]) == ([], None)


def test_the_team_that_was_told_fetches_the_person_and_claims_once(
    api: Caller, case_id: str, desk: str
) -> None:
    card = api.get(f"/cases/{case_id}", token=desk).json()
    assert (card["name"], card["claimed_by_team"]) == ("Nguyễn Thị Mai", None)

    first = api.post(f"/cases/{case_id}/claim", token=desk)
    again = api.post(f"/cases/{case_id}/claim", token=desk)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert api.get(f"/cases/{case_id}", token=desk).json()["claimed_by_team"] == "National desk"


def test_a_team_that_was_not_told_sees_nothing_of_it(
    api: Caller, case_id: str, stranger: str
) -> None:
    assert api.get("/notices", token=stranger).json()["notices"] == []
    refused(api.get(f"/cases/{case_id}", token=stranger), 404, "not-found")
    refused(api.post(f"/cases/{case_id}/claim", token=stranger), 404, "not-found")


def test_a_token_without_a_team_claims_nothing(api: Caller, case_id: str) -> None:
    refused(api.post(f"/cases/{case_id}/claim"), 403, "wrong-scope")


def test_a_case_that_is_none_is_not_found(api: Caller, desk: str) -> None:
    refused(api.get(f"/cases/{bodies.fresh_id()}", token=desk), 404, "not-found")
    refused(api.post(f"/cases/{bodies.fresh_id()}/claim", token=desk), 404, "not-found")


def test_a_case_that_was_withdrawn_unclaimed_is_claimed_by_nobody(
    api: Caller, desk: str, case_id: str, laboratory: Laboratory
) -> None:
    with laboratory.sessions.begin() as session:
        session.get_one(F0Case, UUID(case_id)).state = CaseState.WITHDRAWN
    refused(api.post(f"/cases/{case_id}/claim", token=desk), 409, "case-over")
    assert api.get(f"/cases/{case_id}", token=desk).json()["claimed_by_team"] is None


def test_a_claim_sent_three_times_at_once_is_one_claim_with_one_answer(
    api: Caller, desk: str, case_id: str
) -> None:
    claims = at_once(*[partial(api.post, f"/cases/{case_id}/claim", token=desk)] * 3)
    assert sorted(answer.status_code for answer in claims) == [200, 200, 201]
    assert len({answer.json()["claim_id"] for answer in claims}) == 1


def test_of_two_teams_that_claim_at_once_one_is_told_who_was_faster(
    api: Caller, desk: str, second: str, case_id: str
) -> None:
    answers = at_once(
        *(partial(api.post, f"/cases/{case_id}/claim", token=token) for token in (desk, second))
    )
    slow = next(answer for answer in answers if answer.status_code != 201)
    fast = next(answer for answer in answers if answer.status_code == 201)
    assert refused(slow, 409, "already-claimed")["team_id"] == fast.json()["team_id"]


def _withdrawn(laboratory: Laboratory, case_id: str) -> None:
    """The case no longer counts, and the desk is owed the correction."""
    with laboratory.sessions.begin() as session:
        session.execute(text("UPDATE f0_case SET state = 'withdrawn', sequence = 2"))
        session.execute(
            text(
                "INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts,"
                " state, attempts, next_attempt_at, created_at)"
                " SELECT :id, site_id, subscription_id, 'case.corrected', case_id, 2, '{}',"
                " 'owed', 0, created_at, created_at FROM notice WHERE case_id = :case"
            ),
            {"id": bodies.fresh_id(), "case": case_id},
        )


def test_a_program_that_fetches_a_case_does_not_acknowledge_its_correction(
    api: Caller, laboratory: Laboratory, case_id: str, desk: str
) -> None:
    _withdrawn(laboratory, case_id)
    assert api.get(f"/cases/{case_id}", token=desk).json()["state"] == "withdrawn"
    with laboratory.sessions() as session:
        known = text("SELECT fetched_at, acknowledged_at FROM notice WHERE sequence = 2")
        fetched, acknowledged = session.execute(known).one()
    assert fetched is not None
    assert acknowledged is None


def test_an_acknowledgement_is_said_once_and_answers_the_same_again(
    api: Caller, laboratory: Laboratory, case_id: str, desk: str
) -> None:
    _withdrawn(laboratory, case_id)
    first, again = (api.post(f"/cases/{case_id}/acknowledge", token=desk) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.json()["corrections"], first.json()["replayed"]) == (1, False)
    assert again.json() == first.json() | {"replayed": True}


def test_only_a_team_that_was_told_acknowledges(
    api: Caller, case_id: str, desk: str, stranger: str
) -> None:
    refused(api.post(f"/cases/{case_id}/acknowledge", token=stranger), 404, "not-found")
    refused(api.post(f"/cases/{case_id}/acknowledge"), 403, "wrong-scope")
    nothing = api.post(f"/cases/{case_id}/acknowledge", token=desk).json()
    assert (nothing["corrections"], nothing["acknowledged_at"]) == (0, None)
