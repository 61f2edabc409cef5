"""The counts of the six stages, looked at once for everybody who has a page open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

LOOK_EVERY_S: Final = 2.0  # at most once a second, as promised to the pages

Counts = Mapping[str, Mapping[str, object]]
Count = Callable[[UUID | None], Counts]


@dataclass(eq=False)
class Watcher:
    """One open page: the team it counts for, and the newest counts it has not sent yet."""

    team_id: UUID | None
    queue: Queue[Counts] = field(default_factory=lambda: Queue(1))

    def put(self, counts: Counts) -> None:
        """Only the newest counts matter: older unsent ones are dropped."""
        with suppress(Empty):
            self.queue.get_nowait()
        with suppress(Full):
            self.queue.put_nowait(counts)

    def take(self, timeout_s: float) -> Counts | None:
        try:
            return self.queue.get(timeout=timeout_s)
        except Empty:
            return None


class StageTicker:
    """Counts while somebody watches: one statement a team and look, however many pages."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._watchers: set[Watcher] = set()
        self._known: dict[UUID | None, Counts] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def join(self, team_id: UUID | None) -> Watcher:
        watcher = Watcher(team_id)
        with self._lock:
            self._watchers.add(watcher)
            if team_id in self._known:
                watcher.put(self._known[team_id])
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="stage-ticker", daemon=True)
                self._thread.start()
        return watcher

    def leave(self, watcher: Watcher) -> None:
        with self._lock:
            self._watchers.discard(watcher)

    def close(self) -> None:
        """End the thread for good; for tests and an orderly stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            for team_id in self._teams():
                self._look(team_id)
            self._stop.wait(LOOK_EVERY_S)

    def _teams(self) -> set[UUID | None]:
        with self._lock:
            teams = {watcher.team_id for watcher in self._watchers}
            self._known = {team: self._known[team] for team in teams & self._known.keys()}
            return teams

    def _look(self, team_id: UUID | None) -> None:
        try:
            counts = self._count(team_id)
        except SQLAlchemyError as failure:
            log.warning("stages.uncounted", why=type(failure).__name__)
            return
        with self._lock:
            if self._known.get(team_id) == counts:
                return
            self._known[team_id] = counts
            watchers = [w for w in self._watchers if w.team_id == team_id]
        for watcher in watchers:
            watcher.put(counts)
