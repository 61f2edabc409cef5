"""A printed label reads back as the barcode that was asked for."""

import os
import shutil
import subprocess
from collections import defaultdict
from io import BytesIO
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from reportlab.lib.units import mm

from lims.domain import barcodes
from lims.domain.refusals import Malformed, NotABarcode, WrongCheckCharacter
from reports.labels import A4_24, A4_48, NARROWEST_MODULE_MM, ROLL_50_25, Layout, label_sheet
from tests.reports import code128

TITLE = "Trạm Y tế phường Đống Đa · Đợt 2"
LAYOUTS = pytest.mark.parametrize(
    "layout", [A4_48, A4_24, ROLL_50_25], ids=["a4_48", "a4_24", "roll"]
)
Bars = list[tuple[float, float]]  # left edge and width, in points, from the left


def some(count: int) -> list[str]:
    return [barcode for _, barcode in islice(barcodes.minted_from("TT", "7K", 123456), count)]


def symbols(pdf: bytes, page: int = 0) -> list[Bars]:
    """The bars of each symbol of a page in reading order, from the drawing commands themselves."""
    rows: dict[float, dict[float, Bars]] = defaultdict(lambda: defaultdict(list))
    matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    shifts: list[list[float]] = []

    def visit(operator: bytes, operands: list[float], *_: object) -> None:
        nonlocal matrix
        if operator == b"q":
            shifts.append(matrix)
        elif operator == b"Q":
            matrix = shifts.pop()
        elif operator == b"cm":
            assert [float(each) for each in operands[:4]] == [1, 0, 0, 1]
            matrix = [*matrix[:4], matrix[4] + float(operands[4]), matrix[5] + float(operands[5])]
        elif operator == b"re":
            x, y, width, _height = (float(each) for each in operands)
            rows[round(matrix[5] + y, 1)][matrix[4]].append((matrix[4] + x, width))

    reader = PdfReader(BytesIO(pdf))
    reader.pages[page].extract_text(
        visitor_operand_before=lambda operator, operands, *_: visit(operator, operands)
    )
    return [sorted(rows[y][x]) for y in sorted(rows, reverse=True) for x in sorted(rows[y])]


def widths(bars: Bars) -> list[float]:
    alternating = []
    for (left, width), (following, _) in pairwise(bars):
        alternating += [width, following - left - width]
    return [*alternating, bars[-1][1]]


@LAYOUTS
def test_every_symbol_of_a_sheet_reads_back_in_order_with_modules_wide_enough(
    layout: Layout,
) -> None:
    wanted = some(layout.labels)
    drawn = symbols(label_sheet(wanted, title=TITLE, layout=layout))
    read = [code128.read(widths(bars)) for bars in drawn]
    assert [text for text, _ in read] == wanted
    assert all(module / mm >= NARROWEST_MODULE_MM - 1e-4 for _, module in read)


@LAYOUTS
def test_ten_modules_on_either_side_of_every_symbol_stay_on_its_label(layout: Layout) -> None:
    for place, bars in enumerate(symbols(label_sheet(some(48), title=TITLE, layout=layout))):
        left_pt, _ = layout.corner_pt(place)
        right_pt = left_pt + layout.label_width_mm * mm
        quiet_pt = 10 * layout.module_mm * mm
        assert bars[0][0] - left_pt >= quiet_pt
        assert right_pt - sum(bars[-1]) >= quiet_pt


@settings(max_examples=25, deadline=None)
@given(
    st.text(barcodes.MINTED, min_size=4, max_size=4),
    st.one_of(st.integers(0, barcodes.SERIALS - 1), st.integers(0, 99)),
)
def test_any_barcode_with_digits_in_any_place_reads_back(prefix: str, serial: int) -> None:
    barcode = barcodes.mint(prefix[:2], prefix[2:], serial)
    (bars,) = symbols(label_sheet([barcode], title="", layout=ROLL_50_25))
    assert code128.read(widths(bars))[0] == barcode


def test_labels_carry_the_characters_in_groups_and_the_vietnamese_line() -> None:
    wanted = some(3)
    text = PdfReader(BytesIO(label_sheet(wanted, title=TITLE))).pages[0].extract_text()
    assert text.count(TITLE) == 3
    for barcode in wanted:
        assert barcodes.shown(barcode) in text


def test_a_line_too_long_for_its_label_ends_in_an_ellipsis() -> None:
    pdf = label_sheet(some(1), title="Trung tâm Kiểm soát bệnh tật " * 5, layout=ROLL_50_25)
    text = PdfReader(BytesIO(pdf)).pages[0].extract_text()
    assert "Trung tâm Kiểm soát" in text
    assert "…" in text
    assert "bệnh tật Trung tâm Kiểm soát bệnh tật" not in text


def test_the_same_labels_are_the_same_bytes() -> None:
    first = label_sheet(some(50), title=TITLE)
    assert label_sheet(some(50), title=TITLE) == first
    assert label_sheet(some(49), title=TITLE) != first


def test_copies_stand_side_by_side_and_pages_are_as_many_as_needed() -> None:
    pdf = label_sheet(some(25), title=TITLE, copies=2)
    assert len(PdfReader(BytesIO(pdf)).pages) == 2
    first, second, third, *_ = (code128.read(widths(bars))[0] for bars in symbols(pdf))
    assert first == second != third
    assert len(symbols(pdf, page=1)) == 2
    assert len(PdfReader(BytesIO(label_sheet(some(48), title=TITLE))).pages) == 1
    assert len(PdfReader(BytesIO(label_sheet(some(3), title="", layout=ROLL_50_25))).pages) == 3


def test_no_label_is_printed_that_could_not_be_read_back_or_would_exist_twice() -> None:
    good = some(1)[0]
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    for refused, why in (
        ([], Malformed),
        ([good, barcodes.shown(good)], Malformed),
        ([wrong], WrongCheckCharacter),
        (["TT7K"], NotABarcode),
    ):
        with pytest.raises(why):
            label_sheet(refused, title=TITLE)
    with pytest.raises(Malformed):
        label_sheet([good], title=TITLE, copies=0)


def test_the_common_sheet_of_65_is_refused_as_too_narrow_for_a_scanner() -> None:
    with pytest.raises(Malformed):
        Layout(
            page_width_mm=210,
            page_height_mm=297,
            columns=5,
            rows=13,
            label_width_mm=38.1,
            label_height_mm=21.2,
            column_gap_mm=2.5,
            module_mm=0.25,
        )


@pytest.mark.skipif(
    shutil.which("pdftoppm") is None and "LIMS_TESTS_MUST_RUN" not in os.environ,
    reason="pdftoppm (poppler-utils) is not installed; the drawing commands are read instead",
)
@pytest.mark.parametrize(
    ("layout", "dpi"),
    [(A4_48, 300), (A4_24, 300), (ROLL_50_25, 203)],
    ids=["a4_48", "a4_24", "roll"],
)
def test_a_label_printed_in_black_dots_at_its_printers_resolution_is_scanned(
    layout: Layout, dpi: int, tmp_path: Path
) -> None:
    wanted = some(layout.columns)
    sheet = tmp_path / "labels.pdf"
    sheet.write_bytes(label_sheet(wanted, title=TITLE, layout=layout))
    subprocess.run(
        ["pdftoppm", "-r", str(dpi), "-mono", "-singlefile", sheet, tmp_path / "labels"], check=True
    )
    rows = bitmap((tmp_path / "labels.pbm").read_bytes())
    _, bottom_pt = layout.corner_pt(0)
    middle_pt = layout.page_height_mm * mm - bottom_pt - layout.label_height_mm * mm / 2
    scanned = rows[round(middle_pt / 72 * dpi)]
    for column, barcode in enumerate(wanted):
        left_pt, _ = layout.corner_pt(column)
        right_pt = left_pt + layout.label_width_mm * mm
        beam = scanned[round(left_pt / 72 * dpi) : round(right_pt / 72 * dpi)]
        assert code128.read(runs(beam))[0] == barcode


def bitmap(pbm: bytes) -> list[str]:
    """Rows of `1` (black) and `0` of a raw portable bitmap (netpbm P4, no comments)."""
    magic, size, packed = pbm.split(b"\n", 2)
    assert magic == b"P4"
    width, height = map(int, size.split())
    stride = (width + 7) // 8
    rows = (packed[row * stride : (row + 1) * stride] for row in range(height))
    return ["".join(f"{byte:08b}" for byte in row)[:width] for row in rows]


def runs(beam: str) -> list[float]:
    """Run lengths from the first black dot to the last."""
    dots = beam.strip("0")
    edges = [0, *(at for at in range(1, len(dots)) if dots[at] != dots[at - 1]), len(dots)]
    return [float(right - left) for left, right in pairwise(edges)]
