"""The laboratory bench: racks received and pooled, plates laid out and run, until nothing waits."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final
from uuid import UUID

from lims.db.ids import uuid7
from lims.demo.analysers import Analyser
from lims.demo.client import PATIENCE_S, NoAnswer, Station
from lims.demo.forms import labels_of, second_swab
from lims.demo.ledger import Ledger
from lims.demo.measuring import Samples
from lims.demo.reviewer import Reviewer
from lims.demo.telling import Audience, Phase
from lims.demo.words import STRATEGIES
from lims.domain.pooling.choice import StrategyName

ASSAY: Final = "sars-cov-2"
RACK: Final = 50
TOP_PRIORITY: Final = 9
SUB_POOLS: Final = "P2"  # the roll of their labels
_LOOK_S: Final = 0.1
_UNFINISHED: Final = frozenset({"planned", "measuring"})
POOL_S, PLATE_S, RUN_S = 0.25, 1.5, 4.0  # of the watcher's time


@dataclass
class Bench:
    """One technician's day, over the API; the analysers are told what is really in the tubes.

    ``cyclers``: by name; plates go to them in turn.
    """

    station: Station
    samples: Samples
    ledger: Ledger
    audience: Audience
    cyclers: Sequence[tuple[str, Analyser]]
    cartridges: Analyser
    reviewer: Reviewer
    site: str
    plates: int = 0
    _pool_labels: Iterator[str] = field(init=False)
    _sub_pool_labels: Iterator[str] = field(init=False)
    _swab_labels: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._pool_labels = labels_of(self.site, "P1")
        self._sub_pool_labels = labels_of(self.site, SUB_POOLS)
        self._swab_labels = labels_of(self.site, "R1")

    def receive(self) -> None:
        """Scan everything that came and is not here yet."""
        here = sorted(self.ledger.labelled - self.ledger.received)
        for rack in _by(RACK, here):
            answer = self.station.post("/receptions", {"barcodes": rack})
            if answer["refused"]:
                raise RuntimeError(f"expected every tube to be received; came {answer}")
            self.ledger.received.update(rack)
            self.audience.rest(POOL_S)

    def confirm(self) -> None:
        """Run the tubes of rapid positives on cartridges, at once; they wait for no plate."""
        urgent = sorted(
            b for b in self.ledger.received if b[2:4] == "A1" and not self.ledger.attempts[b]
        )
        open_again = 0
        for barcode in urgent:
            message, answers = self.samples.cartridge(barcode)
            open_again += not answers
            self.cartridges.measure(barcode, message)
            self.audience.rest(POOL_S)
        if urgent:
            self._until(lambda: self._urgent() <= open_again, "the cartridges' results")

    def pool(self) -> None:
        """Each campaign's tubes in rack order, as many to a pool as it asks for, evenly."""
        waiting: dict[tuple[str, int], list[str]] = {}
        for tube in self.station.get("/racks/awaiting-pool")["tubes"]:
            asked = (tube["campaign_id"], tube["pool_size"])
            waiting.setdefault(asked, []).append(tube["barcode"])
        for (_campaign, pool_size), tubes in sorted(waiting.items()):
            for sources in evenly(pool_size, sorted(tubes)):
                label = next(self._pool_labels)
                body = {"pool_id": str(uuid7()), "barcode": label, "sources": sources}
                self.station.post("/pools", body)
                self.ledger.pool(label, sources)
                self.audience.rest(POOL_S)

    def run_plate(self) -> bool:
        """Lay out and run one plate of what waits; False when nothing does."""
        waiting = self._queued()
        if waiting:
            self._run_plate(waiting)
        return waiting > 0

    def prepare(self) -> bool:
        """Pipette every sub-pool that a positive pool asks for; False when none does."""
        asking = [pool["barcode"] for pool in self.station.get("/sub-pools")["pools"]]
        for pool in asking:
            resolution = self.station.get(f"/pools/{pool}/sub-pools")
            wanted = [one for one in resolution["sub_pools"] if one["state"] == "wanted"]
            way = STRATEGIES[StrategyName(resolution["strategy"])]
            self.audience.begins(Phase.RESOLVE, f"{pool}: {way}, {len(wanted)}")
            for one in wanted:
                label = next(self._sub_pool_labels)
                made = {"tube_id": str(uuid7()), "sub_pool_id": one["sub_pool_id"]}
                self.station.post("/sub-pools", {**made, "barcode": label})
                self.ledger.sub_pool(label, one["sources"])
            self.audience.rest(POOL_S)
        return bool(asking)

    def _run_plate(self, waiting: int) -> None:
        self.plates += 1
        plate, run_id = f"PL-{self.samples.commune.seed:04d}-{self.plates:03d}", str(uuid7())
        layout = self.station.post("/runs", {"run_id": run_id, "plate": plate, "assay": ASSAY})
        wells = [w for w in layout["wells"] if w["role"] == "specimen"]
        self.ledger.plates[plate] = len(wells)
        name, cycler = self.cyclers[(self.plates - 1) % len(self.cyclers)]
        self.audience.begins(Phase.RUN, f"{plate}: {len(wells)} / {waiting}, {name}")
        self.audience.rest(PLATE_S)
        cycler.measure(plate, self.samples.plate(layout))
        self.audience.rest(RUN_S)
        self._until(lambda: self._state(run_id) not in _UNFINISHED, f"the results of {plate}")
        if self._state(run_id) == "held":
            self.audience.begins(Phase.REVIEW, f"{plate}: positive control late")
            self.reviewer.release_run(run_id)

    def reswab(self) -> bool:
        """Swab again whoever a tube could not tell of; False when there is nobody."""
        wanted = self.station.get("/recollections")
        if wanted:
            self.audience.begins(Phase.RESWAB, str(len(wanted)))
        for one in sorted(wanted, key=lambda each: self.ledger.swabs[UUID(each["specimen_id"])]):
            body = second_swab(one, next(self._swab_labels))
            self.station.post("/specimens", body)
            self.ledger.again(body, one)
            self.audience.rest(POOL_S)
        return bool(wanted)

    def _queued(self) -> int:
        return int(self.station.get(f"/queues/{ASSAY}")["tests"])

    def _urgent(self) -> int:
        lines: Sequence[Mapping[str, int]] = self.station.get(f"/queues/{ASSAY}")["lines"]
        return sum(line["tests"] for line in lines if line["priority"] == TOP_PRIORITY)

    def _state(self, run_id: str) -> str:
        return str(self.station.get(f"/runs/{run_id}")["state"])

    def _until(self, done: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > until:
                raise NoAnswer(f"{what} did not come in {PATIENCE_S:.0f} s")
            time.sleep(_LOOK_S)


def evenly(most: int, tubes: Sequence[str]) -> list[list[str]]:
    """As few pools as hold them all, of nearly the same size: nobody is left alone in the last."""
    pools = -(-len(tubes) // most)
    size, more = divmod(len(tubes), pools) if pools else (0, 0)
    starts = [n * size + min(n, more) for n in range(pools + 1)]
    return [list(tubes[start:end]) for start, end in pairwise(starts)]


def _by(number: int, things: Sequence[str]) -> list[list[str]]:
    return [list(things[at : at + number]) for at in range(0, len(things), number)]
