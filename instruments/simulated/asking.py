"""Host query by a simulated GeneXpert: ask what is ordered for a tube, or for all, and hear it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from instruments.analyser_messages import CEPHEID
from instruments.astm.frames import Kind, Receiver
from instruments.astm.query import ANSWER_WITHIN_S, Wanted, ask_for, wanted
from instruments.astm.records import read
from instruments.astm.session import Assembly
from instruments.line import Keep, Reply
from instruments.misbehaviour import Order
from instruments.simulated.lines import Line
from instruments.simulated.playing import POLL_S

ALL: Final = "ALL"
ASKER: Final = ("GeneXpert PC", "GeneXpert", "6.5")


@dataclass(frozen=True, slots=True)
class Answer:
    """`ending` is L.3: F, answered; I, the host knows of no order."""

    orders: tuple[Wanted, ...]
    ending: str


def question(specimens: Sequence[str], now: datetime) -> Order:
    """`ALL` asks for everything."""
    named = [] if ALL in specimens else specimens
    records = ask_for(named, asker=ASKER, marks=CEPHEID, now=now)
    return Order("query", tuple(records), packed=True)


def heard_answer(line: Line, *, within_s: float = ANSWER_WITHIN_S) -> Answer | None:
    """What the host says in its next session; None when it says nothing in time."""
    receiver, assembly = Receiver(), Assembly()
    answer: Answer | None = None
    until_s = time.monotonic() + within_s
    while (now_s := time.monotonic()) < until_s:
        for action in receiver.feed(line.read(POLL_S), now_s):
            match action:
                case Reply():
                    line.write(action.byte)
                case Keep():
                    receiver.kept(True)
                    if action.kind is Kind.END:
                        if answer:
                            return answer
                    elif action.kind is Kind.FRAME:
                        for each in assembly.frame(action.data):
                            answer = _answer(each.text) or answer
    return answer


def _answer(text: bytes) -> Answer | None:
    message = read(text)
    end = message.terminator
    return Answer(tuple(wanted(message)), end.text(3)) if end else None
