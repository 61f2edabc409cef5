"""A roster of forty with one positive, in a real browser: few interactions, a clock that is not
the browser's, and a grid that fits a telephone (S19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.domain.barcodes import minted_from, shown
from lims.domain.identity import name_key
from lims.domain.rapid_test import RosterKind
from lims.domain.registration import PersonGiven
from lims.work.access import Role
from lims.work.people_together import MemberGiven
from lims.work.roster import RosterGiven, add_members, open_roster
from tests.browser.conftest import Open
from tests.browser.test_pages import sideways
from tests.builders_rapid import GTIN

pytestmark = pytest.mark.browser

MOST_INTERACTIONS = 12
LONG = "Công Tằng Tôn Nữ Nguyễn Hoàng Phương Khánh Huyền Trân"
Wait = Callable[[int], None]


@dataclass
class Hands:
    """A person at the desk; every click, scan and typed entry counts."""

    page: Page
    done: int = 0

    def scan(self, text: str) -> None:
        """A hand scanner types and ends with Enter; so does somebody who types `17+`."""
        self.done += 1
        self.page.locator("#scan").fill(text)
        self.page.locator("#scan").press("Enter")

    def press(self, name: str) -> None:
        self.done += 1
        self.page.get_by_role("button", name=name).click()


@pytest.fixture
def wait(app: Flask, laboratory: Laboratory, now: datetime) -> Wait:
    """The laboratory's clock goes on by so many minutes; the browser's stays."""
    passed = [0]

    def later(minutes: int) -> None:
        passed[0] += minutes
        at = now + timedelta(minutes=passed[0])
        app.extensions["laboratory"] = replace(laboratory, clock=lambda: at)

    return later


@pytest.fixture
def forty(laboratory: Laboratory, furnished: None, now: datetime) -> str:
    """The path of a class of forty, one of them with a long name."""
    names = [LONG, *(f"Trần Thị Ngọc Bích {n}" for n in range(2, 41))]
    given = RosterGiven(uuid7(), RosterKind.CLASS, "Lớp 9A1", place="THCS Nguyễn Trãi, Hà Đông")
    people = [MemberGiven(PersonGiven(name, name_key(name), 2007)) for name in names]
    with laboratory.sessions.begin() as session:
        open_roster(session, given, site_id=laboratory.site_id, by="desk", now=now)
        add_members(
            session,
            given.roster_id,
            people,
            add_id=uuid7(),
            site_id=laboratory.site_id,
            now=now,
        )
    return f"/collect/rapid/rosters/{given.roster_id}"


def named_kit(page: Page, path: str) -> None:
    """The box is new here: it is named once, and the desk goes back to its roster."""
    page.goto(path)
    page.locator("#scan").fill(f"01{GTIN}1723013110AG21-07")
    page.locator("#scan").press("Enter")
    page.get_by_label("Kit, as on the box").fill("Nhanh Ag")
    page.get_by_role("button", name="Register and use it").click()
    expect(page.get_by_role("button", name="Start 40 strips")).to_be_visible()


def test_forty_people_with_one_positive_take_few_interactions(
    open_as: Open, forty: str, wait: Wait
) -> None:
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    named_kit(page, forty)
    hands = Hands(page)

    hands.press("Start 40 strips")
    expect(page.get_by_text("too early; read from")).to_be_visible()
    wait(20)
    hands.scan("17+")
    expect(page.locator(".cell.marked")).to_have_count(1)
    hands.press("39 negative, 1 positive")
    hands.press("Yes, keep these 40")
    expect(page.get_by_text("Presumptive F0. Isolate now")).to_be_visible()
    expect(page.locator(".cell.negative")).to_have_count(39)
    _, label = next(minted_from("TT", "B7", 1))
    hands.scan(shown(label))
    expect(page.get_by_role("link", name=shown(label))).to_be_visible()

    assert page.get_by_text("Presumptive F0. Isolate now").is_visible()
    assert hands.done <= MOST_INTERACTIONS
    assert hands.done == 5


def test_the_page_finds_out_by_itself_that_a_strip_may_be_read(
    open_as: Open, forty: str, wait: Wait
) -> None:
    context = open_as(Role.TECHNICIAN, language="en")
    page = context.new_page()
    named_kit(page, forty)
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    page.reload()
    page.get_by_role("button", name="Start 40 strips").click()
    expect(page.locator("[data-left]")).to_be_visible()
    page.clock.run_for(500)  # the clock stands between, so that no second passes unasked
    expect(page.locator("[data-left]")).to_have_text("15:00")
    page.clock.run_for(60_000)
    expect(page.locator("[data-left]")).to_have_text("14:00")
    wait(15)  # the laboratory's clock, and then the page's stopwatch
    page.clock.run_for(14 * 60_000 + 2_000)
    expect(page.get_by_text("left to read, until")).to_be_visible()
    expect(page.locator("button.cell.readable")).to_have_count(40)


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1240, "dark")])
def test_a_grid_of_forty_fits_and_is_readable_to_all(
    open_as: Open, forty: str, wait: Wait, width: int, theme: str
) -> None:
    named_kit(open_as(Role.TECHNICIAN, language="en").new_page(), forty)
    page = open_as(Role.TECHNICIAN, width=width, theme=theme).new_page()
    page.goto(forty)
    page.get_by_role("button", name="Bấm giờ 40 que").click()
    expect(page.locator(".cell.early")).to_have_count(40)
    wait(20)
    page.reload()
    for text, marked in (("1+cs 17?", 1), ("40+", 2)):
        page.locator("#scan").fill(text)
        page.locator("#scan").press("Enter")
        expect(page.locator(".cell.marked")).to_have_count(marked)
    looked_at(page)
    page.get_by_role("button", name="37 âm tính, 2 dương tính").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    looked_at(page)
    page.get_by_role("button", name="Đúng, ghi 40 kết quả").click()
    expect(page.locator(".cell.negative")).to_have_count(37)
    looked_at(page)


def looked_at(page: Page) -> None:
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
