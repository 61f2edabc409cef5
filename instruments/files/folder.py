"""From a watched folder to captures in the outbox: copy, sync, then read.

The folder is only ever read: files are neither moved nor deleted nor locked, because the
analyser's program may look for them. Folders inside it are not looked into.
"""

import fnmatch
import os
import stat
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from instruments.drivers.exports import FileDriver
from instruments.files.capture import file_capture
from instruments.files.export import MOST_BYTES, Export
from instruments.files.kept import Damaged, Kept, Taken
from instruments.files.watch import Happened, Look, News, Seen, Watch
from instruments.outbox import Outbox

TAKEN_NAMES: Final = ("*.txt", "*.csv", "*.tsv", "*.xls", "*.xlsx", "*.rdml", "*.rdm", "*.xml")
_PASSED_OVER: Final = (".*", "~*", "*.tmp", "*.part", "*.partial", "*.crdownload", "*.new")

_log = structlog.get_logger()


class _Written(Exception):
    """The file changed while it was read."""


class FolderIntake:
    """One analyser's folder. Call `take_up` once, then `poll` every second or so. `now` is the
    wall clock, UTC; `now_s` a monotonic one. Nothing raises for what a folder or disk may do."""

    def __init__(
        self,
        folder: Path,
        kept: Kept,
        outbox: Outbox,
        driver: FileDriver,
        instrument: str,
        *,
        now: Callable[[], datetime],
        watch: Watch | None = None,
        names: Sequence[str] = TAKEN_NAMES,
    ) -> None:
        self._folder = folder
        self._kept = kept
        self._outbox = outbox
        self._driver = driver
        self._instrument = instrument
        self._now = now
        self.watch = watch or Watch()
        self._names = tuple(name.casefold() for name in names)
        self._owed: list[str] = []

    def take_up(self) -> None:
        """After a start: capture what the last run kept and could not capture."""
        self._owed = list(self._kept.owed())
        self._capture_owed()

    def poll(self, now_s: float) -> None:
        """Look once, and take what is ready."""
        self._capture_owed()
        look = self._look(now_s)
        for news in look.news:
            self._tell(news)
        for name, seen in look.ready:
            self._take(name, seen, now_s)
        self._capture_owed()

    def _look(self, now_s: float) -> Look:
        try:
            with os.scandir(self._folder) as entries:
                listing = {e.name: _seen(e) for e in entries if self._is_wanted(e)}
        except OSError as error:
            return self.watch.gone(error.strerror or type(error).__name__, now_s)
        return self.watch.look({name: seen for name, seen in listing.items() if seen}, now_s)

    def _is_wanted(self, entry: "os.DirEntry[str]") -> bool:
        name = entry.name.casefold()
        if any(fnmatch.fnmatchcase(name, each) for each in _PASSED_OVER):
            return False
        return any(fnmatch.fnmatchcase(name, each) for each in self._names)

    def _take(self, name: str, seen: Seen, now_s: float) -> None:
        if seen.size_bytes > MOST_BYTES:
            self._wait(name, f"too large: {seen.size_bytes} bytes, at most {MOST_BYTES}", now_s)
            return
        try:
            export = Export(_content(self._folder / name, seen), name)
            if not self._had_before(export):
                self._kept.keep(export, self._now())
                self._owed.append(export.digest)
        except _Written:
            self.watch.unlike(name, now_s)
            return
        except OSError as error:
            self._wait(name, error.strerror or type(error).__name__, now_s)
            return
        self.watch.taken(name)

    def _had_before(self, export: Export) -> bool:
        if export.digest in self._owed:
            return True
        if not self._kept.is_done(export.digest):
            return False
        first = self._kept.name_of(export.digest)
        if first != export.name:
            _log.warning("same bytes under another name", file=export.name, first=first)
        return True

    def _wait(self, name: str, why: str, now_s: float) -> None:
        if self.watch.waits(name, why, now_s):
            _log.warning("file waits", file=name, why=why)

    def _capture_owed(self) -> None:
        """In order; but a copy that the disk does not give back holds up none behind it."""
        for digest in [*self._owed]:
            try:
                taken = self._kept.taken(digest)
            except (Damaged, FileNotFoundError) as error:
                _log.error("copy damaged", digest=digest, error=str(error))
                self._owed.remove(digest)
                continue
            except OSError as error:
                _log.error("copy not read", digest=digest, error=str(error))
                continue
            try:
                self._capture(taken)
            except OSError as error:
                _log.error("capture waits for the disk", error=str(error))
                return
            self._owed.remove(digest)

    def _capture(self, taken: Taken) -> None:
        """Raises OSError when it cannot be put in the outbox."""
        digest = taken.export.digest
        capture = file_capture(self._driver, taken.export, self._instrument, taken.at)
        fresh = self._outbox.put(capture)
        try:
            self._kept.done(digest)
        except OSError as error:
            _log.error("receipt not kept", digest=digest, error=str(error))
        _log.info(
            "captured",
            digest=digest,
            file=taken.export.name,
            fresh=fresh,
            measurements=len(capture.measurements),
            quarantine=capture.quarantine.reason if capture.quarantine else None,
        )

    def _tell(self, news: News) -> None:
        tell = _log.info if news.happened is Happened.FOLDER_BACK else _log.warning
        tell(news.happened.value, folder=str(self._folder), subject=news.subject)


def _seen(entry: "os.DirEntry[str]") -> Seen | None:
    """None for what is no plain file, or is gone again."""
    try:
        told = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Seen(told.st_size, told.st_mtime_ns) if stat.S_ISREG(told.st_mode) else None


def _content(path: Path, seen: Seen) -> bytes:
    """The bytes, if before and after the reading the file is what was seen. Raises OSError (it is
    locked, or may not be read) or `_Written`."""
    with path.open("rb") as file:
        _refuse_unlike(file.fileno(), seen)
        content = file.read(seen.size_bytes + 1)
        _refuse_unlike(file.fileno(), seen)
    if len(content) != seen.size_bytes:
        raise _Written
    return content


def _refuse_unlike(fd: int, seen: Seen) -> None:
    told = os.fstat(fd)
    if Seen(told.st_size, told.st_mtime_ns) != seen:
        raise _Written
