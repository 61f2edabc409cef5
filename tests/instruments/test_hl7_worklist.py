"""What an analyser that asks is told, after IHE LAW, and the sender that can tell it."""

import pytest

from instruments.hl7.message import Message, read
from instruments.hl7.mllp import Receiver, Refusal, framed
from instruments.hl7.sender import Accepted, Failure, GaveUp, Send, Sender
from instruments.hl7.worklist import Order, query_of, worklist_answer
from instruments.line import Keep, Reply
from tests.instruments.hl7_messages import NOW, block, cobas6800, heard, lines, queried

POOL = Order("TT7K40FQ9XB", (("SARS-COV-2", "ord-1"), ("FLU", "ord-2")), "NPS")
CONTROL = Order("CTL0000001", (("SARS-COV-2", "ord-9"),), control=True)


def answered(query: bytes, *orders: Order) -> list[Message]:
    asked = query_of(read(query))
    assert asked
    return [read(each) for each in worklist_answer(asked, orders, NOW)]


def test_a_tube_with_work_is_answered_with_its_tests() -> None:
    heard_it, work = answered(queried("TT7K40FQ9XB"), POOL, CONTROL)
    assert heard_it.kind == "RSP^K11"
    assert heard_it.header.components(9) == ("RSP", "K11", "RSP_K11")
    (msa,), (qak,), (qpd,) = (heard_it.named(name) for name in ("MSA", "QAK", "QPD"))
    assert (msa.value(1), msa.value(2)) == ("AA", "Q1")
    assert (qak.value(1), qak.value(2), qak.components(3)[0]) == ("Q-1-1", "OK", "WOS")
    assert (qpd.components(1), qpd.value(3)) == (
        ("WOS", "Work Order Step", "IHELAW"),
        "TT7K40FQ9XB",
    )
    assert work.kind == "OML^O33"
    assert work.header.components(21) == ("LAB-28", "IHE")
    (spm,) = work.named("SPM")
    assert (spm.value(2), spm.value(4), spm.value(11)) == ("TT7K40FQ9XB", "NPS", "P")
    assert [(orc.value(1), orc.value(2)) for orc in work.named("ORC")] == [
        ("NW", "ord-1"),
        ("NW", "ord-2"),
    ]
    assert [obr.value(4) for obr in work.named("OBR")] == ["SARS-COV-2", "FLU"]


def test_a_tube_without_work_is_answered_with_dc() -> None:
    _heard, work = answered(queried("TT7K40FQ9XB"), CONTROL)
    (orc,) = work.named("ORC")
    assert (orc.value(1), list(work.named("OBR"))) == ("DC", [])
    assert next(work.named("SPM")).value(2) == "TT7K40FQ9XB"


def test_a_query_for_everything_is_answered_tube_by_tube() -> None:
    asked = queried("").replace(b"WOS^Work", b"WOS_ALL^Work")
    _heard, *work = answered(asked, POOL, CONTROL)
    assert [next(each.named("SPM")).value(2) for each in work] == [
        "TT7K40FQ9XB",
        "CTL0000001",
    ]
    assert next(work[1].named("SPM")).value(11) == "Q"
    assert len({each.control_id for each in (_heard, *work)}) == 3
    assert len(answered(asked)) == 1


def test_a_query_for_no_tube_is_not_taken_for_everything() -> None:
    by_rack = queried("").replace(b"WOS^Work Order Step", b"WOS_BY_RACK^Work Order Step By Rack")
    (refused,) = answered(by_rack, POOL)
    (msa,), (qak,), (err,) = (refused.named(name) for name in ("MSA", "QAK", "ERR"))
    assert (msa.value(1), qak.value(2)) == ("AR", "AR")
    assert "WOS_ALL" in err.text(8)


def test_an_urgent_tube_is_told_as_stat() -> None:
    urgent = Order("TT7K40FQ9XB", (("SARS-COV-2", "ord-1"),), urgent=True)
    _heard, work = answered(queried("TT7K40FQ9XB"), urgent)
    assert [tq1.value(9) for tq1 in work.named("TQ1")] == ["S"]
    _heard, work = answered(queried("TT7K40FQ9XB"), POOL)
    assert {tq1.value(9) for tq1 in work.named("TQ1")} == {"R"}


def test_no_patient_goes_to_an_analyser() -> None:
    assert not any(list(each.named("PID")) for each in answered(queried("TT7K40FQ9XB"), POOL))


def test_what_asks_for_nothing_is_no_query() -> None:
    assert query_of(read(cobas6800(("TGT1", "NEG", "")))) is None


def test_the_same_query_gets_the_same_answer() -> None:
    assert answered(queried("A"), POOL) == answered(queried("A"), POOL)


def test_a_line_that_answers_no_questions_says_ae_and_why_in_the_log() -> None:
    (reply,) = heard(Receiver(lambda: NOW), block(queried("TT7K40FQ9XB")))
    assert isinstance(reply, Reply)
    assert reply.refusal is Refusal.NOT_ASKED
    answer = read(reply.byte.strip(b"\x0b\x1c\r"))
    assert [msa.value(1) for msa in answer.named("MSA")] == ["AE"]


RESULT = cobas6800(("TGT1", "NEG", ""), control_id="M1")


def ack(code: str, of: str = "M1", text: str = "") -> bytes:
    return block(lines("MSH|^~\\&|lims||||||ACK^R22|A1|P|2.5", f"MSA|{code}|{of}|{text}"))


def test_a_sender_is_done_when_its_message_is_accepted() -> None:
    sender = Sender()
    assert sender.begin(RESULT, 0.0) == [Send(framed(RESULT))]
    assert sender.hear(ack("AA", of="other")[:20], 1.0) == []
    assert sender.hear(ack("AA", of="other")[20:], 1.0) == []
    assert not sender.over
    (done,) = sender.hear(ack("CA"), 1.0)
    assert isinstance(done, Accepted)
    assert sender.over


def test_a_sender_sends_again_what_could_not_be_stored() -> None:
    sender = Sender()
    sender.begin(RESULT, 0.0)
    assert sender.hear(ack("AE", text="the disk is full"), 1.0) == []
    assert sender.tick(5.9) == []
    assert sender.tick(6.0) == [Send(framed(RESULT))]
    for n in range(2, 5):
        sender.hear(ack("AE", text="the disk is full"), n * 10.0)
        assert sender.tick(n * 10.0 + 5) == [Send(framed(RESULT))]
    sender.hear(ack("AE", text="the disk is full"), 50.0)
    assert sender.tick(55.0) == [GaveUp(Failure.REFUSED, "the disk is full")]
    assert sender.over


def test_a_sender_does_not_repeat_what_was_rejected() -> None:
    sender = Sender()
    sender.begin(RESULT, 0.0)
    assert sender.hear(ack("AR", text="no MSH"), 1.0) == [GaveUp(Failure.REFUSED, "no MSH")]


def test_a_sender_gives_up_after_five_silences() -> None:
    sender = Sender()
    sender.begin(RESULT, 0.0)
    for n in range(1, 5):
        assert sender.tick(30.0 * n) == [Send(framed(RESULT))]
    assert sender.tick(150.0) == [GaveUp(Failure.NO_ANSWER)]


def test_a_sender_leaves_other_messages_to_its_caller() -> None:
    sender = Sender()
    sender.begin(RESULT, 0.0)
    sender.hear(block(queried("A")) + ack("AA"), 1.0)
    assert sender.over
    assert sender.others == [queried("A")]


@pytest.mark.parametrize("on_disk", [True, False])
def test_sender_and_receiver_agree(on_disk: bool) -> None:
    sender, receiver = Sender(), Receiver(lambda: NOW)
    (send,) = sender.begin(RESULT, 0.0)
    assert isinstance(send, Send)
    outcome = [
        done
        for action in heard(receiver, send.data, on_disk=on_disk)
        if isinstance(action, Reply)
        for done in sender.hear(action.byte, 0.1)
    ]
    assert [type(each) for each in outcome] == ([Accepted] if on_disk else [])
    assert sender.over is on_disk
    assert [type(each) for each in sender.tick(6.0)] == ([] if on_disk else [Send])


def test_only_results_are_kept() -> None:
    receiver = Receiver(lambda: NOW)
    kept = [a for a in heard(receiver, block(queried("A")) + ack("AA")) if isinstance(a, Keep)]
    assert kept == []
