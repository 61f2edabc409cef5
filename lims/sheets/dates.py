"""Births and moments as lists have them: a spreadsheet's day, a serial number, or typed by hand.

Day before month, as Vietnam writes. Two digits of a year mean the past: 89 is 1989, 21 is 2021.
Source of the serial numbers: ECMA-376 part 1, 18.17.4.1 (the 1900 date system).
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from lims.domain.identity import Birth, parse_birth
from lims.sheets.cells import Cell, as_text
from lims.sheets.faults import CellFault

_SERIAL_NOUGHT: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - wall-clock time of a spreadsheet
_SERIALS: Final = (3_000, 80_000)  # 1908 to 2119: no year, and no day that anybody was born on
_OLDEST: Final = 1880
_SWABS_SINCE: Final = 2020
_SHORT_YEAR: Final = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{2})", re.ASCII)
_THREE: Final = re.compile(r"(\d{1,4})\s*[/.\- ]\s*(\d{1,2})\s*[/.\- ]\s*(\d{1,4})", re.ASCII)
_MONTH: Final = re.compile(r"(?:tháng\s*)?(\d{1,2})\s*[/.\-]\s*(\d{4})", re.ASCII)
_IN_WORDS: Final = re.compile(
    r"(?:ngày\s*)?(\d{1,2})\s*tháng\s*(\d{1,2})\s*(?:,\s*)?năm\s*(\d{4})", re.IGNORECASE | re.ASCII
)
_MIDNIGHT: Final = re.compile(r"[T ]\s*0?0:00(:00(\.0+)?)?Z?$")
_CLOCK: Final = re.compile(
    r"(?P<h>\d{1,2})\s*(?::|h|giờ|g)\s*(?P<m>\d{2})?(?:\s*(?::|p|phút)\s*(?P<s>\d{2})?)?(?:\.\d+)?"
    r"\s*(?P<half>am|pm|sa|ch)?",
    re.IGNORECASE | re.ASCII,
)
_WHOLE: Final = re.compile(r"(\d+)(?:[.,]0+)?", re.ASCII)
_ISO_ZONED: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})"
)


def birth_of(cell: Cell, today: date) -> Birth | CellFault | None:
    """A birth, what is wrong with it, or None for an empty cell."""
    read = _day_or_year(cell, today)
    if not isinstance(read, Birth):
        return read
    if read.year > today.year or (read.day is not None and read.day > today):
        return CellFault.BIRTH_LATER
    return read if read.year >= _OLDEST else CellFault.BIRTH_UNREADABLE


def moment_of(
    day_cell: Cell, time_cell: Cell, zone: ZoneInfo, now: datetime
) -> datetime | CellFault | None:
    """When the swab was taken, from one column or from a day and an hour beside it; None where
    neither says anything. A day alone is its midnight."""
    if not isinstance(day_cell, date) and not as_text(day_cell).strip():
        return None if not as_text(time_cell).strip() else CellFault.MOMENT_UNREADABLE
    read = _moment(day_cell, now.astimezone(zone).date())
    if read is None:
        return CellFault.MOMENT_UNREADABLE
    if as_text(time_cell).strip():
        hour = _hour(time_cell)
        if hour is None:
            return CellFault.MOMENT_UNREADABLE
        read = datetime.combine(read.date(), hour, read.tzinfo)
    at = read if read.tzinfo else read.replace(tzinfo=zone)
    if at > now:
        return CellFault.MOMENT_LATER
    return at if at.year >= _SWABS_SINCE else CellFault.MOMENT_OLD


def _day_or_year(cell: Cell, today: date) -> Birth | CellFault | None:
    if isinstance(cell, date):  # a datetime is a date too
        day = cell.date() if isinstance(cell, datetime) else cell
        return Birth(day.year, day)
    text = as_text(cell).strip()
    if not text.isdigit():
        text = _MIDNIGHT.sub("", text)
    if not text:
        return None
    whole = _WHOLE.fullmatch(text)
    if whole:
        return _of_number(whole[1])
    words = _IN_WORDS.fullmatch(text)
    if words:
        text = f"{words[1]}/{words[2]}/{words[3]}"
    month = _MONTH.fullmatch(text)
    if month and 1 <= int(month[1]) <= 12:
        return Birth(int(month[2]))
    short = _SHORT_YEAR.fullmatch(text)
    if short:
        text = f"{short[1]}/{short[2]}/{_full_year(int(short[3]), today)}"
    return parse_birth("/".join(re.split(r"\s*[/.\- ]\s*", text))) or _why_not(text)


def _of_number(digits: str) -> Birth | CellFault:
    number = int(digits)
    if len(digits) == 8:
        return parse_birth(digits) or CellFault.BIRTH_NO_SUCH_DAY
    if len(digits) == 4 and _OLDEST <= number <= 2100:
        return Birth(number)
    if len(digits) == 5 and _SERIALS[0] <= number <= _SERIALS[1]:
        day = (_SERIAL_NOUGHT + timedelta(days=number)).date()
        return Birth(day.year, day)
    return CellFault.AGE if number < 130 else CellFault.BIRTH_UNREADABLE


def _why_not(text: str) -> CellFault:
    three = _THREE.fullmatch(text)
    if three is None:
        return CellFault.BIRTH_UNREADABLE
    one, middle, last = (int(part) for part in three.groups())
    if 1 <= one <= 12 and 12 < middle <= 31 and last > 31:
        return CellFault.BIRTH_MONTH_FIRST
    return CellFault.BIRTH_NO_SUCH_DAY


def _full_year(short: int, today: date) -> int:
    century = today.year // 100 * 100
    return century + short if century + short <= today.year else century - 100 + short


def _moment(cell: Cell, today: date) -> datetime | None:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, float) and _SERIALS[0] <= cell <= _SERIALS[1]:
        return (_SERIAL_NOUGHT + timedelta(days=cell)).replace(microsecond=0)
    return _typed_moment(" ".join(as_text(cell).split()), today)


def _typed_moment(text: str, today: date) -> datetime | None:
    if _ISO_ZONED.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    text = re.sub(r"(?<=\d)T(?=\d)", " ", text)
    for day, hour in _halves(text):
        read, clock = _day_or_year(day.strip(" ,"), today), _hour(hour.strip(" ,"))
        if isinstance(read, Birth) and read.day is not None and clock is not None:
            return datetime.combine(read.day, clock)
    return None


def _halves(text: str) -> list[tuple[str, str]]:
    """Where the day and the hour may part: after the day, or after the hour."""
    halves = [(text, "0:00")]
    for at in (n for n, character in enumerate(text) if character == " "):
        halves += [(text[:at], text[at:]), (text[at:], text[:at])]
    return halves


def _hour(cell: Cell) -> time | None:
    if isinstance(cell, datetime):
        return cell.time()
    if isinstance(cell, time):
        return cell
    if isinstance(cell, float) and 0 <= cell < 1:
        return (_SERIAL_NOUGHT + timedelta(seconds=round(cell * 86_400))).time()
    found = _CLOCK.fullmatch(as_text(cell).strip())
    if found is None:
        return None
    hour, half = int(found["h"]), (found["half"] or "").lower()
    if half in ("pm", "ch") and hour < 12:
        hour += 12
    elif half in ("am", "sa") and hour == 12:
        hour = 0
    try:
        return time(hour, int(found["m"] or 0), int(found["s"] or 0))
    except ValueError:
        return None
