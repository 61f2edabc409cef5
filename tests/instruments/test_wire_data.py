"""Every file of real sessions, cut at every point: delivered right, or quarantined truthfully."""

import itertools
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.astm.frames import Keep, Kind, Receiver, Reply, framed
from instruments.astm.line import Line
from instruments.astm.session import Assembly, Received
from instruments.drivers import DRIVERS
from instruments.measurement import Capture
from instruments.reader import Reader

WIRE = Path(__file__).parent.parent / "data" / "astm_wire"
SESSIONS = sorted(WIRE.glob("*.bin"))
BARE = [WIRE / "goastm_galileo_result.astm", WIRE / "kardianos_lis2a.txt"]
NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)
ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"


class Ear:
    """What a line makes of bytes: every reply and every message, in order."""

    def __init__(self, line: Receiver | Line) -> None:
        self.line, self.assembly = line, Assembly()
        self.said = b""
        self.messages: list[Received] = []

    def hears(self, data: bytes, now_s: float = 0.0) -> None:
        for action in self.line.feed(data, now_s):
            if isinstance(action, Reply):
                self.said += action.byte
                continue
            self.line.kept(True)
            if action.kind is Kind.FRAME:
                self.messages += self.assembly.frame(action.data)
            elif action.kind is Kind.END:
                self.messages += self.assembly.end()


def heard(pieces: list[bytes], line: Receiver | Line) -> tuple[bytes, list[Received]]:
    ear = Ear(line)
    for piece in pieces:
        ear.hears(piece)
    return ear.said, ear.messages


def captured(messages: list[Received], driver: str) -> list[Capture]:
    reader = Reader(DRIVERS[driver], "a")
    return [capture for each in messages if (capture := reader.capture(each, NOW))]


def outcome(path: Path, driver: str) -> list[str]:
    messages = (
        heard([path.read_bytes()], Receiver())[1]
        if path in SESSIONS
        else [Received(path.read_bytes())]
    )
    return [
        c.quarantine.reason if c.quarantine else f"{len(c.measurements)} measured"
        for c in captured(messages, driver)
    ]


@pytest.mark.parametrize(
    ("name", "driver", "told"),
    [
        ("genexpert65_POOL_4_samples.bin", "genexpert", ["1 measured"]),
        ("genexpert_302-7279-6.1.1.1_all_negative.bin", "genexpert", ["4 measured"]),
        ("genexpert_302-7279-6.1.1.2_sarscov2_positive.bin", "genexpert", ["4 measured"]),
        (
            "genexpert_302-7279-6.1.1.9_no_result_TRUNCATED_R1.bin",
            "genexpert",
            ["truncated-record"],
        ),
        ("m2000_run_one_session.bin", "m2000", ["1 measured"] * 5),
        ("goastm_galileo_result.astm", "genexpert", ["another-instrument"]),
        ("goastm_galileo_result.astm", "m2000", ["another-instrument"]),
        ("kardianos_lis2a.txt", "genexpert", ["another-instrument"]),
        ("kardianos_lis2a.txt", "m2000", ["another-instrument"]),
    ],
)
def test_each_file_is_delivered_or_quarantined_with_its_reason(
    name: str, driver: str, told: list[str]
) -> None:
    assert outcome(WIRE / name, driver) == told


def test_the_table_above_has_every_file() -> None:
    files = {path.name for path in WIRE.iterdir()} - {"SOURCES.md"}
    assert files == {path.name for path in [*SESSIONS, *BARE]}


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("line", [Receiver, Line])
def test_a_session_split_at_any_point_gives_the_same_replies_and_messages(
    path: Path, line: type[Receiver] | type[Line]
) -> None:
    session = path.read_bytes()
    whole = heard([session], line())
    assert NAK not in whole[0]
    for at in range(1, len(session)):
        assert heard([session[:at], session[at:]], line()) == whole, f"split at {at}"
    assert heard([session[at : at + 1] for at in range(len(session))], line()) == whole


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_damage_and_chunks_of_any_kind_do_not_depend_on_each_other(
    path: Path, data: st.DataObject
) -> None:
    session = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4), "damaged bytes")):
        at = data.draw(st.integers(0, len(session) - 1))
        session[at] = data.draw(st.integers(0, 255) | st.sampled_from(b"\x02\x03\x04\x05\x17"))
    cuts = data.draw(st.lists(st.integers(0, len(session)), max_size=20), "cuts")
    edges = [0, *sorted(cuts), len(session)]
    pieces = [bytes(session[begin:end]) for begin, end in itertools.pairwise(edges)]
    assert heard(pieces, Receiver()) == heard([bytes(session)], Receiver())


def test_a_gigabyte_without_an_end_is_refused_again_and_again_and_never_held() -> None:
    """A thousandth of it is fed here: what matters is that nothing grows."""
    ear = Ear(receiver := Receiver())
    ear.hears(ENQ + b"\x02" + b"1")
    for _ in range(300):
        ear.hears(b"x" * 4096)
        assert len(receiver._body) <= 63_996
    assert ear.said == ACK + NAK, "once told, the rest is noise between frames"
    ear.hears(framed(1, b"H|\\^&\r", last=True) + EOT)
    assert ear.said == ACK + NAK + ACK


def test_endless_frames_one_behind_the_other_are_each_refused() -> None:
    ear = Ear(receiver := Receiver())
    ear.hears(ENQ)
    for _ in range(20):
        ear.hears(b"\x021" + b"x" * 70_000)
        assert len(receiver._body) <= 63_996
    assert ear.said == ACK + NAK * 20


@pytest.mark.parametrize("seed", range(5))
def test_a_minute_of_binary_garbage_at_line_rate_holds_nothing_and_passes(seed: int) -> None:
    """115,200 baud, 8N1: 11,520 bytes a second."""
    rng = random.Random(seed)
    ear = Ear(receiver := Receiver())
    kept: list[Keep] = []
    for second in range(60):
        for action in receiver.feed(rng.randbytes(11_520), float(second)):
            if isinstance(action, Keep):
                receiver.kept(True)
                kept.append(action)
        assert len(receiver._body) <= 63_996
    texts = [keep.data for keep in kept if keep.kind is Kind.FRAME]
    assert all(len(text) < 3_000 for text in texts), "a sum of eight bits lets one in 256 pass"
    for action in receiver.tick(100.0):
        if isinstance(action, Keep):
            receiver.kept(True)
    ear.hears(ENQ + framed(1, b"H|\\^&\r", last=True) + EOT, 200.0)
    assert ear.said == ACK + ACK
