"""Columns are known by the words over them, in both languages, however they are written."""

from __future__ import annotations

import pytest

from lims.sheets.columns import Column, fingerprint, lacking, matched


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        (("barcode", "name", "birth"), (Column.BARCODE, Column.NAME, Column.BIRTH)),
        (("Mã ống", "HỌ VÀ TÊN", "Năm sinh"), (Column.BARCODE, Column.NAME, Column.BIRTH)),
        (("tube", "  họ  tên (*)", "SĐT"), (Column.BARCODE, Column.NAME, Column.PHONE)),
        (("Số CMND/CCCD", "Xã/Phường", "Giới"), (Column.NATIONAL_ID, Column.AREA, Column.SEX)),
        (("Họ tên người được lấy mẫu tại khu phố",), (Column.NAME,)),
        (("Họ tên chủ hộ", "Họ tên"), (None, Column.NAME)),
        (("Họ tên", "Họ tên"), (Column.NAME, None)),
        (("TT", "Ghi chú", ""), (None, None, None)),
    ],
)
def test_headings_are_matched(
    headings: tuple[str, ...], columns: tuple[Column | None, ...]
) -> None:
    assert matched(headings) == columns


def test_the_tube_and_the_name_are_needed() -> None:
    assert lacking((Column.NAME, None)) == (Column.BARCODE,)


def test_a_fingerprint_is_of_the_words_and_their_order() -> None:
    assert fingerprint(("Mã ống", "Họ tên")) == fingerprint(("MÃ  ỐNG ", "ho ten"))
    assert fingerprint(("Mã ống", "Họ tên")) != fingerprint(("Họ tên", "Mã ống"))
