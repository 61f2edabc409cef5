"""Nothing needs a mouse: the scan field, the letters, the menu; and the counts stay true."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.sync_api import expect

from lims.db.laboratory import Laboratory
from lims.work.access import Role
from lims.work.areas import load_areas
from tests.browser.conftest import Open
from tests.web.rows import tube

pytestmark = pytest.mark.browser


def test_the_scan_field_is_ready_and_escape_comes_back_to_it(open_as: Open) -> None:
    page = open_as(Role.OPERATOR).new_page()
    page.goto("/")
    scan = page.locator("#scan")
    expect(scan).to_be_focused()
    page.keyboard.type("TT7K")
    page.keyboard.press("Escape")
    expect(scan).to_have_value("")
    page.keyboard.press("Escape")
    expect(scan).to_be_focused()
    page.locator("h1").click()
    expect(scan).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(scan).to_be_focused()


def test_a_button_is_pressed_by_its_letter_and_a_scan_never_presses_it(open_as: Open) -> None:
    page = open_as(Role.OPERATOR, language="en").new_page()
    page.goto("/")
    first = page.locator("[data-key=A]").get_attribute("href")
    page.evaluate(
        "document.addEventListener('click', e => { e.preventDefault(); "
        "window.pressed = e.target.closest('a')?.getAttribute('href'); })"
    )
    page.keyboard.type("AB")  # into the scan field: the beginning of a barcode
    assert page.evaluate("window.pressed ?? null") is None
    page.keyboard.press("Escape")
    page.keyboard.type("a")
    page.keyboard.press("Enter")  # one letter alone, entered: a command
    assert page.evaluate("window.pressed") == first


def test_a_scan_beside_the_field_goes_into_it_and_presses_nothing(open_as: Open) -> None:
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/receive")
    keys = page.locator("[data-key]").evaluate_all("all => all.map(one => one.dataset.key)")
    page.locator("h1").click()
    expect(page.locator("#scan")).not_to_be_focused()
    page.keyboard.type("".join(keys) + "TT9")  # every letter of a button, as a barcode has them
    page.keyboard.press("Enter")
    expect(page.locator(".answer.bad")).to_be_visible()
    assert page.url.endswith("/receive")


def test_one_letter_alone_still_presses_its_button(open_as: Open) -> None:
    page = open_as(Role.OPERATOR, language="en").new_page()
    page.goto("/")
    first = page.locator("[data-key=A]").get_attribute("href")
    page.locator("h1").click()
    page.keyboard.press("a")
    page.wait_for_url(f"**{first}**")


def test_the_counts_follow_without_a_reload(
    open_as: Open, laboratory: Laboratory, now: datetime
) -> None:
    page = open_as(Role.OPERATOR).new_page()
    page.goto("/")
    count = page.locator("[data-stage=collect] b")
    expect(count).to_have_text("6")
    with laboratory.sessions.begin() as session:
        tube(session, laboratory.site_id, now, serial=99, received=False)
    page.evaluate("document.dispatchEvent(new Event('lims:changed'))")
    expect(count).to_have_text("7")
    expect(page.locator("[data-stage=collect]")).to_have_class("changed")


def test_a_commune_is_found_while_one_types(open_as: Open, laboratory: Laboratory) -> None:

    with laboratory.sessions.begin() as session:
        load_areas(session)
    page = open_as(Role.ADMIN).new_page()
    page.goto("/admin/subscriptions")
    page.locator("#area").press_sequentially("cau giay")
    expect(page.locator("#areas option").first).to_have_attribute(
        "value", "00167 · Phường Cầu Giấy, Hà Nội"
    )
