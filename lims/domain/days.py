"""A day of the calendar as somebody wrote it, in the years of which a laboratory can ask."""

import re
from datetime import date, datetime, time
from typing import Final

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)
_TYPED: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", re.ASCII)
_IN_A_ROW: Final = re.compile(r"(\d{2})(\d{2})(\d{4})", re.ASCII)
_NO_YEAR: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})", re.ASCII)
_CLOCK: Final = re.compile(r"(\d{1,2})[:h](\d{2})", re.ASCII)


def day_of(text: str) -> date:
    """YYYY-MM-DD, from 2000 to 2100: the day before, the day after and their midnights anywhere on
    earth are days too. Raises ValueError for all else."""
    day = date.fromisoformat(text)
    if day.isoformat() != text or not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(
            f"expected a day as YYYY-MM-DD from {FIRST_DAY} to {LAST_DAY}; came {text}"
        )
    return day


def typed_day(text: str) -> date:
    """A day as people here type it: 21/11/2026, 21.11.2026, 21112026 (a keypad of digits has no
    stroke), or 2026-11-21. The day before the month, always. Raises ValueError for all else."""
    line = text.strip()
    found = _TYPED.fullmatch(line) or _IN_A_ROW.fullmatch(line)
    if not found:
        return day_of(line)
    day, month, year = map(int, found.groups())
    return day_of(date(year, month, day).isoformat())


def typed_moment(text: str, today: date) -> datetime:
    """A moment on the wall clock, without a zone: 21/11/2026 08:12, 21/11 08:12 (of this year),
    08:12 (today), or 2026-11-21T08:12. Raises ValueError for all else."""
    day, _, clock = text.strip().replace("T", " ").rpartition(" ")
    found = _CLOCK.fullmatch(clock)
    if not found:
        return datetime.fromisoformat(text.strip())
    at = time(int(found[1]), int(found[2]))
    if not day:
        return datetime.combine(today, at)
    short = _NO_YEAR.fullmatch(day)
    on = date(today.year, int(short[2]), int(short[1])) if short else typed_day(day)
    return datetime.combine(on, at)
