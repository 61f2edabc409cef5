"""Sends what other systems are owed: woken by a row or by the clock, a destination at a time.

A turn leases one destination, says what it is owed in order on one line, and writes down what came
of it every few messages; the network thinks with no connection held. Killed anywhere, the lease
runs out and what was not written down is sent again as it was. Run as many as you like: each
destination has one sender at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from time import monotonic

import structlog

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.db.listening import Listener
from lims.domain.exchange import DestinationKind
from lims.domain.retries import RetryPlan
from lims.exchange.speaker import Away, Payload, Speaker, Tell
from lims.work import outbound
from lims.work.outbound import Answered, Leased, Turn
from lims.work.owe_findings import CHANNEL

log = structlog.get_logger()

_LOOK_UP_S = 0.25  # how soon a stop is noticed
_LONGEST_IDLE_S = 15.0  # a destination that is started again rings no bell
_ELSEWHERE_S = 1.0  # how soon something due that could not be leased is looked at again
_DATABASE_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """`batch` messages, or `batch_s` seconds, are said between two writings down; `lease_s`
    outlasts that and one answer's patience."""

    lines: int = 8
    batch: int = 50
    batch_s: float = 5.0
    lease_s: float = 60.0


class ExchangeDeliverer:
    """Sends what one laboratory owes to other systems until told to stop."""

    def __init__(
        self,
        laboratory: Laboratory,
        speakers: Mapping[DestinationKind, Speaker],
        *,
        plan: RetryPlan | None = None,
        pace: Pace | None = None,
        rng: Random | None = None,
    ) -> None:
        self._lab = laboratory
        self._speakers = speakers
        self._kinds = sorted(speakers)
        self._plan = plan or RetryPlan()
        self._pace = pace or Pace()
        self._rng = rng or Random()  # noqa: S311 - spreads retries; nothing secret
        self._wake = threading.Event()
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then each line's message under way is finished and written down."""
        self._stop = stop
        listener = Listener(
            self._lab.engine,
            [CHANNEL],
            heard=lambda _channel, _payload: self._wake.set(),
            connected=self._wake.set,
            name="outbound-listener",
        )
        listener.start()
        log.info("exchange.started", lines=self._pace.lines)
        try:
            with ThreadPoolExecutor(self._pace.lines, thread_name_prefix="exchange") as pool:
                turns: set[Future[None]] = set()
                while not stop.is_set():
                    self._wake.clear()
                    turns = {turn for turn in turns if not turn.done()}
                    self._wait(stop, self._begin(pool, turns))
        finally:
            listener.stop()
            log.info("exchange.stopped")

    def drain(self) -> None:
        """Everything that is due by now, one destination after the other."""
        while (leased := self._lease()) is not None:
            self._turn(leased)

    def _begin(self, pool: ThreadPoolExecutor, turns: set[Future[None]]) -> float:
        """Begin a turn with every destination that is due. How long nothing will be, in seconds."""
        try:
            while len(turns) < self._pace.lines:
                leased = self._lease()
                if leased is None:
                    return self._idle_s()
                turn = pool.submit(self._turn, leased)
                turn.add_done_callback(lambda _turn: self._wake.set())
                turns.add(turn)
        except DATABASE_AWAY as failure:
            log.warning("exchange.database_away", why=type(failure).__name__)
            return _DATABASE_PAUSE_S
        return _LONGEST_IDLE_S

    def _wait(self, stop: threading.Event, pause_s: float) -> None:
        until = monotonic() + pause_s
        while not stop.is_set() and (left_s := until - monotonic()) > 0:
            if self._wake.wait(min(left_s, _LOOK_UP_S)):
                return

    def _idle_s(self) -> float:
        with self._lab.sessions.begin() as session:
            due = outbound.next_due(session, site_id=self._lab.site_id, kinds=self._kinds)
        if due is None:
            return _LONGEST_IDLE_S
        wait_s = (due - self._lab.clock()).total_seconds()
        return min(wait_s, _LONGEST_IDLE_S) if wait_s > 0 else _ELSEWHERE_S

    def _lease(self) -> Leased | None:
        with self._lab.sessions.begin() as session:
            return outbound.lease(
                session,
                self._lab.clock(),
                self._pace.lease_s,
                site_id=self._lab.site_id,
                kinds=self._kinds,
            )

    def _turn(self, leased: Leased) -> None:
        """Everything that this destination is owed now, unless it stops answering."""
        speaker = self._speakers[leased.kind]
        mine: Leased | None = leased
        try:
            try:
                with speaker.line(leased) as tell:
                    while mine is not None and not self._stop.is_set():
                        mine = self._batch(speaker, tell, mine)
            except Away as away:
                self._settle(mine or leased, Turn((), str(away)), keep=False)
                mine = None
            if mine is not None:
                self._settle(mine, Turn(()), keep=False)
        except DATABASE_AWAY as failure:  # the lease runs out
            log.warning("exchange.database_away", why=type(failure).__name__)
        except Exception as failure:  # ours: it must not be tried again at once
            log.error("exchange.failed", destination=str(leased.destination_id), exc_info=failure)
            self._settle(leased, Turn((), f"ours: {type(failure).__name__}"), keep=False)

    def _batch(self, speaker: Speaker, tell: Tell, mine: Leased) -> Leased | None:
        """Some of what is owed; None when the turn is over."""
        with self._lab.sessions.begin() as session:
            owing = outbound.owed_now(
                session, mine, self._lab.clock(), max(self._pace.batch, speaker.at_once)
            )
            payloads = speaker.compose(session, mine, owing)
        if not payloads:
            return self._settle(mine, Turn(()), keep=False)
        turn = self._say(tell, payloads, at_once=speaker.at_once)
        log.info(
            "exchange.sent",
            destination=str(mine.destination_id),
            taken=sum(one.came is outbound.Came.TAKEN for one in turn.answered),
            refused=sum(one.came is not outbound.Came.TAKEN for one in turn.answered),
            away=turn.away,
        )
        return self._settle(mine, turn, keep=turn.away is None)

    def _say(self, tell: Tell, payloads: Sequence[Payload], *, at_once: int) -> Turn:
        answered: list[Answered] = []
        until_s = monotonic() + self._pace.batch_s
        for first in range(0, len(payloads), at_once):
            if self._stop.is_set() or monotonic() > until_s:
                break
            some = payloads[first : first + at_once]
            try:
                answers = tell(some)
            except Away as away:
                return Turn(answered, str(away), [payload.outbound_id for payload in some])
            answered += [
                Answered(payload.outbound_id, came, payload.digest, said)
                for payload, (came, said) in zip(some, answers, strict=True)
            ]
        return Turn(answered)

    def _settle(self, mine: Leased, turn: Turn, *, keep: bool) -> Leased | None:
        now = self._lab.clock()
        until = now + timedelta(seconds=self._pace.lease_s) if keep else None
        with self._lab.sessions.begin() as session:
            still = outbound.settle(
                session, mine, turn, now, plan=self._plan, rng=self._rng, keep_until=until
            )
        return replace(mine, until=until) if still and until is not None else None
