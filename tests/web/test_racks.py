"""A rack at the door: opened with its list, scanned or read at once, closed with what lacks."""

from __future__ import annotations

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn


def opened(browser: Browser, barcodes: list[str] = (), consignment: str = "") -> str:  # type: ignore[assignment]  # an empty list is not shared, only read
    form = {
        "rack_id": str(uuid7()),
        "sender": "Trạm y tế Tân Định",
        "list": "\n".join(barcodes),
        "consignment": consignment,
    }
    answer = browser.post("/receive/racks", form)
    assert answer.status_code == 303
    return str(answer.location)


def figures(page: str) -> str:
    """The four cards as read."""
    begin = page.index("on its list")
    return page[begin : begin + 60]


def test_a_rack_is_scanned_against_its_list_and_says_what_each_tube_is(
    signed_in: SignIn, bench: Bench
) -> None:
    listed = [bench.swab(received=False).barcode for _ in range(3)]
    surplus, stranger = bench.swab(received=False).barcode, next(bench.labels)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    path = opened(browser, listed)
    for scan, said in (
        (listed[0], "Here → Back into the rack"),
        (surplus, "Surplus: on no list → Received. Tell the sender"),
        (stranger, "Not registered → Set it aside until somebody registers it"),
    ):
        answer = browser.post(f"{path}/scan", {"text": scan})
        assert said in words(browser.get(answer.location))
    page = words(browser.get(path))
    assert figures(page).startswith("on its list 3 ✓ here 1 ? missing 2 + surplus 2")
    misread = browser.post(f"{path}/scan", {"text": "xx"})
    assert misread.status_code == 422 and "Not a barcode" in words(misread)


def test_what_a_desk_registered_is_offered_as_a_list(signed_in: SignIn, bench: Bench) -> None:
    for _ in range(4):
        bench.swab(received=False)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = browser.get("/receive/racks").text
    assert "desk · 4 tubes" in page
    [value] = [part.split('"')[0] for part in page.split('name="consignment" value="')[2:]]
    assert "on its list 4" in words(browser.get(opened(browser, consignment=value)))


def test_a_rack_scanners_list_is_read_at_once_and_what_it_could_not_read_is_named(
    signed_in: SignIn, bench: Bench
) -> None:
    listed = [bench.swab(received=False).barcode for _ in range(2)]
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    path = opened(browser, listed)
    lines = f"Position,Barcode\nA1,{listed[0]}\nB1,NO READ\nC1,{listed[1]}\nD1,NO TUBE"
    page = words(browser.get(browser.post(f"{path}/list", {"list": lines}).location))
    assert "2 tubes were read." in page
    assert "scan these by hand: B01" in page
    assert "A01" in page and "C01" in page


def test_a_closed_rack_says_who_when_and_what_was_missing(signed_in: SignIn, bench: Bench) -> None:
    here, lost = (bench.swab(received=False).barcode for _ in range(2))
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    path = opened(browser, [here, lost])
    browser.post(f"{path}/scan", {"text": here})
    for _ in range(2):
        assert browser.post(f"{path}/close").status_code == 303
    page = words(browser.get(path))
    assert "closed" in page and "· Technician" in page and "Print this page" in page
    assert "? missing 1" in page
    late = browser.post(f"{path}/scan", {"text": lost})
    assert late.status_code == 409 and "Rack closed" in words(late)
    browser.post("/receive", {"text": lost})
    page = words(browser.get(path))
    assert "? missing 0" in page and "1 tube was missing at the closing and came since." in page


def test_a_rack_without_a_sender_comes_back_with_what_was_typed(signed_in: SignIn) -> None:
    answer = signed_in(Role.TECHNICIAN).post("/receive/racks", {"sender": " ", "list": "X"})
    assert answer.status_code == 422
    assert "Say who hands the rack over" in words(answer)


def test_a_code_scanned_into_the_senders_field_is_no_sender(
    signed_in: SignIn, bench: Bench
) -> None:
    tube = bench.swab(received=False).barcode
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    card = "001099012345||NGUYEN VAN AN|01021990|Nam|Tan Dinh|01062021"
    for scan in (tube, barcodes.shown(tube), "CMD-20", card):
        answer = browser.post("/receive/racks", {"sender": scan})
        assert answer.status_code == 422
        assert "A code was scanned here: write who hands the rack over" in words(answer)
        assert "NGUYEN VAN AN" not in answer.text and f'value="{scan}"' not in answer.text
    for name in ("Trạm 4", "Tram4", "BS. Lan Q3"):
        assert browser.post("/receive/racks", {"sender": name}).status_code == 303


def test_the_sender_of_a_rack_is_no_date(signed_in: SignIn) -> None:
    page = signed_in(Role.TECHNICIAN, language="vi").get("/receive/racks").text
    assert "Bên gửi" in page and "Từ ngày" not in page
