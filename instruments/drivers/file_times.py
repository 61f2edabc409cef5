"""Times as the cyclers' programs write them, by the instrument's clock and without a zone."""

import re
from datetime import datetime

_AB = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d?):(\d\d):(\d\d)(?:\.\d+)?\s*(AM|PM)?\b.*", re.IGNORECASE
)
_US = re.compile(r"(\d\d?)/(\d\d?)/(\d{4})[ ,]+(\d\d?):(\d\d):(\d\d)\s*(AM|PM)?\b.*", re.IGNORECASE)


def year_first(text: str) -> str | None:
    """`2010-10-01 01:44:54 AM EDT`; "22:05:31 PM", which some print, is 22:05:31. None where it is
    no time: a wrong clock is no reason to hold a result back."""
    found = _AB.fullmatch(text.strip())
    return _iso(found.groups()) if found else None


def month_first(text: str) -> str | None:
    """`3/16/2021 10:34:20 AM` and `04/02/2015 09:12:33 UTC`."""
    found = _US.fullmatch(text.strip())
    if not found:
        return None
    month, day, year, *rest = found.groups()
    return _iso((year, month, day, *rest))


def _iso(parts: tuple[str | None, ...]) -> str | None:
    *numbers, half = parts
    year, month, day, hour, minute, second = (int(part or 0) for part in numbers)
    if half and half.upper() == "PM" and hour < 12:
        hour += 12
    if half and half.upper() == "AM" and hour == 12:
        hour = 0
    try:
        return datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001 - no zone
    except ValueError:
        return None
