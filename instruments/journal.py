"""What came over the line, on disk before it is acknowledged: append-only, synced, replayable.

A segment file is a row of entries: length and CRC-32 of the rest, then sequence, session, wall
clock and kind, then the bytes. A crash can leave only the last entry torn; on opening, the file is
cut at its last whole entry and what is cut is kept beside it. A segment opens with a checkpoint,
so that the newest one alone tells how things stand.

Room is laid out ahead as zeros: a sync then has bytes to write and no longer the file's new length,
which costs most of it. Zeros after the last entry are that room and nothing that was torn.
"""

import contextlib
import fcntl
import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from instruments.own_file import for_us_alone

SEGMENT_BYTES = 8 * 1024 * 1024
SEGMENTS_KEPT = 16
ROOM_BYTES = 64 * 1024  # laid out at a time: six seconds of a line at 115200 baud
CHECKPOINT = b"H"  # opens a segment; data is the caller's

_FRAME = struct.Struct(">II")  # length of head and data; their CRC-32
_HEAD = struct.Struct(">QQqc")  # sequence, session, microseconds since 1970 UTC, kind
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRIES = 3  # `in_use` holds the lock for a moment
_SYNC = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


class JournalInUse(RuntimeError):
    """Another gateway writes in this folder; two would tear each other's entries."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`session` is the sequence of the entry that began the session; 0 outside one."""

    sequence: int
    session: int
    written_at: datetime
    kind: bytes
    data: bytes

    def packed(self) -> bytes:
        micros = (self.written_at - _EPOCH) // timedelta(microseconds=1)
        rest = _HEAD.pack(self.sequence, self.session, micros, self.kind) + self.data
        return _FRAME.pack(len(rest), zlib.crc32(rest)) + rest


class Journal:
    """One gateway's journal. `append` returns only when the entry is on disk."""

    def __init__(self, folder: Path, *, now: datetime, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Raises `JournalInUse`, or OSError where the folder cannot be written."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._lock = _locked(folder / "lock")
        self.torn_bytes = 0
        self.refused: OSError | None = None  # why the last append was not kept
        self._next = 1
        segments = _segments(folder)
        if segments:
            self._open(_adopted(segments))
        else:
            self._begin_segment(b"", now)
        self._keep_reserve()

    def append(
        self, kind: bytes, data: bytes, *, session: int, now: datetime, sync: bool = True
    ) -> Entry:
        """Raises OSError (disk full, input/output error) with nothing of the entry left behind.
        `session` 0 begins a session, whose number is then the entry's own sequence. Without `sync`
        it is on disk with the next one that has it; a crash before that takes it back."""
        entry = Entry(self._next, session, now, kind, data)
        packed = entry.packed()
        try:
            if self.refused:
                self._cut()  # what the append that failed may have left
            if self._end + len(packed) > self._room_until:
                self._lay_out_room(len(packed))
            _write_all(self._fd, packed, self._end)
            if sync:
                _SYNC(self._fd)
        except OSError as error:
            self.refused = error
            with contextlib.suppress(OSError):  # the next append cuts
                self._cut()
            raise
        self.refused = None
        self._end += len(packed)
        self._next += 1
        return entry

    def entries(self) -> Iterator[Entry]:
        """Of the newest segment, from its checkpoint on."""
        for entry, _end in _whole_entries(self._path):
            yield entry

    @property
    def large(self) -> bool:
        return self._end >= self._segment_bytes

    def rotate_if_large(self, checkpoint: bytes, now: datetime) -> bool:
        """Begin a new segment, which must say all that matters of the old ones. Raises OSError
        and stays on the old segment when the new one cannot be made."""
        if self._end < max(self._segment_bytes, 2 * len(checkpoint)):  # or each would be too large
            return False
        self._follow(checkpoint, now)
        for path in _segments(self._folder)[:-SEGMENTS_KEPT]:
            path.unlink()
        return True

    def make_room(self, checkpoint: bytes, now: datetime) -> None:
        """On a disk that refuses, of a journal of which nothing is due any more: what was kept for
        a replay goes, the oldest first, so that what comes can be kept. Raises OSError."""
        *older, _newest = _segments(self._folder)
        if not older:
            self._reserve.unlink(missing_ok=True)
            self._follow(checkpoint, now)
            older = _segments(self._folder)[:-1]
        older[0].unlink()
        self._keep_reserve()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the room is borne where it cannot be given back
            self._cut()
        os.close(self._fd)
        os.close(self._lock)

    @property
    def _reserve(self) -> Path:
        return self._folder / "reserve"

    def _keep_reserve(self) -> None:
        """Room for a new segment's checkpoint on a disk that others fill. Where there is none for
        it, there is none to keep."""
        with contextlib.suppress(OSError):
            if not self._reserve.exists():
                self._reserve.write_bytes(bytes(ROOM_BYTES))

    def _follow(self, checkpoint: bytes, now: datetime) -> None:
        """By a new segment."""
        old, end = self._fd, self._end
        self._begin_segment(checkpoint, now)
        with contextlib.suppress(OSError):
            os.ftruncate(old, end)
        os.close(old)

    def _open(self, path: Path) -> None:
        end = 0
        self._next = int(path.stem.removeprefix("journal-"))
        for entry, stop in _whole_entries(path):
            end = stop
            self._next = entry.sequence + 1
        self._path = path
        self._fd = os.open(path, os.O_RDWR)
        self._end = self._room_until = end
        self._cut_torn_tail()

    def _cut_torn_tail(self) -> None:
        tail = os.pread(self._fd, os.fstat(self._fd).st_size - self._end, self._end)
        if not tail.strip(b"\0"):
            self._room_until = self._end + len(tail)
            return
        self.torn_bytes = len(tail)
        kept = self._path.with_suffix(f".torn-{self._end}")
        with open(kept, "wb", opener=for_us_alone) as file:
            file.write(tail)
        self._cut()
        os.fsync(self._fd)

    def _cut(self) -> None:
        """To the last whole entry: room and all."""
        os.ftruncate(self._fd, self._end)
        self._room_until = self._end

    def _lay_out_room(self, size: int) -> None:
        """As much as there is; where the disk gives none, the entry itself will say so."""
        try:
            _write_all(self._fd, bytes(size + ROOM_BYTES), self._end)
            self._room_until = self._end + size + ROOM_BYTES
        except OSError:
            self._cut()

    def _begin_segment(self, checkpoint: bytes, now: datetime) -> None:
        entry = Entry(self._next, 0, now, CHECKPOINT, checkpoint)
        path = self._folder / f"journal-{self._next:016d}.log"
        packed = entry.packed()
        draft = path.with_suffix(".new")
        fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(fd, packed, 0)
            os.fsync(fd)
            draft.rename(path)
            sync_folder(self._folder)
        except OSError:
            os.close(fd)
            _take_away(draft, path)  # the newest segment is believed, and this one is not it
            raise
        self._path, self._fd = path, fd
        self._end = self._room_until = len(packed)
        self._next += 1


def sync_folder(folder: Path) -> None:
    """Make a created, renamed or removed name in `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def journal_bytes(folder: Path) -> int:
    """For the status: how much is kept."""
    return sum(_size(path) for path in _segments(folder))


def all_entries(folder: Path) -> Iterator[Entry]:
    """Of every segment still kept, oldest first. Reads beside a gateway that writes: it sees what
    was whole when each segment was opened. Raises OSError."""
    for path in _segments(folder):
        with contextlib.suppress(FileNotFoundError):  # rotated away meanwhile
            for entry, _end in _whole_entries(path):
                yield entry


def in_use(folder: Path) -> bool:
    """True while a gateway holds the journal."""
    try:
        fd = os.open(folder / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("journal-*.log"))


def _adopted(segments: list[Path]) -> Path:
    """The newest, unless the one before it goes on beyond its start: then it was begun, refused by
    the disk, and came back with a power cut. What was acknowledged stands in the one before."""
    if len(segments) > 1:
        before, newest = segments[-2:]
        begins = int(newest.stem.removeprefix("journal-"))
        if any(entry.sequence >= begins for entry, _end in _whole_entries(before)):
            newest.rename(newest.with_suffix(".refused"))
            return before
    return segments[-1]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # rotated away meanwhile
        return 0


def _locked(path: Path) -> int:
    """The lock goes with the process, however it ends."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if not left:
                os.close(fd)
                raise JournalInUse(f"{path.parent} is in use by another gateway") from error
            time.sleep(0.02)
    return fd


def _whole_entries(path: Path) -> Iterator[tuple[Entry, int]]:
    """Each entry with the offset after it, up to the first that is torn."""
    content = path.read_bytes()
    at = 0
    while at + _FRAME.size <= len(content):
        length, crc = _FRAME.unpack_from(content, at)
        rest = content[at + _FRAME.size : at + _FRAME.size + length]
        if length < _HEAD.size or len(rest) < length or zlib.crc32(rest) != crc:
            return
        at += _FRAME.size + length
        sequence, session, micros, kind = _HEAD.unpack_from(rest)
        written_at = _EPOCH + timedelta(microseconds=micros)
        yield Entry(sequence, session, written_at, kind, rest[_HEAD.size :]), at


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written


def _take_away(*paths: Path) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
