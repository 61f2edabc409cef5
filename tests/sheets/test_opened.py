"""Files as they come: encodings, separators, merged cells, formulas, and those that are refused."""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import suppress
from datetime import date
from io import BytesIO
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.sheets.encodings import Encoding, decoded, encoded
from lims.sheets.faults import FileFault, Unreadable
from lims.sheets.opened import Format, open_list, separator_of
from lims.sheets.reach import plainly_reached, reached
from lims.sheets.table import headings_of, lines_of
from tests.lists import HEADINGS, csv_text, workbook

VIETNAMESE = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ"


@pytest.mark.parametrize("encoding", list(Encoding))
@given(text=st.text(VIETNAMESE + VIETNAMESE.upper() + " ,;0123456789", min_size=1))
def test_vietnamese_comes_back_as_it_was_written(encoding: Encoding, text: str) -> None:
    said = "Họ và tên," + text
    back, found = decoded(encoded(said, encoding))
    assert normalize("NFC", back) == said
    assert found is encoding


def test_utf_16_is_known_without_its_mark() -> None:
    said = csv_text([HEADINGS, ("TT7K40FQ9XB", "Đặng Thị Mỹ Hạnh", "1975", "", "")])
    for encoding in (Encoding.UTF_16_LE, Encoding.UTF_16_BE):
        assert decoded(said.encode(encoding)) == (said, encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_seen_under_a_title(separator: str) -> None:
    text = "DANH SÁCH LẤY MẪU\r\n\r\n" + csv_text([HEADINGS, ("a", "b", "c", "d", "e")], separator)
    assert separator_of(text) == separator


def test_a_workbook_gives_values_of_formulas_and_merged_cells_once() -> None:
    raw = workbook(
        [["DANH SÁCH"], [], list(HEADINGS), ["TT7K40FQ9XB", None, date(1989, 3, 5), 912345678]],
        merged=[(0, 0, 0, 4, "DANH SÁCH")],
        formulas=[(3, 1, '=A1&" Hạnh"', "Trần Thị Hạnh")],
    )
    opened = open_list(raw)
    assert opened.dialect.format is Format.XLSX
    (sheet,) = opened.sheets
    headings = headings_of(sheet)
    assert headings is not None
    assert (headings.line, headings.words) == (3, HEADINGS)
    (line,) = lines_of(sheet, headings)
    assert line.number == 4
    assert line.cells == ["TT7K40FQ9XB", "Trần Thị Hạnh", date(1989, 3, 5), 912345678.0, ""]


def test_headings_in_two_lines_and_a_line_of_numbers_are_one_line_of_headings() -> None:
    raw = workbook(
        [
            [],
            ["TT", "Mã ống", "Họ và tên", "Năm sinh", None, "SĐT"],
            [None, None, None, "Nam", "Nữ", None],
            ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
            [1, "TT7K40FQ9XB", "Trần Thị Hạnh", None, 1975, "0912345678"],
        ],
        merged=[
            *((1, n, 2, n, text) for n, text in ((0, "TT"), (1, "Mã ống"), (2, "Họ và tên"))),
            (1, 3, 1, 4, "Năm sinh"),
            (1, 5, 2, 5, "SĐT"),
        ],
    )
    (sheet,) = open_list(raw).sheets
    headings = headings_of(sheet)
    assert headings is not None
    assert headings.words == (
        *("TT", "Mã ống", "Họ và tên", "Năm sinh / Nam", "Năm sinh / Nữ", "SĐT"),
    )
    assert [line.number for line in lines_of(sheet, headings)] == [5]


def test_the_same_form_saved_as_csv_has_the_same_headings() -> None:
    text = (
        "TT,Mã ống,Họ và tên,Năm sinh,,SĐT\r\n,,,Nam,Nữ,\r\n1,TT7K40FQ9XB,Trần Thị Hạnh,,1975,\r\n"
    )
    (sheet,) = open_list(text.encode()).sheets
    headings = headings_of(sheet)
    assert headings is not None
    assert headings.words[3:5] == ("Năm sinh / Nam", "Năm sinh / Nữ")


def test_a_line_of_people_under_the_headings_is_no_second_heading() -> None:
    text = "Mã ống,Họ tên,Giới tính\r\n,Trần Thị Hạnh,Nữ\r\n"
    (sheet,) = open_list(text.encode()).sheets
    headings = headings_of(sheet)
    assert headings is not None
    assert headings.lines == 1


def bomb(size: int) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(size // 2**20):
                part.write(bytes(2**20))
    return out.getvalue()


def lying(raw: bytes) -> bytes:
    """The same archive, whose directory says that every part is ten bytes long."""
    changed = bytearray(raw)
    at = 0
    while (at := changed.find(b"PK\x01\x02", at)) >= 0:
        changed[at + 24 : at + 28] = struct.pack("<I", 10)
        at += 4
    return bytes(changed)


def test_an_archive_that_unpacks_to_a_gigabyte_is_refused_before_it_is_read() -> None:
    raw = bomb(1024 * 2**20)
    assert len(raw) < 2 * 2**20
    with pytest.raises(Unreadable) as refused:
        open_list(raw)
    assert refused.value.fault is FileFault.UNPACKS_TOO_BIG
    with pytest.raises(Unreadable) as believed:
        open_list(lying(raw))
    assert believed.value.fault is FileFault.DAMAGED


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", FileFault.EMPTY),
        (b" \r\n ", FileFault.EMPTY),
        (b",,,\r\n,,,\r\n", FileFault.EMPTY),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileFault.OLD_WORKBOOK),
        (b"%PDF-1.7", FileFault.NOT_A_LIST),
        (b"PK\x03\x04 cut off", FileFault.DAMAGED),
        ("Mã ống,Họ tên\n" + '"' + "a" * 200_000, FileFault.LONG_CELL),
        ("," * 300, FileFault.EMPTY),
        ("a," * 300, FileFault.TOO_WIDE),
        ("a,b\n" * 100_200, FileFault.TOO_MANY_ROWS),
    ],
)
def test_what_is_no_list_is_refused_by_name(raw: bytes | str, fault: FileFault) -> None:
    with pytest.raises(Unreadable) as refused:
        open_list(raw if isinstance(raw, bytes) else raw.encode())
    assert refused.value.fault is fault


def test_another_archive_is_no_workbook() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    with pytest.raises(Unreadable) as refused:
        open_list(out.getvalue())
    assert refused.value.fault is FileFault.NOT_A_LIST


def test_one_cell_in_the_last_corner_does_not_fill_the_memory() -> None:
    raw = workbook([["Mã ống", "Họ tên"]], formulas=[(1_048_575, 16_383, "=1", 1)])
    with pytest.raises(Unreadable) as refused:
        open_list(raw)
    assert refused.value.fault is FileFault.TOO_MANY_ROWS


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ROW_1 = '<row r="1"><c r="A1"><v>1</v></c></row>'
_PLAIN = f'<worksheet xmlns="{_MAIN}"><sheetData>{{}}</sheetData></worksheet>'


def with_sheet(xml: str, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook whose only sheet is this XML."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(workbook([["1"]]))) as sound,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in sound.namelist():
            if name != "xl/worksheets/sheet1.xml":
                made.writestr(name, sound.read(name))
        made.writestr(part, xml)
    return out.getvalue()


@pytest.mark.parametrize(
    ("xml", "fault"),
    [
        (
            f'<x:worksheet xmlns:x="{_MAIN}"><x:sheetData><x:row r="1048576">'
            '<x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>',
            FileFault.TOO_MANY_ROWS,
        ),
        (
            _PLAIN.format(f'{_ROW_1}<row r="2"><c r = "XFD2"><v>1</v></c></row>'),
            FileFault.TOO_WIDE,
        ),
        (
            _PLAIN.format(f'{_ROW_1}<row r="1048576">{"<c><v>1</v></c>" * 20}</row>'),
            FileFault.TOO_MANY_ROWS,
        ),
        (
            _PLAIN.format(f"{_ROW_1}<row>{'<c><v>1</v></c>' * 209}</row>"),
            FileFault.TOO_WIDE,
        ),
        (
            _PLAIN.format("<row>" * 3 + "<c><v>1</v></c>" + "</row>" * 3),
            FileFault.DAMAGED,
        ),
        (
            _PLAIN.format('<row r="1"><c r="A1"><c/><v>1</v></c></row>'),
            FileFault.DAMAGED,
        ),
        (
            f'<!DOCTYPE worksheet [<!ENTITY a "1">]>{_PLAIN.format(_ROW_1)}',
            FileFault.DAMAGED,
        ),
    ],
    ids=["prefix", "spaces", "far row", "cells counted on", "rows in rows", "cells", "doctype"],
)
def test_a_far_cell_is_refused_however_its_address_is_written(xml: str, fault: FileFault) -> None:
    for part in ("xl/worksheets/sheet1.xml", "xl/Worksheets/SHEET1.xml"):
        with pytest.raises(Unreadable) as refused:
            open_list(with_sheet(xml, part))
        assert refused.value.fault is fault


def test_cells_that_are_only_formatted_may_reach_to_the_last_column() -> None:
    opened = open_list(with_sheet(_PLAIN.format(f'{_ROW_1}<row r="2"><c r="XFD2" s="0"/></row>')))
    assert [sheet.rows for sheet in opened.sheets] == [[[1]]]


def test_a_plain_sheet_is_measured_without_being_parsed_and_alike() -> None:
    xml = workbook([[n, "An", None, 1980] for n in range(30)])
    with zipfile.ZipFile(BytesIO(xml)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    for size in (1 << 20, 7):  # a tag that is longer than a piece is parsed
        pieces = [sheet[at : at + size] for at in range(0, len(sheet), size)]
        assert plainly_reached(pieces) == (120 if size > 7 else None)
        assert reached(pieces) == 120
    halves = [sheet[:700], sheet[700:]]
    assert plainly_reached(halves) == 120


def test_many_sheets_that_are_each_within_the_limits_are_refused_together() -> None:
    corners = (
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="109000"><c r="GR109000"><v>1</v></c></row>'
    )
    out = BytesIO(with_sheet(_PLAIN.format(corners)))
    with zipfile.ZipFile(out, "a") as archive:
        for n in range(2, 5):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", _PLAIN.format(corners))
    with pytest.raises(Unreadable) as refused:
        open_list(out.getvalue())
    assert refused.value.fault is FileFault.UNPACKS_TOO_BIG


@given(
    place=st.integers(0, 5000),
    value=st.integers(0, 255),
)
def test_a_damaged_workbook_is_refused_and_breaks_nothing(place: int, value: int) -> None:
    raw = bytearray(workbook([list(HEADINGS), ["TT7K40FQ9XB", "An", 1980, "", ""]]))
    raw[place % len(raw)] = value
    with suppress(Unreadable):
        open_list(bytes(raw))


def test_a_part_that_is_no_deflate_is_damaged() -> None:
    raw = workbook([list(HEADINGS)])
    body = raw.find(b"PK\x03\x04") + 60
    broken = raw[:body] + zlib.compress(b"x") + raw[body + 9 :]
    with pytest.raises(Unreadable):
        open_list(broken)
