"""The deliverer: woken by a notice or by the clock, it sends what is due and tells the next
recipients of what nobody claims. Run as many as you like.

Three short steps, never overlapping: a transaction leases, the network thinks with no connection
held, a transaction settles. Killed anywhere between, the lease runs out and the notice is sent
again under the same id (at least once, never lost).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from time import monotonic, sleep
from uuid import UUID

import structlog

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.db.listening import Listener
from lims.domain.lifecycle import NoticeState
from lims.domain.resting import RestPlan
from lims.domain.retries import RetryPlan
from lims.notify.outgoing import Outgoing, Share
from lims.notify.settling import DATABASE_PAUSE_S, Settling
from lims.notify.ways import Ways
from lims.work import dispatch, shown
from lims.work.delivery import Answered, Plans
from lims.work.escalate import MOST_AT_ONCE, Patience, escalate
from lims.work.owed import Owed

log = structlog.get_logger()

CHANNEL = "notice_owed"
_LOOK_UP_S = 0.25  # how soon a stop is noticed
_LONGEST_IDLE_S = 15.0  # waiting and switching on again ring no bell
_ESCALATE_EVERY_S = 10.0
_GATHER_S = 0.05  # a lease for each answer would cost more than the sending
_ELSEWHERE_S = 1.0  # how soon something due that could not be leased is looked at again


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once. `lease_s` must outlast a sending, which the sender's timeouts bound, with
    the sixth of it that a leased notice may wait for its turn."""

    senders: int = 32
    share: Share = Share()  # noqa: RUF009 - frozen
    lease_s: float = 60.0
    settle_patience_s: float = 30.0

    @property
    def leased(self) -> int:
        return self.senders * self.share.ahead

    @property
    def each(self) -> int:
        """Of a receiver of which nothing is known yet."""
        return self.share.at_once * self.share.ahead


class Deliverer:
    """Sends the owed notices of one laboratory until told to stop."""

    def __init__(
        self,
        laboratory: Laboratory,
        ways: Ways,
        *,
        plan: RetryPlan | None = None,
        rest: RestPlan | None = None,
        pace: Pace | None = None,
        patience: Patience | None = None,
        rng: Random | None = None,
    ) -> None:
        self._lab = laboratory
        self._pace = pace or Pace()
        self._patience = patience  # none: as the laboratory's policy says
        self._escalated_at = float("-inf")
        self._ways = ways
        self._wake = threading.Event()
        self._rung = threading.Event()  # something may be new; else only a sender came back
        self._rung.set()
        self._settling = Settling(
            laboratory,
            Plans(
                rng or Random(),  # noqa: S311 - spreads retries; nothing secret
                plan or RetryPlan(),
                rest or RestPlan(),
            ),
            self._wake.set,
            patience_s=self._pace.settle_patience_s,
        )

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then what is being sent is finished and settled first."""
        listener = Listener(
            self._lab.engine,
            [CHANNEL],
            heard=lambda _channel, _payload: self._ring(),
            connected=self._ring,
            name="notice-listener",
        )
        listener.start()
        self._settling.start()
        log.info("deliverer.started", senders=self._pace.senders)
        try:
            with self._sending() as pool:
                outgoing = Outgoing(
                    pool, self._send, self._wake.set, self._give_back, share=self._pace.share
                )
                while not stop.is_set():
                    self._wake.clear()
                    pause_s = self._step(outgoing)
                    self._wait(stop, pause_s)
                self._give_back(outgoing.give_back())
        finally:
            self._settling.finish()
            listener.stop()
            log.info("deliverer.stopped")

    def drain(self) -> int:
        """Send everything due by now, wait for the answers, and say how many were delivered."""
        delivered = 0
        with self._sending() as pool:
            while True:
                delivered += self._show()
                leased = self._lease(self._pace.senders, {})
                if not leased:
                    return delivered
                states = self._settling.settle([*pool.map(self._answered, leased)])
                delivered += sum(state is NoticeState.DELIVERED for state in states.values())

    def close(self) -> None:
        self._ways.close()

    @contextmanager
    def _sending(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(self._pace.senders, thread_name_prefix="notice-sender") as pool:
            yield pool

    def _step(self, outgoing: Outgoing) -> float:
        """One look at what is due. Returns how long nothing will be, in seconds.

        A sender that came back only made room: in a burst, asking the board and the clock again
        after each notice would cost more than sending it.
        """
        rung = self._rung.is_set()
        if rung:
            self._rung.clear()  # before looking: whoever rings meanwhile is heard at the next step
        try:
            self._escalate()
            while rung and self._show():
                pass
            if not (rung or outgoing.wants_more()):
                sleep(_GATHER_S)
            until_s = monotonic() + self._pace.lease_s / 6
            room = self._pace.leased - outgoing.out
            outgoing.take(self._lease(room, outgoing.rooms()), until_s)
            return self._idle_s() if rung or not outgoing.out else _ELSEWHERE_S
        except DATABASE_AWAY as failure:
            self._rung.set()
            log.warning("deliverer.database_away", why=type(failure).__name__)
            return DATABASE_PAUSE_S

    def _wait(self, stop: threading.Event, pause_s: float) -> None:
        until = monotonic() + pause_s
        while not stop.is_set() and (left_s := until - monotonic()) > 0:
            if self._wake.wait(min(left_s, _LOOK_UP_S)):
                return
        self._rung.set()

    def _ring(self) -> None:
        self._rung.set()
        self._wake.set()

    def _escalate(self) -> None:
        if monotonic() - self._escalated_at < _ESCALATE_EVERY_S:
            return
        self._escalated_at = monotonic()
        more = True
        while more:
            with self._lab.sessions.begin() as session:
                made = escalate(
                    session, self._lab.clock(), site_id=self._lab.site_id, patience=self._patience
                )
            if made.steps:
                log.warning("cases.escalated", steps=made.steps, notices=made.notices)
            more = made.cases == MOST_AT_ONCE

    def _show(self) -> int:
        with self._lab.sessions.begin() as session:
            return shown.show_on_board(session, self._lab.clock(), site_id=self._lab.site_id)

    def _lease(self, limit: int, rooms: Mapping[UUID, int]) -> list[Owed]:
        if limit <= 0:
            return []
        with self._lab.sessions.begin() as session:
            return dispatch.lease(
                session,
                self._lab.clock(),
                limit,
                self._pace.lease_s,
                site_id=self._lab.site_id,
                per_subscription=self._pace.each,
                room=rooms,
            )

    def _give_back(self, owed: list[Owed]) -> None:
        """Nobody need wait for the lease of what was never begun."""
        try:
            with self._lab.sessions.begin() as session:
                dispatch.give_back(session, [id for one in owed for id in one.notice_ids])
        except DATABASE_AWAY as failure:
            log.warning("deliverer.database_away", why=type(failure).__name__)

    def _idle_s(self) -> float:
        with self._lab.sessions.begin() as session:
            due = dispatch.next_due(session, site_id=self._lab.site_id)
        if due is None:
            return _LONGEST_IDLE_S
        wait_s = (due - self._lab.clock()).total_seconds()
        # Due already, yet not leased: its recipient has enough out, or another deliverer has it.
        return min(wait_s, _LONGEST_IDLE_S) if wait_s > 0 else _ELSEWHERE_S

    def _send(self, owed: Owed) -> bool:
        """Whether it was taken. What failed is settled before the rest of its line is given back:
        leased again at once, it would be tried before anybody knew."""
        answered = self._answered(owed)
        if answered.attempt.accepted:
            self._settling.put(answered)
        else:
            self._settling.settle([answered])
        return answered.attempt.accepted

    def _answered(self, owed: Owed) -> Answered:
        return Answered(owed, self._ways.send(owed, self._lab.clock))
