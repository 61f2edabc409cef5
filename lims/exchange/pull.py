"""Asks other systems what is new there: a page at a time, kept with its cursor before the next.

No connection to the database is held while they are asked. Killed between two pages, the next turn
begins where the last one was kept; a page that was read and not kept is read again. Run as many as
you like: each system is asked by one at a time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.exchange.adapters.declarations import MOST_ASKED, Declarations, Page
from lims.exchange.adapters.https_line import ANSWER_S, Gone, https_line
from lims.exchange.speaker import Away
from lims.work import pulling
from lims.work.declare import keep_declarations
from lims.work.pulling import LostLease, Pulling

log = structlog.get_logger()

_LEASE_S: Final = 120.0  # outlasts one answer's patience, and the keeping of it
_TURN_S: Final = 60.0  # one whose feed has no end leaves the others theirs
_LOOK_S: Final = 2.0  # how soon one that an administrator asks for begins


@dataclass(slots=True)
class Pulled:
    """What one turn brought; ``more`` is left for the next."""

    pages: int = 0
    taken: int = 0
    unread: int = 0
    more: bool = False
    away: str | None = None


class Puller:
    """Pulls what is new for one laboratory until told to stop."""

    def __init__(
        self,
        laboratory: Laboratory,
        *,
        answer_s: float = ANSWER_S,
        rng: Random | None = None,
    ) -> None:
        self._lab = laboratory
        self._answer_s = answer_s
        self._rng = rng or Random()  # noqa: S311 - spreads retries; nothing secret
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; the page under way is finished and kept."""
        self._stop = stop
        while not stop.wait(_LOOK_S):
            try:
                while not stop.is_set() and self.one() is not None:
                    pass
            except DATABASE_AWAY as failure:
                log.warning("pull.database_away", why=type(failure).__name__)

    def one(self, only: UUID | None = None) -> Pulled | None:
        """One turn with a system that is due, or with this one; None when there is none free."""
        with self._lab.sessions.begin() as session:
            mine = pulling.lease(
                session, self._lab.clock(), _LEASE_S, site_id=self._lab.site_id, only=only
            )
        if mine is None:
            return None
        turn = _Turn(self._lab, mine)
        try:
            with https_line(mine.leased, answer_s=self._answer_s) as line:
                self._take_all(turn, Declarations(line, mine.leased.options.get("laboratory", "")))
            turn.rest()
        except Away as away:
            turn.away(str(away), self._rng)
        except LostLease:  # what was read is read by whoever has it now
            log.warning("pull.lost_lease", destination=str(mine.leased.destination_id))
        except DATABASE_AWAY:
            raise
        except Exception as failure:  # ours: it must not be tried again at once
            log.error("pull.failed", destination=str(turn.destination_id), exc_info=failure)
            turn.away(f"ours: {type(failure).__name__}", self._rng)
        log.info(
            "pull.turn",
            destination=str(turn.destination_id),
            pages=turn.pulled.pages,
            taken=turn.pulled.taken,
            unread=turn.pulled.unread,
            away=turn.pulled.away,
        )
        return turn.pulled

    def _take_all(self, turn: _Turn, there: Declarations) -> None:
        """First what was wanted once more, then all that is new, as far as one turn goes."""
        until_s = monotonic() + _TURN_S
        while not self._stop.is_set() and (subjects := turn.wanted()):
            turn.keep(there.these(subjects), turn.cursor, subjects)
        turn.pulled.more = True
        while turn.pulled.more and not self._stop.is_set():
            try:
                page = there.page(turn.cursor)
            except Gone:
                if turn.cursor is None:
                    raise
                turn.begin_again()
                continue
            turn.keep(page, page.cursor)
            turn.pulled.more = page.more
            if monotonic() > until_s:
                return


class _Turn:
    """One system, while it is ours."""

    def __init__(self, laboratory: Laboratory, mine: Pulling) -> None:
        self._lab = laboratory
        self._mine = mine
        self.pulled = Pulled()

    @property
    def cursor(self) -> str | None:
        return self._mine.cursor

    @property
    def destination_id(self) -> UUID:
        return self._mine.leased.destination_id

    def wanted(self) -> list[UUID]:
        with self._lab.sessions.begin() as session:
            return list(pulling.wanted(session, self._mine, MOST_ASKED))

    def keep(self, page: Page, cursor: str | None, subjects: list[UUID] | None = None) -> None:
        """What they said and how far that is, or neither."""
        now = self._lab.clock()
        with self._lab.sessions.begin() as session:
            after = pulling.move_on(session, self._mine, cursor, now, _LEASE_S)
            kept = keep_declarations(
                session,
                self.destination_id,
                page.entries,
                page.unread,
                site_id=self._lab.site_id,
                now=now,
            )
            if subjects:
                pulling.fetched(session, self._mine, subjects)
        self._mine = after
        self.pulled.pages += 1
        self.pulled.taken += kept.taken
        self.pulled.unread += kept.unread

    def begin_again(self) -> None:
        """Their cursors are no more; what comes again is known by its version."""
        with self._lab.sessions.begin() as session:
            self._mine = pulling.move_on(session, self._mine, None, self._lab.clock(), _LEASE_S)
        log.warning("pull.from_the_beginning", destination=str(self.destination_id))

    def rest(self) -> None:
        with self._lab.sessions.begin() as session:
            pulling.rest(session, self._mine, self._lab.clock(), more=self.pulled.more)

    def away(self, said: str, rng: Random) -> None:
        self.pulled.away = said
        with self._lab.sessions.begin() as session:
            pulling.away(session, self._mine, said, self._lab.clock(), rng=rng)
