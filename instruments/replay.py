"""Tell a journal again through the driver of today: what was kept is read as if it came now.

The same bytes make the same digest, so the LIMS answers a message it has with the same receipt and
nothing is new; one that it holds in quarantine it reads anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from instruments import quarantine
from instruments.intake import telling_of
from instruments.journal import CHECKPOINT, all_entries
from instruments.measurement import Capture
from instruments.outbox import owe_again, told_again
from instruments.reader import Reader
from instruments.spool import Spool


@dataclass(frozen=True, slots=True)
class Replayed:
    """One message told again, in short."""

    digest: str
    captured_at: str
    complete: bool
    measurements: int
    quarantine: str | None


def captures_since(spool: Spool, reader: Reader, since: datetime) -> Iterator[Capture]:
    """Of every segment kept, those that became whole at `since` or later, each digest once.
    Raises OSError."""
    telling = telling_of(reader.format)
    told: set[str] = set()
    first = True
    for entry in all_entries(spool.journal):
        if entry.kind == CHECKPOINT and first:
            reader.held = entry.data  # later ones say what was just told
            first = False
        for received in telling.tell(entry):
            capture = reader.capture(received, entry.written_at)
            if capture and entry.written_at >= since and capture.digest not in told:
                told.add(capture.digest)
                yield capture


def replay(spool: Spool, reader: Reader, since: datetime, *, owe: bool) -> Iterator[Replayed]:
    """Each message, put where a gateway that runs (or the next that starts) takes it up when the
    last was told. `owe` False: only say what would be. Raises OSError."""
    for number, capture in enumerate(captures_since(spool, reader, since), 1):
        if owe:
            owe_again(spool.outbox, number, capture)
            quarantine.settle(spool.outbox, capture)
        why = capture.quarantine
        yield Replayed(
            digest=capture.digest,
            captured_at=capture.captured_at,
            complete=capture.complete,
            measurements=len(capture.measurements),
            quarantine=f"{why.reason}: {why.detail}" if why else None,
        )
    if owe:
        told_again(spool.outbox)
