"""The live feed of a tracing team, on a real socket: nothing skipped, nothing of other teams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from lims.api import notice_feed
from lims.db.laboratory import Laboratory
from lims.tables import F0Case, Token
from lims.work.teams import create_team
from lims.work.tokens import Scope, issue_token, revoke_token
from tests.api import bodies
from tests.api.caller import Caller, Clock
from tests.api.conftest import Serving
from tests.until import WITHIN_S

PATH = "/api/v1/notices/feed"


@dataclass(frozen=True)
class Heard:
    """One event: the place to go on from, and what it said."""

    place: str
    kind: str
    said: dict[str, object]


@pytest.fixture(autouse=True)
def stops_listening(serving: Serving) -> Iterator[None]:
    """The application outlives the test; its connection to the database must not."""
    yield
    notice_feed.close(serving.app)


@pytest.fixture
def desk(laboratory: Laboratory, clock: Clock) -> str:
    with laboratory.sessions() as session:
        team = session.execute(
            text("SELECT team_id FROM subscription WHERE area_code IS NULL")
        ).scalar_one()
    return token_of(laboratory, clock, team, "the desk")


@pytest.fixture
def case_id(api: Caller, laboratory: Laboratory) -> UUID:
    return new_case(api, laboratory)


def new_case(api: Caller, laboratory: Laboratory) -> UUID:
    api.done("/rapid-tests", bodies.rapid_test("positive", pcr_barcode=bodies.label()))
    with laboratory.sessions() as session:
        return session.scalars(select(F0Case.id).order_by(F0Case.id.desc()).limit(1)).one()


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


@contextmanager
def listening(serving: Serving, token: str, **more: str) -> Iterator[Iterator[str]]:
    """The lines of the stream, once LISTEN holds."""
    headers = {"Authorization": f"Bearer {token}"} | more
    with (
        httpx.Client(base_url=serving.address, timeout=WITHIN_S) as client,
        client.stream("GET", PATH, headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert next(lines) == "retry: 2000"
        yield lines


def events(lines: Iterator[str]) -> Iterator[Heard]:
    place, kind = "", ""
    for line in lines:
        name, _, value = line.partition(": ")
        match name:
            case "id":
                place = value
            case "event":
                kind = value
            case "data":
                yield Heard(place, kind, json.loads(value))


def until_heard(lines: Iterator[str], last: object) -> list[object]:
    """The ids up to this one. What the last second brought before may come again."""
    heard: list[object] = []
    for one in events(lines):
        heard.append(one.said["notice_id"])
        if heard[-1] == last:
            return heard
    raise AssertionError("the stream ended")


def owe(laboratory: Laboratory, case_id: UUID, sequence: int) -> str:
    """A notice more to the desk, in a transaction of its own: what it was called."""
    with laboratory.sessions.begin() as session:
        made: str = session.execute(_OWE, {"case": case_id, "sequence": sequence}).scalar_one()
    return made


_OWE = text("""
WITH made AS (
    INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts, state,
                        attempts, next_attempt_at, created_at)
    SELECT mint_uuid7(clock_timestamp()), s.site_id, s.id, 'case.corrected', :case, :sequence,
           '{}', 'owed', 0, now(), now()
    FROM subscription s WHERE s.area_code IS NULL
    RETURNING id)
SELECT id::text FROM made, pg_notify('notice_owed', '')
""")


def test_a_new_case_is_heard_while_the_stream_is_open(
    serving: Serving, api: Caller, laboratory: Laboratory, desk: str
) -> None:
    with listening(serving, desk) as lines:
        case = new_case(api, laboratory)
        heard = next(events(lines))
    assert (heard.kind, heard.said["case_id"]) == ("case.opened", str(case))
    assert set(heard.said) == {
        "notice_id", "kind", "case_id", "pool_id", "sequence", "facts", "state", "owed_at",
    }  # fmt: skip


def test_whoever_comes_back_hears_what_it_missed_and_each_notice_of_a_case_in_order(
    serving: Serving, laboratory: Laboratory, case_id: UUID, desk: str
) -> None:
    with listening(serving, desk) as lines:
        owe(laboratory, case_id, 2)
        last = next(one for one in events(lines) if one.said["sequence"] == 2)
    missed = [owe(laboratory, case_id, number) for number in (3, 4, 5)]
    with listening(serving, desk, **{"Last-Event-ID": last.place}) as lines:
        assert until_heard(lines, missed[-1])[-3:] == missed


def test_a_writer_that_began_earlier_and_commits_later_is_not_stepped_over(
    serving: Serving, laboratory: Laboratory, case_id: UUID, desk: str
) -> None:
    with laboratory.sessions() as slow:
        late = slow.execute(_OWE, {"case": case_id, "sequence": 2}).scalar_one()
        with listening(serving, desk) as lines:
            quick = owe(laboratory, case_id, 3)
            last = next(one for one in events(lines) if one.said["notice_id"] == quick)
        slow.commit()
    assert late < quick
    with listening(serving, desk, **{"Last-Event-ID": last.place}) as lines:
        assert until_heard(lines, quick)[-2:] == [late, quick]


def test_the_late_writers_notice_is_heard_on_the_open_stream_and_the_others_once(
    serving: Serving, laboratory: Laboratory, case_id: UUID, desk: str
) -> None:
    with laboratory.sessions() as slow, listening(serving, desk) as lines:
        late = slow.execute(_OWE, {"case": case_id, "sequence": 2}).scalar_one()
        quick = owe(laboratory, case_id, 3)
        until_heard(lines, quick)
        slow.execute(text("SELECT pg_notify('notice_owed', '')"))
        slow.commit()
        assert until_heard(lines, late) == [late]
        last = owe(laboratory, case_id, 4)
        assert until_heard(lines, last) == [last]


def test_another_team_hears_nothing_of_it(
    serving: Serving,
    laboratory: Laboratory,
    clock: Clock,
    case_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notice_feed, "HEARTBEAT_S", 0.3)
    with laboratory.sessions.begin() as session:
        team = create_team(
            session, site_id=laboratory.site_id, name="Other", phone="", by="test", now=clock.now
        )
    token = token_of(laboratory, clock, team, "another")
    with listening(serving, token) as lines:
        owe(laboratory, case_id, 2)
        heard = [next(lines) for _ in range(5)]
    assert ": still here" in heard
    assert not [line for line in heard if line.startswith("data")]


def test_a_token_that_was_revoked_ends_the_stream(
    serving: Serving,
    laboratory: Laboratory,
    clock: Clock,
    desk: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notice_feed, "HEARTBEAT_S", 0.3)
    with listening(serving, desk) as lines:
        with laboratory.sessions.begin() as session:
            token = session.scalars(select(Token.id).where(Token.name == "the desk")).one()
            revoke_token(session, token, by="test", now=clock.now)
        assert [line for line in lines if line.startswith("data")] == []


def test_an_unreadable_place_is_refused_and_not_taken_for_the_beginning(
    serving: Serving, desk: str
) -> None:
    answer = httpx.get(
        serving.address + PATH,
        headers={"Authorization": f"Bearer {desk}", "Last-Event-ID": "yesterday"},
        timeout=WITHIN_S,
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/Last-Event-ID")
