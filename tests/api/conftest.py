"""The API on a real socket: one server a session, one laboratory a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from flask import Flask
from sqlalchemy import Engine, text
from werkzeug.serving import make_server

from lims.app import create_app
from lims.db.engine import session_factory
from lims.db.laboratory import Laboratory
from lims.tables.base import Base
from lims.work import told
from lims.work.campaigns import open_campaign
from lims.work.tokens import OPEN_PEOPLE, Scope, issue_token
from tests.api.caller import Caller, Clock, Document
from tests.builders import open_bench
from tests.door_settings import door_settings
from tests.until import WITHIN_S

NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Serving:
    """The application, and where it answers."""

    app: Flask
    address: str
    document: Document


@pytest.fixture(scope="session")
def serving(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Threads, as werkzeug serves; the laboratory behind it changes from test to test."""
    nowhere = Laboratory(engine, session_factory(engine), NOBODY, "TT")
    app = create_app(nowhere, door_settings(tmp_path_factory.mktemp("home")))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    address = f"http://127.0.0.1:{server.port}"
    yield Serving(app, address, Document(httpx.get(f"{address}/api/openapi.json").json()))
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def laboratory(database: Engine, serving: Serving, clock: Clock) -> Laboratory:
    """A founded laboratory with a few areas and one analyser, behind the running server."""
    sessions = session_factory(database)
    with sessions.begin() as session:
        site_id = open_bench(session, clock.now).site_id
    founded = Laboratory(database, sessions, site_id, "TT", clock=clock)
    serving.app.extensions["laboratory"] = founded
    return founded


@pytest.fixture
def api(serving: Serving, laboratory: Laboratory, clock: Clock) -> Iterator[Caller]:
    with laboratory.sessions.begin() as session:
        tokens = {
            scope: issue_token(
                session,
                site_id=laboratory.site_id,
                name=f"a machine to {scope}",
                scopes=[scope],
                every_team=scope in OPEN_PEOPLE,
                by="test",
                now=clock.now,
            )
            for scope in Scope
        }
    with httpx.Client(base_url=serving.address, timeout=WITHIN_S) as client:
        yield Caller(client, serving.document, tokens, clock)


@pytest.fixture
def campaign(laboratory: Laboratory, clock: Clock) -> str:
    """Under it, single tubes wait for a pool."""
    with laboratory.sessions.begin() as session:
        made = open_campaign(
            session,
            site_id=laboratory.site_id,
            name="Ward 12",
            pool_size=10,
            by="test",
            now=clock.now,
        )
    return str(made)


@pytest.fixture
def a_second_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice is shown when nobody can still write an earlier one: a second's margin, now over."""
    monkeypatch.setattr(told, "CLOCK_MARGIN", timedelta(seconds=-1))


@contextmanager
def nothing_written(engine: Engine) -> Iterator[None]:
    """Fails when a row of any table came, went or changed; when a token was used may move."""
    before = _contents(engine)
    yield
    after = _contents(engine)
    assert {name for name in after if after[name] != before[name]} == set()


def _contents(engine: Engine) -> dict[str, str]:
    tables = sorted(set(Base.metadata.tables) - {"api_token"})
    asked = " UNION ALL ".join(
        f"SELECT '{name}', count(*) || md5(coalesce(string_agg(r::text, ',' ORDER BY r::text), ''))"
        f" FROM {name} r"
        for name in tables
    )
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(asked))}
