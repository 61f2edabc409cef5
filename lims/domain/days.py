"""A day of the calendar as somebody wrote it, in the years of which a laboratory can ask."""

from datetime import date
from typing import Final

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)


def day_of(text: str) -> date:
    """YYYY-MM-DD, from 2000 to 2100: the day before, the day after and their midnights anywhere on
    earth are days too. Raises ValueError for all else."""
    day = date.fromisoformat(text)
    if day.isoformat() != text or not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(
            f"expected a day as YYYY-MM-DD from {FIRST_DAY} to {LAST_DAY}; came {text}"
        )
    return day
