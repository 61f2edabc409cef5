"""Numbers and days as each of the two languages writes them, whatever the machine's own is.

Vietnamese 1.204, 24,8 and 21/11/2021; English 1,204, 24.8 and 21 Nov 2021.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SIGNS: Final = str.maketrans(",.", ".,")


def number(value: float, language: str, digits: int = 0) -> str:
    """1.204 and 24,8 in Vietnamese; 1,204 and 24.8 in English."""
    english = f"{value:,.{digits}f}"
    return english if language == "en" else english.translate(_SIGNS)


def day(at: date, language: str) -> str:
    """21/11/2021 or 21 Nov 2021."""
    if language == "vi":
        return f"{at:%d/%m/%Y}"
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def moment(at: datetime | None, language: str, *, seconds: bool = False) -> str:
    """21/11/2021 08:12 in Vietnamese, 21 Nov 2021 08:12 in English; the time is local already."""
    if at is None:
        return "—"
    return f"{day(at, language)} {at:%H:%M:%S}" if seconds else f"{day(at, language)} {at:%H:%M}"
