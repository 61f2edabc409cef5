"""Recall as a reviewer sees it: signals, a preview, and what was taken back."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_pages import BENCH, TELEPHONE, View, sideways
from tests.builders import Bench
from tests.builders_doubt import refuted
from tests.builders_recall import claimed, lot_day, of_run, recalled
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser

LONG = "thông báo số 214/TB-BYT của nhà sản xuất về đệm tách chiết bị nhiễm bẩn chéo giữa các lô"


@pytest.fixture
def doubtful(bench: Bench) -> str:  # noqa: F811 - the fixture above
    """A lot of three runs, one of them recalled already; strips that PCR refutes. The lot's id."""
    day = lot_day(bench, pool_size=2)
    claimed(bench, 4)
    recalled(bench, of_run(day.runs[0]), reason=LONG)
    refuted(bench)
    bench.session.commit()
    return str(day.lot_id)


def _clean(page: Page) -> None:
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("view", [TELEPHONE, BENCH], ids=["telephone", "bench"])
def test_a_lot_is_previewed_and_recalled_on_a_telephone_as_at_a_desk(
    open_as: Open, doubtful: str, view: View
) -> None:
    page = open_as(Role.REVIEWER, **asdict(view)).new_page()
    page.goto("/recall")
    expect(page.get_by_role("alert")).to_be_visible()
    _clean(page)
    page.goto(f"/recall/preview?kind=reagent_lot&subject={doubtful}")
    expect(page.locator(".cards")).to_contain_text("12")
    _clean(page)
    page.fill("input[name=reason]", LONG)
    page.locator("button.danger").click()
    page.wait_for_url("**/recall/0*")
    _clean(page)
