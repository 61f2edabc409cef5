"""The day from the first swab to the last notice, told through the API alone."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from lims.demo.bench import Bench
from lims.demo.client import PATIENCE_S, NoAnswer, Station, Stopped
from lims.demo.desks import Desks
from lims.demo.reviewer import Reviewer
from lims.demo.telling import Audience, Phase
from lims.demo.truth import Commune
from lims.demo.words import recalled_words
from lims.domain.lifecycle import CaseState

_LOOK_S: Final = 0.1
RECALLED_S: Final = 2.0  # of the watcher's time


@dataclass(frozen=True)
class Story:
    """Who plays it. ``watch`` reads what every office was told.

    ``leave_positives`` are left to a person who would like to say the last word.
    """

    commune: Commune
    desks: Desks
    bench: Bench
    watch: Station
    reviewer: Reviewer
    leave_positives: int
    audience: Audience
    stop: threading.Event

    def play(self) -> None:
        """Returns when nothing waits any more and everything owed was told."""
        self.audience.begins(Phase.COLLECT)
        self.desks.open(self.commune)
        self.audience.begins(Phase.RECEIVE)
        self.bench.receive()
        self.audience.begins(Phase.CONFIRM)
        self.bench.confirm()
        self.audience.begins(Phase.POOL)
        self.bench.pool()
        self._measure()
        self.audience.begins(Phase.REVIEW)
        self.reviewer.release_positives(leave=self.leave_positives)
        if self._recall():
            self._make_ready()
            self._measure()
            self.reviewer.release_positives(leave=self.leave_positives)
        self.audience.begins(Phase.TELL)
        self._await_telling()

    def _measure(self) -> None:
        """Until nothing waits any more."""
        while self.bench.run_plate():
            self._make_ready()

    def _make_ready(self) -> None:
        """What must be pipetted, swabbed or received before the next plate."""
        self.bench.prepare()
        self.bench.reswab()
        self.bench.receive()

    def _recall(self) -> bool:
        """Take back the last plate that somebody is an F0 by; False when there is none."""
        plates = self.bench.ledger.plates
        plate = next((one for one in reversed(plates) if self.reviewer.cases_on(one)), None)
        if plate is None:
            return False
        self.audience.begins(Phase.RECALL)
        before = {n["notice_id"] for n in self._everything(datetime.now(UTC))}
        self.reviewer.recall_run(plate)
        corrections = [
            n
            for n in self._everything(datetime.now(UTC))
            if n["notice_id"] not in before and n["kind"] == "case.corrected"
        ]
        told = recalled_words(
            plate,
            results=plates[plate],
            cases=len(
                {n["case_id"] for n in corrections if n["facts"]["state"] == CaseState.WITHDRAWN}
            ),
            corrections=len(corrections),
        )
        self.audience.begins(Phase.RECALL, told)
        self.audience.rest(RECALLED_S)
        return True

    def _everything(self, until: datetime) -> list[dict[str, Any]]:
        """Every notice owed before then, once none of them can still appear."""
        patience = time.monotonic() + PATIENCE_S
        while time.monotonic() < patience:
            found, complete = notices(self.watch)
            if complete >= until:
                return found
            if self.stop.wait(_LOOK_S):
                raise Stopped
        raise NoAnswer(f"the notices were not complete within {PATIENCE_S:.0f} s")

    def _await_telling(self) -> None:
        """Until every message is acknowledged at its analyser and every notice delivered."""
        for analyser in (*(cycler for _, cycler in self.bench.cyclers), self.bench.cartridges):
            if not analyser.idle(PATIENCE_S):
                raise NoAnswer("a message was never acknowledged at its analyser")
        until = time.monotonic() + PATIENCE_S
        everything = datetime.now(UTC)
        while owed := self.owed(complete_until=everything):
            if time.monotonic() > until:
                raise NoAnswer(f"not every notice was delivered in {PATIENCE_S:.0f} s: {owed}")
            if self.stop.wait(_LOOK_S):
                raise Stopped

    def owed(self, *, complete_until: datetime) -> list[UUID] | bool:
        """The notices not yet delivered; True while some owed before then may not show yet."""
        found, complete = notices(self.watch)
        late = [UUID(n["notice_id"]) for n in found if n["state"] != "delivered"]
        return late or complete < complete_until


def notices(watch: Station) -> tuple[list[dict[str, Any]], datetime]:
    """Everything that every office was told or is owed, in the order owed; and until when."""
    found: list[dict[str, Any]] = []
    page = watch.get("/notices")
    while page["notices"]:
        found += page["notices"]
        page = watch.get(f"/notices/after/{found[-1]['notice_id']}")
    return found, datetime.fromisoformat(page["complete_until"])
