"""Copies of the files that were taken, on disk before anything else is done with them.

    <digest>.name    the file's name and when it was taken
    <digest>.bytes   its bytes
    <digest>.done    its capture is in the outbox

Each is written whole or not at all, in this order; so a copy without `.done` is owed a capture,
and after a crash at any point making the capture again makes the same one, byte for byte. A digest
that is done is never captured again, whatever name the file comes under. Copies that are done are
thrown away from the oldest on, once there are too many; what was done is not forgotten.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from instruments.files.export import Export
from instruments.journal import JournalInUse, sync_folder
from instruments.measurement import digest_of
from instruments.outbox import write_whole

MOST_KEPT_BYTES = 1024 * 1024 * 1024
_UNLIKE = (ValueError, KeyError, TypeError)  # of a copy whose parts are not what was kept

_log = structlog.get_logger()


class Damaged(Exception):
    """A copy is not what was kept: the disk changed it. It was put aside as `.damaged`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A copy, with what is known of its taking."""

    export: Export
    at: datetime


class Kept:
    """One watched folder's copies."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_KEPT_BYTES) -> None:
        """Raises `JournalInUse`, or OSError where the folder cannot be written."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = _locked(folder / "lock")
        for draft in folder.glob("*.new"):
            draft.unlink()

    def keep(self, export: Export, at: datetime) -> None:
        """On disk for good when this returns. Raises OSError with nothing kept."""
        name = {"name": export.name, "taken_at": at.isoformat(timespec="microseconds")}
        if not self._path(export.digest, "bytes").exists():
            write_whole(self._path(export.digest, "name"), json.dumps(name).encode("utf-8"))
            write_whole(self._path(export.digest, "bytes"), export.content)

    def owed(self) -> Iterator[str]:
        """Digests of the copies whose capture is not in the outbox, oldest first."""
        copies = sorted(self._folder.glob("*.bytes"), key=lambda path: path.stat().st_mtime_ns)
        yield from (copy.stem for copy in copies if not self.is_done(copy.stem))

    def taken(self, digest: str) -> Taken:
        """Raises OSError, or `Damaged`."""
        try:
            return _copy(self._folder, digest)
        except _UNLIKE as error:
            raise self._damaged(digest) from error

    def is_done(self, digest: str) -> bool:
        return self._path(digest, "done").exists()

    def name_of(self, digest: str) -> str:
        """The name under which these bytes were taken first; empty where that cannot be read."""
        try:
            return _named(self._folder, digest)[0]
        except (OSError, *_UNLIKE):
            return ""

    def done(self, digest: str) -> None:
        """Raises OSError; the capture is then made once more, and is the same."""
        write_whole(self._path(digest, "done"), b"")
        self._throw_away()

    def close(self) -> None:
        os.close(self._lock)

    def _damaged(self, digest: str) -> Damaged:
        copy = self._path(digest, "bytes")
        copy.rename(copy.with_suffix(".damaged"))
        sync_folder(self._folder)
        return Damaged(f"{copy.name} is not what was kept; it is put aside as .damaged")

    def _throw_away(self) -> None:
        copies = [(path.stat(), path) for path in self._folder.glob("*.bytes")]
        total = sum(stat.st_size for stat, _path in copies)
        for stat, path in sorted(copies, key=lambda each: each[0].st_mtime_ns):
            if total <= self._most_bytes:
                return
            if self.is_done(path.stem):
                path.unlink()
                total -= stat.st_size

    def _path(self, digest: str, ending: str) -> Path:
        return self._folder / f"{digest}.{ending}"


def kept_since(folder: Path, since: datetime) -> Iterator[Taken]:
    """Copies of what was taken at `since` or later, oldest first. Reads beside a gateway that
    writes; a damaged copy is passed over. Raises OSError."""
    dated = []
    for path in folder.glob("*.bytes"):
        try:
            dated.append((_named(folder, path.stem)[1], path.stem))
        except _UNLIKE:
            _log.error("copy damaged", digest=path.stem)
    for at, digest in sorted(dated):
        if at < since:
            continue
        try:
            yield _copy(folder, digest)
        except FileNotFoundError:  # thrown away meanwhile
            continue
        except _UNLIKE:
            _log.error("copy damaged", digest=digest)


def _named(folder: Path, digest: str) -> tuple[str, datetime]:
    """A file's name and when it was taken. Raises OSError or what is in `_UNLIKE`."""
    told = json.loads((folder / f"{digest}.name").read_bytes())
    return str(told["name"]), datetime.fromisoformat(told["taken_at"])


def _copy(folder: Path, digest: str) -> Taken:
    """Raises OSError or what is in `_UNLIKE`."""
    content = (folder / f"{digest}.bytes").read_bytes()
    name, at = _named(folder, digest)
    if digest_of(content) != digest:
        raise ValueError("not what was kept")
    return Taken(Export(content, name), at)


def _locked(path: Path) -> int:
    """The lock goes with the process, however it ends."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise JournalInUse(f"{path.parent} is in use by another gateway") from error
    return fd
