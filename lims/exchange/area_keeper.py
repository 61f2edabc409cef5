"""Counts communes' figures while anybody wants them: which days were touched, and what is owed.

Beside the sender, in its process. Everything is read from committed rows, so that a result waits
for none of it. Any number of processes may do this: one at a time does. Killed anywhere, the next
begins where the figures stand.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.work import area_days
from lims.work.area_days import Since

log = structlog.get_logger()

EVERY_S: Final = 60.0
DAYS: Final = 60  # figures older than that are not counted anew
_OVERLAP: Final = timedelta(minutes=15)  # a transaction that began before the last look may have
# committed since: what is looked at twice is counted twice, and owed once
_AFTER_A_FALL: Final = timedelta(days=1)
_ALL_AGAIN: Final = timedelta(hours=1)


class AreaKeeper:
    """Keeps the figures of one laboratory, and owes what changed."""

    def __init__(self, laboratory: Laboratory, *, every_s: float = EVERY_S) -> None:
        self._lab = laboratory
        self._every_s = every_s
        self._looked_at: Since | None = None
        self._told: frozenset[UUID] = frozenset()
        self._all_owed_at: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        while not stop.wait(self._every_s):
            try:
                self.once()
            except DATABASE_AWAY as failure:
                log.warning("areas.database_away", why=type(failure).__name__)
            except Exception as failure:  # ours: the next look may fare better
                log.error("areas.failed", exc_info=failure)

    def once(self) -> int:
        """Look once: how many figures are owed that were not before."""
        with self._lab.sessions.begin() as session:
            told = area_days.told_of_areas(session, site_id=self._lab.site_id)
            if not told or not area_days.my_turn(session):
                return 0
            looked_at = Since(area_days.database_clock(session), self._lab.clock())
            changed = self._count(session)
            owed = self._owe(session, told, looked_at)
        self._looked_at = looked_at
        self._told = told
        if changed or owed:
            log.info("areas.counted", changed=changed, owed=owed)
        return owed

    def _count(self, session: Session) -> int:
        now, site_id, timezone = self._lab.clock(), self._lab.site_id, self._lab.timezone
        first = now.astimezone(ZoneInfo(timezone)).date() - timedelta(days=DAYS)
        days = area_days.touched_days(
            session, self._since(session, now), first=first, timezone=timezone, site_id=site_id
        )
        return area_days.count_days(session, days, timezone=timezone, site_id=site_id, now=now)

    def _since(self, session: Session, now: datetime) -> Since:
        if self._looked_at is not None:
            return Since(self._looked_at.rows - _OVERLAP, self._looked_at.cases - _OVERLAP)
        changed = area_days.last_change(session, site_id=self._lab.site_id)
        if changed is None:
            everything = timedelta(days=DAYS + 1)
            return Since(area_days.database_clock(session) - everything, now - everything)
        down = area_days.database_clock(session) - changed
        return Since(changed - _AFTER_A_FALL, now - down - _AFTER_A_FALL)

    def _owe(self, session: Session, told: frozenset[UUID], looked_at: Since) -> int:
        """Of what changed lately; of everything where somebody wants figures anew, and now and
        then."""
        everything = (
            self._looked_at is None
            or told != self._told
            or self._all_owed_at is None
            or looked_at.rows - self._all_owed_at >= _ALL_AGAIN
        )
        since = None
        if everything:
            self._all_owed_at = looked_at.rows
        elif self._looked_at is not None:
            since = self._looked_at.rows - _OVERLAP
        return area_days.owe_figures(
            session, since=since, site_id=self._lab.site_id, now=self._lab.clock()
        )
