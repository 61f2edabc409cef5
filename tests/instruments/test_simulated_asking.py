"""A simulated GeneXpert asks the host what is ordered, and hears it: Cepheid's host query."""

from collections.abc import Iterable
from datetime import UTC, datetime

from instruments.astm.frames import Kind
from instruments.astm.line import Line
from instruments.astm.query import Wanted
from instruments.astm.session import Assembly
from instruments.host_query import QueryDesk
from instruments.line import Keep, Reply
from instruments.misbehaviour import Analyser, Fault
from instruments.simulated.asking import Answer, heard_answer, question
from instruments.simulated.playing import deliver

NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)
TUBE = Wanted("TT7K40FQ9XB", ("COV2",))
OTHER = Wanted("TT7K40FR9X9", ("COV2",))


class Host:
    """The gateway's end of a line, and a desk that knows these orders; None when it cannot tell."""

    def __init__(self, orders: Iterable[Wanted] | None) -> None:
        self._line = Line()
        self._desk = QueryDesk(self._line, lambda _query: orders)
        self._assembly = Assembly()
        self._said = b""
        self.now_s = 0.0

    def write(self, data: bytes) -> None:
        self._act(self._line.feed(data, self.now_s))

    def read(self, wait_s: float) -> bytes:
        self.now_s += wait_s
        self._desk.serve_one(0)
        self._act(self._line.tick(self.now_s))
        said, self._said = self._said, b""
        return said

    def drain(self) -> None:
        self._said = b""

    def hang_up(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _act(self, actions: Iterable[object]) -> None:
        for action in actions:
            match action:
                case Reply():
                    self._said += action.byte
                case Keep():
                    self._line.kept(True)
                    if action.kind is Kind.FRAME:
                        for each in self._assembly.frame(action.data):
                            assert self._desk.take(each.text, datetime.now(UTC))


def asked(host: Host, *specimens: str, faults: Iterable[Fault] = ()) -> Answer | None:
    deliver(Analyser(faults, reply_timeout_s=0.5), question(specimens, NOW), host)
    return heard_answer(host, within_s=0.5)


def test_it_hears_the_order_of_its_tube_and_no_other() -> None:
    assert asked(Host([TUBE, OTHER]), "TT7K40FQ9XB") == Answer((TUBE,), "F")


def test_it_hears_every_order_when_it_asks_for_all() -> None:
    assert asked(Host([TUBE, OTHER]), "ALL") == Answer((TUBE, OTHER), "F")


def test_it_hears_that_there_is_none() -> None:
    assert asked(Host([]), "TT7K40FQ9XB") == Answer((), "I")


def test_it_does_not_take_silence_for_no_order() -> None:
    assert asked(Host(None), "TT7K40FQ9XB") is None


def test_a_question_that_came_over_badly_is_asked_again() -> None:
    assert asked(Host([TUBE]), "TT7K40FQ9XB", faults=[Fault.BIT_FLIP]) == Answer((TUBE,), "F")
