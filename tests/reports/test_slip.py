"""A slip as it comes out of the printer: scanned back, read back, the same each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from lims.domain import barcodes, slip_codes
from lims.domain.outcomes import FindingOutcome
from lims.domain.refusals import Malformed
from reports.slip import Derived, Paper, Replaced, Slip, slip_pages, slip_pdf
from reports.slip_words import LOOKS
from tests.reports.printed import ink_beyond, pictures, symbols, words

AT = datetime(2021, 9, 11, 8, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
CODE = slip_codes.from_chance(3**59) or slip_codes.from_chance(3**58) or ""
BARCODE = barcodes.mint("TT", "7K", 40_151)
LONG = "Nguyễn Phúc Hoàng Thị Thuỳ Dương Khánh Quỳnh Tường Vi Bảo Châu Ngọc Ánh Tuyết Mai"
SLIP = Slip(
    code=CODE,
    verify_url=f"https://ketqua.example.vn/verify/{CODE}",
    laboratory="Trung tâm Kiểm soát bệnh tật thành phố Cần Thơ",
    area="Thành phố Cần Thơ",
    name="Nguyễn Thị Ánh Tuyết",
    birth_year=1980,
    sex="female",
    id_last4="1234",
    barcode=BARCODE,
    material="swab",
    collected_at=AT,
    received_at=AT + timedelta(minutes=74),
    released_at=AT + timedelta(hours=5),
    outcome=FindingOutcome.NEGATIVE,
    assay="sars-cov-2",
    instrument="QS5-1",
    kit_lot=None,
    derived=Derived.LAB_POOL,
    pool_people=10,
    released_by=None,
    rule="auto/1",
    replaces=None,
    issued_at=AT + timedelta(hours=6),
)
CORRECTED = replace(
    SLIP,
    outcome=FindingOutcome.POSITIVE,
    derived=Derived.OWN_TEST,
    released_by="BS. Trần Văn Ước",
    replaces=Replaced(FindingOutcome.NEGATIVE, AT, AT + timedelta(hours=1)),
)


def test_a_scanner_reads_the_square_and_the_tube_from_the_printed_page() -> None:
    [page] = pictures(slip_pdf(SLIP))
    assert symbols(page) == [("QRCode", SLIP.verify_url), ("Code128", BARCODE)]


def test_every_fact_stands_on_the_paper_in_both_languages() -> None:
    [said] = words(slip_pdf(SLIP))
    for fact in (
        "Trung tâm Kiểm soát bệnh tật thành phố Cần Thơ",
        "Nguyễn Thị Ánh Tuyết",
        *("Sinh Born 1980", "Nữ Female", "•••• •••• 1234"),
        *("Âm tính Negative", "Không phát hiện SARS-CoV-2", "SARS-CoV-2 not detected"),
        *("11/09/2021 08:12", "11/09/2021 09:26", "11/09/2021 13:12", "11/09/2021 14:12"),
        "RT-PCR · SARS-CoV-2 · QS5-1",
        "Mẫu gộp âm tính của 10 người, gộp tại phòng xét nghiệm",
        "Negative pool of 10 people, made in the laboratory",
        *("Tự động theo quy tắc auto/1", "Kết quả cuối cùng Final"),
        *(barcodes.shown(BARCODE), slip_codes.shown(CODE).replace("-", " "), "1/1"),
        "ketqua.example.vn/verify",
    ):
        assert fact in said, fact


def test_a_corrected_slip_says_what_it_replaces_and_what_changed() -> None:
    [said] = words(slip_pdf(CORRECTED))
    assert "Đã đính chính Corrected" in said
    assert (
        "Thay cho phiếu cấp 11/09/2021 09:12, phiếu đó không còn giá trị."
        " Trước: âm tính. Nay: dương tính." in said
    )
    assert "Replaces the slip issued 11 Sep 2021 09:12" in said
    assert "Before: negative. Now: positive." in said
    assert "BS. Trần Văn Ước" in said
    never_printed = replace(SLIP, replaces=Replaced(FindingOutcome.NEGATIVE, AT, None))
    [again] = words(slip_pdf(never_printed))
    assert "Thay cho kết quả đã trả 11/09/2021 08:12." in again
    assert "Đã kiểm tra lại: kết quả vẫn là âm tính." in again


def test_english_first_where_it_was_asked_for() -> None:
    [said] = words(slip_pdf(replace(SLIP, language="en")))
    assert "Negative Âm tính" in said and "11 Sep 2021 08:12" in said


@pytest.mark.parametrize("slip", [SLIP, CORRECTED], ids=["plain", "corrected"])
def test_a_name_of_eighty_characters_wraps_and_nothing_leaves_the_page(slip: Slip) -> None:
    long = replace(slip, name=LONG, laboratory=f"{SLIP.laboratory}, {SLIP.laboratory}")
    pdf = slip_pdf(long)
    [page] = pictures(pdf)
    assert LONG in words(pdf)[0]
    assert not ink_beyond(page, margin_mm=6, width_mm=210)
    assert symbols(page) == [("QRCode", SLIP.verify_url), ("Code128", BARCODE)]


def test_a_word_wider_than_the_paper_is_broken_and_nothing_of_it_is_lost() -> None:
    pdf = slip_pdf(replace(SLIP, name="Nguyễnthịánhtuyết" * 8))
    assert not ink_beyond(pictures(pdf)[0], margin_mm=6, width_mm=210)
    assert "Nguyễnthịánhtuyết" * 8 in words(pdf)[0].replace(" ", "")


def test_what_the_face_cannot_draw_is_seen_to_be_missing() -> None:
    [said] = words(slip_pdf(replace(SLIP, name="Mai 👩‍🔬 Nguyễn 日本")))
    assert "Mai \ufffd\ufffd Nguyễn \ufffd\ufffd" in said


def test_the_same_value_is_the_same_bytes_and_another_value_is_not() -> None:
    assert slip_pdf(SLIP) == slip_pdf(replace(SLIP))
    assert slip_pdf(SLIP) != slip_pdf(replace(SLIP, birth_year=1981))


def test_a_rapid_test_names_its_kit_and_needs_no_tube() -> None:
    rapid = replace(
        SLIP, material="antigen", barcode=None, received_at=None, kit_lot="L22", pool_people=1
    )
    [said] = words(slip_pdf(replace(rapid, derived=Derived.OWN_TEST)))
    assert "Xét nghiệm nhanh kháng nguyên · lô L22" in said
    assert "Không phát hiện kháng nguyên SARS-CoV-2" in said


@pytest.mark.parametrize("outcome", sorted(set(FindingOutcome) - set(LOOKS)))
def test_what_is_no_final_word_is_not_printed(outcome: FindingOutcome) -> None:
    with pytest.raises(Malformed, match="final word"):
        replace(SLIP, outcome=outcome)


def test_a_class_goes_two_to_a_sheet_and_each_page_leaves_when_it_is_full() -> None:
    slips = [replace(SLIP, name=f"Học sinh {n}", outcome=o) for n, o in enumerate(LOOKS)]
    drawn = list[int]()

    def told() -> object:
        for number, slip in enumerate([*slips, SLIP]):
            drawn.append(number)
            yield slip

    parts = list[bytes]()
    for part in slip_pages(told(), count=5, paper=Paper.A4, title="lớp 5A"):  # type: ignore[arg-type] # it is an iterator
        parts.append(part)
        if len(parts) == 1:
            assert drawn == [0, 1, 2]  # the third begins a page, so the first page is gone
    pdf = b"".join(parts)
    pages = words(pdf)
    assert len(pages) == 3
    assert "Học sinh 0" in pages[0] and "Học sinh 1" in pages[0] and "2/5" in pages[0]
    assert "Học sinh 3" in pages[1] and SLIP.name in pages[2] and "5/5" in pages[2]
    assert [len(symbols(page)) for page in pictures(pdf)] == [4, 4, 2]
    reader = PdfReader(BytesIO(pdf))
    assert reader.metadata and reader.metadata.title
    assert reader.metadata.title.endswith("lớp 5A")
    root = reader.trailer["/Root"].get_object()
    assert isinstance(root, DictionaryObject) and str(root["/Lang"]) == "vi-VN"


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200), st.text(min_size=1, max_size=200))
def test_whatever_a_name_holds_it_becomes_a_page(name: str, laboratory: str) -> None:
    pdf = slip_pdf(replace(SLIP, name=name, laboratory=laboratory))
    assert len(PdfReader(BytesIO(pdf)).pages) == 1
