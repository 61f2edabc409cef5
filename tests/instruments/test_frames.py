"""The receiver of LIS1-A, told as what an analyser does and what it hears back."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.astm.frames import (
    Control,
    End,
    Keep,
    Kind,
    NotToldWhetherKept,
    Receiver,
    Refusal,
    Reply,
    framed,
)

WIRE = Path(__file__).parent.parent / "data" / "astm_wire"
SESSIONS = sorted(WIRE.glob("*.bin"))
ACK, NAK, ENQ, EOT = b"\x06", b"\x15", b"\x05", b"\x04"


class Host:
    """A caller that keeps everything (or nothing) and remembers what it sent and why."""

    def __init__(self, *, disk_full: bool = False) -> None:
        self.receiver = Receiver()
        self.disk_full = disk_full
        self.kept: list[Keep] = []
        self.said = b""
        self.refusals: list[Refusal] = []

    def hears(self, data: bytes, at_s: float = 0.0) -> bytes:
        before = len(self.said)
        for action in self.receiver.feed(data, at_s):
            self._do(action)
        return self.said[before:]

    def waits_until(self, at_s: float) -> None:
        for action in self.receiver.tick(at_s):
            self._do(action)

    def _do(self, action: Keep | Reply) -> None:
        if isinstance(action, Keep):
            self.receiver.kept(not self.disk_full)
            if not self.disk_full:
                self.kept.append(action)
        else:
            self.said += action.byte
            if action.refusal:
                self.refusals.append(action.refusal)

    @property
    def texts(self) -> list[bytes]:
        return [keep.data[1:-1] for keep in self.kept if keep.kind is Kind.FRAME]

    @property
    def ends(self) -> list[str]:
        return [keep.data.decode() for keep in self.kept if keep.kind is Kind.END]


def test_a_session_is_kept_frame_by_frame_and_acknowledged() -> None:
    host = Host()
    assert host.hears(ENQ) == ACK
    assert host.hears(framed(1, b"H|", last=False)) == ACK
    assert host.hears(framed(2, b"x\r", last=True)) == ACK
    assert host.hears(EOT) == b""
    assert host.texts == [b"H|", b"x\r"]
    assert host.ends == [End.EOT]


def test_a_full_disk_is_answered_with_nak_and_the_frame_is_taken_when_there_is_room() -> None:
    host = Host()
    host.hears(ENQ)
    host.disk_full = True
    assert host.hears(framed(1, b"H|", last=True)) == NAK
    assert host.refusals == [Refusal.NOT_KEPT]
    host.disk_full = False
    assert host.hears(framed(1, b"H|", last=True)) == ACK
    assert host.texts == [b"H|"]


def test_a_full_disk_refuses_the_session_itself() -> None:
    host = Host(disk_full=True)
    assert host.hears(ENQ) == NAK
    assert not host.receiver.in_session


def test_a_caller_that_does_not_say_whether_it_kept_a_frame_gets_no_ack_to_send() -> None:
    receiver = Receiver()
    actions = receiver.feed(ENQ, 0.0)
    assert isinstance(next(actions), Keep)
    with pytest.raises(NotToldWhetherKept):
        next(actions)


def test_a_repeated_frame_is_acknowledged_and_dropped() -> None:
    host = Host()
    host.hears(ENQ)
    host.hears(framed(1, b"H|", last=True))
    assert host.hears(framed(1, b"H|", last=True)) == ACK
    assert host.texts == [b"H|"]


def test_another_frame_under_an_acknowledged_number_is_refused_and_kept_for_inspection() -> None:
    host = Host()
    host.hears(ENQ)
    host.hears(framed(1, b"H|", last=True))
    assert host.hears(framed(1, b"H!", last=True)) == NAK
    assert [keep.kind for keep in host.kept] == [Kind.START, Kind.FRAME, Kind.CONFLICT]
    assert host.texts == [b"H|"]


@pytest.mark.parametrize("number", [0, 3, 7])
def test_a_frame_out_of_turn_is_refused(number: int) -> None:
    host = Host()
    host.hears(ENQ)
    host.hears(framed(1, b"H|", last=True))
    assert host.hears(framed(number, b"x", last=True)) == NAK
    assert host.refusals == [Refusal.FRAME_NUMBER]


def test_frame_zero_right_after_enq_is_refused() -> None:
    host = Host()
    host.hears(ENQ)
    assert host.hears(framed(0, b"H|", last=True)) == NAK


def test_frame_numbers_run_on_past_seven_to_zero() -> None:
    host = Host()
    host.hears(ENQ)
    for number in range(1, 20):
        assert host.hears(framed(number, b"text %d" % number, last=True)) == ACK
    assert len(host.texts) == 19


def test_lower_case_checksums_and_endings_without_lf_are_accepted() -> None:
    host = Host()
    host.hears(ENQ)
    frame = framed(1, b"P|1|||||||||\r", last=True)
    assert frame[-4:-2].lower() != frame[-4:-2], "the example must have a letter in its checksum"
    assert host.hears(frame[:-4] + frame[-4:-2].lower() + b"\r") == ACK


def test_noise_between_frames_is_nothing() -> None:
    host = Host()
    assert host.hears(b"\x00\x00\xff" + ENQ) == ACK
    assert host.hears(b"\x00\r\n~" + framed(1, b"H|", last=True) + b"\x00") == ACK
    assert host.texts == [b"H|"]


def test_thirty_seconds_of_silence_end_the_session_and_keep_what_came() -> None:
    host = Host()
    host.hears(ENQ, 0.0)
    host.hears(framed(1, b"H|", last=True), 10.0)
    host.waits_until(39.9)
    assert host.receiver.in_session
    host.waits_until(40.0)
    assert host.ends == [End.SILENCE]
    assert host.texts == [b"H|"]
    assert host.hears(framed(2, b"x", last=True), 41.0) == b"", "neutral answers only ENQ"


def test_enq_in_mid_session_keeps_what_came_and_starts_afresh() -> None:
    host = Host()
    host.hears(ENQ)
    host.hears(framed(1, b"H|", last=True))
    assert host.hears(ENQ) == ACK
    assert host.hears(framed(1, b"H|", last=True)) == ACK
    assert [keep.kind for keep in host.kept] == [
        Kind.START,
        Kind.FRAME,
        Kind.END,
        Kind.START,
        Kind.FRAME,
    ]
    assert host.ends == [End.RESTART]


def test_an_enq_inside_a_frame_is_not_acknowledged_because_that_would_accept_the_frame() -> None:
    host = Host()
    host.hears(ENQ)
    corrupted = framed(1, b"R|1|positive\r", last=True).replace(b"pos", b"p\x05s")
    assert host.hears(corrupted) == NAK
    assert host.refusals == [Refusal.CHECKSUM]


@pytest.mark.parametrize("anew", [ENQ, b"\0" + ENQ, framed(1, b"H|", last=True)])
def test_a_sender_that_left_a_frame_unfinished_and_paused_is_heard_again(anew: bytes) -> None:
    host = Host()
    host.hears(ENQ)
    assert host.hears(framed(1, b"H|", last=True)[:3], 1.0) == b""
    assert host.hears(anew, 16.0) == ACK


def test_a_frame_beyond_the_limit_is_refused_and_not_collected() -> None:
    host = Host()
    host.hears(ENQ)
    assert host.hears(framed(1, b"x" * 63_993, last=True)) == ACK
    assert host.hears(framed(2, b"x" * 63_994, last=True)) == NAK
    assert host.refusals == [Refusal.TOO_LONG]
    host.hears(b"\x022" + b"x" * 1_000_000)
    assert len(host.receiver._body) <= 63_996


def test_a_line_test_of_enq_and_eot_is_a_session_without_frames() -> None:
    host = Host()
    assert host.hears(ENQ + EOT) == ACK
    assert host.texts == []


def test_a_session_told_from_the_journal_goes_on_where_it_stood() -> None:
    host = Host()
    host.receiver.resume(b"3abc\x03", now_s=100.0)
    assert host.hears(framed(3, b"abc", last=True), 101.0) == ACK
    assert host.texts == [], "the repeated frame was kept before the gateway fell"
    assert host.hears(framed(4, b"def", last=True), 102.0) == ACK
    assert host.texts == [b"def"]


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_every_frame_of_a_real_session_is_acknowledged_once(path: Path) -> None:
    data = path.read_bytes()
    host = Host()
    host.hears(data)
    assert host.refusals == []
    assert host.said == ACK * (data.count(ENQ) + data.count(b"\x02"))


texts = st.lists(
    st.binary(max_size=40).map(lambda text: bytes(b for b in text if b not in set(Control))),
    min_size=1,
    max_size=9,
)


def session_of(parts: list[bytes]) -> bytes:
    frames = [framed(n, text, last=n % 3 == 0) for n, text in enumerate(parts, start=1)]
    return ENQ + b"".join(frames) + EOT


@settings(deadline=None)
@given(texts, st.lists(st.integers(0, 400), max_size=12))
def test_how_the_bytes_are_chunked_makes_no_difference(parts: list[bytes], cuts: list[int]) -> None:
    session = session_of(parts)
    whole, chunked = Host(), Host()
    whole.hears(session)
    edges = [0, *sorted(min(cut, len(session)) for cut in cuts), len(session)]
    for begin, end in itertools.pairwise(edges):
        chunked.hears(session[begin:end])
    assert chunked.said == whole.said
    assert chunked.kept == whole.kept
    assert whole.texts == parts


@settings(deadline=None)
@given(texts, st.data())
def test_one_corrupted_byte_is_never_taken_for_the_text_that_was_sent(
    parts: list[bytes], data: st.DataObject
) -> None:
    """The sum catches every single changed byte; an accepted text is always one that was sent."""
    session = bytearray(session_of(parts))
    at = data.draw(st.integers(0, len(session) - 1))
    session[at] ^= data.draw(st.integers(1, 255))
    host = Host()
    host.hears(bytes(session))
    sent = iter(parts)
    assert all(any(text == part for part in sent) for text in host.texts)
