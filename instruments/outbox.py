"""Captures owed to the LIMS: one file each, posted in order; what the LIMS refuses is kept in
`dead/` with the reason and holds up nothing behind it.

A file is written whole or not at all (draft, sync, rename, sync of the folder). Its name carries
the order and the digest, so that a message told twice from the journal is owed once.
"""

import json
import os
import threading
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from instruments.journal import sync_folder
from instruments.measurement import Capture

_NAMED = 16  # characters of the digest in a file name: enough to tell what waits apart


@dataclass(frozen=True, slots=True)
class Letter:
    """One capture waiting to be posted."""

    path: Path

    @property
    def digest_start(self) -> str:
        return self.path.stem.split("-")[1]

    def body(self) -> bytes:
        """Raises OSError when the file cannot be read."""
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a capture is dead: the LIMS' status and problem document, or our own finding."""

    status: int | None
    problem: str
    at: str


class Outbox:
    """Filled by the reader, emptied by the poster; safe between those two threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dead = folder / "dead"
        self._dead.mkdir(parents=True, exist_ok=True, mode=0o700)
        for draft in folder.glob("*.new"):
            draft.unlink()
        self._waiting = deque(Letter(path) for path in _letters(folder))
        known = [*_letters(folder), *_letters(self._dead)]
        self._next = 1 + max((int(path.stem.split("-")[0]) for path in known), default=0)
        self._changed = threading.Condition()

    def put(self, capture: Capture) -> bool:
        """False when the same message waits already. Raises OSError when it cannot be kept."""
        named = capture.digest[:_NAMED]
        with self._changed:
            if any(letter.digest_start == named for letter in self._waiting):
                return False
            path = self._folder / f"{self._next:012d}-{named}.json"
        write_whole(path, json.dumps(capture.to_json()).encode("utf-8"))
        with self._changed:
            self._next += 1
            self._waiting.append(Letter(path))
            self._changed.notify_all()
        return True

    def first(self, wait_s: float) -> Letter | None:
        """The oldest, waiting at most `wait_s` for one to come."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), wait_s)
            return self._waiting[0] if self._waiting else None

    def delivered(self, letter: Letter) -> None:
        """The LIMS has it: forget it."""
        letter.path.unlink(missing_ok=True)
        sync_folder(self._folder)
        self._leave(letter)

    def bury(self, letter: Letter, refused: Refused) -> None:
        """The LIMS will never take it as it is: keep it aside with the reason."""
        reason = json.dumps(asdict(refused), ensure_ascii=False).encode("utf-8")
        write_whole(self._dead / f"{letter.path.stem}.problem", reason)
        letter.path.rename(self._dead / letter.path.name)
        sync_folder(self._dead)
        sync_folder(self._folder)
        self._leave(letter)

    def forget(self, letter: Letter) -> None:
        """Its file was taken away by someone else."""
        self._leave(letter)

    def _leave(self, letter: Letter) -> None:
        with self._changed:
            self._waiting.remove(letter)


def waiting_in(folder: Path) -> int:
    return len(_letters(folder))


def dead_in(folder: Path) -> list[tuple[str, Refused]]:
    """Name and reason of each dead letter, oldest first."""
    dead = []
    for path in _letters(folder / "dead"):
        try:
            reason = Refused(**json.loads(path.with_suffix(".problem").read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            reason = Refused(None, f"the reason cannot be read: {error}", "")
        dead.append((path.stem, reason))
    return dead


def revive(folder: Path) -> int:
    """Put every dead letter back in its old place in the order, for a gateway to be started."""
    dead = _letters(folder / "dead")
    for path in dead:
        path.rename(folder / path.name)
        path.with_suffix(".problem").unlink(missing_ok=True)
    sync_folder(folder)
    return len(dead)


def write_whole(path: Path, content: bytes) -> None:
    """The file is there whole and for good, or OSError is raised and it is not there."""
    draft = path.with_suffix(".new")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _letters(folder: Path) -> list[Path]:
    return sorted(folder.glob("*-*.json"))
