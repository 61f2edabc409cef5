"""How one line stands, as the LIMS is told and as `lims-gateway status` prints it."""

from dataclasses import dataclass
from enum import StrEnum

from instruments.troubles import Trouble


class LineState(StrEnum):
    """The worst that is true, worst first. That a gateway says nothing is the LIMS' to see."""

    UNREADABLE = "unreadable"  # the folder that keeps what comes cannot be used: NAK, never ACK
    UNPLUGGED = "unplugged"  # no way to the analyser
    QUEUEING = "queueing"  # kept here, the LIMS does not take it now
    SILENT = "silent"  # nothing heard for long, with an open line
    UP = "up"


@dataclass(frozen=True, slots=True)
class LineHealth:
    """Times are ISO 8601 UTC by the gateway's clock. `trouble`: a slug of `troubles.Trouble`."""

    instrument: str
    driver: str
    link: str
    state: LineState
    since: str
    last_byte_at: str | None
    last_message_at: str | None
    journal_bytes: int
    waiting: int
    dead: int
    quarantined: int
    trouble: Trouble | None
    detail: str


def state_of(
    *, store: Trouble | None, link: Trouble | None, post: Trouble | None, silent: bool
) -> LineState:
    """The worst of it."""
    if store:
        return LineState.UNREADABLE
    if link:
        return LineState.UNPLUGGED
    if post:
        return LineState.QUEUEING
    return LineState.SILENT if silent else LineState.UP
