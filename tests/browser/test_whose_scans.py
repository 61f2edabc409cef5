"""A scan is its scanner's: it is never sent for another, never dropped unanswered, never hidden."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import text

from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_pages import sideways
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


def cookies(context: BrowserContext) -> dict[str, str]:
    """The session and the language that this browser holds."""
    return {cookie["name"]: cookie["value"] for cookie in context.cookies()}


def become(page: Page, theirs: dict[str, str]) -> None:
    """The session in this browser is another one from now on; the page stays as it is."""
    page.context.clear_cookies()
    page.context.add_cookies(
        [{"name": name, "value": value, "url": page.url} for name, value in theirs.items()]
    )


def without_network(route: Route) -> None:
    route.abort() if route.request.method == "POST" else route.continue_()


def one_person_unsent(context: BrowserContext, bench: Bench) -> Page:  # noqa: F811 - as above
    """The desk with a card and its tube that the network does not take, until `network_returns`."""
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    context.route("**/*", without_network)
    scan = scanner(page)
    scan(card(1, "Lê Thị Ba"))
    scan(next(bench.labels))
    expect(page.locator("#unsent")).to_contain_text("offline · 2 not sent")
    return page


def network_returns(page: Page) -> None:
    page.context.unroute("**/*", without_network)
    page.evaluate("window.dispatchEvent(new Event('online'))")


def test_scans_never_go_out_in_the_name_of_who_signed_in_since(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    other = open_as(Role.OPERATOR, language="en")
    context = open_as(Role.TECHNICIAN, language="en")
    page = one_person_unsent(context, bench)
    mine = cookies(context)
    become(page, cookies(other))  # in another tab the session ends and the operator signs in
    network_returns(page)
    expect(page.locator("#unsent")).to_contain_text("Somebody else has signed in")
    expect(page.locator("#unsent")).to_contain_text("2 not sent")
    assert registrars(bench) == []
    become(page, mine)
    page.reload(wait_until="load")
    expect(page.locator(".answer.good .big")).to_contain_text("Lê Thị Ba")
    assert registrars(bench) == ["user:technician"]
    assert kept(page) == ""


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "<!doctype html><main>Something broke here</main>"),
        (507, "<form class='scan'></form><main>a page of ours, yet broken</main>"),
        (200, "<!doctype html><h1>Sign in to the airport's network</h1>"),
        (403, "<!doctype html><h1>Blocked by the proxy</h1>"),
    ],
)
def test_what_does_not_answer_a_scan_keeps_it_and_stops_those_behind(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
    status: int,
    body: str,
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en", width=360)
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    scan = scanner(page)
    scan(card(1, "Lê Thị Ba"))
    expect(page.locator("html")).to_have_attribute("data-sounded", "half")
    expect(page.locator("html")).to_have_attribute("data-unsent", "0")

    def break_it(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=status, content_type="text/html", body=body)
        else:
            route.continue_()

    context.route("**/*", break_it)
    scan(next(bench.labels))
    expect(page.locator("#unsent")).to_contain_text("did not answer this scan")
    expect(page.locator("#unsent")).to_contain_text("1 not sent")
    assert page.url.endswith("/collect") and sideways(page) == 0
    page.reload(wait_until="load")
    expect(page.locator("#unsent")).to_contain_text("did not answer this scan")
    context.unroute("**/*", break_it)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer.good .big")).to_contain_text("Lê Thị Ba")
    expect(page.locator("#unsent")).to_be_hidden()
    assert registrars(bench) == ["user:technician"]


def test_a_browser_without_room_keeps_scans_on_the_page_and_says_so(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en")
    context.add_init_script(
        "Storage.prototype.setItem = () => {"
        " throw new DOMException('full', 'QuotaExceededError'); };"
    )
    page = one_person_unsent(context, bench)
    assert kept(page) == ""
    expect(page.locator("#unsent")).to_contain_text("they are lost if this page is closed")
    network_returns(page)
    expect(page.locator(".answer.good .big")).to_contain_text("Lê Thị Ba")
    expect(page.locator("#unsent")).to_be_hidden()
    assert registrars(bench) == ["user:technician"]


def test_signing_out_asks_about_scans_that_wait_and_deletes_them_on_a_word(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en", width=360)
    page = one_person_unsent(context, bench)
    context.route("**/collect/scan", without_network)
    context.unroute("**/*", without_network)
    page.goto("/labels", wait_until="load")  # not a desk: it asks as well
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out on every device").click()
    asked = page.locator("#leave-unsent")
    expect(asked).to_contain_text("Lê Thị Ba")
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    asked.get_by_role("button", name="Stay and send them").click()
    assert page.url.endswith("/labels") and kept(page) != ""
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out on every device").click()
    asked.get_by_role("button", name="Delete them and sign out").click()
    page.wait_for_url("**/login*")
    assert kept(page) == "" and registrars(bench) == []


def test_what_is_not_sent_is_deleted_only_after_a_second_word(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en")
    context.route("**/collect/scan", without_network)
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    scanner(page)(card(1, "Lê Thị Ba"))
    delete = page.get_by_role("button", name="Delete what is not sent")
    delete.click()
    page.get_by_role("button", name="Keep them").click()
    expect(page.locator("#unsent")).to_contain_text("1 not sent")
    delete.click()
    page.get_by_role("button", name="Delete them", exact=True).click()
    expect(page.locator("#unsent")).to_be_hidden()
    assert kept(page) == ""


def test_anothers_scans_are_said_with_their_login_and_go_after_three_days(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/collect", wait_until="load")
    put = (
        "([who, days]) => localStorage.setItem(`lims.unsent.${who}./collect/scan`, JSON.stringify("
        "{ login: who, scans: [{ id: who, text: 'x', at: Date.now() - days * 864e5 }] }))"
    )
    page.evaluate(put, ["lan.nguyen", 2.9])
    page.evaluate(put, ["old.login", 3.1])
    page.reload(wait_until="load")
    expect(page.locator("#unsent")).to_contain_text(
        "1 wait in this browser until they sign in: lan.nguyen"
    )
    expect(page.locator("#dropped")).to_contain_text("1 never sent, older than three days: deleted")
    page.get_by_role("button", name="Understood").click()
    page.reload(wait_until="load")
    expect(page.locator("#dropped")).to_be_hidden()
    assert "old.login" not in kept(page) and "lan.nguyen" in kept(page)


def test_what_others_left_on_a_shared_tablet_is_deleted_after_a_second_word(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en", width=360)
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    page.evaluate(
        "(text) => localStorage.setItem('lims.unsent.lan./collect/scan', JSON.stringify("
        "{ login: 'lan.nguyen', scans: [{ id: 'a', text, at: Date.now() }] }))",
        card(1, "Lê Thị Ba"),
    )
    page.reload(wait_until="load")
    context.route("**/collect/scan", without_network)
    scanner(page)(card(2, "Lê Thị Tư"))
    delete = page.get_by_role("button", name="Delete what others left")
    delete.click()
    asked = page.locator("#delete-unsent")
    expect(asked).to_contain_text("lan.nguyen: 1")
    expect(asked).not_to_contain_text("Lê Thị")
    assert sideways(page) == 0
    page.get_by_role("button", name="Keep them").click()
    assert "Lê Thị Ba" in kept(page)
    delete.click()
    page.get_by_role("button", name="Delete them", exact=True).click()
    expect(delete).to_be_hidden()
    assert "Lê Thị Ba" not in kept(page) and "Lê Thị Tư" in kept(page)
