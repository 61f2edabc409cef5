"""One line's folder on disk: its parts, the version that wrote it, and why it cannot be used."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from instruments import troubles
from instruments.journal import Journal, JournalInUse
from instruments.outbox import Outbox, write_whole
from instruments.troubles import TODO, Trouble

VERSION: Final = 1  # of the journal's and the outbox's form; a reader of 1 refuses 2

_HEALTH_BYTES: Final = 2048
EXIT_CODES: Final = {
    Trouble.SPOOL_IN_USE: 3,
    Trouble.SPOOL_TOO_NEW: 4,
    Trouble.SPOOL_UNREADABLE: 5,
    Trouble.DISK_FULL: 6,
}


class SpoolRefused(Exception):
    """The folder cannot be used now. The message says why and what to do."""

    def __init__(self, trouble: Trouble, root: Path, detail: str) -> None:
        super().__init__(f"{root}: {detail}; {TODO[trouble]}")
        self.trouble = trouble
        self.detail = detail

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.trouble]


@dataclass(frozen=True, slots=True)
class Spool:
    """Where things lie in the folder."""

    root: Path

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def files(self) -> Path:
        """Copies of what was taken from a watched folder."""
        return self.root / "files"

    @property
    def version(self) -> Path:
        return self.root / "version"

    @property
    def health(self) -> Path:
        """How the line stood when its gateway last said so."""
        return self.root / "health.json"

    @property
    def readings(self) -> Path:
        """Who looked at the bytes of which message, and when: they may name people."""
        return self.root / "readings.log"

    def opened(self, now: datetime) -> tuple[Journal, Outbox]:
        """For the one gateway that writes here. Raises SpoolRefused."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.require_known_version()
            journal = Journal(self.journal, now=now)
        except JournalInUse as error:
            raise SpoolRefused(Trouble.SPOOL_IN_USE, self.root, str(error)) from error
        except OSError as error:
            raise self.unusable(error) from error
        try:
            write_whole(self.version, b"%d\n" % VERSION)
            if not self.health.exists():  # on a disk that fills up at once there is no room later
                self.health.write_bytes(b" " * _HEALTH_BYTES)
            return journal, Outbox(self.outbox)
        except OSError as error:
            journal.close()
            raise self.unusable(error) from error

    def require_known_version(self) -> None:
        """A folder without the mark is of version 1. Raises SpoolRefused."""
        try:
            mark = self.version.read_text("ascii").strip()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise SpoolRefused(Trouble.SPOOL_UNREADABLE, self.root, str(error)) from error
        if not mark.isdigit():
            detail = f"its version mark is {mark[:20]!r}, which is none"
            raise SpoolRefused(Trouble.SPOOL_UNREADABLE, self.root, detail)
        if int(mark) > VERSION:
            detail = f"written in form {mark}, this gateway knows {VERSION}"
            raise SpoolRefused(Trouble.SPOOL_TOO_NEW, self.root, detail)

    def keep_health(self, said: bytes) -> None:
        """Of one length each time, so that on a full disk it still fits in the old one's place.
        Raises OSError."""
        whole = said.ljust(_HEALTH_BYTES)
        draft = self.health.with_suffix(".new")
        try:
            draft.write_bytes(whole)
            draft.replace(self.health)
        except OSError:
            draft.unlink(missing_ok=True)
            with self.health.open("r+b") as file:
                file.write(whole)

    def last_health(self) -> dict[str, Any]:
        """Empty when no gateway ever said or what it said was cut."""
        try:
            said = json.loads(self.health.read_bytes())
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def unusable(self, error: OSError) -> SpoolRefused:
        """The refusal that this error of the disk is."""
        return SpoolRefused(troubles.of_disk(error), self.root, str(error))
