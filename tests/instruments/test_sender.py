from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.astm.frames import Keep, Kind, Receiver, framed
from instruments.astm.sender import Failure, Finished, GaveUp, Send, Sender, cut

ACK, NAK, ENQ, EOT = b"\x06", b"\x15", b"\x05", b"\x04"
TWO = [framed(1, b"H|\\^&\r", last=True), framed(2, b"L|1|N\r", last=True)]


def test_a_session_is_enq_the_frames_one_by_one_and_eot() -> None:
    sender = Sender(TWO)
    assert sender.begin(0.0) == [Send(ENQ)]
    assert sender.hear(ACK, 0.1) == [Send(TWO[0])]
    assert sender.hear(ACK, 0.2) == [Send(TWO[1])]
    assert sender.hear(ACK, 0.3) == [Send(EOT), Finished(2)]


def test_a_busy_host_is_asked_again_after_ten_seconds() -> None:
    sender = Sender(TWO)
    sender.begin(0.0)
    assert sender.hear(NAK, 1.0) == []
    assert sender.tick(10.9) == []
    assert sender.tick(11.0) == [Send(ENQ)]


def test_in_contention_the_instrument_asks_again_after_a_second() -> None:
    sender = Sender(TWO)
    sender.begin(0.0)
    sender.hear(ENQ, 0.1)
    assert sender.tick(1.0) == []
    assert sender.tick(1.1) == [Send(ENQ)]


def test_a_refused_frame_is_sent_again_and_the_sixth_refusal_ends_the_session() -> None:
    sender = Sender(TWO)
    sender.begin(0.0)
    sender.hear(ACK, 0.0)
    for _ in range(5):
        assert sender.hear(NAK, 0.0) == [Send(TWO[0])]
    assert sender.hear(NAK, 0.0) == [Send(EOT), GaveUp(Failure.REFUSED, acknowledged=0)]


def test_a_byte_that_is_no_reply_counts_as_a_refusal() -> None:
    sender = Sender(TWO)
    sender.begin(0.0)
    sender.hear(ACK, 0.0)
    assert sender.hear(b"\x7f", 0.0) == [Send(TWO[0])]


def test_eot_in_place_of_ack_accepts_the_frame() -> None:
    sender = Sender(TWO)
    sender.begin(0.0)
    sender.hear(ACK, 0.0)
    assert sender.hear(EOT, 0.0) == [Send(TWO[1])]


def test_fifteen_seconds_without_a_reply_end_the_session_with_the_message_still_owed() -> None:
    sender = Sender(TWO)
    sender.begin(0.0)
    sender.hear(ACK, 0.0)
    sender.hear(ACK, 5.0)
    assert sender.tick(19.9) == []
    assert sender.tick(20.0) == [Send(EOT), GaveUp(Failure.NO_REPLY, acknowledged=1)]


def test_a_long_text_is_cut_into_frames_of_which_only_the_last_ends_in_etx() -> None:
    frames = cut([b"x" * 500, b"y"], longest=240)
    assert [frame[1:2] for frame in frames] == [b"1", b"2", b"3", b"4"]
    assert [b"\x03" in frame for frame in frames] == [False, False, True, True]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1), st.integers(1, 20))
def test_what_is_cut_is_joined_again_by_the_receiver(texts: list[bytes], longest: int) -> None:
    clean = [bytes(b for b in text if b not in (3, 0x17)) for text in texts]
    receiver = Receiver()
    came = b""
    for action in receiver.feed(ENQ + b"".join(cut(clean, longest)), 0.0):
        if isinstance(action, Keep):
            receiver.kept(True)
            came += action.data[1:-1] if action.kind is Kind.FRAME else b""
    assert came == b"".join(clean)
