"""The re-swab sheet: nobody missing on it, room for every label, headings where they belong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lims.domain import barcodes
from reports.pen import Both
from reports.reswab import Again, DoorOnPaper, ReswabSheet, reswab_pdf
from tests.reports.printed import ink_beyond, pictures, words

AT = datetime(2021, 9, 11, 8, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
OLD = barcodes.mint("TT", "7K", 40_151)
LONG = "Nguyễn Phúc Hoàng Thị Thuỳ Dương Khánh Quỳnh Tường Vi Bảo Châu Ngọc Ánh Tuyết Mai"


def person(number: int, **changes: object) -> Again:
    made = Again(
        name=f"Người số {number};",
        birth_year=1980,
        sex=Both("Nam", "Male"),
        phone="0912 345 218",
        barcode=OLD,
        why=Both("Gộp tại bàn lấy mẫu, và dương tính", "Pooled at the desk, and positive"),
        since=AT,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # a test's own field names


def sheet(*doors: DoorOnPaper) -> bytes:
    return reswab_pdf(ReswabSheet(laboratory="PXN Cầu Giấy", doors=doors, issued_at=AT))


@pytest.mark.parametrize("people", [1, 7, 8, 9, 30])
def test_everybody_of_a_house_is_on_the_sheet_once_under_its_door(people: int) -> None:
    house = DoorOnPaper("12", "Hai Bà Trưng", "Tân Định", tuple(map(person, range(people))))
    pages = words(sheet(house))
    whole = " ".join(pages)
    assert [whole.count(f"Người số {n};") for n in range(people)] == [1] * people
    assert all("Hộ 12 · Hai Bà Trưng" in page for page in pages)
    assert all(f"Trang {n}/{len(pages)}" in page for n, page in enumerate(pages, 1))
    assert whole.count("Dán nhãn ống mới") == people


def test_a_household_typed_with_that_word_has_it_once() -> None:
    door = DoorOnPaper("Hộ Nguyễn Văn An", "Tổ 5", "Tân Định", (person(1),))
    [page] = words(sheet(door))
    assert "Hộ Nguyễn Văn An · Tổ 5" in page and "Hộ Hộ" not in page


def test_a_road_longer_than_the_paper_says_how_many_doors_are_left_out() -> None:
    door = DoorOnPaper("12", "Hai Bà Trưng", "Tân Định", (person(1),))
    given = ReswabSheet(laboratory="PXN", doors=(door,), issued_at=AT)
    [whole], [cut] = words(reswab_pdf(given)), words(reswab_pdf(replace(given, left_out=1204)))
    assert "không có trên giấy" not in whole
    assert "1 người · 1 hộ · còn 1.204 hộ không có trên giấy" in cut


def test_no_page_ends_with_a_heading_alone() -> None:
    doors = [DoorOnPaper(str(n), f"đường {n};", f"Phường {n};", (person(n),)) for n in range(40)]
    for page in words(sheet(*doors)):
        for number in range(40):
            if f"Phường {number};" in page:
                assert f"đường {number};" in page and f"Người số {number};" in page


def test_the_longest_name_and_a_person_without_anything_stay_on_the_paper() -> None:
    bare = person(1, birth_year=None, sex=None, phone=None, barcode=None)
    pdf = sheet(
        DoorOnPaper(None, LONG * 3, None, (person(0, name=f"{LONG} 🙂"), bare)),
    )
    assert not ink_beyond(pictures(pdf, dpi=100)[0], margin_mm=6, width_mm=210)
    assert LONG in words(pdf)[0] and "Chưa rõ địa bàn" in words(pdf)[0]


def test_nobody_is_one_page_that_says_so_and_bytes_do_not_change() -> None:
    assert "Không có ai phải lấy mẫu lại." in words(sheet())[0]
    assert sheet() == sheet()
