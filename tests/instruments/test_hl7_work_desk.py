"""One line's queries after IHE LAW: looked up beside the line, answered in time or with AE."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from instruments.hl7.message import Message, read
from instruments.hl7.mllp import Receiver
from instruments.hl7.work_desk import ANSWER_WITHIN_S, MOST_WAITING, ORL_WITHIN_S, WorkDesk
from instruments.hl7.worklist import Order, Query
from instruments.line import Keep, Reply
from tests.instruments.hl7_messages import NOW, block, lines, queried

ONE = Order("TT7K40FQ9XB", (("SARS-COV-2", "ord-1"),))
TWO = Order("TT7K40FQAXC", (("SARS-COV-2", "ord-2"),))
ALL = queried("").replace(b"WOS^Work", b"WOS_ALL^Work")


@dataclass
class Bench:
    """A receiver with its desk and a clock of ours; `orders` None: the LIMS does not tell."""

    orders: Sequence[Order] | None = (ONE, TWO)
    now_s: float = 0.0
    looked_up: list[tuple[str, float]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.desk = WorkDesk(self._lookup, lambda: NOW, lambda: self.now_s)
        self.receiver = Receiver(lambda: NOW, self.desk)

    def _lookup(self, query: Query, within_s: float) -> Sequence[Order] | None:
        self.looked_up.append((query.specimen, within_s))
        self.meanwhile()
        return self.orders

    def hears(self, message: bytes) -> None:
        for action in self.receiver.feed(block(message), self.now_s):
            assert not isinstance(action, Keep | Reply), "nothing before it was looked up"

    def says(self) -> list[Message]:
        said = [action for action in self.receiver.tick(self.now_s) if isinstance(action, Reply)]
        return [read(reply.byte.strip(b"\x0b\x1c\r")) for reply in said]

    def takes(self, order: Message, code: str = "AA") -> None:
        self.hears(
            lines("MSH|^~\\&|||||||ORL^O34|T1|P|2.5.1", f"MSA|{code}|{order.control_id}|why")
        )


def codes(message: Message) -> tuple[str, str]:
    (msa,), (qak,) = message.named("MSA"), message.named("QAK")
    return msa.value(1), qak.value(2)


def tube(message: Message) -> str:
    (spm,) = message.named("SPM")
    return spm.value(2)


def test_the_line_goes_on_while_the_orders_are_looked_up() -> None:
    bench = Bench()
    bench.hears(queried(ONE.specimen))
    assert bench.says() == []
    assert bench.desk.serve_one(0)
    assert bench.looked_up == [(ONE.specimen, ANSWER_WITHIN_S)]
    heard, work = bench.says()
    assert codes(heard) == ("AA", "OK")
    assert tube(work) == ONE.specimen
    assert bench.says() == []


def test_who_hears_nothing_in_time_hears_ae_and_the_late_word_is_not_told() -> None:
    bench = Bench()
    bench.hears(queried(ONE.specimen))

    def slowly() -> None:
        bench.now_s = ANSWER_WITHIN_S
        (late,) = bench.says()
        assert codes(late) == ("AE", "AE")

    bench.meanwhile = slowly
    bench.desk.serve_one(0)
    assert bench.says() == []


def test_a_question_whose_time_is_over_is_not_looked_up() -> None:
    bench = Bench()
    bench.hears(queried(ONE.specimen))
    bench.now_s = ANSWER_WITHIN_S + 1
    bench.desk.serve_one(0)
    assert bench.looked_up == []
    assert [codes(each) for each in bench.says()] == [("AE", "AE")]


def test_what_cannot_be_told_is_ae_and_no_tube_without_work() -> None:
    bench = Bench(orders=None)
    bench.hears(queried(ONE.specimen))
    bench.desk.serve_one(0)
    assert [codes(each) for each in bench.says()] == [("AE", "AE")]


def test_a_lookup_that_falls_is_answered_with_ae() -> None:
    bench = Bench()
    bench.hears(queried(ONE.specimen))

    def falls() -> None:
        raise RuntimeError("a fault of ours")

    bench.meanwhile = falls
    with suppress(RuntimeError):
        bench.desk.serve_one(0)
    assert [codes(each) for each in bench.says()] == [("AE", "AE")]


def test_each_order_waits_until_the_one_before_was_taken() -> None:
    bench = Bench()
    bench.hears(ALL)
    bench.desk.serve_one(0)
    _heard, first = bench.says()
    assert (tube(first), bench.says()) == (ONE.specimen, [])
    bench.takes(first, "AE")
    (second,) = bench.says()
    assert tube(second) == TWO.specimen, "one that was refused keeps no other back"
    bench.takes(second)
    bench.now_s += ORL_WITHIN_S
    assert bench.says() == []


def test_an_analyser_that_falls_silent_is_told_no_more_until_it_asks() -> None:
    bench = Bench()
    bench.hears(ALL)
    bench.desk.serve_one(0)
    bench.says()
    bench.now_s += ORL_WITHIN_S
    assert bench.says() == []
    bench.hears(queried(TWO.specimen))
    bench.desk.serve_one(0)
    _heard, work = bench.says()
    assert tube(work) == TWO.specimen


def test_an_analyser_that_never_takes_is_told_each_tube_that_it_asks_for() -> None:
    bench = Bench()
    for order in (ONE, TWO, ONE):
        bench.hears(queried(order.specimen))
        bench.desk.serve_one(0)
        _heard, work = bench.says()
        assert tube(work) == order.specimen


def test_questions_without_end_are_answered_with_ae() -> None:
    bench = Bench()
    for number in range(MOST_WAITING + 1):
        bench.hears(queried(f"T{number}", control_id=f"Q{number}"))
    (refused,) = bench.says()
    assert codes(refused) == ("AE", "AE")
    (msa,) = refused.named("MSA")
    assert msa.value(2) == f"Q{MOST_WAITING}"


def test_a_query_that_names_no_tube_is_rejected() -> None:
    bench = Bench()
    bench.hears(queried("").replace(b"WOS^", b"WOS_BY_RACK^"))
    bench.desk.serve_one(0)
    assert [codes(each) for each in bench.says()] == [("AR", "AR")]
