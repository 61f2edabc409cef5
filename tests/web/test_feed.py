"""Server-sent events on a real socket: a committed row is on every page that may see it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.db.listening import Listener
from lims.domain.escalation import Reached
from lims.web import feed, hub
from lims.web.hub import LONGEST_QUEUE, Subscriber, case_event
from lims.work import live
from lims.work.access import Role
from lims.work.claim import claim
from lims.work.escalate import escalate
from lims.work.views.board import Scope
from lims.work.voice import Reader, Said, record_call
from tests.builders_handoff import CAU_GIAY, Ward, ward
from tests.builders_roster import on_call
from tests.until import WITHIN_S, until
from tests.web.browsing import Browser
from tests.web.conftest import SignIn
from tests.web.live_server import served


@dataclass(frozen=True)
class Heard:
    """One event of a stream; a comment has no name."""

    name: str
    event_id: str
    data: dict[str, Any]


class Stream:
    """An open page's stream, read event by event."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def next(self) -> Heard:
        """The next event; the client's read timeout bounds the wait between two signs of life."""
        while not (heard := self.next_sign()).name:
            pass
        return heard

    def next_sign(self) -> Heard:
        """The next event or comment."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields.keys() - {"retry"}:
                break
            else:
                fields.clear()
        return Heard(
            fields.get("event", ""), fields.get("id", ""), json.loads(fields.get("data", "{}"))
        )


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application behind a real socket, a thread a request, as plain WSGI servers do."""
    with served(app) as address:
        yield address


@pytest.fixture
def here(session: Session, now: datetime, site_id: UUID) -> Ward:
    built = ward(session, now)
    assert built.site_id == site_id
    return built


@contextmanager
def listening(
    address: str, browser: Browser, path: str = "/handoff/feed", *, last: str | None = None
) -> Iterator[Stream]:
    cookie = browser.client.get_cookie("lims")
    assert cookie is not None
    headers = {"cookie": f"lims={cookie.value}"} | ({"last-event-id": last} if last else {})
    with (
        httpx.Client(timeout=WITHIN_S) as client,
        client.stream("GET", address + path, headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert next(lines).startswith("retry")
        yield Stream(lines)


def told(here: Ward, board: UUID, *, area: str | None = None) -> UUID:
    case = here.case(area=area) if area else here.case()
    here.owe(board, case=case)
    live.ring(here.session, "case.opened", case_id=case)
    here.session.commit()
    return case


def test_a_case_committed_elsewhere_appears_on_the_open_page(
    here: Ward, signed_in: SignIn, address: str
) -> None:
    team = here.team()
    board = here.board(team=team)
    here.session.commit()
    tracer = signed_in(Role.TRACER, team_id=team)
    with listening(address, tracer) as stream:
        case = told(here, board)
        heard = stream.next()
    assert (heard.name, heard.data) == ("case", {"id": str(case)})
    assert f"case-{case}" in tracer.get(f"/handoff/cases/{case}/row").text


def test_a_page_hears_of_its_own_teams_cases_only(
    here: Ward, signed_in: SignIn, address: str
) -> None:
    ours, theirs = here.team("A"), here.team("B")
    our_board, their_board = here.board(team=ours), here.board(team=theirs, area=CAU_GIAY)
    here.session.commit()
    with listening(address, signed_in(Role.TRACER, team_id=ours)) as stream:
        told(here, their_board, area=CAU_GIAY)
        mine = told(here, our_board)
        assert stream.next().data == {"id": str(mine)}


def test_a_claim_is_seen_by_the_others_at_once(
    here: Ward, signed_in: SignIn, address: str, now: datetime
) -> None:
    team = here.team()
    case = told(here, here.board(team=team))
    with listening(address, signed_in(Role.OPERATOR)) as stream:
        claim(here.session, case, team, by="user:hanh", now=now)
        here.session.commit()
        assert stream.next().data == {"id": str(case)}


def test_a_call_that_was_kept_is_heard_by_those_who_were_told_of_its_cases(
    here: Ward, signed_in: SignIn, address: str, now: datetime
) -> None:
    ours, theirs = here.team("A"), here.team("B")
    lan = on_call(here, ours, "Lan", place=1)
    case = told(here, here.board(team=ours))
    far = told(here, here.board(team=theirs, area=CAU_GIAY), area=CAU_GIAY)
    escalate(here.session, now + timedelta(minutes=46), site_id=here.site_id)
    here.session.commit()
    call = uuid7()
    with (
        listening(address, signed_in(Role.OPERATOR)) as everybody,
        listening(address, signed_in(Role.TRACER, team_id=theirs)) as stranger,
    ):
        record_call(
            here.session,
            Said(call, ours, lan, Reached.NO_ANSWER),
            reader=Reader(everything=False, team_id=ours),
            as_of=now + timedelta(minutes=47),
            site_id=here.site_id,
            by="user:op",
            now=now + timedelta(minutes=47),
        )
        here.session.commit()
        heard = everybody.next()
        assert (heard.name, heard.data) == ("call", {"id": str(call)})
        assert case != far
        claim(here.session, far, theirs, by="user:b", now=now + timedelta(minutes=48))
        here.session.commit()
        assert stranger.next().data == {"id": str(far)}


def test_a_positive_pool_rings_the_early_warnings(
    here: Ward, signed_in: SignIn, address: str
) -> None:
    team = here.team()
    board, pool = here.board(team=team), here.positive_pool(people=3)
    here.session.commit()
    with listening(address, signed_in(Role.TRACER, team_id=team)) as stream:
        here.owe(board, pool=pool)
        live.ring(here.session, "alert.raised", pool_id=pool)
        here.session.commit()
        heard = stream.next()
    assert (heard.name, heard.data) == ("alert", {"id": str(pool)})


def test_a_page_that_was_away_hears_what_it_missed(
    here: Ward, signed_in: SignIn, address: str, now: datetime
) -> None:
    team = here.team()
    board = here.board(team=team)
    here.session.commit()
    tracer = signed_in(Role.TRACER, team_id=team)
    last = str(uuid7(int(now.timestamp() * 1000)))
    case = told(here, board)
    with listening(address, tracer, last=last) as stream:
        assert stream.next().data == {"id": str(case)}
    with listening(address, tracer, f"/handoff/feed?since={last}") as stream:
        assert stream.next().data == {"id": str(case)}


@pytest.mark.parametrize("last", ["nonsense", "00000000-0000-7000-8000-000000000000"])
def test_a_page_that_was_away_for_too_long_looks_at_everything_again(
    here: Ward, signed_in: SignIn, address: str, last: str
) -> None:
    here.session.commit()
    with listening(address, signed_in(Role.OPERATOR), last=last) as stream:
        assert stream.next().name == "reset"


def test_a_quiet_stream_says_it_is_alive(
    here: Ward, signed_in: SignIn, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.session.commit()
    monkeypatch.setattr(feed, "HEARTBEAT_S", 0.05)
    with listening(address, signed_in(Role.OPERATOR)) as stream:
        assert stream.next_sign() == Heard("", "", {})


def test_after_the_database_threw_us_out_every_page_looks_again_and_hears_on(
    here: Ward, signed_in: SignIn, address: str
) -> None:
    board = here.board(team=here.team())
    here.session.commit()
    with listening(address, signed_in(Role.OPERATOR)) as stream:
        here.session.execute(
            text(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        here.session.commit()
        heard, cases = stream.next(), set[str]()
        assert heard.name == "reset"
        while heard.name == "reset":  # once more where the next connection was thrown out as well
            cases.add(str(told(here, board)))
            heard = stream.next()
        assert heard.data["id"] in cases


def test_a_hundred_pages_share_one_connection(
    here: Ward, app: Flask, laboratory: Laboratory
) -> None:
    board = here.board(team=here.team())
    here.session.commit()
    with app.app_context():
        shared = feed._hub()
        pages = [shared.join(Scope(everything=True)) for _ in range(100)]
        until(lambda: listeners(here) == 1, "one listens; an earlier test's may be leaving still")
        case = told(here, board)
        heard = {page.take(WITHIN_S) for page in pages}
        feed.close(app)
    assert {event.about for event in heard if event} == {case}


def test_a_page_that_comes_after_the_stop_starts_nothing_again(here: Ward, app: Flask) -> None:
    here.session.commit()
    with app.app_context():
        feed._hub().join(Scope(everything=True))
        until(lambda: listeners(here) == 1, "it listens")
        feed.close(app)
        page = feed._hub().join(Scope(everything=True))
        watcher = feed._ticker().join(None)
    until(lambda: listeners(here) == 0, "nobody listens any more")
    assert (page.take(0), watcher.take(0)) == (None, None)


def listeners(here: Ward) -> int | None:
    here.session.commit()  # within one transaction the view does not change
    many: int | None = here.session.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            " AND application_name LIKE '%board-listener'"
        )
    )
    return many


def test_a_page_that_came_before_anything_could_be_heard_looks_again_when_it_can(
    here: Ward, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, may_connect = here.board(team=here.team()), threading.Event()
    here.session.commit()
    listen = Listener._listen

    def late(self: Listener, connection: psycopg.Connection) -> None:
        may_connect.wait(WITHIN_S)
        listen(self, connection)

    monkeypatch.setattr(Listener, "_listen", late)
    monkeypatch.setattr(hub, "_LISTEN_S", 0.01)
    opened = hub.Hub(laboratory)
    page = opened.join(Scope(everything=True))
    told(here, board)  # nobody hears of it
    may_connect.set()
    heard = page.take(WITHIN_S)
    opened.close()
    assert heard is not None
    assert heard.name == "reset"


def test_a_page_that_stopped_reading_is_told_to_look_at_everything() -> None:
    page = Subscriber(Scope(everything=True))
    for _ in range(LONGEST_QUEUE + 1):
        page.put(case_event(uuid4()))
    first = page.take(0)
    assert first is not None
    assert first.name == "reset"
    assert page.take(0) is None


def test_the_stage_counts_arrive_and_arrive_again_when_something_changed(
    here: Ward, signed_in: SignIn, address: str
) -> None:
    here.session.commit()
    with listening(address, signed_in(Role.TECHNICIAN), "/stages/feed") as stream:
        first = stream.next()
        here.positive_pool(people=1)
        here.session.commit()
        second = stream.next()
    assert set(first.data) == {"collect", "receive", "pool", "run"}
    assert [_count(first, "receive"), _count(second, "receive")] == [0, 1]


def _count(heard: Heard, stage: str) -> int:
    return int(heard.data[stage]["count"])
