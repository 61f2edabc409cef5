"""What a tracing team can take along: which cases, as what file; and when an order is due."""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class ListForm(StrEnum):
    """By the ending of the file's name, but the sheet, which is a PDF for a team on foot."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    SHEET = "sheet"


class ListKind(StrEnum):
    """Which cases: those of some days, all that are open, or what is new since the last list."""

    DAY = "day"
    OPEN = "open"
    SINCE = "since"


class Arrival(StrEnum):
    """Where a list of a standing order is heard of."""

    BOARD = "board"
    EMAIL = "email"


def next_hour(after: datetime, hours: Collection[int], timezone: str) -> datetime:
    """The first of these whole hours of the site's clock that is later than `after`."""
    here = ZoneInfo(timezone)
    day = after.astimezone(here).date()
    while True:
        for hour in sorted(hours):
            at = datetime.combine(day, time(hour), here)
            if at > after:
                return at
        day += timedelta(days=1)
