"""What stands beside a measurement's values: the analyser's own flags, and doubts of its clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lims.domain.instrument_clock import ClockDoubt, ahead, not_yet, skew
from lims.work.kits import VIETNAM


@dataclass(frozen=True, slots=True)
class Remarks:
    """``flags`` as the analyser sent them; ``doubts`` are ours. Both are told and hold nothing."""

    flags: tuple[str, ...] = ()
    doubts: tuple[ClockDoubt, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.flags or self.doubts)


NONE = Remarks()


def remarks(
    flags: list[str],
    measured_text: str | None,
    captured_at: datetime,
    clock_ahead_s: int | None,
) -> Remarks:
    """Of a measurement and its message. A clock that is ahead also puts the measuring ahead: that
    is told once."""
    off = None if clock_ahead_s is None else skew(timedelta(seconds=clock_ahead_s))
    future = None if off else not_yet(ahead(measured_text, captured_at, VIETNAM))
    return Remarks(tuple(flags), tuple(doubt for doubt in (off, future) if doubt))
