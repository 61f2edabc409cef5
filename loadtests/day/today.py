"""The day as it is being lived: what everybody shares while they work. One process, greenlets."""

import heapq
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from instruments.outbox import waiting_in
from lims.demo.analysers import Analyser
from lims.demo.client import Station
from lims.demo.ledger import Ledger
from lims.demo.machines import CARTRIDGES
from lims.demo.measuring import Samples
from lims.demo.reviewer import Reviewer
from loadtests.day.clock import DayClock
from loadtests.day.meter import Heard, Meter
from loadtests.day.plan import Desk, LateBatch, Plan, Visit


@dataclass(frozen=True)
class Keys:
    """Tokens of the day's stations and the password of its logins."""

    desk: str
    bench: str
    watch: str
    password: str


@dataclass(frozen=True)
class Premises:
    """The laboratory that is put to the test, and the analysers beside it.

    ``parts_pools``: its campaign may ask for sub-pools of a positive pool.
    """

    url: str
    site: str
    campaign_id: UUID
    pool_size: int
    parts_pools: bool
    keys: Keys
    cyclers: tuple[Analyser, ...]
    cartridges: Analyser
    spools: Path

    def posted(self, name: str) -> bool:
        """Whether this analyser's gateway has nothing left to say to the LIMS."""
        return waiting_in(self.spools / f"{name}.spool" / "outbox") == 0


class Waiting:
    """People and batches that have not come yet; a desk takes what is due."""

    def __init__(self, plan: Plan) -> None:
        self._visits: dict[Desk, deque[Visit]] = {desk: deque() for desk in Desk}
        for visit in plan.visits:
            self._visits[visit.desk].append(visit)
        self._batches = deque(plan.batches)
        self.at_work = 0

    def visit(self, desk: Desk, now_h: float) -> Visit | None:
        """The next household of those that stand in the queue."""
        queue = self._visits[desk]
        return queue.popleft() if queue and queue[0].at_h <= now_h else None

    def batch(self, now_h: float) -> LateBatch | None:
        """What the next team that is back in reach has noted."""
        return self._batches.popleft() if self._batches and self._batches[0].at_h <= now_h else None

    def standing(self, now_h: float) -> int:
        """How many households stand in a queue now."""
        return sum(
            next((n for n, visit in enumerate(queue) if visit.at_h > now_h), len(queue))
            for queue in self._visits.values()
        )

    @property
    def nobody(self) -> bool:
        """Whether everybody has been, and no desk is still busy."""
        return not any(self._visits.values()) and not self._batches and self.at_work == 0


class Road:
    """Tubes on their way to the laboratory, by the hour at which they arrive."""

    def __init__(self) -> None:
        self._tubes: list[tuple[float, int, str]] = []
        self._nth = count()

    def __len__(self) -> int:
        return len(self._tubes)

    def send(self, barcode: str, arrives_h: float) -> None:
        heapq.heappush(self._tubes, (arrives_h, next(self._nth), barcode))

    def take(self, most: int, now_h: float) -> list[str]:
        """Up to ``most`` tubes that have arrived."""
        taken: list[str] = []
        while self._tubes and len(taken) < most and self._tubes[0][0] <= now_h:
            taken.append(heapq.heappop(self._tubes)[2])
        return taken


@dataclass
class Today:
    """Handed to every user of the day."""

    plan: Plan
    clock: DayClock
    premises: Premises
    ledger: Ledger
    samples: Samples
    waiting: Waiting
    heard: Heard
    fault: Callable[[], str | None]
    road: Road = field(default_factory=Road)
    racks: deque[str] = field(default_factory=deque)
    open_plates: set[str] = field(default_factory=set)
    on_deck: set[str] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    broke: list[str] = field(default_factory=list)
    busy: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    at_the_door: threading.RLock = field(default_factory=threading.RLock)
    bench_lock: threading.RLock = field(default_factory=threading.RLock)

    def meter(self) -> Meter:
        """A transport of one's own."""
        return Meter(self.heard, self.clock.elapsed_s, self.fault)

    def station(self, key: str) -> tuple[Station, Meter]:
        """A station of one's own, metered."""
        meter = self.meter()
        return Station(self.premises.url, key, self.stop, meter), meter

    def reviewer(self) -> Reviewer:
        """A reviewer at a browser of their own, metered."""
        return Reviewer(self.premises.url, self.premises.keys.password, self.stop, self.meter())

    def leaves_for_the_laboratory(self, barcode: str) -> None:
        """The tube is on its way; once the day's hours are over nothing travels any more."""
        way_h = 0.0 if self.clock.over() else self.plan.travel_h(barcode)
        self.road.send(barcode, self.clock.now_h() + way_h)

    def cartridges_settled(self) -> bool:
        """Whether every cartridge's result has been said and posted."""
        return self.premises.cartridges.idle(0) and self.premises.posted(CARTRIDGES.name)

    @property
    def quiet(self) -> bool:
        """Whether nobody holds anything: no visitor, no tube on the road or in a rack, no plate."""
        return (
            self.waiting.nobody
            and not (self.road or self.racks or self.open_plates or self.busy)
            and self.cartridges_settled()
            and all(cycler.idle(0) for cycler in self.premises.cyclers)
        )

    def figures(self) -> dict[str, Any]:
        """What has been done so far, from the receipts."""
        ledger = self.ledger
        return {
            "people": len(self.plan.commune.villagers),
            "registered": len(set(ledger.swabs.values())),
            "tubes": len(ledger.labelled),
            "received": len(ledger.received),
            "pools": self.done["pools"],
            "plates": len(ledger.plates),
            "plates_read": len(ledger.plates_sent),
            "cartridges": ledger.cartridges_sent.total(),
            "standing": self.waiting.standing(self.clock.now_h()),
        }
