"""Sheets and reports from the pages, in the language of whoever asked."""

from __future__ import annotations

from sqlalchemy import text

from lims.work.access import Role
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
