"""The dashboard of a day and its files: the same figures on the page, on paper and in cells."""

from __future__ import annotations

from io import BytesIO

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


@pytest.fixture
def furnished(bench: Bench) -> Bench:
    """Five people: a positive in a solved pool, and one whose tube is on the way."""
    members = bench.swabs(4)
    pool = bench.lab_pool(members)
    bench.swab(received=False)
    bench.run({pool: 27.0})
    bench.run({members[0].barcode: 23.7})
    bench.session.commit()
    return bench


def test_the_dashboard_shows_the_day_with_charts_and_their_figures(
    signed_in: SignIn, furnished: Bench
) -> None:
    page = signed_in(Role.OPERATOR).get("/reports?day=2021-09-11")
    said = words(page)
    assert "How is the day going?" in said
    assert "Swabs taken 5" in said and "Positive 1" in said and "Positivity 1/4" in said
    assert "Final results 3" in said
    assert "4 swabs have an answer, 1 of them not final yet" in said
    assert page.text.count("<svg") >= 4 and "style=" not in page.text
    assert "var(--accent)" in page.text and "#0b5f6b" not in page.text
    assert "Tân Định" in said


def test_a_day_with_no_tests_says_what_to_do(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.REVIEWER)
    said = words(browser.get("/reports?day=2021-09-01"))
    assert "Nobody was swabbed on this day." in said and "Show the day before" in said
    document = browser.get("/reports/situation.pdf?day=2021-09-01")
    assert document.status_code == 200 and document.data.startswith(b"%PDF")


@pytest.mark.parametrize("asked", ["2021-02-30", "yesterday-ish", "' OR 1=1", "99999-01-01"])
def test_no_day_of_a_calendar_is_not_found(signed_in: SignIn, bench: Bench, asked: str) -> None:
    answer = signed_in(Role.OPERATOR).client.get("/reports", query_string={"day": asked})
    assert answer.status_code == 404


def test_the_files_say_what_the_page_says(signed_in: SignIn, furnished: Bench) -> None:
    browser = signed_in(Role.OPERATOR)
    document = browser.get("/reports/situation.pdf?day=2021-09-11")
    assert document.headers["Content-Type"] == "application/pdf"
    text = "".join(p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(document.data))
    assert "Situation of the day 11 Sep 2021" in text and "Tân Định" in text
    assert "1 of them not final yet" in text

    book = browser.get("/reports/situation.xlsx?day=2021-09-11")
    assert 'filename="situation-2021-09-11.xlsx"' in book.headers["Content-Disposition"]
    rows = CalamineWorkbook.from_filelike(BytesIO(book.data)).get_sheet_by_index(1).to_python()
    assert rows[1][:5] == ["Tân Định", "Hồ Chí Minh", 5, 4, 1]

    figures = browser.get("/reports/situation.json?day=2021-09-11").get_json()
    assert (figures["swabs"], figures["positive"], figures["not_final"]) == (5, 1, 1)
