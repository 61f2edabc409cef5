"""The stages' pages full of work: a plate of 94, a positive pool, a scanner that never stops."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lims.domain.barcodes import shown
from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_pages import sideways
from tests.builders import Bench
from tests.captures import Blank, Told, plate_capture
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser

LONG = "Công Tằng Tôn Nữ Hoàng Thị Phương Thảo Nguyên Nguyễn Phúc Vĩnh Bửu Ưng Quý Định"


@pytest.fixture
def paths(bench: Bench) -> dict[str, str]:  # noqa: F811 - the fixture above
    """Pages about things: made by work, since each needs rows behind it."""
    swabs = [bench.swab(name=LONG) for _ in range(82)]
    members = bench.swabs(10)
    pool, home = bench.lab_pool(members), bench.field_pool(5)
    alone = [bench.swab() for _ in range(10)]
    layout = bench.plate()
    cts: dict[str, Told] = {pool: 24.0, home.barcode: 19.0, swabs[0].barcode: 22.0}
    cts |= {swabs[1].barcode: 38.7, swabs[2].barcode: Blank.INVALID, alone[0].barcode: 30.0}
    bench.later(90).take(plate_capture(layout, cts, instrument=bench.instrument))
    bench.session.commit()
    return {
        "run": f"/runs/{layout.plate}",
        "pool": f"/pools/{pool}",
        "household": f"/pools/{home.barcode}",
        "tube": f"/tubes/{members[0].barcode}",
        "person": f"/people/{swabs[0].person_id}",
        "review": "/review",
        "reswab sheet": "/collect/again",
    }


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1240, "light")])
def test_a_full_page_is_readable_to_all_and_whole(
    open_as: Open,
    paths: dict[str, str],
    width: int,
    theme: str,
) -> None:
    reviewer = open_as(Role.REVIEWER, width=width, theme=theme).new_page()
    technician = open_as(Role.TECHNICIAN, width=width, theme=theme).new_page()
    for name, path in paths.items():
        page = technician if name == "reswab sheet" else reviewer
        answer = page.goto(path, wait_until="load")
        assert answer is not None and answer.status == 200, name
        assert page.locator("h1").count() == 1, name
        assert sideways(page) == 0, name
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def scanner(page: Page) -> Callable[[str], None]:
    """A hand scanner: types and ends with Enter, wherever the cursor should be."""

    def scan(text: str) -> None:
        page.keyboard.type(text)
        page.keyboard.press("Enter")

    return scan


def test_a_box_of_tubes_is_received_without_touching_anything_else(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    barcodes = [bench.swab(received=False).barcode for _ in range(5)]
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/receive", wait_until="load")
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))
    scan = scanner(page)
    for barcode in barcodes:
        scan(barcode)
    received = page.locator("main table.folds tbody tr")
    for barcode in barcodes:
        row = received.filter(has_text=shown(barcode))
        expect(row).to_have_count(1)
    expect(received).to_have_count(5)
    late = page.locator("main div.tall tbody tr")  # beside them: a tube that is out too long
    expect(late).to_have_count(1)
    expect(page.locator("#scan")).to_be_focused()
    scan("TT000000000")
    expect(page.locator(".answer.bad")).to_be_visible()
    assert loads == []


def test_a_scan_keeps_what_was_typed(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/collect", wait_until="load")
    page.fill("#phone", "0912 345 678")
    page.fill("#name", "Nguyễn Văn An")
    page.keyboard.press("Escape")
    scanner(page)(next(bench.labels))
    expect(page.locator(".answer .big")).to_have_text("✓ Nguyễn Văn An")
    expect(page.locator("#scan")).to_be_focused()


def test_when_the_network_is_away_the_scan_is_kept_and_sent_when_it_is_back(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    barcode = bench.swab(received=False).barcode
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en")
    page = context.new_page()
    page.goto("/receive", wait_until="load")
    context.set_offline(True)
    scanner(page)(barcode)
    expect(page.locator("#unsent")).to_contain_text("offline · 1 not sent")
    expect(page.locator(".answer.kept .big")).to_contain_text(barcode)
    context.set_offline(False)
    expect(page.locator(".answer.good .big")).to_contain_text(shown(barcode))
    expect(page.locator("#unsent")).to_be_hidden()


def test_the_api_reads_as_a_page(open_as: Open) -> None:
    page = open_as(None, width=360, language="en").new_page()
    page.goto("/api/", wait_until="load")
    expect(page.locator("h1")).to_have_text("How do machines speak to the laboratory?")
    assert page.get_by_text("/api/v1/specimens", exact=True).count() > 0
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_new_pool_appears_by_itself_and_glows(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.clock.install()
    page.goto("/pools", wait_until="load")
    expect(page.locator("main")).to_contain_text("No pool waits.")
    pool = bench.lab_pool(bench.swabs(3))
    bench.session.commit()
    page.evaluate("document.dispatchEvent(new Event('lims:changed'))")
    expect(page.locator("nav.way a[data-stage=run] b")).to_have_text("1")
    page.clock.fast_forward(11_000)
    expect(page.locator("main tbody tr.changed")).to_have_count(1)
    expect(page.locator(f'main a[href="/pools/{pool}"]')).to_be_visible()


def test_on_a_telephone_the_stages_are_one_compact_row(open_as: Open) -> None:
    page = open_as(Role.OPERATOR, width=360).new_page()
    page.goto("/")
    way = page.locator("nav.way").bounding_box()
    tiles = [tile.bounding_box() for tile in page.locator("nav.way a").all()]
    assert way is not None and way["height"] <= 64
    assert len({tile["y"] for tile in tiles if tile}) == 1 and len(tiles) == 6
    assert sideways(page) == 0


def test_a_form_that_comes_back_stands_at_its_first_fault(open_as: Open) -> None:
    page = open_as(Role.TECHNICIAN, width=360).new_page()
    page.goto("/collect")
    page.locator("#barcode").fill("TT")
    page.locator("#phone").fill("12")
    page.locator("#phone").press("Enter")
    expect(page.locator("#draft .fault")).to_have_count(3)
    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("section.answer.bad")).to_be_in_viewport()
