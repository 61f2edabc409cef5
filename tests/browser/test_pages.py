"""Every page, on a telephone and on a bench screen: quiet, readable to all, light and whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.page_list import PAGES

pytestmark = pytest.mark.browser

MOST_BYTES = 150_000


@dataclass(frozen=True)
class View:
    """Through what a person looks at a page."""

    width: int
    language: str
    theme: str


TELEPHONE = View(360, "vi", "light")
BENCH = View(1240, "en", "dark")


@pytest.mark.parametrize("view", [TELEPHONE, BENCH], ids=["telephone", "bench"])
@pytest.mark.parametrize(("path", "role"), PAGES)
def test_a_page_is_quiet_readable_light_and_whole(
    open_as: Open, path: str, role: Role | None, view: View
) -> None:
    page = open_as(role, **asdict(view)).new_page()
    noises: list[str] = []
    loaded: list[Response] = []
    page.on("console", lambda said: noises.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: noises.append(str(error)))
    page.on("response", lambda answer: loaded.append(answer))  # noqa: PLW0108 - Playwright marks its handlers, which a built-in cannot carry
    page.goto(path, wait_until="load")  # a live page is never "idle"

    assert [noise for noise in noises if "status of 404" not in noise] == []
    assert page.locator("html").get_attribute("lang") == view.language
    assert page.locator("h1").count() == 1
    assert sideways(page) == 0
    assert cut_hint(page) == ""
    assert sum(bytes_of(answer) for answer in loaded) < MOST_BYTES
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def cut_hint(page: Page) -> str:
    """The scan field's hint, where the field is too narrow to show it whole."""
    found: str = page.evaluate(
        """() => {
            const field = document.getElementById("scan");
            if (!field) return "";
            const look = getComputedStyle(field), hint = getComputedStyle(field, "::placeholder");
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = `${hint.fontWeight} ${hint.fontSize} ${look.fontFamily}`;
            const sides = parseFloat(look.paddingLeft) + parseFloat(look.paddingRight);
            const room = field.clientWidth - sides;
            return pen.measureText(field.placeholder).width > room ? field.placeholder : "";
        }"""
    )
    return found


def bytes_of(answer: Response) -> int:
    """What came over the line, but for an event stream, which does not end."""
    streams = "event-stream" in (answer.header_value("content-type") or "")
    return 0 if streams else len(answer.body())


def sideways(page: Page) -> int:
    """How many pixels a finger would have to push the page to see all of it."""
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width
