"""What is held of a broken session, and what may make it whole: never a guess."""

from pathlib import Path

import pytest

from instruments import journal
from instruments.astm.frames import framed
from instruments.astm.sender import cut
from tests.instruments.test_intake import (
    ENQ,
    EOT,
    FRAMES,
    NAK,
    RECORDS,
    Gateway,
    gateway,
    tail_after,
    wells_of,
)
from tests.instruments.test_journal import files_no_larger_than

__all__ = ["gateway"]


def test_a_part_in_doubt_is_not_made_whole_by_its_tail(gateway: Gateway) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:8]))
    other = RECORDS[7].replace(b"S2", b"S9")
    assert gateway.hears(framed(8, other, last=True)) == NAK
    gateway.hears(EOT)
    gateway.hears(ENQ + b"".join(cut(tail_after(8))) + EOT)
    captures = gateway.owed()
    assert [c.quarantine.reason for c in captures if c.quarantine] == [
        "frame-conflict",
        "sequence-gap",
    ]
    assert [capture.measurements for capture in captures] == [(), ()]


def test_a_conflict_that_a_full_disk_does_not_keep_is_one_all_the_same(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "ROOM_BYTES", 0)
    gateway.hears(ENQ + b"".join(FRAMES[:4]))
    (segment,) = (tmp_path / "journal").glob("journal-*.log")
    other = RECORDS[3].replace(b"21.00", b"31.00")
    with files_no_larger_than(segment.stat().st_size):
        assert gateway.hears(framed(4, other, last=True)) == NAK
    gateway.hears(b"".join(FRAMES[4:]) + EOT)
    (capture,) = gateway.owed()
    assert capture.quarantine
    assert capture.quarantine.reason == "frame-conflict"


def test_a_line_test_between_a_part_and_its_tail_parts_them_not(gateway: Gateway) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:8]) + EOT)
    gateway.hears(ENQ + b"".join(cut([RECORDS[0], RECORDS[-1]])) + EOT)
    gateway.hears(ENQ + b"".join(cut(tail_after(8))) + EOT)
    whole = gateway.owed()[-1]
    assert whole.quarantine is None
    assert wells_of(whole) == ["A01", "A02", "A03"]


def test_the_journal_of_an_analyser_that_never_says_eot_is_bounded(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, segment_bytes=300)
    for _ in range(40):
        gateway.hears(ENQ + b"".join(FRAMES))
    *segments, _newest = sorted((tmp_path / "journal").glob("journal-*.log"))
    assert len(segments) == 15, "the oldest are thrown away"
    assert max(segment.stat().st_size for segment in segments) < 5000
    gateway.journal.close()
