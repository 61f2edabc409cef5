"""The plate in a real browser: arrows walk its wells, a scan fills the one that is lit."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.domain.plates import PlateSize
from lims.work.access import Role
from lims.work.plate import RunRequest, lay_out
from lims.work.run_layout import Layout
from tests.browser.conftest import Open
from tests.browser.test_pages import sideways
from tests.builders import Bench, open_bench
from tests.captures import Told, plate_capture

pytestmark = pytest.mark.browser


@pytest.fixture
def plated(laboratory: Laboratory, address: str) -> list[str]:
    """One measured plate of 384 wells, one empty plate, and three tubes that wait."""
    with laboratory.sessions.begin() as session:
        bench = open_bench(session, laboratory.clock())
        answered = [bench.swab().barcode for _ in range(20)]
        layout = opened(bench, "PL-0384", most=None)
        cts: dict[str, Told] = {answered[0]: 24.0, answered[1]: 38.6}
        bench.take(plate_capture(layout, cts, instrument=bench.instrument))
        waiting = [bench.swab().barcode for _ in range(3)]
        opened(bench, "PL-OPEN", most=0)
    return waiting


def opened(bench: Bench, plate: str, most: int | None) -> Layout:
    request = RunRequest(uuid7(), plate, format=PlateSize.WELLS_384, most=most)
    return lay_out(bench.session, request, site_id=bench.site_id, by="x", now=bench.now)[0]


@pytest.mark.parametrize("path", ["/runs/PL-0384", "/runs/PL-OPEN", "/runs/PL-OPEN?at=P22"])
@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1240, "dark")])
def test_a_plate_of_384_wells_is_whole_and_readable_to_all(
    open_as: Open, plated: list[str], path: str, width: int, theme: str
) -> None:
    page = open_as(Role.TECHNICIAN, width=width, theme=theme).new_page()
    page.goto(path, wait_until="load")
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_arrows_walk_the_wells_and_each_says_what_it_holds(
    open_as: Open, plated: list[str]
) -> None:
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/runs/PL-0384", wait_until="load")
    assert page.locator(".plate > .well[tabindex='0']").count() == 1
    page.locator(".plate > .well[tabindex='0']").focus()
    assert "positive, Ct 24.0" in page.locator(".pointed").inner_text()
    page.keyboard.press("ArrowDown")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("B01 ") and "inconclusive" in label
    page.keyboard.press("End")
    assert page.locator(".pointed").inner_text() == "B24: empty"


def test_scans_fill_the_plate_without_a_new_page(open_as: Open, plated: list[str]) -> None:
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/runs/PL-OPEN", wait_until="load")
    page.evaluate("window.same = true")
    for tube, following in zip(plated, ("B01", "C01", "D01"), strict=True):
        page.keyboard.type(tube)
        page.keyboard.press("Enter")
        page.get_by_text(f"Scan the tube for {following}").first.wait_for()
    assert page.evaluate("window.same") is True
    assert page.locator(".plate > .well.filled").count() == 3
    assert page.locator(".plate > .well[tabindex='0']").get_attribute("href") == "?at=D01"
