"""Rapid antigen tests: what was seen, and when it may be read.

Source: kit inserts of the tests listed by the Ministry of Health in 2021
(15 to 30 minutes); a kit with another window brings its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lims.domain.refusals import OutsideReadWindow


class RapidOutcome(StrEnum):
    """The lines on the strip."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """From when to when a strip may be read, counted from the drop."""

    opens: timedelta = timedelta(minutes=15)
    closes: timedelta = timedelta(minutes=30)


USUAL_WINDOW = ReadWindow()
CLOCK_SKEW = timedelta(minutes=5)
"""How far a desk's clock may run before the laboratory's."""


def refuse_outside_window(
    started_at: datetime, read_at: datetime, window: ReadWindow = USUAL_WINDOW
) -> None:
    """Raise OutsideReadWindow when the strip was read too early or too late."""
    waited = read_at - started_at
    if window.opens <= waited <= window.closes:
        return
    minutes = waited.total_seconds() / 60
    early = waited < window.opens
    raise OutsideReadWindow(
        came=f"{minutes:.0f} minutes: too {'early' if early else 'late'}, read it from "
        f"{window.opens.seconds // 60} to {window.closes.seconds // 60}",
        where="read_at",
    )


def refuse_not_yet(read_at: datetime, now: datetime) -> None:
    """Raise OutsideReadWindow for a strip that is said to be read later than now.

    One read ahead of its time would be a positive before anybody saw a line.
    """
    if read_at <= now + CLOCK_SKEW:
        return
    minutes = (read_at - now).total_seconds() / 60
    raise OutsideReadWindow(
        expected="a strip that has been read",
        came=f"{minutes:.0f} minutes from now",
        where="read_at",
    )
