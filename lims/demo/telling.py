"""What the story tells of itself while it happens, and the time it gives people to follow."""

from enum import Enum
from typing import Protocol


class Broke(Exception):
    """The story cannot go on; the message says at what."""


class Phase(Enum):
    """The day's chapters, in order; the later ones come again while something still waits."""

    OPEN = "open"
    COLLECT = "collect"
    RECEIVE = "receive"
    CONFIRM = "confirm"
    POOL = "pool"
    RUN = "run"
    RESOLVE = "resolve"
    RESWAB = "reswab"
    REVIEW = "review"
    RECALL = "recall"
    TELL = "tell"


class Audience(Protocol):
    """Who watches. ``rest`` gives a watcher this many seconds; without one it takes none."""

    def begins(self, phase: Phase, detail: str = "") -> None:
        """A chapter begins."""

    def rest(self, seconds: float) -> None:
        """Time to see what was just done."""
