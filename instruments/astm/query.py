"""Host query and worklist download (LIS2-A2 section 10, Q records): pure, in and out.

An analyser asks what to do with a tube, or with everything; the host answers with its orders as
soon as the line is free, and the analyser waits for at most `ANSWER_WITHIN_S`.

    analyser   H … | Q|1|<patient>^<specimen>\\<patient>^<specimen>||||||||||O@N | L|1|N
               H … | Q|1|ALL||||||||||O@N | L|1|N
    host       H … | P|1 | O|1|<specimen>||^^^<test>|R||||||A||||<type>||||||||||Q | P|2 … | L|1|F
               H … | L|1|I                                                    when it has no order
    analyser   Q with status A: the question before is taken back

GeneXpert (301-2002 rev E; read years ago, written here from memory) asks with `O@N`, wants each
order's O.26 to be Q in an answer and O in a download that nobody asked for, and O.12 to be A for
a new order and C for one taken back. L.3 is F when a query was answered and I when there is no
information on it (LIS2-A2 12.1.3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from instruments.astm.records import Delimiters, Message, Record, write

ANSWER_WITHIN_S = 60.0  # then GeneXpert tells its user that the host does not answer
_ALL = "ALL"


class Ask(StrEnum):
    """Q.13, its first repeat (LIS2-A2 10.1.13)."""

    ORDERS = "O"
    ABANDONED = "A"
    OTHER = "other"  # results and demographics, of which we send none


class Action(StrEnum):
    """O.12 (LIS2-A2 8.4.12): what to do about an order."""

    ADD = "A"
    CANCEL = "C"


@dataclass(frozen=True, slots=True)
class Query:
    """`asker` is the analyser's H.5 as sent, so that the answer can be addressed to it, and `marks`
    are its delimiters. A question that names no specimen at all does not ask for everything."""

    specimens: tuple[str, ...]
    everything: bool
    ask: Ask
    asker: Sequence[str]
    marks: Delimiters


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order: this specimen, or pool, by these tests (the analyser's own codes)."""

    specimen: str
    tests: tuple[str, ...]
    collected: datetime | None = None
    priority: str = "R"
    action: Action = Action.ADD


def asked(message: Message) -> Query | None:
    """What a message asks; None when it asks nothing. Of several Q records, together."""
    questions = [record for record in message.others if record.type == "Q"]
    if not questions or message.header is None:
        return None
    ids = [_specimens(question) for question in questions]
    everything = any(each is None for each in ids)
    return Query(
        specimens=tuple(dict.fromkeys(name for each in ids if each for name in each)),
        everything=everything,
        ask=_ask(questions[-1]),
        asker=message.header.components(5),
        marks=message.header.delimiters,
    )


def answer(
    query: Query, orders: Iterable[Wanted], *, host: str, message_id: str, now: datetime
) -> list[bytes]:
    """The records, each with its CR. Orders of specimens that were not asked for are left out, so
    that whoever looked them up cannot answer for another tube."""
    told = [each for each in orders if query.everything or each.specimen in query.specimens]
    head = _head(query.asker, query.marks, host=host, message_id=message_id, now=now)
    orders_told = _orders(told, query.marks, report="Q")
    return [head, *orders_told, write(("L", 1, "F" if told else "I"), query.marks)]


def worklist(
    orders: Sequence[Wanted],
    *,
    to: Sequence[str],
    marks: Delimiters,
    host: str,
    message_id: str,
    now: datetime,
) -> list[bytes]:
    """A download that was not asked for."""
    head = _head(to, marks, host=host, message_id=message_id, now=now)
    return [head, *_orders(orders, marks, report="O"), write(("L", 1, "N"), marks)]


def wanted(message: Message) -> list[Wanted]:
    """The other way about: the orders of an answer or a worklist, as the analyser reads them."""
    return [
        Wanted(
            specimen=order.record.component(3, 1),
            tests=tuple(repeat[3] for repeat in order.record.repeats(5) if len(repeat) > 3),
            collected=_time(order.record.text(8)),
            priority=order.record.text(6) or "R",
            action=Action.CANCEL if order.record.text(12) == "C" else Action.ADD,
        )
        for _path, order in message.orders()
    ]


def ask_for(
    specimens: Sequence[str], *, asker: Sequence[str], marks: Delimiters, now: datetime
) -> list[bytes]:
    """A question, as GeneXpert puts it; of no specimen, for everything."""
    what: object = [("", each) for each in specimens] if specimens else _ALL
    head = ("H", "", f"Q-{_stamp(now)}", "", tuple(asker), *[""] * 4, "LIS", "", "P", "1394-97")
    return [
        write((*head, _stamp(now)), marks),
        write(("Q", 1, what, *[""] * 9, ["O", "N"]), marks),
        write(("L", 1, "N"), marks),
    ]


def _specimens(question: Record) -> tuple[str, ...] | None:
    """None for everything: `ALL` in Q.3, with or without a place before it (LIS2-A2 10.1.3)."""
    repeats = question.repeats(3)
    if any(part.upper() == _ALL for repeat in repeats for part in repeat[:2]):
        return None
    named = (repeat[1] if len(repeat) > 1 else repeat[0] for repeat in repeats)
    return tuple(name for name in named if name)


def _ask(question: Record) -> Ask:
    """Q.13; where it is not sent, orders are what an analyser asks for."""
    codes = {repeat[0].upper() for repeat in question.repeats(13)}
    if "A" in codes:
        return Ask.ABANDONED
    return Ask.ORDERS if codes & {"O", ""} else Ask.OTHER


def _head(
    to: Sequence[str], marks: Delimiters, *, host: str, message_id: str, now: datetime
) -> bytes:
    sent = ("H", "", message_id, "", host, *[""] * 4, tuple(to), "", "P", "1394-97", _stamp(now))
    return write(sent, marks)


def _orders(orders: Iterable[Wanted], marks: Delimiters, *, report: str) -> list[bytes]:
    """Each below a P of its own (GeneXpert takes one order a patient), without a name: the tube's
    barcode is all that an analyser needs to know."""
    written = []
    for number, each in enumerate(orders, start=1):
        tests = [("", "", "", test) for test in each.tests]
        collected = _stamp(each.collected) if each.collected else ""
        order = ("O", 1, each.specimen, "", tests, each.priority, "", collected)
        written.append(write(("P", number), marks))
        written.append(
            write((*order, "", "", "", each.action, *[""] * 3, "ORH", *[""] * 9, report), marks)
        )
    return written


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the instrument's clock
    except ValueError:
        return None
