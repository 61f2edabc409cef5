"""Files of every encoding, line end and layout give the same cells, or a reason why not."""

import io
import struct
import unicodedata
import zipfile

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from instruments.drivers.reading import Unreadable
from instruments.files.export import Export, decoded
from instruments.files.table import Sheet, sheets
from tests.instruments.export_stand import workbook

SAID = "Mã mẫu;Vị trí;Ct\nTT7K40FQ9XB;A1;24,8\n"
PRINTED = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=1)


def cells(sheet: Sheet) -> list[list[str]]:
    return [list(row.cells) for row in sheet.rows if not row.blank]


@pytest.mark.parametrize(
    "content",
    [
        SAID.encode("utf-8"),
        SAID.encode("utf-8-sig"),
        SAID.encode("utf-16"),
        b"\xfe\xff" + SAID.encode("utf-16-be"),
        unicodedata.normalize("NFD", SAID).encode("utf-8"),
    ],
    ids=["utf-8", "with a mark", "utf-16", "big end first", "tone marks apart"],
)
def test_a_vietnamese_file_reads_the_same_in_every_unicode(content: bytes) -> None:
    assert decoded(content) == SAID


def test_utf_16_without_a_mark_is_told_by_its_nuls() -> None:
    said = "Well\tSample Name\tCT\r\n" * 9
    assert decoded(said.encode("utf-16-le")) == said
    assert decoded(said.encode("utf-16-be")) == said


def test_windows_1258_is_declared_and_its_tone_marks_are_put_together() -> None:
    assert decoded(b"\xd0i\xdea; M\xe2\xdeu", "windows-1258") == "Đĩa; Mẫu"


def test_one_byte_code_pages_fall_to_windows_1252_then_latin_1() -> None:
    assert decoded("Größe – µl".encode("windows-1252")) == "Größe – µl"
    assert decoded(b"\x81 \xb5l") == "\x81 µl"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(Unreadable, match="not-text"):
        decoded(b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0")
    with pytest.raises(Unreadable, match="encoding"):
        decoded(b"\xef\xbb\xbf\xff\xfe")


@given(said=PRINTED)
def test_whatever_was_written_with_a_mark_comes_back(said: str) -> None:
    composed = unicodedata.normalize("NFC", said)
    assert decoded(said.encode("utf-8-sig")) == composed
    assert decoded(b"\xff\xfe" + said.encode("utf-16-le")) == composed


@given(content=st.binary(max_size=200))
def test_no_bytes_make_reading_fall(content: bytes) -> None:
    try:
        sheets(Export(content, "x.txt"))
    except Unreadable as why:
        assert why.reason and why.detail


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("between", ["\t", ";", ",", "|"])
def test_line_ends_and_delimiters_make_no_difference(end: str, between: str) -> None:
    table = [["Experiment: one, and more"], ["Well", "Name", "Ct", "Note"], ["A1", "S 1", "", ""]]
    quoted = [[f'"{cell}"' for cell in row] for row in table]
    text = end.join(between.join(row) for row in quoted) + end
    (sheet,) = sheets(Export(text.encode(), "x.txt"))
    assert cells(sheet) == table
    assert [row.number for row in sheet.rows] == [1, 2, 3]


def test_a_quote_that_never_closes_is_refused_and_swallows_nothing() -> None:
    text = 'Well,Sample,Cq\nA1,"S1,20.1\nA2,S2,21.0\n'
    with pytest.raises(Unreadable, match="table"):
        sheets(Export(text.encode(), "x.csv"))


def test_a_workbook_gives_the_texts_of_its_numbers() -> None:
    content = workbook(
        ("Results", [[], ["Well", "CT", "Omit"], [13, 18.717, False], [2, 30.0, True]])
    )
    (sheet,) = sheets(Export(content, "PL7.xlsx"))
    assert sheet.name == "Results"
    assert cells(sheet) == [
        ["Well", "CT", "Omit"],
        ["13", "18.717", "false"],
        ["2", "30", "true"],
    ]
    assert sheet.rows[1].number == 2


def test_a_workbook_that_is_none_or_unpacks_too_far_is_refused() -> None:
    with pytest.raises(Unreadable, match="workbook"):
        sheets(Export(b"PK\x03\x04 and no more", "x.xlsx"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(9):
            archive.writestr(f"{number}.xml", b"\0" * (50 * 1024 * 1024))
    with pytest.raises(Unreadable, match="too-large"):
        sheets(Export(packed.getvalue(), "x.xlsx"))


def test_an_empty_file_is_said_to_be_empty() -> None:
    with pytest.raises(Unreadable, match="empty-file"):
        sheets(Export(b" \r\n", "x.csv"))


def test_the_stem_of_a_name_knows_both_kinds_of_slashes() -> None:
    assert Export(b"", "C:\\Runs\\PL7.txt").stem == "PL7"
    assert Export(b"", "PL7 - Cq.final.csv").stem == "PL7 - Cq.final"


def test_two_cells_in_opposite_corners_do_not_take_the_memory_of_the_gateway() -> None:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Results")
        sheet.write(0, 0, "Well")
        sheet.write(1_048_575, 16_383, "a slip of the hand")
    with pytest.raises(Unreadable, match="too-large: the sheets reach over 17179869184 cells"):
        sheets(Export(kept.getvalue(), "PL7.xlsx"))


def test_a_workbook_that_lies_about_its_size_is_refused() -> None:
    """A reader that believed it would unpack without end."""
    content = workbook(("Results", [["Well"] * 50] * 50))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = content.replace(struct.pack("<L", size), struct.pack("<L", 100))
    assert lying != content
    with pytest.raises(Unreadable, match="workbook: not a workbook: Bad CRC-32"):
        sheets(Export(lying, "PL7.xlsx"))
