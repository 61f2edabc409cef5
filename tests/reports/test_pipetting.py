"""The pipetting list: every draw once, under its new tube, with room for the label."""

from __future__ import annotations

import csv
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest

from lims.domain import barcodes
from reports.pipetting import (
    COLUMNS,
    Destination,
    PipettingList,
    Transfer,
    pipetting_pdf,
    worklist_of,
)
from tests.reports.printed import words

AT = datetime(2021, 9, 11, 8, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
LABEL = barcodes.mint("TT", "7K", 40_151)


def drawn(place: int, rack: str | None = None) -> Transfer:
    tube = barcodes.mint("TT", "A1", place)
    return Transfer(place, place, tube, rack, "A01" if rack else None, 50)


def asked(*destinations: Destination) -> PipettingList:
    return PipettingList(
        laboratory="PXN Cầu Giấy", pool=LABEL, destinations=destinations, issued_at=AT
    )


@pytest.mark.parametrize("draws", [2, 5, 27, 28, 100])
def test_every_draw_is_on_the_list_once(draws: int) -> None:
    row = Destination("row 1", None, tuple(map(drawn, range(1, draws + 1))))
    pages = words(pipetting_pdf(asked(row, Destination("column 2", LABEL, (drawn(1),)))))
    whole = " ".join(pages)
    for one in row.transfers[1:]:
        assert whole.count(barcodes.shown(one.barcode)) == 1
    assert "Hàng 1" in whole and "Cột 2" in whole
    assert whole.count("Dán nhãn ống mới") == 1  # the other has its label
    assert all(f"Trang {n}/{len(pages)}" in page for n, page in enumerate(pages, 1))


def test_nothing_to_pipette_is_a_page_that_says_so() -> None:
    (page,) = words(pipetting_pdf(asked()))
    assert "Không còn gì để hút." in page


def test_the_robot_reads_a_line_a_transfer_and_no_cell_is_a_formula() -> None:
    row = Destination("row 1", LABEL, (drawn(1, "=HYPERLINK()"), drawn(2)))
    said = worklist_of(asked(row, Destination("row 2", None, (drawn(3),)))).decode()
    lines = list(csv.DictReader(StringIO(said, newline="")))
    assert said.splitlines()[0] == ",".join(COLUMNS)
    assert [line["destination_barcode"] for line in lines] == [LABEL, LABEL, ""]
    assert [line["transfer"] for line in lines] == ["1", "2", "3"]
    assert (lines[0]["source_rack"], lines[0]["source_position"]) == ("'=HYPERLINK()", "A01")
    assert (lines[1]["source_rack"], lines[1]["volume_ul"]) == ("", "50")
