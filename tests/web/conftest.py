"""The HTML door on a real database: an application, its site, and people of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import CodeType
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine

from lims.app import create_app
from lims.db.engine import session_factory
from lims.db.laboratory import Laboratory
from lims.settings import Settings
from lims.web import feed
from lims.work.access import Role, create_user
from lims.work.sites import found_site
from tests.builders import Bench, open_bench
from tests.door_settings import door_settings
from tests.web.browsing import PASSWORD, Browser

SignIn = Callable[..., Browser]


class Compiled(BytecodeCache):
    """Templates compiled once a worker, not once a test."""

    def __init__(self) -> None:
        self._codes: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key] = bucket.code


TEMPLATES = Compiled()


@pytest.fixture
def site_id(database: Engine, now: datetime) -> UUID:
    with session_factory(database).begin() as session:
        return found_site(session, prefix="TT", name="PXN Cầu Giấy", now=now)


@pytest.fixture
def laboratory(database: Engine, site_id: UUID, now: datetime) -> Laboratory:
    """Its clock stands at `now`; a test that needs another hour replaces it."""
    return Laboratory(
        engine=database,
        sessions=session_factory(database),
        site_id=site_id,
        prefix="TT",
        clock=lambda: now,
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return door_settings(tmp_path)


@pytest.fixture
def app(laboratory: Laboratory, settings: Settings) -> Iterator[Flask]:
    made = create_app(laboratory, settings)
    made.jinja_env.bytecode_cache = TEMPLATES
    yield made
    feed.close(made)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask, laboratory: Laboratory, now: datetime) -> SignIn:
    """`signed_in(Role.TECHNICIAN)`: a browser of somebody with these roles, through the door."""

    def enter(*roles: Role, language: str = "en", team_id: UUID | None = None) -> Browser:
        login = "-".join(sorted(roles))
        with laboratory.sessions.begin() as session:
            create_user(
                session,
                site_id=laboratory.site_id,
                login=login,
                name=login.title(),
                password=PASSWORD,
                roles=roles,
                team_id=team_id,
                by="test",
                now=now,
            )
        browser = Browser(app.test_client(), language=language)
        browser.sign_in(login, PASSWORD)
        return browser

    return enter


@pytest.fixture
def bench(laboratory: Laboratory, now: datetime) -> Iterator[Bench]:
    """The same laboratory from behind, to make rows with; the test commits before it browses."""
    with laboratory.sessions() as session:
        opened = open_bench(session, now)
        session.commit()
        yield opened
        session.rollback()
