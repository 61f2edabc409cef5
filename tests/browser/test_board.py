"""The hand-off board in a real browser: a new F0 comes by itself, and a claim is one key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import NoticeKind
from lims.tables import Claim, F0Case, Household, Person
from lims.work import live
from lims.work.access import Role, create_user
from lims.work.views.board import FIRST_CORRECTED
from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_pages import sideways
from tests.builders_handoff import Ward, ward
from tests.web.browsing import PASSWORD
from tests.web.live_server import served

pytestmark = pytest.mark.browser


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def here(session: Session, now: datetime, site_id: UUID) -> Ward:
    built = ward(session, now)
    assert built.site_id == site_id
    return built


def look_at_the_board(
    here: Ward, page: Page, address: str, team: UUID, now: datetime, *, order: str = "newest"
) -> None:
    """Chị Hạnh of this team signs in and listens."""
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
    page.goto(f"{address}/login?next=/handoff?order={order}")
    page.fill("[name=login]", "hanh")
    page.fill("[name=password]", PASSWORD)
    with page.expect_response("**/handoff/feed*"):  # it is answered once LISTEN holds
        page.click("main button[type=submit]")


def share_a_household(here: Ward, *cases: UUID) -> None:
    """The people of these cases live behind one door."""
    door = Household(site_id=here.site_id, label="hộ 114", created_at=here.now)
    here.session.add(door)
    here.session.flush()
    for case in cases:
        person = here.session.get_one(F0Case, case).person_id
        here.session.get_one(Person, person).household_id = door.id
    here.session.flush()


@pytest.mark.parametrize("width", [1240, 360])
def test_the_household_is_shown_as_soon_as_somebody_shares_one(
    here: Ward, page: Page, address: str, now: datetime, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    team = here.team()
    board = here.board(team=team)
    alone = here.case(name="Lý A Páo")
    here.owe(board, case=alone)
    look_at_the_board(here, page, address, team, now)
    heading = page.get_by_role("columnheader", name="Hộ")
    expect(page.locator(f"#case-{alone}")).to_contain_text("Lý A Páo")
    expect(heading).to_be_hidden()
    expect(page.locator(f"#case-{alone} .household")).to_be_hidden()

    together = [here.case(name=name) for name in ("Trần Quốc Việt", "Trần Thị Mai")]
    share_a_household(here, *together)
    for case in together:
        here.owe(board, case=case)
        live.ring(here.session, "case.opened", case_id=case)
    here.session.commit()

    for case in together:
        expect(page.locator(f"#case-{case} .household")).to_contain_text("hộ 114")
        expect(page.locator(f"#case-{case} .household")).to_contain_text("2 người, 2 F0")
    if width == 1240:
        expect(heading).to_be_visible()
    else:
        expect(page.locator(f"#case-{alone} .household")).to_be_hidden()
    assert sideways(page) == 0


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_new_f0_stands_before_the_many_corrections_of_a_recall(
    here: Ward, page: Page, address: str, now: datetime, order: str
) -> None:
    team = here.team()
    board = here.board(team=team)
    for number in range(FIRST_CORRECTED + 3):
        withdrawn = here.case(name=f"Rút {number}", state=CaseState.WITHDRAWN)
        here.owe(board, case=withdrawn)
        here.owe(board, case=withdrawn, sequence=2, kind=NoticeKind.CASE_CORRECTED)
    look_at_the_board(here, page, address, team, now, order=order)
    expect(page.locator("tbody tr")).to_have_count(FIRST_CORRECTED + 3)

    case = here.case(name="Phạm Thị Hồng Nhung")
    here.owe(board, case=case)
    live.ring(here.session, "case.opened", case_id=case)
    here.session.commit()
    expect(page.locator("tbody tr").nth(FIRST_CORRECTED)).to_have_id(f"case-{case}")

    late = here.case(name="Rút sau", state=CaseState.WITHDRAWN)
    here.owe(board, case=late)
    here.owe(board, case=late, sequence=2, kind=NoticeKind.CASE_CORRECTED)
    live.ring(here.session, "case.corrected", case_id=late)
    here.session.commit()
    place = 0 if order == "newest" else FIRST_CORRECTED + 4
    expect(page.locator("tbody tr").nth(place)).to_have_id(f"case-{late}")
    expect(page.locator("tbody tr").nth(FIRST_CORRECTED)).to_have_id(f"case-{case}")


def test_a_new_f0_appears_without_reloading_and_one_key_claims_it(
    here: Ward, page: Page, address: str, now: datetime
) -> None:
    team = here.team()
    board = here.board(team=team)
    look_at_the_board(here, page, address, team, now)
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
