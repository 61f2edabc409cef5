"""Captures owed to the LIMS: one file each, posted in order; what the LIMS refuses is kept in
`dead/` with the reason and holds up nothing behind it.

A file is written whole or not at all (draft, sync, rename, sync of the folder). Its name carries
the order and the digest, so that a message told twice from the journal is owed once. What another
process puts in (`retry`, `replay`) is taken up when the mark `again` appears beside it. What was
delivered is only put away at first: to remove a file takes many disks longer than to post it.
"""

import json
import os
import re
import threading
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import structlog

from instruments import quarantine
from instruments.journal import sync_folder
from instruments.measurement import Capture
from instruments.troubles import TODO, Trouble

AGAIN: Final = "again"
REPLAYED: Final = "replayed"
DELIVERED: Final = "delivered"
_NAMED: Final = 16  # characters of the digest in a file name: enough to tell what waits apart
_LETTER: Final = re.compile(r"\d{12}-[0-9a-f]{16}\.json")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """One capture waiting to be posted. `lent`: its content where the disk had no room for it."""

    path: Path
    lent: bytes | None = None

    @property
    def digest_start(self) -> str:
        return self.path.stem.split("-")[1]

    def body(self) -> bytes:
        """Raises OSError when the file cannot be read."""
        return self.path.read_bytes() if self.lent is None else self.lent


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a capture is dead. `problem`: the LIMS' problem document, or our own finding; `status`
    None when it was never sent."""

    reason: Trouble
    status: int | None
    problem: str
    at: str

    @property
    def todo(self) -> str:
        return TODO[self.reason]


class Outbox:
    """Filled by the reader, emptied by the poster; safe between those two threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dead = folder / "dead"
        self._dead.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / DELIVERED).mkdir(exist_ok=True, mode=0o700)
        for draft in folder.glob("*.new"):
            draft.unlink()
        self._unswept = True
        self._waiting = deque(Letter(path) for path in _letters(folder))
        self._names = {letter.digest_start for letter in self._waiting}
        known = [*_letters(folder), *_letters(self._dead)]
        self._next = 1 + max((int(path.stem.split("-")[0]) for path in known), default=0)
        self._changed = threading.Condition()
        self.last_message_at: str | None = None
        self._adopt()

    def put(self, capture: Capture) -> bool:
        """False when the same message waits already. Raises OSError when it cannot be kept."""
        return self.put_all([capture]) == 1

    def put_all(self, captures: Sequence[Capture]) -> int:
        """All of them or, with OSError, none; in their order and with one sync of the folder. How
        many are new: the same message is owed once."""
        with self._changed:
            fresh = {c.digest[:_NAMED]: c for c in captures if c.digest[:_NAMED] not in self._names}
            places = [
                self._folder / f"{number:012d}-{named}.json"
                for number, named in enumerate(fresh, start=self._next)
            ]
            _write_all_whole(
                [
                    (place, json.dumps(capture.to_json()).encode("utf-8"))
                    for place, capture in zip(places, fresh.values(), strict=True)
                ]
            )
            self._next += len(places)
            for place in places:
                self._add(Letter(place))
            if fresh:
                self.last_message_at = captures[-1].captured_at
                self._changed.notify_all()
        for capture in fresh.values():
            self._keep_apart(capture)
        return len(fresh)

    def lend(self, capture: Capture) -> None:
        """Of a disk without room: owed from memory. Its bytes stand in the journal, which must
        keep them until nothing is lent any more."""
        with self._changed:
            if (named := capture.digest[:_NAMED]) not in self._names:
                place = self._folder / f"{self._next:012d}-{named}.json"
                self._next += 1
                self._add(Letter(place, json.dumps(capture.to_json()).encode("utf-8")))
                self._changed.notify_all()

    @property
    def lends(self) -> bool:
        with self._changed:
            return any(letter.lent is not None for letter in self._waiting)

    def first(self, wait_s: float) -> Letter | None:
        """The oldest, waiting at most `wait_s` for one to come."""
        self._look_again()
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), wait_s)
            return self._waiting[0] if self._waiting else None

    def oldest(self, most: int) -> list[Letter]:
        """In order, without waiting."""
        with self._changed:
            return list(islice(self._waiting, most))

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def delivered(self, letter: Letter) -> None:
        """The LIMS has it: forget it. What a power cut brings back is posted again, and the LIMS
        knows its digest: so no folder is synced."""
        try:
            letter.path.rename(self._folder / DELIVERED / letter.path.name)
        except OSError:  # the disk is full, or somebody took it away
            letter.path.unlink(missing_ok=True)
        self._unswept = True
        self._leave(letter)

    def sweep(self) -> None:
        """Remove what was delivered, as long as nothing waits. Of the thread that delivers."""
        if not self._unswept:
            return
        with (
            suppress(OSError),
            os.scandir(self._folder / DELIVERED) as delivered,
        ):  # or when idle next
            for entry in delivered:
                if self._waiting:
                    return
                Path(entry.path).unlink()
            self._unswept = False

    def bury(self, letter: Letter, refused: Refused) -> None:
        """The LIMS will never take it as it is: keep it aside with the reason."""
        reason = json.dumps(asdict(refused), ensure_ascii=False).encode("utf-8")
        write_whole(self._dead / f"{letter.path.stem}.problem", reason)
        if letter.lent is not None:
            write_whole(letter.path, letter.lent)
        letter.path.rename(self._dead / letter.path.name)
        sync_folder(self._dead)
        sync_folder(self._folder)
        self._leave(letter)

    def forget(self, letter: Letter) -> None:
        """Its file was taken away by someone else."""
        self._leave(letter)

    def _add(self, letter: Letter) -> None:
        self._waiting.append(letter)
        self._names.add(letter.digest_start)

    def _leave(self, letter: Letter) -> None:
        with self._changed:
            self._waiting.remove(letter)
            self._names.discard(letter.digest_start)

    def _keep_apart(self, capture: Capture) -> None:
        """A copy of what could not be read, for whoever repairs the line. Best effort: the bytes
        stand in the journal and are on their way to the LIMS."""
        try:
            quarantine.settle(self._folder, capture)
        except OSError as error:
            _log.error("no copy in quarantine", digest=capture.digest, error=str(error))

    def _look_again(self) -> None:
        """What `retry` and `replay` put beside us. The mark goes first: what comes after it was
        looked at will have set it again."""
        try:
            (self._folder / AGAIN).unlink()
        except FileNotFoundError:
            return
        self._adopt()

    def _adopt(self) -> None:
        with self._changed:
            known = {letter.path for letter in self._waiting}
            for path in _letters(self._folder):
                if path in known:
                    continue
                if path.stem.split("-")[1] in self._names:
                    path.unlink()  # the same message waits already
                else:
                    self._add(Letter(path))
            self._waiting = deque(sorted(self._waiting, key=lambda letter: letter.path.name))
            for path in _letters(self._folder / REPLAYED):
                named = path.stem.split("-")[1]
                if named in self._names:
                    path.unlink()
                    continue
                place = self._folder / f"{self._next:012d}-{named}.json"
                path.rename(place)
                self._next += 1
                self._add(Letter(place))
            sync_folder(self._folder)


def waiting_in(folder: Path) -> int:
    return len(_letters(folder))


def dead_count(folder: Path) -> int:
    return len(_letters(folder / "dead"))


def dead_in(folder: Path) -> list[tuple[str, Refused]]:
    """Name and reason of each dead letter, oldest first."""
    dead = []
    for path in _letters(folder / "dead"):
        try:
            said = json.loads(path.with_suffix(".problem").read_bytes())
            said["reason"] = Trouble(said.get("reason", Trouble.REFUSED))
            reason = Refused(**said)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            reason = Refused(Trouble.REFUSED, None, f"the reason cannot be read: {error}", "")
        dead.append((path.stem, reason))
    return dead


def retry(folder: Path, letters: Collection[str] | None = None) -> list[str]:
    """Put dead letters (None: all) back in their old place in the order, beside a gateway that
    runs or for one to be started. The names put back. Raises OSError."""
    put_back = []
    for path in _letters(folder / "dead"):
        if letters is None or path.stem in letters:
            path.rename(folder / path.name)
            path.with_suffix(".problem").unlink(missing_ok=True)
            put_back.append(path.stem)
    if put_back:
        sync_folder(folder)
        (folder / AGAIN).touch(0o600)
    return put_back


def owe_again(folder: Path, number: int, capture: Capture) -> None:
    """Of a replay: to be posted after what waits. Raises OSError."""
    place = folder / REPLAYED
    place.mkdir(exist_ok=True, mode=0o700)
    path = place / f"{number:012d}-{capture.digest[:_NAMED]}.json"
    write_whole(path, json.dumps(capture.to_json()).encode("utf-8"))


def told_again(folder: Path) -> None:
    """All of a replay is written: the gateway may take it up."""
    (folder / AGAIN).touch(0o600)


def write_whole(path: Path, content: bytes) -> None:
    """The file is there whole and for good, or OSError is raised and it is not there."""
    _write_all_whole([(path, content)])


def _write_all_whole(files: Sequence[tuple[Path, bytes]]) -> None:
    """Of one folder."""
    drafts = [path.with_suffix(".new") for path, _content in files]
    try:
        for draft, (_path, content) in zip(drafts, files, strict=True):
            _write_synced(draft, content)
        for draft, (path, _content) in zip(drafts, files, strict=True):
            draft.rename(path)
    except OSError:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise
    if files:
        sync_folder(files[0][0].parent)


def _write_synced(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)


def _letters(folder: Path) -> list[Path]:
    """Nothing else that somebody may have put beside them."""
    return sorted(path for path in folder.glob("*-*.json") if _LETTER.fullmatch(path.name))
