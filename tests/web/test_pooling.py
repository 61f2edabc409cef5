"""Pools by the scanner alone: the label closes a full pool; and which tubes to put together."""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy import func, select

from lims.domain import barcodes
from lims.tables import Household, Person, Tube
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn
from tests.web.test_collect import carried


def pools(bench: Bench) -> int:
    bench.session.rollback()  # see what the browser committed
    return bench.session.scalars(select(func.count()).where(Tube.kind == "lab_pool")).one()


def scanned(browser: Browser, page: str, *scans: str) -> str:
    for scan in scans:
        answer = browser.post("/pools/new/scan", {**carried(page), "text": scan})
        page = browser.get(answer.location).text if answer.location else answer.text
    return page


def test_the_label_after_the_last_tube_closes_a_full_pool_and_opens_the_next(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign(pool_size=3)
    tubes = [bench.swab(campaign_id=campaign).barcode for _ in range(6)]
    labels = [next(bench.labels), next(bench.labels)]
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = browser.get(f"/pools/new?campaign={campaign}").text
    page = scanned(browser, page, *tubes[:3], labels[0])
    assert "its test is in the queue" in page
    assert pools(bench) == 1
    scanned(browser, page, *tubes[3:], labels[1])
    assert pools(bench) == 2


def test_a_pool_that_is_not_full_is_closed_by_its_label_scanned_twice(
    signed_in: SignIn, bench: Bench
) -> None:
    tubes, label = [swab.barcode for swab in bench.swabs(2)], next(bench.labels)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = scanned(browser, browser.get("/pools/new").text, *tubes, label)
    assert "closes it" in page
    assert pools(bench) == 0  # it may be a tube that nobody registered
    scanned(browser, page, label)
    assert pools(bench) == 1


def test_the_oldest_tubes_are_proposed_together_and_ticked_off_as_they_are_scanned(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign(pool_size=3)
    tubes = [bench.swab(campaign_id=campaign) for _ in range(3)]
    twice = bench.later(1).swab(campaign_id=campaign, person_id=tubes[0].person_id)
    other = bench.later(1).swab(campaign_id=campaign)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = browser.get(f"/pools/proposed?campaign={campaign}").text
    groups = re.findall(r"<ol>(.+?)</ol>", page[page.index("<main") :], re.DOTALL)
    found = [re.findall(r'class="code">([0-9A-Z-]+)', group) for group in groups]
    plain = [[barcode.replace("-", "") for barcode in group] for group in found]
    assert plain == [[one.barcode for one in tubes], [twice.barcode, other.barcode]]
    [first, _second] = re.findall(r'href="(/pools/new\?[^"]+)"', page)
    page = browser.get(first.replace("&amp;", "&")).text
    assert "Still to fetch" in page
    page = scanned(browser, page, tubes[1].barcode)
    fetch = page[page.index("Still to fetch") :]
    assert len(re.findall(r"<li>", fetch.split("</ul>")[0])) == 2


def test_a_rack_with_nothing_to_pool_says_so(signed_in: SignIn) -> None:
    assert "No two tubes wait for a pool." in words(
        signed_in(Role.TECHNICIAN).get("/pools/proposed")
    )


def test_the_card_that_closes_keeps_a_label_that_has_no_tubes_yet(
    signed_in: SignIn, bench: Bench
) -> None:
    label, tube = next(bench.labels), bench.swabs(1)[0].barcode
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = scanned(browser, browser.get("/pools/new").text, label, "CMD-20")
    assert "is kept: scan two tubes at least into it" in page
    page = scanned(browser, page, tube, "CMD-20")
    assert "is kept: scan two tubes at least into it" in page
    kept = carried(page)
    assert (kept["barcode"], kept["source"]) == ([barcodes.shown(label)], [tube])
    assert pools(bench) == 0


def test_a_tube_that_does_not_fit_is_told_the_true_reason(signed_in: SignIn, bench: Bench) -> None:
    household = bench.field_pool(2).barcode
    outside = bench.swab(received=False).barcode
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    fresh = browser.get("/pools/new").text
    said = scanned(browser, fresh, household)
    assert "pooled at the desk" in said and "It is tested as it is" in said
    assert f"{barcodes.shown(outside)} is not received yet" in scanned(browser, fresh, outside)
    vietnamese = signed_in(Role.OPERATOR, language="vi")
    said = scanned(vietnamese, vietnamese.get("/pools/new").text, outside)
    assert f"{barcodes.shown(outside)} chưa tiếp nhận" in said


def test_a_household_is_proposed_whole_and_contacts_of_a_case_come_first(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign(pool_size=3)
    single, *family = (bench.swab(campaign_id=campaign) for _ in range(4))
    contact, friend = (bench.later(1).swab(campaign_id=campaign) for _ in range(2))
    of_a_case(bench, contact.person_id)
    household(bench, "Hộ 12 Hai Bà Trưng", [one.person_id for one in family])
    bench.session.commit()
    answer = signed_in(Role.TECHNICIAN).get(f"/pools/proposed?campaign={campaign}")
    page = answer.text
    groups = re.findall(r"<ol>(.+?)</ol>", page[page.index("<main") :], re.DOTALL)
    found = [re.findall(r'class="code">([0-9A-Z-]+)', group) for group in groups]
    plain = [[barcode.replace("-", "") for barcode in group] for group in found]
    assert plain == [
        [contact.barcode, single.barcode, friend.barcode],
        [one.barcode for one in family],
    ]
    said = words(answer)
    assert "Contacts of cases, filled up with others" in said
    assert "Kept together: Hộ 12 Hai Bà Trưng 3 tubes" in said


def household(bench: Bench, label: str, people: list[UUID]) -> None:
    home = Household(site_id=bench.site_id, label=label, created_at=bench.now)
    bench.session.add(home)
    bench.session.flush()
    for person_id in people:
        bench.session.get_one(Person, person_id).household_id = home.id


def of_a_case(bench: Bench, person_id: UUID) -> None:
    """Somebody at the same door was found positive an hour ago."""
    sick = bench.swab()
    bench.run({sick.barcode: 22.0})
    household(bench, "Hộ 3", [person_id, sick.person_id])
