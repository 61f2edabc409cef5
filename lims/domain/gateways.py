"""How a gateway's line stands, in the words its heartbeat uses, and when silence means that it is
gone."""

from datetime import timedelta
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
