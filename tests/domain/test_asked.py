"""What somebody types to find a person or a tube, read as they meant it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.asked import Asked, asked


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Mỹ Hạnh", Asked(words=("my", "hanh"))),
        ("  đặng  THỊ ", Asked(words=("dang", "thi"))),
        ("hanh 1975", Asked(words=("hanh",), birth_year=1975)),
        ("0912 345 218", Asked(phone="+84912345218", part="0912345218")),
        ("+84 912.345.218", Asked(phone="+84912345218", part="84912345218")),
        ("001189001234", Asked(national_id="001189001234")),
        ("012345678", Asked(old_id="012345678", part="012345678")),
        ("40fq", Asked(part="40FQ")),
        ("TT7K-40FQ-9XB", Asked(part="TT7K40FQ9XB")),
        ("9XB", Asked(part="9XB")),
        ("", Asked()),
        ("12", Asked()),
        ("1975", Asked(part="1975")),
        ("x" * 300, Asked()),
    ],
)
def test_it_is_read_as_it_was_meant(typed: str, meant: Asked) -> None:
    assert asked(typed) == meant


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_without_a_fault_and_shows_nobody(typed: str) -> None:
    meant = asked(typed)
    assert all(meant.words) and "words" not in repr(meant)
