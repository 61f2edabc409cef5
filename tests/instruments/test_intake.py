"""From bytes on the line to captures owed, over crashes at every point in between."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments import journal
from instruments.analyser_messages import Well, encoded, plate_message, unsaved_tail
from instruments.astm.frames import Receiver, framed
from instruments.astm.sender import cut
from instruments.drivers import DRIVERS
from instruments.intake import Intake
from instruments.journal import Journal
from instruments.measurement import Capture, Role
from instruments.outbox import Outbox
from instruments.reader import Reader
from tests.instruments.test_journal import files_no_larger_than

WIRE = Path(__file__).parent.parent / "data" / "astm_wire"
NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)
ENQ, EOT, ACK, NAK = b"\x05", b"\x04", b"\x06", b"\x15"


class Gateway:
    """The gateway without line and LIMS; `killed()` forgets all that is not on disk."""

    def __init__(self, folder: Path, driver: str = "plate96", **journal: int) -> None:
        self.folder, self.driver, self.limits = folder, driver, journal
        self.now_s = 0.0
        self.start()

    def start(self) -> None:
        self.journal = Journal(self.folder / "journal", now=NOW, **self.limits)
        self.outbox = Outbox(self.folder / "outbox")
        reader = Reader(DRIVERS[self.driver], "cycler-1")
        ticks = itertools.count()
        self.intake = Intake(
            self.journal, self.outbox, reader, Receiver(), lambda: NOW + timedelta(0, next(ticks))
        )
        self.intake.take_up(self.now_s)

    def killed(self) -> None:
        self.journal.close()
        self.start()

    def hears(self, data: bytes) -> bytes:
        said: list[bytes] = []
        self.intake.hear(data, self.now_s, said.append)
        return b"".join(said)

    def waits(self, seconds: float) -> None:
        self.now_s += seconds
        self.intake.tick(self.now_s)

    def owed(self) -> list[Capture]:
        return list(self._taken())

    def _taken(self) -> Iterator[Capture]:
        while letter := self.outbox.first(0):
            yield Capture.from_json(json.loads(letter.body()))
            self.outbox.delivered(letter)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path)
    yield gateway
    gateway.journal.close()


def plate_records(wells: int = 3, plate: str = "PL7") -> list[bytes]:
    drawn = [
        Well(f"A{n:02}", f"S{n}", Role.SPECIMEN, {"ORF1ab": 20.0 + n, "N": None, "IC": 27.0})
        for n in range(1, wells + 1)
    ]
    return encoded(plate_message(plate, drawn, serial="C1", ended_at=NOW))


def wells_of(capture: Capture) -> list[str | None]:
    return [measurement.well for measurement in capture.measurements]


RECORDS = plate_records()
FRAMES = cut(RECORDS)
RAW = b"".join(RECORDS)


def test_a_whole_message_is_owed_once_with_its_measurements(gateway: Gateway) -> None:
    assert gateway.hears(ENQ + b"".join(FRAMES) + EOT) == ACK * (1 + len(FRAMES))
    (capture,) = gateway.owed()
    assert capture.raw == RAW
    assert capture.complete
    assert wells_of(capture) == ["A01", "A02", "A03"]
    assert (capture.instrument, capture.driver, capture.quarantine) == ("cycler-1", "plate96", None)


def test_a_message_is_owed_before_eot_and_a_restart_does_not_owe_it_again(gateway: Gateway) -> None:
    gateway.hears(ENQ + b"".join(FRAMES))
    assert len(gateway.owed()) == 1
    gateway.killed()
    gateway.hears(EOT)
    assert gateway.owed() == []


@pytest.mark.parametrize("kept", range(1, len(FRAMES) + 1))
def test_killed_between_keeping_a_frame_and_its_ack_the_repeat_makes_one_whole_message(
    gateway: Gateway, kept: int
) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:kept]))
    gateway.killed()
    rest = FRAMES[kept - 1 :]
    assert gateway.hears(b"".join(rest) + EOT) == ACK * len(rest)
    captures = gateway.owed()
    assert {capture.raw for capture in captures} == {RAW}
    assert all(wells_of(capture) == ["A01", "A02", "A03"] for capture in captures)


def test_killed_between_keeping_the_last_frame_and_the_outbox_it_is_captured_at_the_start(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path / "journal", now=NOW)
    start = journal.append(b"S", b"", session=0, now=NOW)
    for frame in FRAMES:
        journal.append(b"F", frame[1:-4], session=start.sequence, now=NOW)
    journal.close()
    gateway = Gateway(tmp_path)
    (capture,) = gateway.owed()
    assert (capture.raw, capture.complete) == (RAW, True)
    gateway.journal.close()


def test_a_session_left_by_a_crash_and_never_resumed_is_owed_as_incomplete(
    gateway: Gateway,
) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:8]))
    gateway.killed()
    gateway.waits(29.0)
    assert gateway.owed() == []
    gateway.waits(1.0)
    (capture,) = gateway.owed()
    assert not capture.complete
    assert capture.quarantine is None
    assert wells_of(capture) == ["A01"], "A02 may be half there"


@pytest.mark.parametrize("sent", range(3, len(FRAMES)))
def test_a_plate_broken_off_anywhere_and_sent_again_whole_loses_nothing(
    gateway: Gateway, sent: int
) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:sent]))
    gateway.killed()
    gateway.hears(ENQ + b"".join(FRAMES) + EOT)
    held, whole = gateway.owed()
    assert (held.complete, whole.complete) == (False, True)
    assert held.quarantine is None
    assert whole.raw == RAW
    assert wells_of(whole)[: len(wells_of(held))] == wells_of(held)


def tail_after(acknowledged: int) -> list[bytes]:
    return unsaved_tail(RECORDS, acknowledged)


@pytest.mark.parametrize("sent", range(3, len(FRAMES)))
def test_a_plate_broken_off_anywhere_and_resumed_with_its_tail_is_one_whole_message(
    gateway: Gateway, sent: int
) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:sent]))
    gateway.killed()
    gateway.hears(ENQ + b"".join(cut(tail_after(sent))) + EOT)
    held, whole = gateway.owed()
    assert not held.complete
    assert whole.complete
    assert whole.quarantine is None
    assert wells_of(whole) == ["A01", "A02", "A03"]
    assert [len(measurement.targets) for measurement in whole.measurements] == [3, 3, 3]


def test_a_tail_that_breaks_off_too_is_resumed_by_the_next(gateway: Gateway) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:5]) + EOT)
    gateway.hears(ENQ + b"".join(cut(tail_after(5)[:4])) + EOT)
    gateway.hears(ENQ + b"".join(cut(RECORDS[:2])) + EOT)
    gateway.killed()
    gateway.hears(ENQ + b"".join(cut(tail_after(6))) + EOT)
    captures = gateway.owed()
    assert [capture.complete for capture in captures] == [False, False, True]
    assert wells_of(captures[-1]) == ["A01", "A02", "A03"]


def test_a_tail_that_breaks_off_after_the_parents_takes_nothing_away_from_what_is_held(
    gateway: Gateway,
) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:8]) + EOT)
    gateway.hears(ENQ + b"".join(cut(tail_after(8)[:3])) + EOT)
    gateway.killed()
    gateway.hears(ENQ + b"".join(cut(tail_after(8))) + EOT)
    whole = gateway.owed()[-1]
    assert whole.complete
    assert whole.quarantine is None
    assert wells_of(whole) == ["A01", "A02", "A03"]


def test_an_open_session_s_start_stays_in_the_newest_segment_over_two_crashes(
    tmp_path: Path,
) -> None:
    gateway = Gateway(tmp_path, segment_bytes=300)
    gateway.hears(ENQ + b"".join(FRAMES[:8]))
    gateway.killed()
    gateway.killed()
    assert gateway.hears(b"".join(FRAMES[8:]) + EOT) == ACK * len(FRAMES[8:])
    (whole,) = gateway.owed()
    assert wells_of(whole) == ["A01", "A02", "A03"]
    gateway.journal.close()


def test_a_tail_whose_beginning_never_came_is_quarantined_with_its_bytes(gateway: Gateway) -> None:
    gateway.hears(ENQ + b"".join(cut(tail_after(7))) + EOT)
    (capture,) = gateway.owed()
    assert capture.quarantine
    assert capture.quarantine.reason == "sequence-gap"
    assert capture.raw == b"".join(tail_after(7))


def test_a_full_disk_is_a_nak_and_the_message_is_whole_once_there_is_room(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "ROOM_BYTES", 0)
    gateway.hears(ENQ + FRAMES[0])
    (segment,) = (tmp_path / "journal").glob("journal-*.log")
    with files_no_larger_than(segment.stat().st_size):
        assert gateway.hears(FRAMES[1]) == NAK
    assert gateway.hears(b"".join(FRAMES[1:]) + EOT) == ACK * (len(FRAMES) - 1)
    (capture,) = gateway.owed()
    assert capture.raw == RAW


def test_a_capture_the_disk_refuses_is_owed_from_memory_and_again_after_a_crash(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "ROOM_BYTES", 0)
    (segment,) = (tmp_path / "journal").glob("journal-*.log")
    gateway.hears(ENQ + b"".join(FRAMES[:-1]))
    with files_no_larger_than(segment.stat().st_size + 60):
        assert gateway.hears(FRAMES[-1]) == ACK, "the last frame just fits, its capture does not"
    (capture,) = gateway.owed()
    assert capture.raw == RAW
    gateway.killed()
    (capture,) = gateway.owed()
    assert capture.raw == RAW


def test_a_frame_in_two_versions_quarantines_its_message(gateway: Gateway) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:4]))
    other = RECORDS[3].replace(b"21.00", b"31.00")
    assert gateway.hears(framed(4, other, last=True)) == NAK
    gateway.hears(b"".join(FRAMES[4:]) + EOT)
    (capture,) = gateway.owed()
    assert capture.quarantine
    assert capture.quarantine.reason == "frame-conflict"


def test_a_driver_that_falls_quarantines_the_message_and_names_no_value(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(_message: object) -> None:
        raise KeyError("Mrs Example")

    monkeypatch.setattr(DRIVERS["plate96"], "measurements", fall)
    gateway.hears(ENQ + b"".join(FRAMES) + EOT)
    (capture,) = gateway.owed()
    assert capture.quarantine
    assert capture.quarantine.reason == "driver-fault"
    assert "Example" not in capture.quarantine.detail


def test_a_line_test_and_a_lone_header_owe_nothing(gateway: Gateway) -> None:
    gateway.hears(ENQ + EOT)
    gateway.hears(ENQ + FRAMES[0] + EOT)
    assert gateway.owed() == []


def test_a_line_test_of_header_and_terminator_does_not_close_a_plate(gateway: Gateway) -> None:
    gateway.hears(ENQ + b"".join(FRAMES[:8]) + EOT)
    gateway.hears(ENQ + b"".join(cut([RECORDS[0], RECORDS[-1]])) + EOT)
    held, empty = gateway.owed()
    assert wells_of(held) == ["A01"]
    assert empty.quarantine
    assert empty.quarantine.reason == "no-results"


def test_what_is_held_goes_into_the_next_segment_of_the_journal(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, segment_bytes=300)
    gateway.hears(ENQ + b"".join(FRAMES[:8]) + EOT)
    assert len(list((tmp_path / "journal").glob("journal-*.log"))) == 2
    gateway.killed()
    gateway.hears(ENQ + b"".join(cut(tail_after(8))) + EOT)
    assert wells_of(gateway.owed()[-1]) == ["A01", "A02", "A03"]
    gateway.journal.close()


def test_an_m2000_session_owes_its_five_messages(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, driver="genexpert")
    gateway.hears((WIRE / "m2000_run_one_session.bin").read_bytes())
    captures = gateway.owed()
    assert [c.quarantine.reason for c in captures if c.quarantine] == ["another-instrument"] * 5
    gateway.journal.close()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_killed_at_any_moments_every_well_is_told_and_the_whole_plate_is_among_them(
    data: st.DataObject,
) -> None:
    """The analyser sends the whole message anew after each silence, until it was wholly ACKed."""
    with TemporaryDirectory() as name:
        gateway = Gateway(Path(name))
        captures: list[Capture] = []
        for _ in range(data.draw(st.integers(0, 4), "crashes")):
            said = gateway.hears(ENQ + b"".join(FRAMES[: data.draw(st.integers(0, len(FRAMES)))]))
            assert NAK not in said
            captures += gateway.owed() if data.draw(st.booleans(), "posted") else []
            gateway.killed()
            if data.draw(st.booleans(), "silent"):
                gateway.waits(31.0)
        gateway.hears(ENQ + b"".join(FRAMES) + EOT)
        captures += gateway.owed()
        gateway.journal.close()
    assert all(capture.quarantine is None for capture in captures)
    assert RAW in {capture.raw for capture in captures}
    told = {repr(measurement) for capture in captures for measurement in capture.measurements}
    assert len(told) == 3, "no well differs between captures"
