"""A scan is its scanner's: it is never sent for another, never dropped unanswered, never hidden."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import text

from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_stages_at_work import scanner
from tests.browser.test_street_desk import card, kept
from tests.builders import Bench
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser


def registrars(bench: Bench) -> list[str]:  # noqa: F811 - the fixture above
    """Who is written down as having registered each swab."""
    bench.session.rollback()
    return list(
        bench.session.scalars(
            text("SELECT registered_by FROM specimen WHERE registered_by LIKE 'user:%'")
        )
    )


def without_network(route: Route) -> None:
    route.abort() if route.request.method == "POST" else route.continue_()


def one_person_unsent(context: BrowserContext, bench: Bench) -> Page:  # noqa: F811 - as above
    """The desk with a card and its tube that the network did not take."""
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    context.route("**/*", without_network)
    scan = scanner(page)
    scan(card(1, "Lê Thị Ba"))
    scan(next(bench.labels))
    expect(page.locator("#unsent")).to_contain_text("offline · 2 not sent")
    context.unroute("**/*", without_network)
    return page


def test_scans_never_go_out_in_the_name_of_who_signed_in_since(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    other, context = open_as(Role.OPERATOR), open_as(Role.TECHNICIAN, language="en")
    page = one_person_unsent(context, bench)
    mine = context.cookies()
    context.clear_cookies()  # in another tab the session ends and the operator signs in
    context.add_cookies([*other.cookies(), {**mine[0], "name": "language", "value": "en"}])
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#unsent")).to_contain_text("Somebody else has signed in", timeout=20_000)
    expect(page.locator("#unsent")).to_contain_text("2 not sent")
    assert registrars(bench) == []
    context.clear_cookies()
    context.add_cookies(mine)
    page.reload(wait_until="load")
    expect(page.locator(".answer.good .big")).to_contain_text("Lê Thị Ba", timeout=20_000)
    assert registrars(bench) == ["user:technician"]
    assert kept(page) == ""
