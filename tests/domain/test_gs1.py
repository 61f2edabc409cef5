"""A kit's box is read whole or not at all, whatever the scanner does with FNC1."""

from __future__ import annotations

from datetime import date, timedelta
from string import ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.gs1 import FNC1, KitCode, expiry, gtin_holds, looks_like_kit, parse_kit
from lims.domain.refusals import NotAKitCode

TODAY = date(2021, 9, 11)
BOX = KitCode("08935212000017", "AG21-07", date(2023, 1, 31))

lots = st.text(ascii_uppercase + digits + "-/.", min_size=1, max_size=20)
days = st.dates(date(1972, 1, 1), date(2070, 12, 31))


@st.composite
def gtins(draw: st.DrawFn) -> str:
    first = draw(st.text(digits, min_size=13, max_size=13))
    return next(first + last for last in digits if gtin_holds(first + last))


boxes = st.builds(KitCode, gtins(), lots, days)


def short(day: date) -> str:
    return day.strftime("%y%m%d")


@given(boxes, st.permutations(["01", "10", "17", "21"]), st.sampled_from(["", FNC1, "]d2", "]C1"]))
def test_a_box_with_separators_is_read_in_any_order(
    box: KitCode, order: list[str], start: str
) -> None:
    said = {"01": box.gtin, "10": box.lot + FNC1, "17": short(box.expires_on), "21": "0042" + FNC1}
    assert parse_kit(start + "".join(ai + said[ai] for ai in order), today=TODAY) == box


@given(boxes)
def test_a_scanner_that_swallows_separators_is_read_when_the_lot_is_last(box: KitCode) -> None:
    line = f"01{box.gtin}17{short(box.expires_on)}10{box.lot}\r\n"
    assert looks_like_kit(line)
    assert parse_kit(line, today=TODAY) == box


@given(boxes, st.permutations(["01", "10", "17"]))
def test_the_line_under_the_bars_is_read_in_any_order(box: KitCode, order: list[str]) -> None:
    said = {"01": box.gtin, "10": box.lot, "17": short(box.expires_on)}
    assert parse_kit("".join(f"({ai}){said[ai]}" for ai in order), today=TODAY) == box


@given(boxes)
def test_a_lot_that_ran_into_the_date_is_refused_not_shortened(box: KitCode) -> None:
    with pytest.raises(NotAKitCode):
        parse_kit(f"01{box.gtin}10{box.lot}17{short(box.expires_on)}", today=TODAY)


@given(boxes, st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_of_the_item_is_found(box: KitCode, place: int, off: int) -> None:
    digit = str((int(box.gtin[place]) + off) % 10)
    wrong = box.gtin[:place] + digit + box.gtin[place + 1 :]
    with pytest.raises(NotAKitCode, match="check digit"):
        parse_kit(f"(01){wrong}(17){short(box.expires_on)}(10){box.lot}", today=TODAY)


@given(st.text(max_size=80))
def test_nothing_that_is_scanned_breaks_the_reader(text: str) -> None:
    looks_like_kit(text)
    try:
        assert isinstance(parse_kit(text, today=TODAY), KitCode)
    except NotAKitCode as refusal:
        assert refusal.came


def test_day_zero_is_the_last_of_its_month() -> None:
    assert expiry("240200", today=TODAY) == date(2024, 2, 29)
    assert parse_kit("(01)08935212000017(10)AG21-07(17)230100", today=TODAY) == BOX


@given(days)
def test_the_century_is_the_near_one(day: date) -> None:
    assert expiry(short(day), today=TODAY) == day
    assert abs(expiry(short(day), today=TODAY) - TODAY) < timedelta(days=51 * 366)


@pytest.mark.parametrize("digits", ["231301", "230230", "2301", "23013x", ""])
def test_a_day_that_is_none_is_refused(digits: str) -> None:
    with pytest.raises(NotAKitCode):
        expiry(digits, today=TODAY)


@pytest.mark.parametrize("text", ["0123456789", "TT7K40FQ9XB", "079189012345|…", "START", "17+"])
def test_what_else_is_scanned_at_a_desk_is_no_box(text: str) -> None:
    assert not looks_like_kit(text)
