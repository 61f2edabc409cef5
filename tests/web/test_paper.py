"""Sheets and reports from the pages, in the language of whoever asked."""

from __future__ import annotations

from babel.messages.pofile import read_po
from sqlalchemy import text

from lims.web.catalogue import VIETNAMESE
from lims.work.access import Role
from lims.work.views.reswabs import every_door
from reports import fonts
from tests.builders import Bench
from tests.reports.printed import words
from tests.web.conftest import SignIn


def test_the_road_on_paper_and_who_took_it_along(signed_in: SignIn, bench: Bench) -> None:
    family = bench.field_pool(5)
    bench.run({family.barcode: 27.0})
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN, language="en")
    assert "/collect/again.pdf" in browser.get("/collect/again").text
    sheet = browser.get("/collect/again.pdf")
    assert sheet.mimetype == "application/pdf"
    [said] = words(sheet.data)
    assert "People: 5 · doors: 1" in said and "Pooled at the desk, and positive" in said
    assert "Gộp tại thực địa" in said
    actor = bench.session.scalar(
        text("SELECT actor FROM audit_event WHERE verb = 'print_reswab_sheet'")
    )
    assert actor == "user:technician"


def test_a_road_of_more_than_four_hundred_doors_is_printed_whole(
    signed_in: SignIn, bench: Bench
) -> None:
    doors = 405
    bench.swabs(doors)
    bench.session.execute(
        text(
            "INSERT INTO recollection (id, site_id, specimen_id, person_id, why, state, created_at)"
            " SELECT gen_random_uuid(), site_id, id, person_id, 'the tube was empty', 'open', :now"
            " FROM specimen"
        ),
        {"now": bench.now},
    )
    bench.session.commit()
    road = every_door(bench.session, site_id=bench.site_id)
    assert (len(road.doors), road.left_out) == (doors, 0)
    cut = every_door(bench.session, site_id=bench.site_id, most=100)
    assert (len(cut.doors), cut.left_out) == (100, doors - 100)
    said = words(signed_in(Role.TECHNICIAN, language="en").get("/collect/again.pdf").data)
    assert f"People: {doors} · doors: {doors}" in said[0]


def test_a_runs_report_names_tubes_and_nobody(signed_in: SignIn, bench: Bench) -> None:
    people = bench.swabs(10)
    pool = bench.lab_pool(people)
    alone = bench.swab()
    bench.run({pool: 27.0, alone.barcode: 24.0})
    bench.session.commit()
    browser = signed_in(Role.REVIEWER, language="vi")
    assert "/runs/PLATE-0001/report.pdf" in browser.get("/runs/PLATE-0001").text
    [said] = words(browser.get("/runs/PLATE-0001/report.pdf").data)
    assert "10 ống lên đầu hàng đợi" in said and "2 dương tính" in said
    assert "Nguyễn" not in said
    assert browser.get("/runs/PLATE-9999/report.pdf").status_code == 404


def test_a_positive_household_on_a_runs_report_has_every_letter(
    signed_in: SignIn, bench: Bench
) -> None:
    family = bench.field_pool(5)
    bench.run({family.barcode: 27.0})
    bench.session.commit()
    pdf = signed_in(Role.REVIEWER, language="vi").get("/runs/PLATE-0001/report.pdf").data
    said = " ".join(words(pdf))
    assert "Gộp tại thực địa: lấy lại 5 người" in said
    assert fonts.MISSING not in said


def test_what_is_said_in_vietnamese_can_be_put_on_paper() -> None:
    """Any of it may be; what stays on pages says so by a sign that only pages have."""
    pages_only = {"✓ here", "From → to", "%(state)s → %(state_to)s"}
    undrawn = set()
    for file in sorted(VIETNAMESE.glob("*.po")):
        with file.open("rb") as source:
            for message in read_po(source, locale="vi"):
                one = message.string
                said = [str(one)] if isinstance(one, str) else [str(form) for form in one or ()]
                if message.id and any(fonts.MISSING in fonts.drawable(form) for form in said):
                    undrawn.add(message.id if isinstance(message.id, str) else message.id[0])
    keys = {one for one in undrawn if one.startswith("− negative · + positive")}  # a roster's keys
    assert undrawn - keys == pages_only
