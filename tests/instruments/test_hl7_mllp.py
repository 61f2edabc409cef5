"""MLLP: everything kept is answered, nothing is acknowledged that is not kept, and how the bytes
were chunked is nothing to the receiver."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.hl7 import mllp
from instruments.hl7.message import Message, read
from instruments.hl7.mllp import Kind, Receiver, Refusal, framed
from instruments.line import Action, Keep, NotToldWhetherKept, Reply
from tests.instruments.hl7_messages import (
    CAPTURES,
    NOW,
    alinity,
    block,
    captured,
    cobas6800,
    every_split,
    heard,
    lines,
    queried,
)

ONE = cobas6800(("TGT1", "NEG", ""), control_id="M1")
TWO = cobas6800(("TGT1", "POS", "21.5^^30"), control_id="M2")


def a_receiver(longest_block: int = mllp.LONGEST_BLOCK) -> Receiver:
    return Receiver(lambda: NOW, longest_block=longest_block)


def told(data: bytes, receiver: Receiver | None = None, *, on_disk: bool = True) -> list[Action]:
    return list(heard(receiver or a_receiver(), data, on_disk=on_disk))


def in_pieces(pieces: Iterable[bytes]) -> list[Action]:
    receiver = a_receiver()
    return [action for piece in pieces for action in heard(receiver, piece)]


def kept(actions: Sequence[Action]) -> list[bytes]:
    return [a.data for a in actions if isinstance(a, Keep) and a.kind is Kind.BLOCK]


def answers(actions: Iterable[Action]) -> list[Message]:
    sent = b"".join(action.byte for action in actions if isinstance(action, Reply))
    return [read(each.removeprefix(b"\x0b")) for each in sent.split(b"\x1c\r") if each]


def said(answer: Message) -> tuple[str, str]:
    (msa,) = answer.named("MSA")
    return msa.value(1), msa.value(2)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_is_kept_before_it_is_acknowledged(path: Path) -> None:
    data = captured(path.name)
    keep, reply = told(block(data))
    assert keep == Keep(Kind.BLOCK, data)
    assert isinstance(reply, Reply)
    assert reply.refusal is None
    (answer,) = answers([reply])
    asked = read(data)
    assert said(answer) == ("AA", asked.control_id)
    assert answer.kind == "ACK^R22"
    assert answer.header.text(12) == asked.header.text(12)
    assert answer.header.text(18) == asked.header.text(18)
    assert answer.header.components(21) == asked.header.components(21)
    assert answer.header.value(5) == asked.header.value(3)


def test_what_the_disk_refused_is_an_error_with_its_reason() -> None:
    _keep, reply = told(block(ONE), on_disk=False)
    assert isinstance(reply, Reply)
    assert reply.refusal is Refusal.NOT_KEPT
    (answer,) = answers([reply])
    assert said(answer) == ("AE", "M1")
    (err,) = answer.named("ERR")
    assert (err.text(4), err.text(8)) == ("E", "not stored, the disk refused: send it again")


def test_the_receiver_goes_no_further_until_it_is_told() -> None:
    actions = a_receiver().feed(block(ONE), 0.0)
    assert isinstance(next(actions), Keep)
    with pytest.raises(NotToldWhetherKept):
        next(actions)


@pytest.mark.parametrize(
    "line",
    [
        ONE + b"\x1c\r",
        b"\r\n\0" + block(ONE),
        b"noise MS" + block(ONE),
        b"\x0b" + ONE + b"\x1c",
        b"\x0b\r\n" + ONE + b"\x1c\r\n",
        b"\x0b\x0b" + ONE + b"\x1c\r",
        b"\x0b\x1c\r" + block(ONE),
    ],
    ids=["no VT", "noise", "half a start", "no CR", "line ends", "two VT", "empty block"],
)
def test_what_is_borne(line: bytes) -> None:
    actions = told(line)
    assert [each.strip() for each in kept(actions)] == [ONE.strip()]
    assert [said(answer) for answer in answers(actions)] == [("AA", "M1")]


def test_a_late_cr_and_the_next_block() -> None:
    receiver = a_receiver()
    assert len(kept(told(b"\x0b" + ONE + b"\x1c", receiver))) == 1
    assert told(b"\r", receiver) == []
    assert kept(told(block(TWO), receiver)) == [TWO]


def test_several_blocks_in_one_read_are_answered_one_by_one() -> None:
    actions = told(b"".join(block(each) for each in (ONE, TWO, alinity("x", "y", "20"))))
    assert [type(action) for action in actions] == [Keep, Reply] * 3
    assert [said(answer) for answer in answers(actions)] == [
        ("AA", "M1"),
        ("AA", "M2"),
        ("AA", "A1"),
    ]


def test_several_messages_in_one_block_are_answered_one_by_one() -> None:
    actions = told(block(ONE + TWO))
    assert kept(actions) == [ONE, TWO]
    assert [said(answer) for answer in answers(actions)] == [("AA", "M1"), ("AA", "M2")]


def test_a_block_left_for_a_new_one_is_kept_as_broken_off_and_not_answered() -> None:
    actions = told(b"\x0b" + ONE[:200] + block(ONE))
    assert actions[0] == Keep(Kind.BROKEN_OFF, b"\x0b" + ONE[:200])
    assert kept(actions) == [ONE]
    assert len(answers(actions)) == 1


def test_a_block_that_stops_is_kept_as_broken_off_after_half_a_minute() -> None:
    receiver = a_receiver()
    told(b"\x0b" + ONE[:200], receiver)
    in_session = receiver.in_session
    assert list(receiver.tick(29.9)) == []
    actions = receiver.tick(30.0)
    assert next(actions) == Keep(Kind.BROKEN_OFF, b"\x0b" + ONE[:200])
    receiver.kept(True)
    assert list(actions) == []
    assert (in_session, receiver.in_session) == (True, False)
    assert kept(told(block(TWO), receiver)) == [TWO]


@pytest.mark.parametrize("noise", [b"\x00\xff", b"MSH", b"H|\\^&|||GeneXpert", b"MSH|^^|"])
def test_what_is_no_message_is_kept_and_rejected_with_a_reason(noise: bytes) -> None:
    keep, reply = told(block(noise))
    assert keep == Keep(Kind.BLOCK, noise)
    assert isinstance(reply, Reply)
    assert reply.refusal is Refusal.NOT_HL7
    (answer,) = answers([reply])
    assert said(answer) == ("AR", "")
    assert "MSH" in next(answer.named("ERR")).text(8)


def test_a_message_that_no_one_can_read_is_acknowledged_because_it_is_kept() -> None:
    strange = ONE.replace(b"ASCII", b"JAS2020").replace(b"FBN", "Nguyễn".encode())
    actions = told(block(strange))
    assert kept(actions) == [strange]
    assert [said(answer) for answer in answers(actions)] == [("AA", "M1")]


def test_a_sender_that_wants_no_answer_gets_none_but_of_a_failure() -> None:
    silent = ONE.replace(b"|P|2.5||||||ASCII", b"|P|2.5|||NE|NE||ASCII")
    assert [type(action) for action in told(block(silent))] == [Keep]
    assert answers(told(block(silent), on_disk=False))


def test_the_answer_speaks_in_the_senders_delimiters_and_character_set() -> None:
    sent = "MSH$*%#!$máy$$$$$$OUL*R22$Mã$P$2.5.1$$$$$$UNICODE UTF-8\rSPM$1\r".encode()
    (reply,) = [action for action in told(block(sent)) if isinstance(action, Reply)]
    assert reply.byte.startswith(b"\x0bMSH$*%#!$$$m\xc3\xa1y$")
    (answer,) = answers([reply])
    assert said(answer) == ("AA", "Mã")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16"])
def test_utf_16_with_letters_that_hold_fs_and_vt(codec: str) -> None:
    message = ONE.decode().replace("ASCII", "UNICODE UTF-16").replace("FBN", "Ĝċ\u0c1cഋ\u1c50č")
    actions = told(block(message.encode(codec)))
    assert kept(actions) == [message.encode(codec)]
    assert [said(answer) for answer in answers(actions)] == [("AA", "M1")]


def test_an_endless_block_is_refused_once_and_holds_no_memory() -> None:
    """1 GiB, of which the receiver never holds more than its limit."""
    receiver = a_receiver(longest_block=1 << 20)
    chunk = b"OBX|1|ST|" + b"x" * (1 << 16)
    actions = told(b"\x0b" + ONE[:100] + chunk, receiver)
    for _ in range((1 << 30) // len(chunk)):
        actions += told(chunk, receiver)
        assert len(receiver._block) <= (1 << 20) + 1
    keep, reply = actions
    assert isinstance(keep, Keep)
    assert (keep.kind, len(keep.data)) == (Kind.ENDLESS, 64 * 1024)
    assert isinstance(reply, Reply)
    assert reply.refusal is Refusal.TOO_LONG
    (answer,) = answers([reply])
    assert said(answer) == ("AR", "M1")
    assert "1048576 bytes" in next(answer.named("ERR")).text(8)
    assert kept(told(b"\x1c\r" + block(TWO), receiver)) == [TWO]


def test_a_query_is_not_kept_and_never_told_that_there_is_no_work_when_nobody_knows() -> None:
    (reply,) = told(block(queried("TT7K40FQ9XB")))
    (answer,) = answers([reply])
    assert (answer.kind, said(answer)) == ("RSP^K11", ("AE", "Q1"))
    assert next(answer.named("QAK")).value(2) == "AE"
    assert next(answer.named("ERR")).text(8) == "the orders cannot be told now; ask again"


def test_an_answer_is_not_answered() -> None:
    orl = lines("MSH|^~\\&|cobas||||||ORL^O34|R1|P|2.5.1", "MSA|AA|X1")
    assert told(block(orl)) == []


LINE = b"no MS" + block(ONE) + b"\r\n" + TWO + b"\x1c\r\x0b" + ONE[:40] + block(queried("A1"))


@pytest.mark.parametrize("line", [LINE, *(path.read_bytes() for path in CAPTURES)])
def test_every_split_is_heard_alike(line: bytes) -> None:
    whole = told(line)
    assert whole
    for pieces in every_split(line):
        assert in_pieces(pieces) == whole


@settings(deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=8), st.data())
def test_any_bytes_in_any_chunks_are_heard_alike(parts: list[bytes], data: st.DataObject) -> None:
    marks = st.sampled_from([b"\x0b", b"\x1c", b"\r", b"MSH", b"MSH|^~\\&|", ONE, b"\xff\xfe"])
    line = b"".join(part + data.draw(marks) for part in parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=6)))
    pieces = [line[a:b] for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True)]
    assert in_pieces(pieces) == told(line)


def test_a_block_is_framed_as_it_is_read() -> None:
    assert framed(ONE) == block(ONE)
    assert mllp.TELLING.session == 0
