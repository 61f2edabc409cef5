"""The counts on every page, asked of the database for at most a tenth of this process's time.

A laboratory with 200,000 tubes in five days needs a fifth of a second to count what waits; every
page and every open feed shows it. So an expensive answer is kept ten times as long as it took and
shared by whoever asks; a cheap one is never kept. One thread counts, the others take what it found.
"""

import threading
from collections.abc import Callable
from datetime import datetime, time
from time import monotonic
from typing import Final, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Flask, current_app

from lims.db.laboratory import Laboratory
from lims.work.views import stages
from lims.work.views.stages import Today, Waiting

T = TypeVar("T")

CHEAP_S: Final = 0.05
REST: Final = 10


class Kept(Generic[T]):
    """One answer, and until when it is good enough."""

    def __init__(self, ask: Callable[[datetime], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answer: T | None = None
        self._until = 0.0

    def get(self, now: datetime) -> T:
        with self._lock:
            if self._answer is None or monotonic() >= self._until:
                started = monotonic()
                self._answer = self._ask(now)
                took = monotonic() - started
                self._until = monotonic() + (took * REST if took > CHEAP_S else 0.0)
            return self._answer


class Counting:
    """What waits at the site, and how the day went, for every page of this process."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._lab = laboratory
        self._site = Kept(self._ask_site)
        self._today = Kept(self._ask_today)

    def waiting(self, team_id: UUID | None, now: datetime) -> tuple[Waiting, ...]:
        """With a team, the unclaimed cases and the corrections are those that it was told of."""
        site = self._site.get(now)
        if team_id is None:
            return site
        with self._lab.sessions.begin() as session:
            theirs = stages.of_team(session, site_id=self._lab.site_id, team_id=team_id, now=now)
        return tuple(theirs.get(item.item, item) for item in site)

    def today(self, now: datetime) -> Today:
        """What was done since midnight."""
        return self._today.get(now)

    def midnight(self, now: datetime) -> datetime:
        """The site's last midnight."""
        here = now.astimezone(ZoneInfo(self._lab.timezone))
        return datetime.combine(here.date(), time.min, here.tzinfo)

    def _ask_site(self, now: datetime) -> tuple[Waiting, ...]:
        with self._lab.sessions.begin() as session:
            return stages.waiting(
                session, site_id=self._lab.site_id, now=now, day_start=self.midnight(now)
            )

    def _ask_today(self, now: datetime) -> Today:
        with self._lab.sessions.begin() as session:
            return stages.today(session, site_id=self._lab.site_id, day_start=self.midnight(now))


def counting() -> Counting:
    """This process's."""
    found: Counting = current_app.extensions["counting"]
    return found


def init_app(app: Flask, laboratory: Laboratory) -> None:
    """One for the application."""
    app.extensions["counting"] = Counting(laboratory)
