"""Rapid antigen tests: what was seen, when it may be read, and with which kit.

Source: kit inserts of the tests listed by the Ministry of Health in 2021
(15 to 30 minutes); a kit with another window brings its own.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from lims.domain.refusals import KitExpired, OutsideReadWindow


class RapidOutcome(StrEnum):
    """The lines on the strip."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INVALID = "invalid"


class Exposure(StrEnum):
    """What the person was near, as the desk was told: what a case definition asks besides strips.

    A contact (F1) stood close to a case; a factor is a lane, shift or journey with cases in it.
    """

    NONE = "none"
    FACTOR = "factor"
    CONTACT = "contact"


class RosterKind(StrEnum):
    """What its people share. A lane is where they live; a class or a shift is where they work."""

    CLASS = "class"
    SHIFT = "shift"
    LANE = "lane"


class LotSource(StrEnum):
    """How a kit lot came to be known. A told lot was named by a reading, without its expiry."""

    SCANNED = "scanned"
    TYPED = "typed"
    TOLD = "told"


class Readiness(StrEnum):
    """A strip beside its clock."""

    TOO_EARLY = "too_early"
    READABLE = "readable"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """From when to when a strip may be read, counted from the drop."""

    opens: timedelta = timedelta(minutes=15)
    closes: timedelta = timedelta(minutes=30)

    @classmethod
    def of_minutes(cls, opens: int, closes: int) -> "ReadWindow":
        """As a kit's insert prints it."""
        return cls(timedelta(minutes=opens), timedelta(minutes=closes))

    def readiness(self, started_at: datetime, at: datetime) -> Readiness:
        """Whether a strip of that drop may be read at this moment; both ends belong to it."""
        waited = at - started_at
        if waited < self.opens:
            return Readiness.TOO_EARLY
        return Readiness.READABLE if waited <= self.closes else Readiness.TOO_LATE


USUAL_WINDOW = ReadWindow()
CLOCK_SKEW = timedelta(minutes=5)
"""How far a desk's clock may run before the laboratory's."""


def refuse_outside_window(
    started_at: datetime, read_at: datetime, window: ReadWindow = USUAL_WINDOW
) -> None:
    """Raise OutsideReadWindow when the strip was read too early or too late."""
    readiness = window.readiness(started_at, read_at)
    if readiness is Readiness.READABLE:
        return
    minutes = (read_at - started_at).total_seconds() / 60
    early = readiness is Readiness.TOO_EARLY
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


def refuse_expired(lot: str, expires_on: date | None, used_on: date) -> None:
    """Raise KitExpired for a strip dropped after its lot's last day (that day still counts)."""
    if expires_on is not None and used_on > expires_on:
        raise KitExpired(came=f"lot {lot}, expired on {expires_on:%Y-%m-%d}", where="kit_lot")
