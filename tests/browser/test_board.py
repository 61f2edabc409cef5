"""The hand-off board in a real browser: a new F0 comes by itself, and a claim is one key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from lims.tables import Claim
from lims.work import live
from lims.work.access import Role, create_user
from tests.builders_handoff import Ward, ward
from tests.web.browsing import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined] # of socketserver, which typeshed hides here
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def here(session: Session, now: datetime, site_id: UUID) -> Ward:
    built = ward(session, now)
    assert built.site_id == site_id
    return built


def test_a_new_f0_appears_without_reloading_and_one_key_claims_it(
    here: Ward, page: Page, address: str, now: datetime
) -> None:
    team = here.team()
    board = here.board(team=team)
    create_user(
        here.session,
        site_id=here.site_id,
        login="hanh",
        name="Chị Hạnh",
        password=PASSWORD,
        roles=[Role.TRACER],
        team_id=team,
        by="test",
        now=now,
    )
    here.session.commit()
    page.goto(f"{address}/login?next=/handoff")
    page.fill("[name=login]", "hanh")
    page.fill("[name=password]", PASSWORD)
    with page.expect_request("**/handoff/feed*"):
        page.click("main button[type=submit]")
    expect(page.get_by_text("Ca nào cũng đã có tổ nhận.")).to_be_visible()

    case = here.case(name="Phạm Thị Hồng Nhung")
    here.owe(board, case=case)
    live.ring(here.session, "case.opened", case_id=case)
    here.session.commit()

    row = page.locator(f"#case-{case}")
    expect(row).to_contain_text("Phạm Thị Hồng Nhung")
    expect(page.locator("#figures .card").first).to_contain_text("1")
    page.locator("h1").click()
    page.keyboard.press("Alt+n")
    expect(page.get_by_text("0912 345 218")).to_be_visible()
    assert here.session.scalars(select(Claim.team_id)).all() == [team]
