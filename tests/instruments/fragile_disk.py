"""A journal and an outbox in whose every step towards the disk the process may be killed."""

import random
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from instruments.journal import Entry, Journal
from instruments.measurement import Capture
from instruments.outbox import Outbox


class Killed(BaseException):
    """The process is gone: nothing after this line of code happened."""


@dataclass
class Fuse:
    """Burns down with every step towards the disk or the line; at nought the process is killed."""

    steps: int
    rng: random.Random

    def burn(self) -> None:
        self.steps -= 1
        if self.steps == 0:
            raise Killed


class FragileJournal(Journal):
    fuse: Fuse
    at: Path

    def append(self, kind: bytes, data: bytes, *, session: int, now: datetime) -> Entry:
        try:
            self.fuse.burn()
        except Killed:
            if self.fuse.rng.random() < 0.5:
                self._tear(Entry(1 << 40, session, now, kind, data).packed())
            raise
        entry = super().append(kind, data, session=session, now=now)
        self.fuse.burn()
        return entry

    def rotate_if_large(self, checkpoint: bytes, now: datetime) -> bool:
        if self._end < self._segment_bytes:
            return False
        self.fuse.burn()
        rotated = super().rotate_if_large(checkpoint, now)
        self.fuse.burn()
        return rotated

    def _tear(self, packed: bytes) -> None:
        """What a power cut leaves of an entry under way."""
        with max(self.at.glob("journal-*.log")).open("ab") as segment:
            segment.write(packed[: self.fuse.rng.randrange(len(packed))])


class FragileOutbox(Outbox):
    fuse: Fuse

    def put(self, capture: Capture) -> bool:
        self.fuse.burn()
        fresh = super().put(capture)
        self.fuse.burn()
        return fresh
