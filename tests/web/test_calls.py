"""Where no cycle number came, every page and paper shows the machine's own word in its place."""

from __future__ import annotations

from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from lims.tables import F0Case, Finding
from lims.work.access import Role
from tests.builders import Bench, Swab
from tests.captures import called_capture, called_plate
from tests.reports.printed import words as printed
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

POSITIVE = {"ORF1ab": "POS", "E": "NEG"}


@pytest.fixture
def mai(bench: Bench) -> Swab:
    """Positive by the call of a cobas, which sent no cycle number."""
    swab = bench.swab()
    bench.called(swab.barcode, POSITIVE)
    bench.session.commit()
    return swab


def test_a_reviewer_sees_the_words_and_makes_them_final(
    signed_in: SignIn, bench: Bench, mai: Swab
) -> None:
    reviewer = signed_in(Role.REVIEWER, language="vi")
    page = words(reviewer.get("/review"))
    assert "ORF1ab POS" in page and "E NEG" in page
    finding = bench.session.scalars(select(Finding).where(Finding.current)).one()
    assert (finding.outcome, finding.ct_cycles) == ("positive", None)


def test_the_story_of_a_tube_and_of_a_person_bear_it(
    signed_in: SignIn, bench: Bench, mai: Swab
) -> None:
    technician = signed_in(Role.TECHNICIAN, language="vi")
    story = words(technician.get(f"/tubes/{mai.barcode}"))
    assert "ORF1ab POS · E NEG" in story
    assert "máy báo: ORF1ab POS" in story and "Ct" not in story
    assert "Dương tính" in words(technician.get(f"/people/{mai.person_id}"))


def test_the_file_of_the_case_shows_it_to_whom_a_ct_is_shown(
    signed_in: SignIn, bench: Bench, mai: Swab
) -> None:
    case = bench.session.scalars(select(F0Case.id)).one()
    page = words(signed_in(Role.REVIEWER).get(f"/handoff/cases/{case}"))
    assert "detected POS" in page


def test_the_laboratory_s_list_of_positives_has_it_in_the_place_of_the_ct(
    signed_in: SignIn, bench: Bench, mai: Swab
) -> None:
    reviewer = signed_in(Role.REVIEWER)
    answer = reviewer.post("/handoff/list", {"form": "xlsx"}, seen="/handoff/list")
    book = CalamineWorkbook.from_filelike(BytesIO(answer.data))
    lines = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert lines[5][lines[4].index("Ct")] == "POS"
    paper = reviewer.post("/handoff/list", {"form": "pdf"}, seen="/handoff/list")
    assert "POS" in " ".join(printed(paper.data))


def test_a_plate_of_calls_shows_signs_and_words(signed_in: SignIn, bench: Bench) -> None:
    swab, _other = bench.swab(), bench.swab()
    layout = bench.plate()
    bench.later(90).take(called_plate(layout, {swab.barcode}))
    bench.session.commit()
    technician: Browser = signed_in(Role.TECHNICIAN, language="vi")
    page = words(technician.get(f"/runs/{layout.plate}"))
    assert "Dương tính · Detected" in page
    assert "máy báo Not Detected" in page and "máy báo Detected" in page
    assert "số là Ct" not in page, "the legend explains what is there"
    assert "✗" not in page, "a control that was called as it should be is good"
    [paper] = printed(technician.get(f"/runs/{layout.plate}/report.pdf").data)
    assert paper.count("Detected") == 3 and "…" not in paper.partition("Ct")[2][:60]
    assert "không khuếch đại" not in paper


def test_a_control_called_wrong_is_marked(signed_in: SignIn, bench: Bench) -> None:
    bench.swab()
    layout = bench.plate()
    bench.take(called_plate(layout, controls={"negative_control": "Detected"}))
    bench.session.commit()
    page = words(signed_in(Role.TECHNICIAN, language="vi").get(f"/runs/{layout.plate}"))
    assert "máy báo: SARS-CoV-2 Detected. Nhiễm chéo: không tính kết quả nào." in page
    assert "✗" in page


def test_calls_that_disagree_are_put_before_a_reviewer(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    bench.called(swab.barcode, POSITIVE, whole="NR")
    bench.session.commit()
    story = words(signed_in(Role.REVIEWER, language="vi").get(f"/tubes/{swab.barcode}"))
    assert "ORF1ab POS · E NEG · NR" in story
    assert "các kết luận của máy trái nhau: ORF1ab POS; cả xét nghiệm NR" in story


def test_a_second_call_stands_beside_the_first(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    bench.called(swab.barcode, {"ORF1ab": "NEG"}, whole="NR")
    again = called_capture(swab.barcode, {"ORF1ab": "POS"}, whole="RR", at=bench.now)
    bench.later(5).take(again)
    bench.called("TTSMUDGED", {}, whole="Target Not Detected")
    bench.session.commit()
    reviewer = signed_in(Role.REVIEWER, language="vi")
    page = words(reviewer.get("/review?show=corrections"))
    assert "ORF1ab NEG · NR" in page and "ORF1ab POS · RR" in page
    assert "Target Not Detected" in words(reviewer.get("/review?show=unmatched"))
