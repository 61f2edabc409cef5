"""The reviewer's page: what is typed into and what is pressed lie beside one another."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from axe_playwright_python.sync_playwright import Axe

from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_pages import BENCH, TELEPHONE, View, sideways
from tests.builders import Bench, set_up
from tests.captures import Blank, four_capture, plate_capture
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser


@pytest.fixture
def waiting(bench: Bench) -> None:  # noqa: F811 - the fixture above
    """A run without its positive control, an influenza that nobody asked for, a tube unknown."""
    swab, flu = bench.swab(), bench.swab()
    layout = bench.plate(swab.barcode)
    bench.take(
        plate_capture(layout, {swab.barcode: 21.0}, pc=Blank.INVALID, instrument=bench.instrument)
    )
    xpert = set_up(bench.session, bench.site_id, "genexpert", now=bench.now)
    for barcode in (flu.barcode, "LAB-2021-00017/A NAME OF ANOTHER WARD'S 123456789"):
        calls = {"FLUA": "POSITIVE"}
        bench.take(four_capture(barcode, instrument=xpert, at=bench.now, calls=calls))
    bench.session.commit()


@pytest.mark.parametrize("view", [TELEPHONE, BENCH], ids=["telephone", "bench"])
@pytest.mark.parametrize("queue", ["runs", "unmatched"])
def test_a_reason_s_field_does_not_lie_under_its_button(
    open_as: Open, waiting: None, queue: str, view: View
) -> None:
    page = open_as(Role.REVIEWER, **asdict(view)).new_page()
    page.goto(f"/review?show={queue}")
    folded = page.locator("td.act details")
    assert folded.count() > 0
    for one in folded.all():
        one.locator("summary").click()
        field = one.locator("input[name=reason]").bounding_box()
        button = one.locator("button").bounding_box()
        assert field is not None and button is not None
        beside = field["x"] + field["width"] <= button["x"]
        assert beside or field["y"] + field["height"] <= button["y"]
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
