"""The last situations this process was asked for: no page counts a million tubes again.

Counting is done in a child (`lims.work.situation_apart`). An answer is good for ten times as long
as it took, a quarter of a minute at least; asked again meanwhile, and by however many pages, it is
the same one. While one asks, the others who want the same day wait for its answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date, datetime
from time import monotonic
from typing import Final

from flask import Flask, current_app

from lims.db.laboratory import Laboratory
from lims.work.situation_apart import Answered, Asked, situation_apart
from reports.saying import Tongue
from reports.situation_forms import Form

LEAST_S: Final = 15.0
REST: Final = 10
MOST_DAYS: Final = 12


@dataclass
class _Day:
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Answered | None = None
    until: float = 0.0


class Situations:
    """By day and language; the day asked for least recently is forgotten first."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab
        self._days: OrderedDict[tuple[date, Tongue], _Day] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, day: date, tongue: Tongue, now: datetime) -> Answered:
        """The figures and charts of a day. Raises ChildBroke."""
        kept = self._kept(day, tongue)
        with kept.lock:
            if kept.answer is None or monotonic() >= kept.until:
                started = monotonic()
                kept.answer = situation_apart(self._lab.engine, self._asked(day, tongue, now, None))
                took = monotonic() - started
                kept.until = monotonic() + max(LEAST_S, took * REST)
            return kept.answer

    def file(self, day: date, tongue: Tongue, now: datetime, form: Form) -> bytes:
        """A file, always as of now. Raises ChildBroke."""
        return situation_apart(self._lab.engine, self._asked(day, tongue, now, form)).file

    def _asked(self, day: date, tongue: Tongue, now: datetime, form: Form | None) -> Asked:
        return Asked(
            site_id=self._lab.site_id,
            timezone=self._lab.timezone,
            day=day,
            now=now,
            tongue=tongue,
            form=form,
        )

    def _kept(self, day: date, tongue: Tongue) -> _Day:
        with self._lock:
            kept = self._days.setdefault((day, tongue), _Day())
            self._days.move_to_end((day, tongue))
            while len(self._days) > MOST_DAYS:
                self._days.popitem(last=False)
            return kept


def situations() -> Situations:
    """This process's."""
    found: Situations = current_app.extensions["situations"]
    return found


def init_app(app: Flask, lab: Laboratory) -> None:
    """One for the application."""
    app.extensions["situations"] = Situations(lab)
