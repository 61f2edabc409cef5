"""Host query: what an analyser asks, what it is told, and when."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.astm.frames import Keep, Kind, Receiver, Reply
from instruments.astm.line import Fate, Line
from instruments.astm.query import (
    Action,
    Ask,
    Query,
    Wanted,
    answer,
    ask_for,
    asked,
    wanted,
    worklist,
)
from instruments.astm.records import Delimiters, read
from instruments.astm.sender import Finished, Send, Sender, cut
from instruments.astm.session import Assembly, Received
from instruments.host_query import QueryDesk

CEPHEID = Delimiters("|", "@", "^", "\\")
ASKER = ("GeneXpert PC", "GeneXpert", "6.5")
NOW = datetime(2021, 11, 21, 8, 12, tzinfo=UTC)
HEAD = b"H|@^\\|id||GeneXpert PC^GeneXpert^6.5|||||LIS||P|1394-97|20211121081200\r"
END = b"L|1|N\r"
TUBE, OTHER = Wanted("TT7K40FQ9XB", ("COV2",)), Wanted("TT7K40FQAXC", ("COV2", "FLU"))


def question(body: bytes) -> Query | None:
    return asked(read(HEAD + body + END))


@pytest.mark.parametrize(
    ("record", "specimens", "everything"),
    [
        (b"Q|1|^A1||||||||||O@N\r", ("A1",), False),
        (b"Q|1|P7^A1@P8^A2||||||||||O@N\r", ("A1", "A2"), False),
        (b"Q|1|A1||||||||||O\r", ("A1",), False),
        (b"Q|1|ALL||||||||||O@N\r", (), True),
        (b"Q|1|^ALL||||||||||O@N\r", (), True),
        (b"Q|1|^||||||||||O@N\r", (), False),
        (b"Q|1|\r", (), False),
        (b"Q|1|^A1||||||||||O@N\rQ|2|^A2||||||||||O@N\r", ("A1", "A2"), False),
    ],
)
def test_what_is_asked_for(record: bytes, specimens: tuple[str, ...], everything: bool) -> None:
    query = question(record)
    assert query
    assert (query.specimens, query.everything) == (specimens, everything)
    assert (query.ask, query.asker) == (Ask.ORDERS, ASKER)


def test_results_are_no_question_and_a_question_may_be_taken_back() -> None:
    assert asked(read(HEAD + b"P|1\rO|1|A1\r" + END)) is None
    taken_back = question(b"Q|1|^A1||||||||||A\r")
    assert taken_back
    assert taken_back.ask is Ask.ABANDONED


def answered(query: Query | None, orders: list[Wanted]) -> list[str]:
    assert query
    told = answer(query, orders, host="LIS", message_id="A-1", now=NOW)
    return [record.decode().removesuffix("\r") for record in told]


def test_an_answer_is_addressed_to_the_asker_in_its_own_delimiters() -> None:
    assert answered(question(b"Q|1|^TT7K40FQAXC||||||||||O@N\r"), [OTHER]) == [
        r"H|@^\|A-1||LIS|||||GeneXpert PC^GeneXpert^6.5||P|1394-97|20211121081200",
        "P|1",
        "O|1|TT7K40FQAXC||^^^COV2@^^^FLU|R||||||A||||ORH||||||||||Q",
        "L|1|F",
    ]


def test_an_order_of_another_tube_is_never_told_and_no_order_is_said_plainly() -> None:
    told = answered(question(b"Q|1|^TT7K40FQ9XB||||||||||O@N\r"), [OTHER])
    assert told[1:] == ["L|1|I"]
    assert answered(question(b"Q|1|^||||||||||O@N\r"), [TUBE, OTHER])[1:] == ["L|1|I"]


def test_all_is_answered_with_everything() -> None:
    told = answered(question(b"Q|1|ALL||||||||||O@N\r"), [TUBE, OTHER])
    assert [line[:14] for line in told if line[0] in "PO"] == [
        "P|1",
        "O|1|TT7K40FQ9X",
        "P|2",
        "O|1|TT7K40FQAX",
    ]


orders = st.lists(
    st.builds(
        Wanted,
        specimen=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12),
        tests=st.lists(st.text("ABC|^@\\&9", min_size=1, max_size=6), min_size=1).map(tuple),
        collected=st.none(),
        priority=st.sampled_from("RSA"),
        action=st.sampled_from(Action),
    ),
    max_size=5,
)


@given(orders, st.sampled_from([CEPHEID, Delimiters()]))
def test_a_worklist_is_read_back_as_it_was_written(told: list[Wanted], marks: Delimiters) -> None:
    sent = worklist(told, to=ASKER, marks=marks, host="LIS", message_id="W-1", now=NOW)
    message = read(b"".join(sent))
    assert message.faults == []
    assert wanted(message) == told


class Host:
    """The host's end: drives the line and joins what is kept to texts."""

    def __init__(self) -> None:
        self.line, self.assembly = Line(), Assembly()
        self.texts: list[bytes] = []

    def hears(self, data: bytes, now_s: float) -> bytes:
        said = b""
        for action in self.line.feed(data, now_s):
            if isinstance(action, Keep):
                self.line.kept(True)
                if action.kind is Kind.FRAME:
                    self.texts += [each.text for each in self.assembly.frame(action.data)]
            else:
                said += action.byte
        return said

    def ticks(self, now_s: float) -> bytes:
        return b"".join(a.byte for a in self.line.tick(now_s) if isinstance(a, Reply))


class Xpert:
    """The analyser's end, with a sender and a receiver of its own."""

    def __init__(self) -> None:
        self.receiver, self.assembly = Receiver(), Assembly()
        self.told: list[Wanted] = []
        self.ends: list[str] = []

    def asks(self, host: Host, specimens: list[str], now_s: float) -> None:
        records = ask_for(specimens, asker=ASKER, marks=CEPHEID, now=NOW)
        sender = Sender(cut([b"".join(records)]))
        actions = sender.begin(now_s)
        while not any(isinstance(action, Finished) for action in actions):
            said = b"".join(a.data for a in actions if isinstance(a, Send))
            actions = sender.hear(host.hears(said, now_s), now_s)
        host.hears(b"\x04", now_s)

    def hears(self, data: bytes, now_s: float) -> bytes:
        said = b""
        for action in self.receiver.feed(data, now_s):
            if isinstance(action, Reply):
                said += action.byte
                continue
            self.receiver.kept(True)
            if action.kind is Kind.FRAME:
                self._told(self.assembly.frame(action.data))
        return said

    def _told(self, messages: Iterable[Received]) -> None:
        for each in messages:
            message = read(each.text)
            assert message.terminator
            self.told += wanted(message)
            self.ends.append(message.terminator.text(3))


def desk_on(line: Line, lookup: object, clock: list[float]) -> QueryDesk:
    return QueryDesk(
        line,
        lookup,  # type: ignore[arg-type]  # chosen by tests
        now=lambda: NOW + timedelta(seconds=clock[0]),
        now_s=lambda: clock[0],
    )


def test_a_question_asked_on_the_line_is_answered_on_it_when_the_analyser_has_ended() -> None:
    clock, host, xpert = [0.0], Host(), Xpert()
    desk = desk_on(host.line, lambda _query: [TUBE, OTHER], clock)
    xpert.asks(host, ["TT7K40FQ9XB"], 0.0)
    (text,) = host.texts
    assert desk.take(text, NOW)
    clock[0] = 59.0
    errand = desk.serve_one(0)
    assert errand
    said = host.ticks(59.0)
    while replied := xpert.hears(said, 59.0):
        said = host.hears(replied, 59.0)
    assert errand.fate is Fate.SENT
    assert xpert.told == [TUBE]
    assert xpert.ends == ["F"]


def asks(specimen: str) -> bytes:
    return b"".join(ask_for([specimen], asker=ASKER, marks=CEPHEID, now=NOW))


def test_an_answer_that_cannot_be_told_in_time_is_not_told_at_all() -> None:
    clock, line = [0.0], Line()

    def slow(_query: Query) -> list[Wanted]:
        clock[0] = 61.0
        return [TUBE]

    desk = desk_on(line, slow, clock)
    assert desk.take(asks("TT7K40FQ9XB"), NOW)
    assert desk.serve_one(0) is None
    assert list(line.tick(61.0)) == []


def test_a_lookup_that_cannot_tell_says_nothing_rather_than_no_order() -> None:
    line = Line()
    desk = desk_on(line, lambda _query: None, [0.0])
    assert desk.take(asks("TT7K40FQ9XB"), NOW)
    assert desk.serve_one(0) is None


def test_a_question_told_again_by_the_journal_an_hour_later_is_passed_over() -> None:
    desk = desk_on(Line(), lambda _query: [TUBE], [3600.0])
    assert desk.take(asks("TT7K40FQ9XB"), NOW)
    assert desk.serve_one(0) is None


def test_a_question_taken_back_is_not_answered_and_results_are_left_to_the_driver() -> None:
    desk = desk_on(Line(), lambda _query: [TUBE], [0.0])
    assert desk.take(asks("TT7K40FQ9XB"), NOW)
    assert desk.take(asks("TT7K40FQ9XB").replace(b"O@N", b"A"), NOW)
    assert desk.serve_one(0) is None
    assert not desk.take(HEAD + b"P|1\rO|1|A1\r" + END, NOW)
