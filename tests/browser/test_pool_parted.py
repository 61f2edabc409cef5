"""A positive pool on a grid: its page, pipetting it by scanner, and the pages beside it."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import text

from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_pages import sideways
from tests.browser.test_stages_at_work import LONG, scanner
from tests.builders import Bench, Swab
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser


def _positive(bench: Bench, asked: str = "grid") -> tuple[str, list[Swab]]:  # noqa: F811 - the fixture above
    campaign = bench.campaign(pool_size=20)
    people = [bench.swab(name=LONG, campaign_id=campaign) for _ in range(20)]
    bench.session.execute(
        text("UPDATE campaign SET resolution = :asked WHERE id = :id"),
        {"asked": asked, "id": campaign},
    )
    pool = bench.lab_pool(people)
    bench.run({pool: 27.1})
    return pool, people


@pytest.fixture
def paths(bench: Bench) -> dict[str, str]:  # noqa: F811 - the fixture above
    """One pool to pipette, one whose grid names somebody, one parted into groups."""
    named, people = _positive(bench)
    made = bench.prepare_sub_pools()
    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})
    bench.plate()  # with her own test, which is not measured yet
    fresh, _ = _positive(bench)
    groups, _ = _positive(bench, "hierarchical")
    bench.session.commit()
    return {
        "pools": "/pools",
        "open": "/pools/open",
        "campaigns": "/admin/campaigns",
        "to pipette": f"/pools/{fresh}/prepare",
        "fresh": f"/pools/{fresh}",
        "named": f"/pools/{named}",
        "pipetted": f"/pools/{named}/prepare",
        "groups": f"/pools/{groups}",
        "row": f"/tubes/{made['row 2']}",
        "suspect": f"/tubes/{people[7].barcode}",
    }


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1240, "light")])
def test_its_pages_are_readable_to_all_and_whole(
    open_as: Open, paths: dict[str, str], width: int, theme: str
) -> None:
    page = open_as(Role.OPERATOR, width=width, theme=theme).new_page()
    for name, path in paths.items():
        answer = page.goto(path, wait_until="load")
        assert answer is not None and answer.status == 200, name
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        assert page.locator("h1").count() == 1, name
        assert sideways(page) == 0, name
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_snapshot()}"


def test_a_row_is_pipetted_with_the_scanner_alone(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    pool, people = _positive(bench)
    label = next(bench.labels)
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto(f"/pools/{pool}/prepare", wait_until="load")
    scan = scanner(page)
    for drawn, one in enumerate(people[:5], start=1):
        scan(one.barcode)
        expect(page.locator(".answer").first).to_contain_text(f"{drawn} of 5 drawn")
        expect(page.locator("#scan")).to_be_focused()
    scan(label)
    expect(page.locator("main")).to_contain_text("Row 2")
    expect(page.locator(".answer .big").first).to_have_text("Row 2")
