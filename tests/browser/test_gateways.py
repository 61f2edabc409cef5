"""The gateways' page with something wrong everywhere: readable on a telephone, and live."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lims.db.laboratory import Laboratory
from lims.domain.gateways import LineStanding, LineState
from lims.work.access import Role
from lims.work.gateways import hear
from tests.browser.conftest import Open
from tests.browser.test_pages import BENCH, TELEPHONE, View, sideways
from tests.builders import add_instrument

pytestmark = pytest.mark.browser

LONG = "MáyXétNghiệmRealTimePCRTầng3KhoaViSinhBệnhViệnĐaKhoaTỉnh-01"
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"


def line(now: datetime, instrument: str, **changed: object) -> LineStanding:
    well = LineStanding(
        instrument=instrument,
        driver="genexpert",
        link="/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A9007VQb-if00-port0",
        state=LineState.UP,
        since=now - timedelta(hours=3),
        last_byte_at=now,
        last_message_at=now - timedelta(hours=1),
        journal_bytes=1,
        waiting=0,
        dead=0,
        quarantined=0,
        trouble=None,
        detail="",
    )
    return replace(well, **changed)  # type: ignore[arg-type]  # fields of LineStanding


def heard(
    laboratory: Laboratory, *lines: LineStanding, gateway: str = "lab-1", ago_s: int = 1
) -> None:
    at = laboratory.clock() - timedelta(seconds=ago_s)
    with laboratory.sessions.begin() as session:
        hear(session, gateway, "0.1.0", lines, site_id=laboratory.site_id, now=at)


@pytest.mark.parametrize("view", [TELEPHONE, BENCH], ids=["telephone", "bench"])
def test_every_trouble_at_once_is_readable_and_whole(
    open_as: Open, laboratory: Laboratory, now: datetime, view: View
) -> None:
    heard(
        laboratory,
        line(now, LONG, state=LineState.UNPLUGGED, trouble="no-device", detail="x" * 200),
        line(now, "GX-2", state=LineState.UNREADABLE, trouble="disk-full", waiting=1204, dead=3),
        line(now, "GX-3", state=LineState.QUEUEING, trouble="scope-missing", quarantined=2),
        line(now, "GX-4", state=LineState.SILENT, last_byte_at=None, last_message_at=None),
        *(line(now, f"QS-{n:02d}") for n in range(60)),
    )
    heard(laboratory, line(now, "GX-9"), gateway=LONG[:60], ago_s=600)
    page = open_as(Role.ADMIN, **asdict(view)).new_page()
    page.goto("/gateways")
    assert page.locator(".places li").count() == 66
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_line_that_breaks_shows_without_a_reload_and_a_lost_page_says_so(
    open_as: Open, laboratory: Laboratory, now: datetime
) -> None:
    heard(laboratory, line(now, "GX-1"))
    context = open_as(Role.TECHNICIAN, language="en")
    page = context.new_page()
    page.goto("/gateways")
    lost = page.locator("[data-lost]")
    expect(lost).to_be_hidden()

    heard(laboratory, line(now, "GX-1", state=LineState.UNPLUGGED, trouble="no-device"))
    look(page)
    expect(page.locator(".places")).to_contain_text("The cable is out")

    context.set_offline(True)
    look(page)
    expect(lost).to_be_visible()
    context.set_offline(False)
    look(page)
    expect(lost).to_be_hidden()


def test_lines_that_were_unfolded_stay_so_when_the_page_looks_again(
    open_as: Open, laboratory: Laboratory, now: datetime
) -> None:
    names = [f"GX-{n}" for n in range(12)]
    with laboratory.sessions.begin() as session:
        for name in names:
            add_instrument(session, laboratory.site_id, now=now, name=name)
    lines = [line(now, name, last_message_at=now) for name in names]
    heard(laboratory, *lines)
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/gateways")
    expect(page.get_by_text("GX-11")).to_be_hidden()
    page.locator("main details summary").click()
    expect(page.get_by_text("GX-11")).to_be_visible()

    heard(laboratory, *lines[1:], line(now, "GX-0", state=LineState.UNPLUGGED, trouble="no-device"))
    look(page)
    expect(page.locator(".places")).to_contain_text("The cable is out")
    expect(page.get_by_text("GX-11")).to_be_visible()


def look(page: Page) -> None:
    """As when the page comes back in front: it does not wait for its ten seconds."""
    page.evaluate("() => { document.activeElement.blur(); }")
    page.evaluate(LOOK_AGAIN)
