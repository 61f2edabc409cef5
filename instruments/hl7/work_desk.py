"""Answers the work-list queries of one MLLP line, within the time that an analyser waits.

Two threads share a desk. The one that reads the line hands queries over with `take`, says what
`due` gives it and goes on; another one, in `serve_one`, looks the orders up, which may take as long
as a network does. A query whose time is over before that is answered with AE, and what comes later
is not told: AE says "not now", and the analyser, or its user, asks again.

What is to be measured follows one order at a time, each when the one before was answered (ORL^O34,
or any MSA of it): MLLP has no more than one message under way. An analyser that falls silent there
is told no more, and asks again.

How long an analyser waits IHE LAW leaves to its vendor. Known: a cobas e 411 takes its question
back after 15 s (Host Interface Manual 2.3, p. 51).
"""

import queue
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog

from instruments.hl7.acknowledgement import Code
from instruments.hl7.message import Message, read
from instruments.hl7.worklist import Order, Query, worklist_answer

ANSWER_WITHIN_S: Final = 10.0
ORL_WITHIN_S: Final = 10.0
MOST_WAITING: Final = 32  # queries; more than one analyser has open

Lookup = Callable[[Query, float], Sequence[Order] | None]
"""What waits on the tube asked for, or on all, found within so many seconds; None when that cannot
be told now."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """`until_s`: when AE is said, on the monotonic clock."""

    query: Query
    until_s: float


@dataclass(slots=True)
class WorkDesk:
    """One line's queries."""

    lookup: Lookup
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    now_s: Callable[[], float] = time.monotonic
    _waiting: queue.Queue[_Question] = field(default_factory=lambda: queue.Queue(MOST_WAITING))
    _found: queue.SimpleQueue[tuple[_Question, Sequence[Order] | None]] = field(
        default_factory=queue.SimpleQueue
    )
    _open: list[_Question] = field(default_factory=list)
    _to_tell: deque[bytes] = field(default_factory=deque)
    _told: str = ""  # MSH-10 of the order that is not answered yet
    _told_until_s: float = 0.0

    def take(self, query: Query) -> None:
        """A query that came. Who asks anew has done with what it was told before."""
        self._told = ""
        question = _Question(query, self.now_s() + ANSWER_WITHIN_S)
        try:
            self._waiting.put_nowait(question)
        except queue.Full:
            self._found.put((question, None))
        self._open.append(question)

    def hear(self, answer: Message) -> None:
        """What the analyser says of something of ours."""
        msa = answer.first("MSA")
        if msa is None or not self._told or msa.value(2) != self._told:
            return
        self._told = ""
        if msa.value(1)[1:] != Code.ACCEPT.value[1:]:
            _log.warning("order refused by the analyser", code=msa.value(1), said=msa.text(3))

    def due(self) -> Iterator[bytes]:
        """The messages to send now, in order."""
        while not self._found.empty():
            yield from self._answer(*self._found.get_nowait())
        now_s = self.now_s()
        for late in [each for each in self._open if now_s >= each.until_s]:
            yield from self._answer(late, None)
        if self._told and now_s >= self._told_until_s:
            _log.warning("orders not taken by the analyser", left=len(self._to_tell))
            self._told = ""
            self._to_tell.clear()
        if self._to_tell and not self._told:
            order = self._to_tell.popleft()
            self._told, self._told_until_s = read(order).control_id, now_s + ORL_WITHIN_S
            yield order

    def serve_one(self, wait_s: float) -> bool:
        """Look up the oldest query, waiting at most `wait_s` for one; whether there was one."""
        try:
            question = self._waiting.get(timeout=wait_s) if wait_s else self._waiting.get_nowait()
        except queue.Empty:
            return False
        found: Sequence[Order] | None = None
        try:
            left_s = question.until_s - self.now_s()
            found = self.lookup(question.query, left_s) if left_s > 0 else None
        finally:
            self._found.put((question, found))
        return True

    def _answer(self, question: _Question, orders: Sequence[Order] | None) -> Iterator[bytes]:
        if question not in self._open:
            return  # AE was said when its time was over
        self._open.remove(question)
        heard, *work = worklist_answer(question.query, orders, self.now())
        self._to_tell += work
        if orders is None:
            _log.warning("question not answered", specimen=question.query.specimen)
        else:
            _log.info("question answered", specimen=question.query.specimen, messages=len(work))
        yield heard
