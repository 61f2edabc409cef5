"""Asks registers about people: looks who is to be asked about, asks them, writes the answers down.

A turn leases one register and asks it batch after batch on one line, with no connection to the
database held while it thinks. Killed anywhere, the lease runs out and the same is asked again. Each
kind of register has a thread of its own, so that one that is slow holds up nobody else; run as many
processes as you like.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from time import monotonic

import structlog

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.domain.asking import ASKS, QuestionKind
from lims.domain.exchange import DestinationKind
from lims.domain.retries import RetryPlan
from lims.exchange.adapters.register import Ask, Register
from lims.exchange.speaker import Away
from lims.work import asking
from lims.work.ask_whom import look, registers_in_use
from lims.work.fill_doses import fill_doses
from lims.work.outbound import Leased

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AskingPace:
    """`look_s` seconds lie between two looks, `fill_s` between two at what all cases know of doses;
    `lease_s` outlasts a batch asked again in halves."""

    look_s: float = 5.0
    fill_s: float = 60.0
    lease_s: float = 120.0


class Asker:
    """Asks the registers of one kind for one laboratory until told to stop."""

    def __init__(
        self,
        laboratory: Laboratory,
        kind: DestinationKind,
        register: Register,
        *,
        plan: RetryPlan | None = None,
        pace: AskingPace | None = None,
        rng: Random | None = None,
    ) -> None:
        self._lab = laboratory
        self._kind = kind
        self._asked: QuestionKind = ASKS[kind]
        self._register = register
        self._plan = plan or RetryPlan()
        # Who is triaged is looked for among all open cases, at more cost than who changed.
        self._pace = pace or AskingPace(15.0 if self._asked is QuestionKind.DOSES else 5.0)
        self._rng = rng or Random()  # noqa: S311 - spreads retries; nothing secret
        self._stop = threading.Event()
        self._fill_again_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then the batch under way is finished and written down."""
        self._stop = stop
        log.info("ask.started", kind=str(self._kind))
        while not stop.wait(self._pace.look_s):
            try:
                self.drain()
            except DATABASE_AWAY as failure:
                log.warning("ask.database_away", why=type(failure).__name__)
            except Exception as failure:
                log.error("ask.failed", kind=str(self._kind), exc_info=failure)
        log.info("ask.stopped", kind=str(self._kind))

    def drain(self) -> None:
        """Look for everybody and ask everything that is due by now."""
        while not self._stop.is_set():
            found, asked = self._look(), False
            while (leased := self._lease()) is not None:
                asked = True
                self._turn(leased)
            if not (found or asked):
                break
        self._fill()

    def _look(self) -> int:
        found = 0
        with self._lab.sessions.begin() as session:
            registers = registers_in_use(session, self._kind, site_id=self._lab.site_id)
        for register in registers:
            with self._lab.sessions.begin() as session:
                found += look(
                    session,
                    register,
                    self._asked,
                    site_id=self._lab.site_id,
                    now=self._lab.clock(),
                )
        return found

    def _lease(self) -> Leased | None:
        if self._stop.is_set():
            return None
        with self._lab.sessions.begin() as session:
            return asking.lease(
                session,
                self._kind,
                self._lab.clock(),
                self._pace.lease_s,
                site_id=self._lab.site_id,
            )

    def _turn(self, leased: Leased) -> None:
        """Everything that is due, unless it stops answering."""
        mine: Leased | None = leased
        try:
            try:
                with self._register.line(leased) as ask:
                    while mine is not None and not self._stop.is_set():
                        mine = self._batch(ask, mine)
            except Away as away:
                self._keep(mine or leased, (), str(away), keep=False)
                mine = None
            if mine is not None:
                self._keep(mine, (), None, keep=False)
        except DATABASE_AWAY as failure:  # the lease runs out
            log.warning("ask.database_away", why=type(failure).__name__)
        except Exception as failure:  # ours: it must not be tried again at once
            log.error("ask.failed", destination=str(leased.destination_id), exc_info=failure)
            self._keep(mine or leased, (), f"ours: {type(failure).__name__}", keep=False)

    def _batch(self, ask: Ask, mine: Leased) -> Leased | None:
        """Some of what is due; None when the turn is over."""
        with self._lab.sessions.begin() as session:
            questions = asking.to_ask(
                session, mine, self._asked, site_id=self._lab.site_id, now=self._lab.clock()
            )
        if not questions:
            return self._keep(mine, (), None, keep=False)
        try:
            heard = ask(questions)
        except Away as away:
            # Their words may name somebody, so they stay in the database.
            log.warning("ask.away", destination=str(mine.destination_id), asked=len(questions))
            return self._keep(mine, (), str(away), keep=False)
        log.info(
            "ask.answered",
            destination=str(mine.destination_id),
            asked=len(questions),
            answered=sum(one.answer is not None for one in heard),
        )
        return self._keep(mine, heard, None, keep=True)

    def _keep(
        self, mine: Leased, heard: Sequence[asking.Heard], away: str | None, *, keep: bool
    ) -> Leased | None:
        now = self._lab.clock()
        until = now + timedelta(seconds=self._pace.lease_s) if keep else None
        with self._lab.sessions.begin() as session:
            still = asking.keep_answers(
                session,
                mine,
                self._asked,
                heard,
                now,
                site_id=self._lab.site_id,
                away=away,
                plan=self._plan,
                rng=self._rng,
                keep_until=until,
            )
        return replace(mine, until=until) if still and until is not None else None

    def _fill(self) -> None:
        """Also cases that opened after their person was asked about."""
        if monotonic() < self._fill_again_s:
            return
        self._fill_again_s = monotonic() + self._pace.fill_s
        while self._asked is QuestionKind.DOSES and not self._stop.is_set():
            with self._lab.sessions.begin() as session:
                filled = fill_doses(session, site_id=self._lab.site_id, now=self._lab.clock())
            if not filled:
                return
