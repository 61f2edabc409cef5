"""The exceptions of a roster, typed by number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.rapid_test import Exposure
from lims.domain.roster_line import Marked, Sign, Start, parse_line


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("17+", Marked(17, Sign.POSITIVE)),
        (" 3? ", Marked(3, Sign.INVALID)),
        ("40−", Marked(40, Sign.NEGATIVE)),
        ("8X", Marked(8, Sign.ABSENT)),
        ("17+c", Marked(17, Sign.POSITIVE, Exposure.CONTACT)),
        ("17+FS", Marked(17, Sign.POSITIVE, Exposure.FACTOR, suspect=True)),
    ],
)
def test_one_number_and_what_is_said_of_it(text: str, marked: Marked) -> None:
    assert parse_line(text) == (marked,)


def test_several_exceptions_stand_in_one_line() -> None:
    said = parse_line("17+f, 23? 4x")
    assert isinstance(said, tuple)
    assert [(one.position, one.sign) for one in said] == [
        (17, Sign.POSITIVE),
        (23, Sign.INVALID),
        (4, Sign.ABSENT),
    ]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("START", Start()),
        ("start 1-20", Start(1, 20)),
        ("BẮT ĐẦU 21–40", Start(21, 40)),
        ("batdau 7", Start(7, 7)),
    ],
)
def test_the_command_card_starts_a_timer(text: str, start: Start) -> None:
    assert parse_line(text) == start


@pytest.mark.parametrize(
    "text", ["", "17", "TT7K-40FQ-9XB", "17+ Lan", "079189012345|", "STARTING"]
)
def test_what_is_something_else_is_left_to_the_other_readers(text: str) -> None:
    assert parse_line(text) is None


@given(st.text(max_size=40))
def test_whatever_is_scanned_is_read_or_left(text: str) -> None:
    said = parse_line(text)
    assert said is None or isinstance(said, Start | tuple)
