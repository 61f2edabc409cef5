"""The desk in the street: heard as well as read, and no scan lost when the network is."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect
from sqlalchemy import text

from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_pages import sideways
from tests.browser.test_stages_at_work import LONG, scanner
from tests.builders import Bench
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser

CARD = "00118900{n:04d}||{name}|05031989|Nữ|Tổ 5, Dịch Vọng, Hà Nội|01012021"


def card(n: int, name: str = "Trần Thị Mỹ Hạnh") -> str:
    return CARD.format(n=n, name=name)


def registered(bench: Bench) -> list[str]:  # noqa: F811 - the fixture above
    bench.session.rollback()
    return list(
        bench.session.scalars(
            text(
                "SELECT p.name FROM specimen s JOIN person p ON p.id = s.person_id"
                " WHERE s.registered_by = 'user:technician' ORDER BY s.registered_at, s.id"
            )
        )
    )


def kept(page: Page) -> str:
    """Everything this browser still holds of scans."""
    held: str = page.evaluate(
        "Object.entries(localStorage).filter(([k]) => k.startsWith('lims.unsent'))"
        ".map(([, v]) => v).join()"
    )
    return held


def test_twelve_scans_without_a_network_are_six_people_after_a_reload_and_a_return(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en", width=360)
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    scan, names = (
        scanner(page),
        [f"Lê Thị {word}" for word in ["Ba", "Tư", "Năm", "Sáu", "Bảy", "Tám"]],
    )
    reload = "**/*"

    def broken(route: Route) -> None:
        route.abort() if route.request.method == "POST" else route.continue_()

    context.route(reload, broken)
    for n, name in enumerate(names):
        scan(card(n, name))
        scan(next(bench.labels))
        if n == 2:
            expect(page.locator("#unsent")).to_contain_text("6 not sent")
            page.reload(wait_until="load")
    expect(page.locator("#unsent")).to_contain_text("offline · 12 not sent")
    expect(page.locator(".answer.kept")).to_be_visible()
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert registered(bench) == []
    context.unroute(reload, broken)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".answer.good .big")).to_contain_text(names[-1])
    expect(page.locator("#unsent")).to_be_hidden()
    assert registered(bench) == names
    assert kept(page) == "", "what was sent does not stay in the browser"


def test_an_answer_that_is_lost_on_its_way_back_registers_once(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en")
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and "TTA1" in (route.request.post_data or ""):
            lost.append(route.fetch(max_redirects=0).status_text)
            if len(lost) < 3:
                route.abort()
                return
        route.continue_()

    context.route("**/collect/scan", lose)
    scan = scanner(page)
    scan(card(1))
    scan(next(bench.labels))
    expect(page.locator("#unsent")).to_contain_text("not sent")
    for _ in range(2):
        with page.expect_request("**/collect/scan"):
            page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".answer .big")).to_contain_text("Trần Thị Mỹ Hạnh")
    expect(page.locator("#unsent")).to_be_hidden()
    assert len(lost) == 3 and registered(bench) == ["Trần Thị Mỹ Hạnh"]


def test_a_refusal_stops_those_behind_it_until_somebody_decides(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    taken = bench.swab(received=False).barcode
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en")
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    context.set_offline(True)
    scan = scanner(page)
    for said in (card(1, "Lê Thị Ba"), taken, card(2, "Lê Thị Tư"), next(bench.labels)):
        scan(said)
    expect(page.locator("#unsent")).to_contain_text("4 not sent")
    context.set_offline(False)
    expect(page.locator("section.answer.bad")).to_contain_text("Barcode taken")
    expect(page.locator("#unsent")).to_contain_text("2 not sent")
    assert registered(bench) == []
    scan(next(bench.labels))  # the right tube for the first of them
    expect(page.locator(".answer.good .big")).to_contain_text("Lê Thị Tư")
    assert registered(bench) == ["Lê Thị Ba", "Lê Thị Tư"]


def test_a_misread_label_is_refused_without_a_network(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    context = open_as(Role.TECHNICIAN, language="en")
    page = context.new_page()
    page.goto("/collect", wait_until="load")
    context.set_offline(True)
    scan = scanner(page)
    scan(card(1))
    expect(page.locator("#unsent")).to_contain_text("1 not sent")
    label = next(bench.labels)
    scan(label[:-1] + ("7" if label[-1] != "7" else "8"))
    expect(page.locator(".answer.bad")).to_contain_text("Misread")
    expect(page.locator("#unsent")).to_contain_text("1 not sent")


def test_good_careful_and_bad_are_three_sounds_and_the_switch_is_remembered(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.add_init_script(
        "window.tones = []; const start = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (...at) {"
        " window.tones.push([this.type, this.frequency.value]); return start.apply(this, at); };"
    )
    page.goto("/collect", wait_until="load")
    scan, tube = scanner(page), next(bench.labels)
    heard: dict[str, str] = {}
    for kind, said in (
        ("half", card(1)),
        ("good", tube),
        ("careful", "CMD-10"),
        ("bad", "001189001234||Ng"),
    ):
        page.evaluate("window.tones = []")
        scan(said)
        expect(page.locator("html")).to_have_attribute("data-sounded", kind)
        heard[kind] = str(page.evaluate("window.tones"))
    assert len(set(heard.values())) == 4 and all("," in tones for tones in heard.values())
    page.get_by_role("button", name="sound on").click()
    page.reload(wait_until="load")
    expect(page.get_by_role("button", name="sound off")).to_be_visible()
    page.evaluate("window.tones = []")
    scan(card(2))
    expect(page.locator("html")).to_have_attribute("data-sounded", "half")
    assert page.evaluate("window.tones") == []


def test_a_thumb_reaches_everything_at_360_pixels(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    for theme in ("light", "dark"):
        page = open_as(Role.TECHNICIAN, width=360, theme=theme).new_page()
        for path in ("/collect", "/collect/field-pool"):
            page.goto(path, wait_until="load")
            scan = scanner(page)
            if path.endswith("pool"):
                scan(next(bench.labels))
            scan(card(len(theme), LONG))
            expect(page.locator(".answer .big")).to_contain_text("Công Tằng")
            for button in page.locator(".thumbs .btn").all():
                box = button.bounding_box()
                assert box is not None and box["height"] >= 48
                assert box["y"] + box["height"] <= 760, "in reach without scrolling"
            assert sideways(page) == 0
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("width", "height"), [(1240, 900), (360, 740)])
@pytest.mark.parametrize("path", ["/collect", "/collect/field-pool"])
def test_the_two_buttons_never_lie_over_what_is_typed_into(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
    path: str,
    width: int,
    height: int,
) -> None:
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, width=width).new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(path, wait_until="load")
    buttons = page.locator(".thumbs")
    expect(buttons).to_be_in_viewport(ratio=1)
    for field in page.locator("#draft input:not([type=hidden]), #draft select").all():
        field.focus()
        over = buttons.bounding_box()
        box = field.bounding_box()
        assert over is not None and box is not None
        apart = box["y"] + box["height"] <= over["y"] or box["y"] >= over["y"] + over["height"]
        assert apart, field.get_attribute("name")


def test_enter_in_a_household_s_field_adds_the_person_and_undoes_nothing(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/collect/field-pool", wait_until="load")
    scan = scanner(page)
    scan(next(bench.labels))
    scan(card(1, "Lê Thị Ba"))
    expect(page.locator(".answer .big")).to_contain_text("Lê Thị Ba")
    page.get_by_label("Full name").fill("Lê Văn Không Thẻ")
    page.keyboard.press("Enter")
    expect(page.locator(".answer .big")).to_contain_text("Lê Văn Không Thẻ")
    expect(page.locator("ol li")).to_have_count(2)


def test_enter_in_a_field_answers_no_question_about_a_namesake(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/collect", wait_until="load")
    for _ in range(2):
        page.get_by_label("Full name").fill("Nguyễn Thị Mai")
        page.get_by_label("Birth", exact=True).fill("1980")
        page.get_by_label("Phone").fill("0912345218")
        page.get_by_label("Tube", exact=True).fill(next(bench.labels))
        with page.expect_navigation():
            page.keyboard.press("Enter")
    asked = page.get_by_text("Perhaps somebody known?")
    expect(asked).to_be_visible()
    page.get_by_label("Address").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(asked).to_be_visible()
    assert registered(bench) == ["Nguyễn Thị Mai"]


def test_a_household_is_registered_from_the_keyboard_alone(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    bench.session.commit()
    page = open_as(Role.TECHNICIAN, language="en").new_page()
    page.goto("/collect", wait_until="load")
    scan = scanner(page)
    scan("CMD-32")
    page.wait_for_url("**/collect/field-pool")
    scan(next(bench.labels))
    for n, name in enumerate(("Lê Thị Ba", "Lê Thị Tư", "Lê Thị Năm")):
        scan(card(n, name))
    expect(page.locator(".answer .big")).to_contain_text("Lê Thị Năm")
    scan("CMD-10")
    expect(page.locator(".answer .big")).to_contain_text("Lê Thị Tư")
    scan("CMD-20")
    expect(page.locator(".answer.good .big")).to_contain_text("TTA1")
    assert registered(bench) == ["Lê Thị Ba", "Lê Thị Tư"]
    scan("CMD-10")  # the tube opens again, with both
    expect(page.locator("main")).to_contain_text("2 of 10, 8 places left")
    assert registered(bench) == []
