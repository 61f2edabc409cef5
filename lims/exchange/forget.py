"""Forgets what people declared, once the laboratory keeps it no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from lims.db.away import DATABASE_AWAY
from lims.work.forget import forget_declarations

if TYPE_CHECKING:
    from threading import Event

    from lims.db.laboratory import Laboratory

log = structlog.get_logger()

EVERY_S: Final = 600.0


class Forgetter:
    """Of one laboratory. Any number of processes may do this; what one has in hand others pass."""

    def __init__(self, laboratory: Laboratory, *, every_s: float = EVERY_S) -> None:
        self._lab = laboratory
        self._every_s = every_s

    def run(self, stop: Event) -> None:
        """At once, and then now and again until `stop` is set."""
        while not stop.is_set():
            try:
                while self.once() and not stop.is_set():
                    pass
            except DATABASE_AWAY as failure:
                log.warning("forget.database_away", why=type(failure).__name__)
            stop.wait(self._every_s)

    def once(self) -> bool:
        """Some of what is too old; whether something may be left."""
        with self._lab.sessions.begin() as session:
            found = forget_declarations(session, site_id=self._lab.site_id, now=self._lab.clock())
        if found.declarations or found.unread:
            log.info("forget.forgotten", declarations=found.declarations, unread=found.unread)
        return found.more
