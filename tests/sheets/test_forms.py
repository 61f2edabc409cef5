"""Days, telephones, numbers and names as people and spreadsheets write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.identity import Birth
from lims.sheets.cells import Cell, as_text, of_json, to_json
from lims.sheets.dates import birth_of, moment_of
from lims.sheets.faults import CellFault
from lims.sheets.names import name_of, sex_of
from lims.sheets.numbers import national_id_of, phone_of

TODAY = date(2021, 9, 11)
NOW = datetime(2021, 9, 11, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOUGHT = datetime.fromisoformat("1899-12-30")  # of a spreadsheet's serial numbers
days = st.dates(date(1925, 1, 1), TODAY)


@given(day=days)
def test_a_day_is_the_same_however_it_is_written(day: date) -> None:
    serial = float((day - date(1899, 12, 30)).days)
    written: list[Cell] = [
        day,
        datetime.combine(day, time()),
        day.strftime("%d/%m/%Y"),
        f"{day.day}/{day.month}/{day.year}",
        day.strftime("%d-%m-%Y"),
        day.strftime("%d.%m.%Y"),
        day.isoformat(),
        f"{day.isoformat()} 00:00:00",
        day.strftime(" %d / %m / %Y "),
        f"ngày {day.day} tháng {day.month} năm {day.year}",
        day.strftime("%d%m%Y"),
    ]
    if serial >= 10_000:
        written += [serial, str(int(serial))]
    assert {birth_of(cell, TODAY) for cell in written} == {Birth(day.year, day)}


@given(day=st.dates(date(1922, 1, 1), TODAY))
def test_two_digits_of_a_year_mean_the_past(day: date) -> None:
    assert birth_of(f"{day.day}-{day.month}-{day.year % 100:02d}", TODAY) == Birth(day.year, day)


@given(year=st.integers(1880, 2021))
def test_a_year_alone_is_a_birth(year: int) -> None:
    for cell in (float(year), str(year), f" {year} ", f"{year}.0", f"00/00/{year}"):
        assert birth_of(cell, TODAY) == Birth(year)
    assert birth_of(f"tháng 3/{year}", TODAY) == Birth(year)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("30/02/1990", CellFault.BIRTH_NO_SUCH_DAY),
        ("31/04/1990", CellFault.BIRTH_NO_SUCH_DAY),
        ("29/02/2021", CellFault.BIRTH_NO_SUCH_DAY),
        ("31131990", CellFault.BIRTH_NO_SUCH_DAY),
        ("03/25/1989", CellFault.BIRTH_MONTH_FIRST),
        ("12/09/2021", CellFault.BIRTH_LATER),
        (2022.0, CellFault.BIRTH_LATER),
        ("45", CellFault.AGE),
        (45.0, CellFault.AGE),
        ("45 tuổi", CellFault.BIRTH_UNREADABLE),
        ("19x0", CellFault.BIRTH_UNREADABLE),
        ("1879", CellFault.BIRTH_UNREADABLE),
        (1e300, CellFault.BIRTH_UNREADABLE),
        (float("nan"), CellFault.BIRTH_UNREADABLE),
        ("²⁰²¹", CellFault.BIRTH_UNREADABLE),
        (True, CellFault.BIRTH_UNREADABLE),
    ],
)
def test_what_is_no_birth_says_why(cell: Cell, fault: CellFault) -> None:
    assert birth_of(cell, TODAY) is fault


@given(at=st.datetimes(NOUGHT.replace(year=2020), NOW.replace(tzinfo=None)))
def test_a_moment_is_the_same_however_it_is_written(at: datetime) -> None:
    at = at.replace(second=0, microsecond=0)
    day, hour = at.strftime("%d/%m/%Y"), at.strftime("%H:%M")
    serial = (at - NOUGHT) / timedelta(days=1)
    pairs: list[tuple[Cell, Cell]] = [
        (at, ""),
        (f"{day} {hour}", ""),
        (f"{hour} {day}", ""),
        (f"{day} {at.hour}h{at.minute:02d}", ""),
        (f"{day}, {at.hour} giờ {at.minute:02d} phút", ""),
        (at.isoformat(), ""),
        (at.date(), at.time()),
        (day, hour),
        (day, (at - datetime.combine(at.date(), time())) / timedelta(days=1)),
        (datetime.combine(at.date(), time()), hour),
        (at.replace(tzinfo=ZONE).isoformat(), ""),
    ]
    for pair in pairs:
        assert moment_of(*pair, ZONE, NOW) == at.replace(tzinfo=ZONE), pair
    read = moment_of(serial, "", ZONE, NOW)
    assert isinstance(read, datetime)
    assert abs(read - at.replace(tzinfo=ZONE)) <= timedelta(seconds=1)


@pytest.mark.parametrize(
    ("day", "hour", "fault"),
    [
        ("12/09/2021", "", CellFault.MOMENT_LATER),
        ("11/09/2021", "08:01", CellFault.MOMENT_LATER),
        ("11/09/1921", "", CellFault.MOMENT_OLD),
        ("hôm qua", "", CellFault.MOMENT_UNREADABLE),
        ("31/02/2021 08:00", "", CellFault.MOMENT_UNREADABLE),
        ("11/09/2021", "25:00", CellFault.MOMENT_UNREADABLE),
        ("", "08:00", CellFault.MOMENT_UNREADABLE),
        ("2021", "", CellFault.MOMENT_UNREADABLE),
    ],
)
def test_what_is_no_moment_says_why(day: Cell, hour: Cell, fault: CellFault) -> None:
    assert moment_of(day, hour, ZONE, NOW) is fault


def test_a_day_alone_is_its_midnight_and_nothing_is_nothing() -> None:
    assert moment_of("11/09/2021", "", ZONE, NOW) == datetime(2021, 9, 11, tzinfo=ZONE)
    assert moment_of(" ", "", ZONE, NOW) is None


@given(number=st.integers(0, 10**8 - 1), prefix=st.sampled_from(["03", "05", "07", "08", "09"]))
def test_a_telephone_is_the_same_however_it_is_written(number: int, prefix: str) -> None:
    digits = f"{prefix}{number:08d}"
    cut = digits[1:]
    for cell in (
        digits,
        f"{digits[:4]} {digits[4:7]} {digits[7:]}",
        f"{digits[:4]}.{digits[4:7]}.{digits[7:]}",
        cut,
        float(cut),
        f"{cut}.0",
        f"84{cut}",
        f"+84{cut}",
        f"+84 (0) {cut}",
        f"0084{cut}",
        f"{digits} / 0241234567",
        f"{digits}; {digits}",
        f"'{digits}".strip("'"),
    ):
        assert phone_of(cell) == f"+84{cut}", cell


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("9.12346E+08", CellFault.DIGITS_LOST),
        ("9,12346E+11", CellFault.DIGITS_LOST),
        ("12", CellFault.PHONE_UNREADABLE),
        ("không có", CellFault.PHONE_UNREADABLE),
        ("0123456789012345", CellFault.PHONE_UNREADABLE),
    ],
)
def test_what_is_no_telephone_says_why(cell: Cell, fault: CellFault) -> None:
    assert phone_of(cell) is fault


@given(place=st.sampled_from(["001", "024", "079", "096"]), rest=st.integers(0, 10**9 - 1))
def test_the_noughts_a_spreadsheet_cuts_from_a_card_are_put_back(place: str, rest: int) -> None:
    number = f"{place}{rest:09d}"
    for cell in (
        number,
        float(number),
        str(int(number)),
        f"{number[:3]} {number[3:6]} {number[6:]}",
    ):
        assert national_id_of(cell) == number


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (1.23457e11 + 0.5, CellFault.NUMBER_UNREADABLE),
        ("7.91890E+10", CellFault.DIGITS_LOST),
        ("012345678", CellFault.NUMBER_OLD),
        ("99999999999", CellFault.NUMBER_PLACE),
        ("001189", CellFault.NUMBER_UNREADABLE),
        ("B1234567", CellFault.NUMBER_UNREADABLE),
        ("٠٠١١٨٩٠٠١٢٣٤", CellFault.NUMBER_UNREADABLE),
    ],
)
def test_what_is_no_card_number_says_why(cell: Cell, fault: CellFault) -> None:
    assert national_id_of(cell) is fault


LONG = " ".join(["Công Tằng Tôn Nữ"] * 5)


@pytest.mark.parametrize(
    "name", ["Nguyễn  Văn An", "H'Hen Niê", "Y Kđăm", "Trần Thị B-Jrang", LONG, "An", "Lê A 2"]
)
def test_names_of_every_kind_are_taken(name: str) -> None:
    assert name_of(name) == (" ".join(name.split()), None)


@pytest.mark.parametrize(
    ("name", "sign", "fault"),
    [
        ("", None, CellFault.NAME_MISSING),
        ("   ", None, CellFault.NAME_MISSING),
        ("Lan 😀", "😀", CellFault.NAME_SIGN),
        ('=HYPERLINK("x")', "=", CellFault.NAME_SIGN),
        ("Lan\x07", "\x07", CellFault.NAME_SIGN),
        ("123", None, CellFault.NAME_NO_LETTER),
        ("NguyÔn V¨n An", None, CellFault.NAME_BROKEN),
        ("Nguyá»…n VÄƒn An", None, CellFault.NAME_BROKEN),
        ("Nguy\ufffdn", None, CellFault.LETTER_UNREADABLE),
        ("A" * 201, None, CellFault.NAME_LONG),
    ],
)
def test_a_name_that_cannot_stand_says_why(name: str, sign: str | None, fault: CellFault) -> None:
    assert name_of(name) == (sign, fault)


@pytest.mark.parametrize(
    ("cell", "sex"),
    [
        ("Nữ", "female"),
        ("NAM", "male"),
        ("", None),
        ("F", "female"),
        ("x", CellFault.SEX_UNREADABLE),
    ],
)
def test_sexes_as_people_write_them(cell: str, sex: str | None) -> None:
    assert sex_of(cell) == sex


@given(
    cell=st.one_of(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.datetimes(),
        st.dates(),
        st.times(),
    )
)
def test_a_cell_is_kept_as_it_came_and_never_breaks_a_reader(cell: Cell) -> None:
    kept = of_json(to_json(cell))
    assert kept == cell
    assert type(kept) is type(cell)
    assert isinstance(as_text(cell), str)
    for read in (phone_of, national_id_of, name_of, sex_of):
        read(cell)
    birth_of(cell, TODAY)
    moment_of(cell, "", ZONE, NOW)
    moment_of("11/09/2021", cell, ZONE, NOW)
