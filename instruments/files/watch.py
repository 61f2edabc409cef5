"""Which files of a folder are ready to be taken. No disk and no clock: told what lies there.

A program writes its export over seconds, a share shows it piecemeal, and nothing says "finished":
a file is ready when its size and time of change have stayed the same for `settle_s`. Both are only
compared with what they were, never with our clock, which the machine that writes does not share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SETTLE_S = 10.0
RETRY_S = 5.0  # before a file that could not be read is tried again


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as the folder lists it."""

    size_bytes: int
    mtime_ns: int


class Happened(StrEnum):
    """What is worth telling, once."""

    FOLDER_GONE = "folder gone"
    FOLDER_BACK = "folder back"
    LEFT = "file left before it was taken"


@dataclass(frozen=True, slots=True)
class News:
    """`subject`: the file, or why the folder cannot be read."""

    happened: Happened
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """Files to take now, the longest quiet first, and what happened since the last look."""

    ready: tuple[tuple[str, Seen], ...] = ()
    news: tuple[News, ...] = ()


@dataclass(slots=True)
class _File:
    seen: Seen
    since_s: float
    taken: bool = False
    retry_at_s: float = 0.0
    why: str = ""


@dataclass(slots=True)
class Watch:
    """`now_s` is a monotonic clock. What was taken is remembered while it lies there; after a
    restart everything is ready again, and the bytes' digest tells what was had before."""

    settle_s: float = SETTLE_S
    retry_s: float = RETRY_S
    _files: dict[str, _File] = field(default_factory=dict)
    _gone: str | None = None

    def look(self, listing: Mapping[str, Seen], now_s: float) -> Look:
        """The folder could be listed, and this is what is in it."""
        news = [News(Happened.FOLDER_BACK)] if self._gone is not None else []
        if self._gone is not None:
            self._gone = None
            self._quiet_since(now_s)
        for name in [*self._files]:
            if name not in listing and not self._files.pop(name).taken:
                news.append(News(Happened.LEFT, name))
        for name, seen in listing.items():
            if name not in self._files or self._files[name].seen != seen:
                self._files[name] = _File(seen, now_s)
        return Look(tuple(self._ready(now_s)), tuple(news))

    def gone(self, why: str, now_s: float) -> Look:
        """The folder could not be listed: a share that is away. Nothing is forgotten."""
        told = self._gone is not None
        self._gone = why
        self._quiet_since(now_s)
        return Look(news=() if told else (News(Happened.FOLDER_GONE, why),))

    def taken(self, name: str) -> None:
        """Its bytes are kept; it is not taken again until it changes."""
        self._files[name].taken, self._files[name].why = True, ""

    def waits(self, name: str, why: str, now_s: float) -> bool:
        """It could not be read. True when this was not told of it before."""
        file = self._files[name]
        fresh, file.why, file.retry_at_s = file.why != why, why, now_s + self.retry_s
        return fresh

    def unlike(self, name: str, now_s: float) -> None:
        """It was written to while it was read: the waiting begins anew."""
        self._files[name].since_s = now_s

    @property
    def missing(self) -> str | None:
        """Why the folder cannot be read; None while it can."""
        return self._gone

    def waiting(self) -> dict[str, str]:
        """Files not taken yet, and what each waits for."""
        return {
            name: file.why or ("empty" if file.seen.size_bytes == 0 else "still settling")
            for name, file in self._files.items()
            if not file.taken
        }

    def _ready(self, now_s: float) -> list[tuple[str, Seen]]:
        due = [
            (file.since_s, file.seen.mtime_ns, name)
            for name, file in self._files.items()
            if not file.taken
            and file.seen.size_bytes > 0
            and now_s - file.since_s >= self.settle_s
            and now_s >= file.retry_at_s
            and now_s > file.since_s
        ]
        return [(name, self._files[name].seen) for _since, _mtime, name in sorted(due)]

    def _quiet_since(self, now_s: float) -> None:
        for file in self._files.values():
            file.since_s = now_s
