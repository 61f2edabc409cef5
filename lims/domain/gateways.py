"""How a gateway's line stands, in the words its heartbeat uses, and when silence means that it is
gone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

DOWN_AFTER: Final = timedelta(seconds=45)  # four heartbeats and a slow network


class LineState(StrEnum):
    """As ``instruments.line_health`` says it, worst first."""

    UNREADABLE = "unreadable"
    UNPLUGGED = "unplugged"
    QUEUEING = "queueing"
    SILENT = "silent"
    UP = "up"


@dataclass(frozen=True, slots=True)
class LineStanding:
    """One line as its gateway says it stands."""

    instrument: str
    driver: str
    link: str
    state: LineState
    since: datetime
    last_byte_at: datetime | None
    last_message_at: datetime | None
    journal_bytes: int
    waiting: int
    dead: int
    quarantined: int
    trouble: str | None
    detail: str
