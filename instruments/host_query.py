"""Answers what an analyser asks on its line, within the minute it waits.

Two threads share a desk: the one that reads the line hands a question over with `take` and goes
on; another one, in `serve_one`, looks the orders up, which may take as long as a network does, and
owes the answer to the line, which sends it when the analyser has ended its session.
"""

import queue
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from instruments.astm.line import Errand, Line, TooMuchOwed
from instruments.astm.query import ANSWER_WITHIN_S, Ask, Query, Wanted, answer, asked
from instruments.astm.records import read

_MAY_ASK = re.compile(rb"[\r\n][\0 ]*Q")  # most messages do not, and are not read twice for it

Lookup = Callable[[Query], Iterable[Wanted] | None]
"""Finds what is ordered; None when that cannot be told now, and then nothing is answered: an
analyser that hears nothing asks again, one that hears "no order" measures nothing."""

MOST_WAITING = 32  # questions; more than one analyser asks in its minute

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Question:
    """`until_s`: when the analyser stops waiting, on the monotonic clock."""

    query: Query
    until_s: float


def question_in(text: bytes) -> Query | None:
    """What a whole message asks that asks and reports nothing; else None."""
    if not _MAY_ASK.search(text):
        return None
    message = read(text)
    return asked(message) if message.terminated and not any(message.orders()) else None


@dataclass(slots=True)
class QueryDesk:
    """One line's questions. `host` is what we call ourselves in H.5."""

    line: Line
    lookup: Lookup
    host: str = "LIS"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    now_s: Callable[[], float] = time.monotonic
    _waiting: queue.Queue[Question] = field(default_factory=lambda: queue.Queue(MOST_WAITING))

    def take(self, text: bytes, at: datetime, *, told_again: bool = False) -> bool:
        """Whether the message is a question, and so nothing for a driver. One whose time is over is
        passed over; so is one `told_again` from the journal, for nobody knows whether it was
        answered before the gateway fell, and its analyser asks anew."""
        query = question_in(text)
        if query is None:
            return False
        left = timedelta(seconds=ANSWER_WITHIN_S) - (self.now() - at)
        if told_again:
            _log.info("question passed over", asked_at=at.isoformat())
        elif query.ask is Ask.ORDERS and left > timedelta():
            try:
                self._waiting.put_nowait(Question(query, self.now_s() + left.total_seconds()))
            except queue.Full:
                _log.warning("question dropped", waiting=MOST_WAITING)
        elif query.ask is Ask.ABANDONED:
            self._abandon()
        return True

    def serve_one(self, wait_s: float) -> Errand | None:
        """Answer the oldest question, waiting at most `wait_s` for one; what was owed, or None."""
        try:
            question = self._waiting.get(timeout=wait_s) if wait_s else self._waiting.get_nowait()
        except queue.Empty:
            return None
        orders = self.lookup(question.query)
        if orders is None or self.now_s() >= question.until_s:
            _log.warning("question not answered", known=orders is not None)
            return None
        now = self.now()
        records = answer(
            question.query, orders, host=self.host, message_id=f"A-{now:%Y%m%d%H%M%S%f}", now=now
        )
        _log.info(
            "question answered", specimens=len(question.query.specimens), records=len(records)
        )
        try:
            return self.line.owe(records, until_s=question.until_s)
        except TooMuchOwed as error:
            _log.warning("question not answered", error=str(error))
            return None

    def _abandon(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait()
