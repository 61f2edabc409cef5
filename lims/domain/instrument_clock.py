"""How far an analyser's clock is off: what it says of itself beside when the gateway heard it.

Nothing is put in order by that clock, and nothing is held back for it: a wrong one is told, so that
somebody sets it. A result may be hours old when it is sent, so that the message's own sending time
says how far off the clock is; the time of measuring is in doubt only where it has not come yet.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

TOLERATED: Final = timedelta(minutes=10)


class ClockFault(StrEnum):
    """What cannot be right."""

    BEHIND = "behind"
    AHEAD = "ahead"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class ClockDoubt:
    """What cannot be right, and by how much."""

    fault: ClockFault
    by: timedelta


def ahead(told: str | None, heard_at: datetime, zone: tzinfo) -> timedelta | None:
    """How far a moment that an instrument told (ISO 8601) lies after when it was heard; negative
    when before. None where it told none.

    One without a zone is the laboratory's, or UTC's where only that agrees: a machine that keeps
    UTC is not seven hours wrong.
    """
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment - heard_at
    by_utc = moment.replace(tzinfo=UTC) - heard_at
    return by_utc if abs(by_utc) <= TOLERATED else moment.replace(tzinfo=zone) - heard_at


def skew(by: timedelta | None) -> ClockDoubt | None:
    """Of a message's own time of sending: the clock is off by more than is tolerated."""
    if by is None or abs(by) <= TOLERATED:
        return None
    return ClockDoubt(ClockFault.AHEAD if by > timedelta() else ClockFault.BEHIND, abs(by))


def not_yet(by: timedelta | None) -> ClockDoubt | None:
    """Of the time of measuring: it had not come when it was told."""
    return ClockDoubt(ClockFault.FUTURE, by) if by is not None and by > TOLERATED else None
