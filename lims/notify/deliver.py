"""The deliverer: woken by a notice or by the clock, it sends what is due and tells the next
recipients of what nobody claims. Run as many as you like.

Three short steps, never overlapping: a transaction leases, the network thinks with no connection
held, a transaction settles. Killed anywhere between, the lease runs out and the notice is sent
again under the same webhook-id (at least once, never lost).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from time import monotonic, sleep

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from lims.db.laboratory import Laboratory
from lims.db.listening import Listener
from lims.domain.lifecycle import NoticeState
from lims.domain.retries import RetryPlan
from lims.notify.outgoing import Outgoing
from lims.notify.webhook import WebhookSender
from lims.work import delivery, dispatch
from lims.work.delivery import Attempt
from lims.work.dispatch import Owed
from lims.work.escalate import Patience, escalate

log = structlog.get_logger()

CHANNEL = "notice_owed"
_LOOK_UP_S = 0.25  # how soon a stop is noticed
_LONGEST_IDLE_S = 15.0  # waiting and switching on again ring no bell
_ESCALATE_EVERY_S = 10.0
_ELSEWHERE_S = 1.0  # how soon something due that could not be leased is looked at again
_DATABASE_PAUSE_S = 0.5
_AWAY = (OperationalError, InterfaceError, PoolExhausted)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once. `lease_s` must outlast a sending, which the sender's timeouts bound, with
    the sixth of it that a leased notice may wait for its turn."""

    senders: int = 16
    per_subscription: int = 4  # of a burst's fifty notices to one team none waits two seconds
    ahead: int = 4  # leased for each sender: a lease looks at all that is owed
    lease_s: float = 60.0
    settle_patience_s: float = 30.0


class Deliverer:
    """Sends the owed notices of one laboratory until told to stop."""

    def __init__(
        self,
        laboratory: Laboratory,
        base_url: str,
        *,
        plan: RetryPlan | None = None,
        pace: Pace | None = None,
        patience: Patience | None = None,
        rng: Random | None = None,
        sender: WebhookSender | None = None,
        private: bool = False,
    ) -> None:
        self._lab = laboratory
        self._plan = plan or RetryPlan()
        self._pace = pace or Pace()
        self._patience = patience or Patience()
        self._escalated_at = float("-inf")
        self._rng = rng or Random()  # noqa: S311 - spreads retries; nothing secret
        self._sender = sender or WebhookSender(base_url, private=private)
        self._wake = threading.Event()
        self._rung = threading.Event()  # something may be new; else only a sender came back
        self._rung.set()

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
        log.info("deliverer.started", senders=self._pace.senders)
        try:
            with self._sending() as pool:
                outgoing = Outgoing(
                    pool,
                    self._send,
                    self._wake.set,
                    self._give_back,
                    at_once=self._pace.per_subscription,
                )
                while not stop.is_set():
                    self._wake.clear()
                    pause_s = self._step(outgoing)
                    self._wait(stop, pause_s)
                self._give_back(outgoing.give_back())
        finally:
            listener.stop()
            log.info("deliverer.stopped")

    def drain(self) -> int:
        """Send everything due by now, wait for the answers, and say how many were delivered."""
        delivered = 0
        with self._sending() as pool:
            while True:
                delivered += self._show()
                leased = self._lease(self._pace.senders, self._pace.per_subscription)
                if not leased:
                    return delivered
                sent = [pool.submit(self._deliver, owed) for owed in leased]
                delivered += sum(future.result() is NoticeState.DELIVERED for future in sent)

    def close(self) -> None:
        self._sender.close()

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
            pace, until_s = self._pace, monotonic() + self._pace.lease_s / 6
            room = pace.senders * pace.ahead - outgoing.out
            outgoing.take(self._lease(room, pace.per_subscription * pace.ahead), until_s)
            return self._idle_s() if rung or not outgoing.out else _ELSEWHERE_S
        except _AWAY as failure:
            self._rung.set()
            log.warning("deliverer.database_away", why=type(failure).__name__)
            return _DATABASE_PAUSE_S

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
        with self._lab.sessions.begin() as session:
            told = escalate(
                session, self._lab.clock(), site_id=self._lab.site_id, patience=self._patience
            )
        if told:
            log.warning("cases.escalated", notices=told)

    def _show(self) -> int:
        with self._lab.sessions.begin() as session:
            return dispatch.show_on_board(session, self._lab.clock(), site_id=self._lab.site_id)

    def _lease(self, room: int, per_subscription: int) -> list[Owed]:
        if room <= 0:
            return []
        with self._lab.sessions.begin() as session:
            return dispatch.lease(
                session,
                self._lab.clock(),
                room,
                self._pace.lease_s,
                site_id=self._lab.site_id,
                per_subscription=per_subscription,
            )

    def _give_back(self, owed: list[Owed]) -> None:
        """Nobody need wait for the lease of what was never begun."""
        try:
            with self._lab.sessions.begin() as session:
                dispatch.give_back(session, [one.notice_id for one in owed])
        except _AWAY as failure:
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
        """Whether its receiver takes more: it has not said "gone" nor "slow down"."""
        attempt = self._sender.send(owed, self._lab.clock)
        self._write_down(owed, attempt)
        return not (attempt.gone or attempt.slow_down)

    def _deliver(self, owed: Owed) -> NoticeState | None:
        return self._write_down(owed, self._sender.send(owed, self._lab.clock))

    def _write_down(self, owed: Owed, attempt: Attempt) -> NoticeState | None:
        """None: sent, but the database stayed away; the lease will run out and say so again."""
        state = self._settle(owed, attempt)
        log.info(
            "notice.sent",
            notice_id=str(owed.notice_id),
            kind=owed.kind,
            state=state,
            status_code=attempt.status_code,
            took_ms=attempt.took_ms,
        )
        return state

    def _settle(self, owed: Owed, attempt: Attempt) -> NoticeState | None:
        until = monotonic() + self._pace.settle_patience_s
        while True:
            try:
                with self._lab.sessions.begin() as session:
                    return delivery.settle(
                        session,
                        owed.notice_id,
                        attempt,
                        self._lab.clock(),
                        plan=self._plan,
                        rng=self._rng,
                    )
            except _AWAY:
                if monotonic() > until:
                    log.warning("notice.unsettled", notice_id=str(owed.notice_id))
                    return None
                sleep(_DATABASE_PAUSE_S)
