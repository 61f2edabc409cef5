"""What is held of a broken session, and what may make it whole: never a guess."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from instruments import journal, quarantine
from instruments.analyser_messages import unsaved_tail
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
    plate_records,
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


def test_a_conflict_after_a_message_s_last_frame_leaves_it_and_the_next_one_alone(
    gateway: Gateway,
) -> None:
    gateway.hears(ENQ + b"".join(FRAMES))
    other = framed(len(FRAMES) % 8, b"L|1|X\r", last=True)
    assert gateway.hears(other) == NAK
    second = plate_records(plate="PL8")
    numbered = [
        framed((len(FRAMES) + n) % 8, record, last=True) for n, record in enumerate(second, start=1)
    ]
    gateway.hears(b"".join(numbered) + EOT)
    first, refused, next_ = gateway.owed()
    assert (first.quarantine, next_.quarantine) == (None, None)
    assert [wells_of(each) for each in (first, next_)] == [["A01", "A02", "A03"]] * 2
    assert refused.quarantine
    assert refused.quarantine.reason == "frame-conflict"
    assert "the message before them stands" in refused.quarantine.detail
    assert refused.raw == b"L|1|X\r"


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


XPERT_HEAD = r"H|@^\|GXM-1||GeneXpert PC^GeneXpert^6.5|||||LIS||P|1394-97|20211121081200"
MAIN = r"R|1|^^^COV^Xpert^4^^|{}^|||||F||op|20211121080000|20211121081100|^700434^^^^"


def xpert_records(*calls: str) -> list[bytes]:
    """One tube, one order."""
    told = [XPERT_HEAD, "P|1"]
    for number, call in enumerate(calls, start=1):
        told += [f"O|{number}|TUBE{number}||^^^COV", MAIN.format(call)]
        told.append(f"R|2|^^^COV^^^E^|{call[:3]}^")
    return [f"{each}\r".encode() for each in (*told, "L|1|N")]


XPERT = xpert_records("POSITIVE", "NEGATIVE", "NEGATIVE")


@pytest.fixture
def cartridges(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, driver="genexpert")
    yield gateway
    gateway.journal.close()


@pytest.mark.parametrize("kept", range(3, len(XPERT)))
def test_closed_cartridges_are_held_and_the_tail_makes_the_message_whole(
    cartridges: Gateway, kept: int
) -> None:
    cartridges.hears(ENQ + b"".join(cut(XPERT[:kept])) + EOT)
    (part,) = cartridges.owed()
    closed = (kept - 3) // 3
    assert not part.complete
    assert [m.specimen for m in part.measurements] == [f"TUBE{n + 1}" for n in range(closed)]
    assert (part.quarantine is None) == bool(closed)
    assert quarantine.count(cartridges.folder / "outbox") == (0 if closed else 1)
    cartridges.killed()
    tail = unsaved_tail(XPERT, kept)
    cartridges.hears(ENQ + b"".join(cut(tail)) + EOT)
    (whole,) = cartridges.owed()
    assert whole.complete
    assert [m.call for m in whole.measurements] == ["POSITIVE", "NEGATIVE", "NEGATIVE"]
    assert quarantine.count(cartridges.folder / "outbox") == 0, "no trouble is left of the part"


@pytest.mark.parametrize("at", range(1, 60, 3))
def test_a_record_cut_in_the_middle_belongs_to_no_part(cartridges: Gateway, at: int) -> None:
    """Of `R|12` the beginning is `R|1`: not a gap in the numbers, but half a record."""
    orders = [f"R|{n}|^^^COV^^^E{n}^|NEG^\r".encode() for n in range(3, 13)]
    records = [*XPERT[:5], *orders, *XPERT[5:]]
    cut_in = 14
    assert records[cut_in].startswith(b"R|12|")
    part = b"".join(records[:cut_in]) + records[cut_in][: min(at, len(records[cut_in]) - 1)]
    cartridges.hears(ENQ + framed(1, part, last=False) + EOT)
    (owed,) = cartridges.owed()
    assert owed.quarantine
    assert owed.quarantine.reason == "no-terminator"
    cartridges.hears(ENQ + b"".join(cut(unsaved_tail(records, cut_in))) + EOT)
    (whole,) = cartridges.owed()
    assert (whole.complete, len(whole.measurements)) == (True, 3)
    assert quarantine.count(cartridges.folder / "outbox") == 0


def test_a_part_without_its_tail_stays_in_quarantine_whatever_else_comes(
    cartridges: Gateway,
) -> None:
    cartridges.hears(ENQ + b"".join(cut(XPERT[:4])) + EOT)
    other = [each.replace(b"TUBE", b"ROHR") for each in XPERT]
    cartridges.hears(ENQ + b"".join(cut(other)) + EOT)
    assert [unread.reason for unread in quarantine.listed(cartridges.folder / "outbox")] == [
        "no-terminator"
    ]


def test_half_an_order_is_seen(cartridges: Gateway) -> None:
    cartridges.hears(ENQ + framed(1, b"".join(XPERT[:2]) + b"O|1|TUB", last=False) + EOT)
    (part,) = cartridges.owed()
    assert part.quarantine
    assert part.quarantine.reason == "no-terminator"
    cartridges.hears(ENQ + b"".join(cut(XPERT)) + EOT)
    assert quarantine.count(cartridges.folder / "outbox") == 0
