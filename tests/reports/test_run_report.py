"""The run report: each well once, what matters in words, the same bytes for the same run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lims.domain import barcodes
from reports.pen import Both
from reports.plate_drawing import WellLook, WellOnPaper
from reports.run_report import Attention, Release, RunReport, Verdict, run_pdf
from tests.reports.printed import ink_beyond, overlaps, pictures, words

AT = datetime(2021, 9, 11, 8, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
TUBE = barcodes.mint("TT", "7K", 40_151)


def wells(rows: int, columns: int, positives: int) -> tuple[WellOnPaper, ...]:
    names = [f"{chr(65 + r)}{c:02d}" for c in range(1, columns + 1) for r in range(rows)]
    made = [
        WellOnPaper(name, WellLook.POSITIVE, "", 20.3 + n % 15, True)
        if n < positives
        else WellOnPaper(name, WellLook.NEGATIVE, "", None, True)
        for n, name in enumerate(names[:-2])
    ]
    pc = WellOnPaper(names[-2], WellLook.CONTROL, "PC", 24.8, True)
    ntc = WellOnPaper(names[-1], WellLook.CONTROL, "NTC", None, True)
    return (*made, pc, ntc)


def report(rows: int = 8, columns: int = 12, positives: int = 3) -> RunReport:
    plate = wells(rows, columns, positives)
    ten = Both("Gộp tại phòng xét nghiệm · 10 người", "Pooled in the laboratory · 10 people")
    done = Both("10 ống lên đầu hàng đợi", "10 tubes go to the front of the queue")
    return RunReport(
        laboratory="PXN Cầu Giấy",
        plate="PL-1121-07",
        assay="SARS-CoV-2",
        instrument="QS5-1",
        kit="VN-2231",
        created_at=AT,
        created_by="lan",
        measured_at=AT + timedelta(hours=2),
        judged_at=AT + timedelta(hours=2),
        verdict=Verdict.VALID,
        verdict_why=Both("Chứng âm sạch, chứng dương đúng hạn", "Controls as they should be"),
        wells=plate,
        attention=tuple(
            Attention(well.position, well.look, TUBE, ten, well.ct_cycles, done)
            for well in plate
            if well.look is WellLook.POSITIVE
        ),
        releases=(
            Release("sars-cov-2-av/1", 880, AT, by_rule=True),
            Release("BS. Trần Văn Ước", 1, AT),
        ),
        digests=("ab" * 32, "cd" * 32),
        issued_at=AT + timedelta(hours=4),
    )


@pytest.mark.parametrize(("rows", "columns"), [(8, 12), (16, 24)])
@pytest.mark.parametrize("positives", [0, 1, 9, 11, 14, 40, 90])
def test_every_positive_well_is_listed_and_nothing_leaves_the_page(
    rows: int, columns: int, positives: int
) -> None:
    drawn = report(rows, columns, positives)
    pdf = run_pdf(drawn)
    pages = words(pdf)
    whole = " ".join(pages)
    assert whole.count(barcodes.shown(TUBE)) == positives
    assert all(f"Trang {n}/{len(pages)}" in page for n, page in enumerate(pages, 1))
    assert whole.count("BS. Trần Văn Ước") == 1 and "cd" * 32 in whole
    for page in pictures(pdf, dpi=60):
        assert not ink_beyond(page, margin_mm=6, width_mm=210)


def test_the_first_page_says_how_the_run_stands() -> None:
    said = words(run_pdf(report()))[0]
    for fact in (
        *("PL-1121-07", "SARS-CoV-2", "QS5-1", "VN-2231", "11/09/2021 10:12"),
        *("Chứng đạt", "Chứng âm sạch", "91 âm tính negative", "3 dương tính positive"),
        *("PC G12", "Ct 24,8", "NTC H12", "không khuếch đại", "20,3", "10 ống lên đầu hàng đợi"),
        *("Máy tự trả, quy tắc sars-cov-2-av/1", "880 người · 11/09/2021 08:12"),
    ):
        assert fact in said, fact


@pytest.mark.parametrize("holds", ["Gộp tại phòng xét nghiệm · 10 người", "dài " * 40])
def test_a_row_of_the_list_lies_over_nothing(holds: str) -> None:
    run = report()
    rows = tuple(replace(row, holds=Both(holds, holds)) for row in run.attention)
    assert overlaps(run_pdf(replace(run, attention=rows))) == []


def test_a_large_plate_has_its_rows_to_p_and_its_controls_in_one_line() -> None:
    said = words(run_pdf(report(16, 24)))[0]
    assert "PC O24: Ct 24,8" in said and " P " in said and " 24 " in said


def test_a_failed_control_and_a_run_not_judged_yet() -> None:
    run = report()
    late = replace(run.wells[-2], ct_cycles=None, failed=True)
    failed = replace(run, verdict=Verdict.INVALID, wells=(*run.wells[:-2], late, run.wells[-1]))
    assert "Lượt chạy không hợp lệ" in words(run_pdf(failed))[0]
    still_open = replace(
        run, verdict=Verdict.OPEN, verdict_why=None, judged_at=None, releases=(), digests=()
    )
    assert "Chưa đánh giá" in words(run_pdf(still_open))[0]


def test_the_same_run_is_the_same_bytes() -> None:
    assert run_pdf(report()) == run_pdf(report()) != run_pdf(report(positives=4))
