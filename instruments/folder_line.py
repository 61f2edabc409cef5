"""A watched folder in the place of a line: what a machine that writes files says to a station."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from instruments.drivers.exports import FileDriver
from instruments.files.folder import FolderIntake
from instruments.files.kept import Kept
from instruments.files.watch import Watch
from instruments.outbox import Outbox
from instruments.troubles import Trouble

POLL_S: Final = 1.0


def folder_of(link: str) -> Path:
    """Raises ValueError for what names no folder."""
    if "://" in link or not link.startswith("/"):
        raise ValueError(f"expected the whole path of a folder, from / on, came {link!r}")
    return Path(link)


class FolderLine:
    """Stands as a `Link` does: `trouble` is None while the folder can be read."""

    def __init__(
        self,
        folder: Path,
        copies: Path,
        outbox: Outbox,
        driver: FileDriver,
        instrument: str,
        *,
        settle_s: float,
        names: Sequence[str],
        now: Callable[[], datetime],
    ) -> None:
        """Raises OSError or JournalInUse where the copies cannot be kept."""
        self._kept = Kept(copies)
        self._outbox = outbox
        self._intake = FolderIntake(
            folder,
            self._kept,
            outbox,
            driver,
            instrument,
            now=now,
            watch=Watch(settle_s=settle_s),
            names=names,
        )
        self.trouble: Trouble | None = None
        self.detail = ""

    def take_up(self) -> None:
        self._intake.take_up()

    def look(self, stop: threading.Event) -> bool:
        """Once, then wait. True when a file was captured."""
        before = self._outbox.last_message_at
        self._intake.poll(time.monotonic())
        missing = self._intake.watch.missing
        self.trouble = Trouble.FOLDER_AWAY if missing else None
        self.detail = missing or ""
        stop.wait(POLL_S)
        return self._outbox.last_message_at != before

    def close(self) -> None:
        self._kept.close()
