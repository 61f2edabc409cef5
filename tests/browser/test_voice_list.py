"""The voice list in a real browser: it keeps itself true, and never under somebody's hands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.escalation import Reached
from lims.work.access import Role, create_user
from lims.work.claim import claim
from lims.work.escalate import escalate
from lims.work.voice import Reader, Said, record_call
from tests.browser.conftest import PATIENCE_MS
from tests.builders_handoff import CAU_GIAY, DICH_VONG, Ward, ward
from tests.builders_roster import on_call
from tests.web.browsing import PASSWORD
from tests.web.live_server import served

pytestmark = pytest.mark.browser


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def here(session: Session, now: datetime, site_id: UUID) -> Ward:
    """The ward an hour ago: what was opened then is on the voice list now."""
    built = ward(session, now - timedelta(minutes=60))
    assert built.site_id == site_id
    return built


def late_case(here: Ward, team: UUID, *, area: str = DICH_VONG, now: datetime) -> UUID:
    """A case that this team was told of an hour ago and that nobody has claimed."""
    board = here.board(team=team, area=area)
    case = here.case(area=area)
    here.owe(board, case=case)
    escalate(here.session, now, site_id=here.site_id)
    here.session.commit()
    return case


def look(here: Ward, page: Page, address: str, now: datetime) -> None:
    """The operator opens the voice list and the page listens."""
    create_user(
        here.session,
        site_id=here.site_id,
        login="op",
        name="Anh Trực",
        password=PASSWORD,
        roles=[Role.OPERATOR],
        by="test",
        now=now,
    )
    here.session.commit()
    page.goto(f"{address}/login?next=/handoff/calls")
    page.fill("[name=login]", "op")
    page.fill("[name=password]", PASSWORD)
    with page.expect_response("**/handoff/feed"):  # it is answered once LISTEN holds
        page.click("main button[type=submit]")
    expect(page.get_by_text("Danh sách tự cập nhật.")).to_be_visible()


def test_a_team_comes_onto_the_list_and_leaves_it_without_reloading(
    here: Ward, page: Page, address: str, now: datetime
) -> None:
    team = here.team("Tổ Dịch Vọng")
    on_call(here, team, "Lê Thị Lan", place=1)
    look(here, page, address, now)
    page.evaluate("window.same = true")
    case = late_case(here, team, now=now)
    ring = page.locator(f"#ring-{team}")
    expect(ring).to_contain_text("Lê Thị Lan")
    expect(page.locator("#ring-nobody")).to_have_count(0)

    claim(here.session, case, team, by="user:lan", now=now)
    here.session.commit()
    expect(ring).to_have_count(0)
    expect(page.locator("#ring-nobody")).to_be_visible()
    assert page.evaluate("window.same") is True


def test_what_somebody_writes_stays_and_says_that_something_changed(
    here: Ward, page: Page, address: str, now: datetime
) -> None:
    team, other = here.team("Tổ Dịch Vọng"), here.team("Tổ Cầu Giấy")
    for one in (team, other):
        on_call(here, one, "Lê Thị Lan", place=1)
    first = late_case(here, team, now=now)
    look(here, page, address, now)
    ring = page.locator(f"#ring-{team}")
    note = ring.locator("[name=note]")
    note.fill("máy bận, gọi lại")
    shown_at = ring.locator("form.came [name=as_of]").input_value()

    second = late_case(here, other, area=CAU_GIAY, now=now)
    expect(page.locator(f"#ring-{other}")).to_be_visible()
    expect(note).to_have_value("máy bận, gọi lại")
    expect(ring.locator("[data-meanwhile=changed]")).to_be_hidden()

    here.owe(here.board(team=team), case=second)
    escalate(here.session, now, site_id=here.site_id)
    here.session.commit()
    expect(ring.locator("[data-meanwhile=changed]")).to_be_visible()
    expect(note).to_have_value("máy bận, gọi lại")
    assert ring.locator("form.came [name=as_of]").input_value() == shown_at

    for case in (first, second):
        claim(here.session, case, team, by="user:lan", now=now)
    here.session.commit()
    expect(ring.locator("[data-meanwhile=gone]")).to_be_visible()
    expect(note).to_have_value("máy bận, gọi lại")

    note.fill("")
    note.blur()
    expect(ring).to_have_count(0)


def test_the_call_that_a_colleague_made_is_seen_at_once(
    here: Ward, page: Page, address: str, now: datetime
) -> None:
    team = here.team("Tổ Dịch Vọng")
    lan = on_call(here, team, "Lê Thị Lan", place=1)
    late_case(here, team, now=now)
    look(here, page, address, now)
    expect(page.locator(f"#ring-{team}")).to_be_visible()
    record_call(
        here.session,
        Said(uuid7(), team, lan, Reached.REACHED, "đang đi"),
        reader=Reader(everything=True),
        as_of=now,
        site_id=here.site_id,
        by="user:hung",
        now=now,
    )
    here.session.commit()
    expect(page.locator(f"#ring-{team}")).to_have_count(0)
    expect(page.locator("#ring-spoken")).to_contain_text("đang đi")
    expect(page.locator("#ring-latest")).to_contain_text("Lê Thị Lan")
