"""A positive pool on screen: how it is resolved and why, and pipetting its rows and columns."""

from __future__ import annotations

import csv
import re
from io import StringIO

from sqlalchemy import func, select, text

from lims.domain import barcodes
from lims.tables import Tube
from lims.work.access import Role
from tests import seen
from tests.builders import Bench, Swab
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn
from tests.web.test_collect import carried


def positive_pool(bench: Bench, *, size: int = 20, asked: str = "grid") -> tuple[str, list[Swab]]:
    people = bench.swabs(size)
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})
    bench.session.commit()
    return pool, people


def scanned(browser: Browser, pool: str, page: str, *scans: str) -> str:
    for scan in scans:
        answer = browser.post(f"/pools/{pool}/prepare/scan", {**carried(page), "text": scan})
        page = browser.get(answer.location).text if answer.location else answer.text
    return page


def test_each_draw_is_ticked_by_its_scan_and_the_new_label_keeps_the_row(
    signed_in: SignIn, bench: Bench
) -> None:
    pool, people = positive_pool(bench)
    labels = [next(bench.labels) for _ in range(9)]
    browser = signed_in(Role.TECHNICIAN)
    assert "Positive pools to pipette first" in browser.get("/pools").text
    page = browser.get(f"/pools/{pool}/prepare").text
    assert "Row 1" in page and "0 of 5 drawn" in page
    page = scanned(browser, pool, page, *(one.barcode for one in people[:4]))
    assert "4 of 5 drawn" in page

    said = scanned(browser, pool, page, labels[0])
    assert "every draw ticked, or none of them" in said.lower() or "draws" in said.lower()
    assert "4 of 5 drawn" in said  # nothing of the work is lost
    said = scanned(browser, pool, page, people[7].barcode)
    assert "4 of 5 drawn" in said and "answer bad" in said

    page = scanned(browser, pool, page, people[4].barcode, labels[0])
    assert f"Row 1 is {barcodes.shown(labels[0])}" in page
    for label in labels[1:]:  # the list was ticked on paper: only the labels are scanned
        page = scanned(browser, pool, page, label)
    assert "All is pipetted." in page
    bench.session.rollback()
    assert seen.waiting(bench.session) == set(labels)
    assert "Positive pools to pipette first" not in browser.get("/pools").text


def test_the_pool_page_says_how_it_is_resolved_and_shows_the_grid(
    signed_in: SignIn, bench: Bench
) -> None:
    pool, people = positive_pool(bench)
    browser = signed_in(Role.TECHNICIAN)
    page = browser.get(f"/pools/{pool}")
    assert "A grid of rows and columns" in page.text and "As its campaign asks." in page.text
    assert "Pipette 9 new tubes" in words(page)
    made = bench.prepare_sub_pools()
    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})
    bench.session.commit()

    shown = browser.get(f"/pools/{pool}").text

    [named] = re.findall(r'<td class="presumptive"><span class="code">([^<]+)', shown)
    assert people[7].barcode.endswith(named)
    assert browser.get(f"/pools/{made['row 2']}").location == f"/pools/{pool}"
    assert "Named" in signed_in(Role.OPERATOR).get("/handoff").text


def test_another_way_is_chosen_with_a_reason_that_the_page_says(
    signed_in: SignIn, bench: Bench
) -> None:
    pool, people = positive_pool(bench)
    browser = signed_in(Role.TECHNICIAN)
    where = f"/pools/{pool}/resolution"
    refused = browser.post(where, {"strategy": "dorfman", "reason": ""})
    assert "A grid of rows and columns" in browser.get(refused.location).text
    wrong = browser.post(where, {"strategy": "guessing", "reason": "why not"})
    assert "A grid of rows and columns" in browser.get(wrong.location).text

    browser.post(where, {"strategy": "dorfman", "reason": "the next plate is empty"})

    page = browser.get(f"/pools/{pool}").text
    assert "Every tube alone (Dorfman)" in page and "the next plate is empty" in page
    bench.session.rollback()
    assert seen.waiting(bench.session) == {one.barcode for one in people}
    assert "asks for no sub-pools" in browser.get(f"/pools/{pool}/prepare").text


def test_the_list_is_a_document_and_a_worklist_for_the_robot(
    signed_in: SignIn, bench: Bench
) -> None:
    pool, people = positive_pool(bench)
    browser = signed_in(Role.TECHNICIAN)

    said = browser.get(f"/pools/{pool}/pipetting.csv")
    lines = list(csv.DictReader(StringIO(said.text)))
    assert len(lines) == 40
    assert (lines[0]["destination"], lines[0]["source_barcode"], lines[0]["volume_ul"]) == (
        "row 1",
        people[0].barcode,
        "50",
    )
    drawn = [line["source_barcode"] for line in lines]
    assert all(drawn.count(one.barcode) == 2 for one in people)
    assert browser.get(f"/pools/{pool}/pipetting.pdf").data.startswith(b"%PDF-")


def test_how_much_came_in_a_tube_is_said_on_its_page(signed_in: SignIn, bench: Bench) -> None:
    tube = bench.swab().barcode
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert "taken as enough" in browser.get(f"/tubes/{tube}").text
    assert browser.post(f"/tubes/{tube}/volume", {"volume_ul": "much"}).status_code == 422

    browser.post(f"/tubes/{tube}/volume", {"volume_ul": "450"})

    page = words(browser.get(f"/tubes/{tube}"))
    assert "450 µl of the 450 µl that came" in page and "2 tests" in page


def test_pools_of_another_kind_have_nothing_to_pipette(signed_in: SignIn, bench: Bench) -> None:
    household = bench.field_pool(3).barcode
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert browser.get(f"/pools/{household}/prepare").status_code == 404
    assert browser.get("/pools/TT0000000X/prepare").status_code == 404


def test_a_campaign_says_how_its_positive_pools_are_resolved(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign()
    bench.session.commit()
    browser = signed_in(Role.OPERATOR)
    page = browser.get("/admin/campaigns").text
    assert "Every tube alone (Dorfman)" in page
    browser.post(f"/admin/campaigns/{campaign}/resolution", {"resolution": "auto"})

    bench.session.rollback()
    stored = bench.session.execute(text("SELECT resolution FROM campaign")).scalar_one()
    assert stored == "auto"
    assert seen.audited(bench.session, "campaign-resolution") == [
        {"was": "dorfman", "became": "auto"}
    ]
    answer = browser.post(f"/admin/campaigns/{campaign}/resolution", {"resolution": "guess"})
    assert answer.status_code == 422
    made = bench.session.scalars(select(func.count()).select_from(Tube)).one()
    assert made == 0
