"""The day from the first swab to the last notice, told through the API alone."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from lims.demo.bench import Bench
from lims.demo.client import PATIENCE_S, NoAnswer, Station, Stopped
from lims.demo.desks import Desks
from lims.demo.reviewer import Reviewer
from lims.demo.telling import Audience, Phase
from lims.demo.truth import Commune

MOST_TURNS: Final = 20  # of the resolving loop; chance ends it long before
_LOOK_S: Final = 0.1


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
        for _ in range(MOST_TURNS):
            ran = self.bench.run_plates()
            reswabbed = self.bench.reswab()
            self.bench.receive()
            if not ran and not reswabbed:
                break
        self.audience.begins(Phase.REVIEW)
        self.reviewer.release_positives(leave=self.leave_positives)
        self.audience.begins(Phase.TELL)
        self._await_telling()

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


def notices(watch: Station) -> tuple[list[dict[str, str]], datetime]:
    """Everything that every office was told or is owed, in the order owed; and until when."""
    found: list[dict[str, str]] = []
    page = watch.get("/notices")
    while page["notices"]:
        found += page["notices"]
        page = watch.get(f"/notices/after/{found[-1]['notice_id']}")
    return found, datetime.fromisoformat(page["complete_until"])
