"""One LISTEN connection a process, fanned out to every open page. It knows no Flask.

A page gets ids only and fetches what it may see by itself. Its queue is bounded: one that stopped
reading is told to look at everything again, and holds up nobody.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue, SimpleQueue
from time import sleep
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.db.listening import Listener
from lims.work.live import BOARD
from lims.work.views.board import Scope
from lims.work.views.changes import teams_of_calls, told_teams

log = structlog.get_logger()

LONGEST_QUEUE: Final = 100
_LISTEN_S: Final = 5.0  # how long a page waits for the first connection
_GATHER_S: Final = 0.1  # one look at the database for everything a plate says at once


@dataclass(frozen=True, slots=True)
class Event:
    """What one page hears: `case`, `alert` or `call` with an id, or `reset` (look at everything
    again)."""

    event_id: UUID
    name: str
    about: UUID | None = None

    def wire(self) -> str:
        """As the event stream format has it (HTML Living Standard, 9.2)."""
        said = json.dumps({"id": str(self.about)} if self.about else {})
        return f"id: {self.event_id}\nevent: {self.name}\ndata: {said}\n\n"


def case_event(case_id: UUID) -> Event:
    return Event(uuid7(), "case", case_id)


def alert_event(pool_id: UUID) -> Event:
    return Event(uuid7(), "alert", pool_id)


def call_event(call_id: UUID) -> Event:
    return Event(uuid7(), "call", call_id)


def reset_event() -> Event:
    return Event(uuid7(), "reset")


class Subscriber:
    """One open page."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._queue: Queue[Event] = Queue(LONGEST_QUEUE)

    def put(self, event: Event) -> None:
        try:
            self._queue.put_nowait(event)
        except Full:
            with suppress(Empty):
                while True:
                    self._queue.get_nowait()
            self._queue.put_nowait(reset_event())

    def take(self, timeout_s: float) -> Event | None:
        try:
            return self._queue.get(timeout=timeout_s)
        except Empty:
            return None


class Hub:
    """Started by the first page that listens; threads, or greenlets under a gevent worker."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab
        self._subscribers: set[Subscriber] = set()
        self._lock = threading.Lock()
        self._inbox: SimpleQueue[str | None] = SimpleQueue()
        self._listener: Listener | None = None
        self._sorter: threading.Thread | None = None
        self._listening = threading.Event()
        self._gave_up = False  # a page went on before LISTEN held for the first time
        self._closed = False

    def join(self, scope: Scope) -> Subscriber:
        """From now on this page hears of its cases. Waits a moment until LISTEN holds; where that
        takes longer the page looks again when it does."""
        subscriber = Subscriber(scope)
        with self._lock:
            self._subscribers.add(subscriber)
            if self._closed:
                return subscriber
            if self._listener is None:
                self._start()
        if not self._listening.wait(timeout=_LISTEN_S):
            self._went_on(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        with self._lock:
            self._subscribers.discard(subscriber)

    def close(self) -> None:
        """End both threads for good; for tests and an orderly stop."""
        with self._lock:
            self._closed = True
            listener, sorter = self._listener, self._sorter
            self._listener = self._sorter = None
        if listener is not None:
            listener.stop()
        if sorter is not None:
            self._inbox.put(None)
            sorter.join()

    def _start(self) -> None:
        self._listener = Listener(
            self._lab.engine,
            [BOARD],
            heard=lambda _channel, payload: self._inbox.put(payload),
            connected=self._connected,
            name="board-listener",
        )
        self._sorter = threading.Thread(target=self._sort, name="board-sorter", daemon=True)
        self._listener.start()
        self._sorter.start()

    def _went_on(self, subscriber: Subscriber) -> None:
        with self._lock:
            if not self._listening.is_set():
                self._gave_up = True
                return
        subscriber.put(reset_event())  # it holds since this moment

    def _connected(self) -> None:
        """After a break nobody knows what was missed, so every page looks again."""
        with self._lock:
            missed = self._listening.is_set() or self._gave_up
            self._gave_up = False
            self._listening.set()
        if missed:
            self._send_all([reset_event()])

    def _sort(self) -> None:
        while (payload := self._inbox.get()) is not None:
            sleep(_GATHER_S)
            payloads = [payload]
            with suppress(Empty):
                while True:
                    following = self._inbox.get_nowait()
                    if following is None:
                        return
                    payloads.append(following)
            try:
                self._fan_out(payloads)
            except SQLAlchemyError as failure:
                log.warning("board.unsorted", why=type(failure).__name__)
                self._send_all([reset_event()])

    def _fan_out(self, payloads: Sequence[str]) -> None:
        named = _named(payloads)
        if not any(named.values()):
            return
        cases, pools, calls = named["case_id"], named["pool_id"], named["call_id"]
        with self._lab.sessions.begin() as session:
            told = dict(told_teams(session, [*cases, *pools])) if cases or pools else {}
            if calls:
                told |= teams_of_calls(session, calls)
        events = [
            *map(case_event, cases),
            *map(alert_event, pools),
            *map(call_event, calls),
        ]
        for subscriber in self._everybody():
            for event in events:
                teams = told.get(event.about, frozenset()) if event.about else frozenset()
                if subscriber.scope.everything or subscriber.scope.team_id in teams:
                    subscriber.put(event)

    def _send_all(self, events: Iterable[Event]) -> None:
        for event in events:
            for subscriber in self._everybody():
                subscriber.put(event)

    def _everybody(self) -> Sequence[Subscriber]:
        with self._lock:
            return tuple(self._subscribers)


def _named(payloads: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    """The cases, pools and calls of these notifications, each once, in order."""
    found: dict[str, dict[UUID, None]] = {"case_id": {}, "pool_id": {}, "call_id": {}}
    for payload in payloads:
        try:
            said = json.loads(payload)
            for key, ids in found.items():
                if key in said:
                    ids[UUID(said[key])] = None
        except (ValueError, TypeError):
            log.warning("board.unreadable", length=len(payload))
    return {key: list(ids) for key, ids in found.items()}
