"""Tell what was kept, a journal or a folder's copies, again through the driver of today: it is read
as if it came now.

The same bytes make the same digest, so the LIMS answers a message it has with the same receipt and
nothing is new; one that it holds in quarantine it reads anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instruments import quarantine
from instruments.drivers import Driver, Format
from instruments.files.capture import file_capture
from instruments.files.kept import kept_since
from instruments.host_query import question_in
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


def captures_since(
    spool: Spool, driver: Driver[Any], instrument: str, since: datetime
) -> Iterator[Capture]:
    """What became whole, or was taken, at `since` or later, each digest once. Raises OSError."""
    if driver.format is Format.FILE:
        for taken in kept_since(spool.files, since):
            yield file_capture(driver, taken.export, instrument, taken.at)
        return
    yield from _of_journal(spool, Reader(driver, instrument), since)


def _of_journal(spool: Spool, reader: Reader, since: datetime) -> Iterator[Capture]:
    """Of every segment kept. A question is over: whoever asked it has stopped waiting."""
    telling = telling_of(reader.format)
    told: set[str] = set()
    first = True
    for entry in all_entries(spool.journal):
        if entry.kind == CHECKPOINT and first:
            reader.held = entry.data  # later ones say what was just told
            first = False
        for received in telling.tell(entry):
            if reader.format is Format.ASTM and question_in(received.text):
                continue
            capture = reader.capture(received, entry.written_at)
            if capture and entry.written_at >= since and capture.digest not in told:
                told.add(capture.digest)
                yield capture


def replay(
    spool: Spool, driver: Driver[Any], instrument: str, since: datetime, *, owe: bool
) -> Iterator[Replayed]:
    """Each message, put where a gateway that runs (or the next that starts) takes it up when the
    last was told. `owe` False: only say what would be. Raises OSError."""
    for number, capture in enumerate(captures_since(spool, driver, instrument, since), 1):
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
