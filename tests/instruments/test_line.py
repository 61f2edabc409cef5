"""One half-duplex line, told as what the analyser and the host say in turn."""

import pytest

from instruments.astm.frames import Keep, Kind, Reply, framed
from instruments.astm.line import MOST_OWED, Fate, Line, TooMuchOwed, Turn
from instruments.astm.sender import cut

ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
ORDER = [b"H|\\^&\r", b"L|1|N\r"]
(ORDER_FRAME,) = cut([b"".join(ORDER)])
RESULT = framed(1, b"H|\\^&|||their result\r", last=True)


class Host:
    def __init__(self, line: Line | None = None) -> None:
        self.line = line or Line()
        self.kept: list[bytes] = []
        self.now_s = 0.0

    def hears(self, data: bytes) -> bytes:
        said = b""
        for action in self.line.feed(data, self.now_s):
            said += self._done(action)
        return said + self.waits(0.0)

    def waits(self, seconds: float) -> bytes:
        self.now_s += seconds
        return b"".join([self._done(action) for action in self.line.tick(self.now_s)])

    def _done(self, action: Keep | Reply) -> bytes:
        if isinstance(action, Reply):
            return action.byte
        self.line.kept(True)
        if action.kind is Kind.FRAME:
            self.kept.append(action.data)
        return b""


def test_what_is_owed_goes_out_when_the_line_is_free() -> None:
    host = Host()
    errand = host.line.owe(ORDER)
    assert host.waits(0.0) == ENQ
    assert host.hears(ACK) == ORDER_FRAME
    assert host.hears(ACK) == EOT
    assert errand.fate is Fate.SENT
    assert host.line.turn is Turn.NEUTRAL


def test_nothing_is_sent_into_their_session_and_it_goes_right_after_it() -> None:
    host = Host()
    assert host.hears(ENQ) == ACK
    host.line.owe(ORDER)
    assert host.hears(RESULT) == ACK
    assert host.hears(EOT) == ENQ
    assert host.kept == [RESULT[1:-4]]


def test_when_both_ask_the_instrument_goes_first_and_is_received() -> None:
    host = Host()
    errand = host.line.owe(ORDER)
    assert host.waits(0.0) == ENQ
    assert host.hears(ENQ) == b"", "that ENQ met ours on the line"
    assert host.waits(1.0) == b""
    assert host.hears(ENQ) == ACK
    assert host.hears(RESULT) == ACK
    assert host.hears(EOT) == ENQ, "its session is over: the turn is ours"
    assert host.hears(ACK) == ORDER_FRAME
    assert host.hears(ACK) == EOT
    assert (errand.fate, len(host.kept)) == (Fate.SENT, 1)


def test_an_instrument_that_asked_and_fell_silent_holds_the_host_for_twenty_seconds() -> None:
    host = Host()
    host.line.owe(ORDER)
    host.waits(0.0)
    host.hears(ENQ)
    assert host.waits(19.9) == b""
    assert host.waits(0.2) == ENQ


def test_contention_and_the_next_enq_in_one_read_are_two_events() -> None:
    host = Host()
    host.line.owe(ORDER)
    host.waits(0.0)
    assert host.hears(ENQ + ENQ + RESULT) == ACK + ACK
    assert host.line.turn is Turn.RECEIVING


def test_a_busy_instrument_is_asked_again_after_ten_seconds() -> None:
    host = Host()
    host.line.owe(ORDER)
    host.waits(0.0)
    assert host.hears(NAK) == b""
    assert host.waits(9.9) == b""
    assert host.waits(0.1) == ENQ


def test_an_instrument_that_wants_its_turn_gets_it_and_the_order_goes_whole_afterwards() -> None:
    host = Host()
    errand = host.line.owe([b"x" * 300])
    first, second = cut([b"x" * 300])
    host.waits(0.0)
    assert host.hears(ACK) == first
    assert host.hears(EOT) == EOT, "the frame is accepted, and the line is made free"
    assert host.waits(14.9) == b""
    assert host.hears(ENQ) == ACK
    assert host.hears(RESULT + EOT) == ACK + ENQ
    assert host.hears(ACK) == first
    assert host.hears(ACK) == second
    assert host.hears(ACK) == EOT
    assert errand.fate is Fate.SENT


def test_six_refusals_give_the_session_up_and_the_message_is_still_owed() -> None:
    host = Host()
    errand = host.line.owe(ORDER)
    host.waits(0.0)
    host.hears(ACK)
    assert host.hears(NAK * 6) == ORDER_FRAME * 5 + EOT
    assert errand.fate is Fate.OWED
    assert host.waits(15.0) == ENQ


def test_a_host_that_asks_for_its_turn_accepts_with_eot_until_it_has_it() -> None:
    host = Host(Line(asks_for_turn=True))
    assert host.hears(ENQ) == ACK
    host.line.owe(ORDER)
    host.waits(0.1)
    assert host.hears(RESULT) == EOT
    assert host.hears(framed(2, b"goes on\r", last=True)) == EOT, "asked again (6.3.5.2)"
    assert len(host.kept) == 2
    assert host.hears(EOT) == ENQ


def test_an_answer_that_comes_too_late_is_let_go() -> None:
    host = Host()
    host.hears(ENQ)
    late = host.line.owe(ORDER, until_s=60.0)
    host.waits(25.0)
    host.hears(RESULT)
    host.waits(29.0)
    host.hears(framed(2, b"more\r", last=True))
    host.waits(10.0)
    assert host.hears(EOT) == b""
    assert late.fate is Fate.LAPSED


def test_a_dead_line_is_asked_again_and_what_is_owed_is_bounded() -> None:
    host = Host()
    for _ in range(MOST_OWED):
        host.line.owe(ORDER)
    with pytest.raises(TooMuchOwed):
        host.line.owe(ORDER)
    assert host.waits(0.0) == ENQ
    assert host.waits(15.0) == EOT
    assert host.waits(15.0) == ENQ


def test_a_session_told_from_the_journal_is_received_to_its_end_before_anything_is_sent() -> None:
    host = Host()
    host.line.resume(RESULT[1:-4], now_s=0.0)
    host.line.owe(ORDER)
    assert host.waits(0.1) == b""
    assert host.hears(framed(2, b"L|1|N\r", last=True)) == ACK
    assert host.hears(EOT) == ENQ


def test_after_a_session_that_fell_silent_nothing_is_said_for_fifteen_seconds() -> None:
    host = Host()
    host.hears(ENQ)
    host.hears(RESULT)
    host.line.owe(ORDER)
    assert host.waits(30.0) == b"", "it may wait for our reply yet, and take an EOT for it"
    assert host.line.turn is Turn.NEUTRAL
    assert host.waits(14.9) == b""
    assert host.waits(0.1) == ENQ
