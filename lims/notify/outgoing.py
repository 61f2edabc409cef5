"""Leased messages on their way to the senders, each receiver's in a line of its own.

Which of the leased go next is decided here. A receiver that answered quickly last time has many of
the senders and any other a few; after each message it lets the other receivers go first. So a slow
one holds a few senders and never all, and a quick one is told of a burst in no time.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import structlog

from lims.work.owed import Owed

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the senders one receiver may have at once, and how many leased messages for each
    of them. `quick_s`: an answer within it makes a quick one."""

    at_once: int = 4
    quick_at_once: int = 12
    ahead: int = 4
    quick_s: float = 0.25

    def of(self, *, quick: bool) -> int:
        return self.quick_at_once if quick else self.at_once


class Outgoing:
    """What is leased and not yet sent. ``send`` sends one message, on a thread of the pool, and
    says whether its receiver took it; if not, ``back`` gets the rest of its line.
    ``room`` is called when it is worth asking for more."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        send: Callable[[Owed], bool],
        room: Callable[[], None],
        back: Callable[[list[Owed]], None],
        *,
        share: Share,
    ) -> None:
        self._pool = pool
        self._send = send
        self._room = room
        self._back = back
        self._share = share
        self._lines: dict[UUID, deque[tuple[Owed, float]]] = {}
        self._sending: Counter[UUID] = Counter()
        self._quick: set[UUID] = set()
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
                self._set_going(receiver)
            self._low = self.out // 2

    def wants_more(self) -> bool:
        """Half of what was taken is away: asking earlier would lease a few at a time."""
        with self._lock:
            return self.out <= self._low

    def rooms(self) -> Mapping[UUID, int]:
        """How many more of each receiver that is known here may be leased."""
        with self._lock:
            known = self._quick | set(self._lines) | set(self._sending)
            return {one: self._room_of(one) for one in known}

    def give_back(self) -> list[Owed]:
        """Whatever has not begun: none of it will be sent from here."""
        with self._lock:
            return [owed for receiver in list(self._lines) for owed in self._cleared(receiver)]

    def _room_of(self, receiver: UUID) -> int:
        most = self._share.of(quick=receiver in self._quick) * self._share.ahead
        return most - len(self._lines.get(receiver, ())) - self._sending[receiver]

    def _set_going(self, receiver: UUID) -> None:
        """Under the lock: one more of the senders for it, when it may have one and needs it."""
        waiting = len(self._lines.get(receiver, ()))
        allowed = self._share.of(quick=receiver in self._quick)
        if waiting and self._sending[receiver] < allowed:
            self._sending[receiver] += 1
            self._pool.submit(self._go, receiver)

    def _go(self, receiver: UUID) -> None:
        """Send the next in this receiver's line, then stand behind the other receivers."""
        owed = self._next(receiver)
        if owed is not None:
            self._sent(owed)
        with self._lock:
            allowed = self._share.of(quick=receiver in self._quick)
            if self._lines.get(receiver) and self._sending[receiver] <= allowed:
                self._pool.submit(self._go, receiver)
                self._set_going(receiver)
                wanted = self.out <= self._low
            else:
                self._sending[receiver] -= 1
                if not self._sending[receiver]:
                    del self._sending[receiver]
                    if not self._lines.get(receiver):
                        self._lines.pop(receiver, None)
                wanted = True
        if wanted:
            self._room()

    def _sent(self, owed: Owed) -> None:
        left: list[Owed] = []
        began = monotonic()
        try:
            taken = self._send(owed)
            quick = taken and monotonic() - began <= self._share.quick_s
        except Exception as failure:  # a fault of ours: its lease runs out, the others go on
            log.error("deliverer.failed", exc_info=failure)
            taken, quick = True, False
        with self._lock:
            self.out -= 1
            (self._quick.add if quick else self._quick.discard)(owed.subscription_id)
            if not taken:
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
