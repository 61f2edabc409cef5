"""A number means the same under every locale that could have written it, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.drivers.reading import Unreadable
from instruments.drivers.wells import Naming, read_well, well_named, well_numbered
from instruments.files.numbers import Decimal, cycle_number, decimal_mark, decimal_of, number

MARKS = st.sampled_from(Decimal)
CYCLES = st.integers(1, 60_000).map(lambda thousandths: thousandths / 1000)
GROUPS = {Decimal.POINT: [",", " ", "'"], Decimal.COMMA: [".", " "]}


def written(value: float, mark: Decimal, group: str = "") -> str:
    whole, _point, rest = f"{value:,.3f}".partition(".")
    return whole.replace(",", group) + mark.value + rest


@given(value=CYCLES, mark=MARKS)
def test_a_cycle_number_comes_back_from_both_locales(value: float, mark: Decimal) -> None:
    text = written(value, mark)
    assert cycle_number(text, mark, "row 2") == pytest.approx(value)
    assert decimal_of(text) is mark


@given(value=st.floats(1000, 10_000_000), mark=MARKS, data=st.data())
def test_groups_of_three_come_back_too(value: float, mark: Decimal, data: st.DataObject) -> None:
    text = written(value, mark, data.draw(st.sampled_from(GROUPS[mark])))
    assert number(text, mark) == pytest.approx(value, abs=0.001)
    assert decimal_of(text) is mark
    assert number(text, mark.other) is None


@given(values=st.lists(CYCLES, min_size=1), mark=MARKS)
def test_a_column_says_its_mark(values: list[float], mark: Decimal) -> None:
    assert decimal_mark([written(value, mark) for value in values]) is mark


@given(first=CYCLES, second=CYCLES)
def test_a_column_with_both_marks_is_refused(first: float, second: float) -> None:
    texts = [written(first, Decimal.POINT), written(second, Decimal.COMMA)]
    with pytest.raises(Unreadable, match="decimal-mark"):
        decimal_mark(texts)


@given(text=st.text(max_size=50), mark=MARKS)
def test_no_text_is_a_number_by_accident(text: str, mark: Decimal) -> None:
    value = number(text, mark)
    if value is not None:
        plain = text.strip().replace(mark.other.value, "").replace(mark.value, ".")
        assert value == float(plain.replace(" ", "").replace("'", ""))


@pytest.mark.parametrize(
    "text",
    ["", "Undetermined", "NaN", "inf", "1.2.3", "1,2,3", "24..8", "12 34", "0x1F", "२४", "1" * 99],
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text, Decimal.POINT) is None


@pytest.mark.parametrize("text", ["0", "0.0", "-1.00", "61", "1204.5", "24,8", "2.4e9"])
def test_what_is_no_cycle_of_a_run_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="cycle-number: row 7"):
        cycle_number(text, Decimal.POINT, "row 7")


def test_a_long_fraction_keeps_its_digits() -> None:
    assert cycle_number("27.7514537682101", Decimal.POINT, "react 1") == 27.7514537682101


@given(row=st.sampled_from("ABCDEFGHIJKLMNOP"), column=st.integers(1, 24))
def test_a_well_is_the_same_however_it_is_written(row: str, column: int) -> None:
    wanted = f"{row}{column:02d}"
    for text in (f"{row}{column}", wanted, f" {row.lower()}{column:03d} ", f"{row} {column}"):
        assert well_named(text, "row 1") == wanted


@given(size=st.sampled_from([96, 384]), naming=st.sampled_from([Naming.BY_ROW, Naming.BY_COLUMN]))
def test_numbers_reach_every_well_once(size: int, naming: Naming) -> None:
    wells = [read_well(str(n), size, naming, "row 1") for n in range(1, size + 1)]
    assert len(set(wells)) == size
    assert wells[0] == "A01" and wells[1] == ("A02" if naming is Naming.BY_ROW else "B01")


def test_the_thirteenth_well_of_applied_biosystems_is_b01() -> None:
    assert well_numbered("13.0", 96, Naming.BY_ROW, "row 1") == "B01"
    assert well_numbered("25", 384, Naming.BY_ROW, "row 1") == "B01"


@pytest.mark.parametrize("text", ["", "Q1", "A0", "A25", "A1B", "1A", "H12 "[:1], "97"])
def test_what_is_no_well_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="well-name"):
        well_named(text, "row 1")
    with pytest.raises(Unreadable, match="well-name"):
        well_numbered(text, 96, Naming.BY_ROW, "row 1")
