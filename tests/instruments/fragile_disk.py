"""A journal and an outbox in whose every step towards the disk the process may be killed."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
    """Power may go with the process: then what was not synced is there in part, or not at all."""

    fuse: Fuse
    _synced: int | None = None  # where what is not synced begins

    def append(
        self, kind: bytes, data: bytes, *, session: int, now: datetime, sync: bool = True
    ) -> Entry:
        begin = self._end
        try:
            self.fuse.burn()
        except Killed:
            if self.fuse.rng.random() < 0.5:
                self._tear(Entry(1 << 40, session, now, kind, data).packed())
            raise
        entry = super().append(kind, data, session=session, now=now, sync=sync)
        if sync:
            self._synced = None
        elif self._synced is None:
            self._synced = begin
        self.fuse.burn()
        return entry

    def rotate_if_large(self, checkpoint: bytes, now: datetime) -> bool:
        if self._end < self._segment_bytes:
            return False
        self.fuse.burn()
        rotated = super().rotate_if_large(checkpoint, now)
        self._synced = None
        self.fuse.burn()
        return rotated

    def lose(self) -> None:
        """The process is gone: nobody gives room back, nobody syncs."""
        if self._synced is not None and self.fuse.rng.random() < 0.5:
            kept = self.fuse.rng.randint(self._synced, self._end)
            os.pwrite(self._fd, bytes(self._end - kept), kept)
        os.close(self._fd)
        os.close(self._lock)

    def _tear(self, packed: bytes) -> None:
        """What a power cut leaves of an entry under way."""
        os.pwrite(self._fd, packed[: self.fuse.rng.randrange(len(packed))], self._end)


class FragileOutbox(Outbox):
    fuse: Fuse

    def put_all(self, captures: Sequence[Capture]) -> int:
        if captures:
            self.fuse.burn()
        fresh = super().put_all(captures)
        if captures:
            self.fuse.burn()
        return fresh
