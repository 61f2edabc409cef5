"""Write down what came of the attempts, as many at a time as have come by then.

One transaction for each answer cost more than the answer: a commit waits for the disk. The thread
here takes whatever lies in the basket and settles it together, so that the busier it is the less
each costs. Killed before that, the leases run out and the messages go again under the same ids.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from uuid import UUID

import structlog

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.domain.lifecycle import NoticeState
from lims.work.delivery import Answered, Plans, settle

log = structlog.get_logger()

DATABASE_PAUSE_S = 0.5
_AT_ONCE = 100
_GATHER_S = 0.01  # a commit holds what came in that time: of a burst, a dozen answers and not two


class Settling:
    """A basket of answers and the thread that empties it. `settled` is called after each lot."""

    def __init__(
        self,
        laboratory: Laboratory,
        plans: Plans,
        settled: Callable[[], None],
        *,
        patience_s: float,
    ) -> None:
        self._lab = laboratory
        self._plans = plans
        self._settled = settled
        self._patience_s = patience_s
        self._basket: SimpleQueue[Answered | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="notice-settling", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, answered: Answered) -> None:
        self._basket.put(answered)

    def finish(self) -> None:
        """Settle what is in the basket, then end."""
        self._basket.put(None)
        self._thread.join()

    def settle(self, answered: Sequence[Answered]) -> Mapping[UUID, NoticeState]:
        """Nothing when the database stayed away: the leases will run out and say so again."""
        until = monotonic() + self._patience_s
        while True:
            try:
                with self._lab.sessions.begin() as session:
                    states = settle(session, answered, self._lab.clock(), plans=self._plans)
            except DATABASE_AWAY:
                if monotonic() > until:
                    log.warning("notices.unsettled", messages=len(answered))
                    return {}
                sleep(DATABASE_PAUSE_S)
            else:
                _say(answered, states)
                return states

    def _run(self) -> None:
        more = True
        while more:
            lot: list[Answered] = []
            more = self._fill(lot)
            if lot:
                try:
                    self.settle(lot)
                except Exception as failure:  # the leases run out; the thread must not end
                    log.error("deliverer.unsettled", exc_info=failure)
                self._settled()

    def _fill(self, lot: list[Answered]) -> bool:
        """At least one, and whatever else lies there a moment later. False after the last."""
        one = self._basket.get()
        if one is not None:
            sleep(_GATHER_S)
        while one is not None:
            lot.append(one)
            if len(lot) == _AT_ONCE:
                return True
            try:
                one = self._basket.get_nowait()
            except Empty:
                return True
        return False


def _say(answered: Sequence[Answered], states: Mapping[UUID, NoticeState]) -> None:
    for one in answered:
        log.info(
            "notice.sent",
            message_id=str(one.owed.message_id),
            channel=one.owed.channel,
            notices=len(one.owed.news),
            kind=one.owed.news[0].kind,
            state=states.get(one.owed.news[0].notice_id),
            status_code=one.attempt.status_code,
            took_ms=one.attempt.took_ms,
        )
