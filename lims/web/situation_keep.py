"""The last situations this process was asked for: no page counts a million tubes again.

Counting is done in a child (`lims.work.situation_apart`). An answer is good for ten times as long
as it took, a quarter of a minute at least; asked again meanwhile, and by however many pages, it is
the same one. While one asks, the others who want the same day wait for its answer. The same holds
for each form of file; `apart` lets no more than two children count at once.
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
from reports.situation import Form

LEAST_S: Final = 15.0
REST: Final = 10
MOST_KEPT: Final = 24  # days, in their languages and forms


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Answered | None = None
    until: float = 0.0


class Situations:
    """By day, language and form; what was asked for least recently is forgotten first."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab
        self._by_asked: OrderedDict[tuple[date, Tongue, Form | None], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, day: date, tongue: Tongue, now: datetime) -> Answered:
        """The figures and charts of a day. Raises ChildBroke."""
        return self._answer(day, tongue, now, None)

    def file(self, day: date, tongue: Tongue, now: datetime, form: Form) -> bytes:
        """A day's file, which says as of when it was counted. Raises ChildBroke."""
        return self._answer(day, tongue, now, form).file

    def _answer(self, day: date, tongue: Tongue, now: datetime, form: Form | None) -> Answered:
        kept = self._kept(day, tongue, form)
        with kept.lock:
            if kept.answer is None or monotonic() >= kept.until:
                started = monotonic()
                kept.answer = situation_apart(self._lab.engine, self._asked(day, tongue, now, form))
                took = monotonic() - started
                kept.until = monotonic() + max(LEAST_S, took * REST)
            return kept.answer

    def _asked(self, day: date, tongue: Tongue, now: datetime, form: Form | None) -> Asked:
        return Asked(
            site_id=self._lab.site_id,
            timezone=self._lab.timezone,
            day=day,
            now=now,
            tongue=tongue,
            form=form,
        )

    def _kept(self, day: date, tongue: Tongue, form: Form | None) -> _Kept:
        with self._lock:
            kept = self._by_asked.setdefault((day, tongue, form), _Kept())
            self._by_asked.move_to_end((day, tongue, form))
            while len(self._by_asked) > MOST_KEPT:
                self._by_asked.popitem(last=False)
            return kept


def situations() -> Situations:
    """This process's."""
    found: Situations = current_app.extensions["situations"]
    return found


def init_app(app: Flask, lab: Laboratory) -> None:
    """One for the application."""
    app.extensions["situations"] = Situations(lab)
