"""A real chromium on a real server: what a person at the bench or with a telephone sees."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from lims.db.laboratory import Laboratory
from lims.tables import F0Case, User
from lims.work.access import Role
from lims.work.doubt_address import doubt_addresses
from tests.presence import missing
from tests.until import WITHIN_S
from tests.web.browsing import hand_session
from tests.web.conftest import (  # noqa: F401 - fixtures, which pytest finds by name
    app,
    laboratory,
    settings,
    site_id,
)
from tests.web.rows import case, finding, tube

# Nothing of its own over the network, no sandbox inside a container (design notes, "verified").
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Open = Callable[..., BrowserContext]
PATIENCE_MS = 1000 * WITHIN_S


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing("there is no chromium: on Debian, apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=FLAGS, timeout=PATIENCE_MS
        )
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture
def furnished(laboratory: Laboratory, now: datetime) -> None:  # noqa: F811 - the fixture above
    """A day in which something waits at every stage, some of it too long."""
    with laboratory.sessions.begin() as session:
        for serial in range(12):
            at = now - timedelta(minutes=25 * serial)
            tube(session, laboratory.site_id, at, serial=serial, received=serial % 2 == 0)
        for minutes, outcome in ((90, "positive"), (40, "inconclusive"), (70, "discordant")):
            at = now - timedelta(minutes=minutes)
            finding(session, laboratory.site_id, at, outcome, "P")
        case(session, laboratory.site_id, now - timedelta(minutes=6))
        doubt_addresses(session, session.scalars(select(F0Case.person_id)).all(), now=now)
        for role in Role:
            session.add(
                User(
                    site_id=laboratory.site_id,
                    login=role.value,
                    name=f"Nguyễn Thị {role.value.title()}",
                    password_hash="none",
                    roles=[role.value],
                    created_at=now,
                )
            )


@pytest.fixture
def address(app: Flask, furnished: None) -> Iterator[str]:  # noqa: F811 - the fixture above
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def open_as(chromium: Browser, address: str, app: Flask) -> Iterator[Open]:  # noqa: F811 - the fixture above
    """`open_as(Role.ADMIN, width=360)`: a browser where this person has signed in."""
    opened: list[BrowserContext] = []

    def enter(
        role: Role | None, *, width: int = 1240, language: str = "vi", theme: str = "light"
    ) -> BrowserContext:
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": 760},
            color_scheme="dark" if theme == "dark" else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        cookies = {"language": language}
        if role is not None:
            cookies["lims"] = _session_cookie(app, role)
        context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in cookies.items()]
        )
        return context

    yield enter
    for context in opened:
        context.close()


def _session_cookie(door: Flask, role: Role) -> str:
    """What signing in would leave in the browser (signing in itself is tested in tests/web)."""
    lab: Laboratory = door.extensions["laboratory"]
    with lab.sessions.begin() as session:
        user_id = session.scalars(select(User.id).where(User.login == role.value)).one()
    client = door.test_client()
    hand_session(client, user_id, lab.clock())
    cookie = client.get_cookie("lims")
    if cookie is None:
        raise LookupError("no session cookie was set")
    return cookie.value
