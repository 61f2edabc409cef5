"""Leased notices on their way to the senders, each receiver's in a line of its own.

Leasing asks the database about everything that is owed, so that it is done for many at a time;
which of them go next is decided here. A receiver has at most ``at_once`` of the senders, and after
each notice lets the other receivers go first: a slow one holds a few senders and never all.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from uuid import UUID

import structlog

from lims.work.dispatch import Owed

log = structlog.get_logger()


class Outgoing:
    """What is leased and not yet settled. ``send`` sends and settles one notice, on a thread of the
    pool, and says whether its receiver takes more now; if not, ``back`` gets the rest of its line.
    ``room`` is called when it is worth asking for more."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        send: Callable[[Owed], bool],
        room: Callable[[], None],
        back: Callable[[list[Owed]], None],
        *,
        at_once: int,
    ) -> None:
        self._pool = pool
        self._send = send
        self._room = room
        self._back = back
        self._at_once = at_once
        self._lines: dict[UUID, deque[tuple[Owed, float]]] = {}
        self._sending: Counter[UUID] = Counter()
        self._lock = threading.Lock()
        self._low = 0
        self.out = 0

    def take(self, leased: Sequence[Owed], until_s: float) -> None:
        """Send them, in this order for each receiver. What has not begun by ``until_s`` (monotonic)
        is not sent at all: another deliverer may soon have it."""
        with self._lock:
            for owed in leased:
                receiver = owed.subscription_id
                self._lines.setdefault(receiver, deque()).append((owed, until_s))
                self.out += 1
                if self._sending[receiver] < self._at_once:
                    self._sending[receiver] += 1
                    self._pool.submit(self._go, receiver)
            self._low = self.out // 2

    def give_back(self) -> list[Owed]:
        """Whatever has not begun: none of it will be sent from here."""
        with self._lock:
            return [owed for receiver in list(self._lines) for owed in self._cleared(receiver)]

    def _go(self, receiver: UUID) -> None:
        """Send the next in this receiver's line, then stand behind the other receivers."""
        owed = self._next(receiver)
        if owed is not None:
            self._sent(owed)
        with self._lock:
            if self._lines.get(receiver):
                self._pool.submit(self._go, receiver)
                wanted = self.out <= self._low
            else:
                self._lines.pop(receiver, None)
                self._sending[receiver] -= 1
                wanted = True
        if wanted:
            self._room()

    def _sent(self, owed: Owed) -> None:
        left: list[Owed] = []
        try:
            takes_more = self._send(owed)
        except Exception as failure:
            log.error("deliverer.failed", exc_info=failure)
            takes_more = True
        with self._lock:
            self.out -= 1
            if not takes_more:
                left = self._cleared(owed.subscription_id)
        if left:
            self._back(left)

    def _cleared(self, receiver: UUID) -> list[Owed]:
        """Under the lock."""
        left = [owed for owed, _until in self._lines.pop(receiver, ())]
        self.out -= len(left)
        return left

    def _next(self, receiver: UUID) -> Owed | None:
        with self._lock:
            line = self._lines.get(receiver, deque())
            while line:
                owed, until_s = line.popleft()
                if monotonic() < until_s:
                    return owed
                self.out -= 1
        return None
