"""The laboratory bench: racks received and pooled, plates laid out and run, until nothing waits."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID

from lims.db.ids import uuid7
from lims.demo import physics
from lims.demo.analysers import Analyser
from lims.demo.client import PATIENCE_S, NoAnswer, Station
from lims.demo.desks import labels_of
from lims.demo.ledger import Ledger
from lims.demo.physics import CARTRIDGE_KIT, PLATE_KIT, Error, Reading
from lims.demo.reviewer import Reviewer
from lims.demo.telling import Audience, Phase
from lims.demo.truth import Commune

ASSAY: Final = "sars-cov-2"
RACK: Final = 50
TOP_PRIORITY: Final = 9
_LOOK_S: Final = 0.1
_UNFINISHED: Final = frozenset({"planned", "measuring"})
POOL_S, PLATE_S, RUN_S = 0.25, 1.5, 4.0  # of the watcher's time


@dataclass
class Bench:
    """One technician's day, over the API; the analysers are told what is really in the tubes."""

    station: Station
    commune: Commune
    ledger: Ledger
    audience: Audience
    cycler: Analyser
    cartridges: Analyser
    reviewer: Reviewer
    site: str
    pool_size: int
    plates: int = 0
    _pool_labels: Iterator[str] = field(init=False)
    _swab_labels: Iterator[str] = field(init=False)
    _ct: dict[int, float | None] = field(init=False)

    def __post_init__(self) -> None:
        self._pool_labels = labels_of(self.site, "P1")
        self._swab_labels = labels_of(self.site, "R1")
        self._ct = {v.number: v.ct_cycles for v in self.commune.villagers}

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
            reading = self._read(barcode, physics.CARTRIDGE_KIT)
            error = reading.deviation.error if reading.deviation else None
            open_again += error in {Error.INVALID, Error.DOUBTFUL}
            self.cartridges.measure(barcode, _cartridge(barcode, reading))
            self.audience.rest(POOL_S)
        if urgent:
            self._until(lambda: self._urgent() <= open_again, "the cartridges' results")

    def pool(self) -> None:
        """Ten tubes to a pool, in rack order; a last tube alone goes with the ten before it."""
        waiting = sorted(t["barcode"] for t in self.station.get("/racks/awaiting-pool")["tubes"])
        racks = _by(self.pool_size, waiting)
        if len(racks) > 1 and len(racks[-1]) == 1:
            alone = racks.pop()
            racks[-1] += alone
        for sources in racks:
            label = next(self._pool_labels)
            body = {"pool_id": str(uuid7()), "barcode": label, "sources": sources}
            self.station.post("/pools", body)
            self.ledger.contents[label] = tuple(
                v for source in sources for v in self.ledger.contents[source]
            )
            self.ledger.labelled.add(label)
            self.ledger.received.add(label)
            self.audience.rest(POOL_S)

    def run_plates(self) -> bool:
        """Lay out and run plates until the queue is empty; False when it was."""
        before = self.plates
        while (waiting := self._queued()) > 0:
            self._run_plate(waiting)
        return self.plates > before

    def _run_plate(self, waiting: int) -> None:
        self.plates += 1
        plate, run_id = f"PL-{self.commune.seed:04d}-{self.plates:03d}", str(uuid7())
        layout = self.station.post("/runs", {"run_id": run_id, "plate": plate, "assay": ASSAY})
        wells = [w for w in layout["wells"] if w["role"] == "specimen"]
        self.ledger.plates[plate] = len(wells)
        self.audience.begins(Phase.RUN, f"{plate}: {len(wells)} / {waiting}")
        self.audience.rest(PLATE_S)
        self.cycler.measure(plate, self._plate(layout))
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
            villager = self.ledger.swabs[UUID(one["specimen_id"])]
            label, swab = next(self._swab_labels), uuid7()
            body = {
                "specimen_id": str(swab),
                "barcode": label,
                "collected_at": datetime.now(UTC).isoformat(),
                "person_id": one["person_id"],
            }
            self.station.post("/specimens", body)
            self.ledger.swabs[swab] = villager
            self.ledger.registered.add(swab)
            self.ledger.contents[label] = (villager,)
            self.ledger.labelled.add(label)
            self.audience.rest(POOL_S)
        return bool(wanted)

    def _plate(self, layout: Mapping[str, Any]) -> dict[str, Any]:
        plate = layout["plate"]
        attempt = self.ledger.next_attempt(plate)
        rng = Random(f"controls {self.commune.seed} {plate} {attempt}")
        blank, known, failure = physics.read_controls(rng, plate)
        self.ledger.note(failure)
        controls = {"negative_control": blank, "positive_control": known}
        wells = []
        for well in layout["wells"]:
            specimen = well["role"] == "specimen"
            targets = (
                self._read(well["barcode"], PLATE_KIT).targets
                if specimen
                else controls[well["role"]]
            )
            wells.append(
                {
                    "well": well["position"],
                    "specimen": well["barcode"] or "",
                    "role": well["role"],
                    "targets": targets,
                }
            )
        return {"plate": plate, "wells": wells}

    def _read(self, barcode: str, kit: physics.Chemistry) -> Reading:
        attempt = self.ledger.next_attempt(barcode)
        rng = Random(f"tube {self.commune.seed} {barcode} {attempt}")
        inside = [self._ct[v] for v in self.ledger.contents[barcode]]
        reading = physics.read_tube(rng, barcode, inside, kit)
        self.ledger.note(reading.deviation)
        return reading

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


def _cartridge(barcode: str, reading: Reading) -> dict[str, Any]:
    genes = [reading.targets[gene] for gene in CARTRIDGE_KIT.genes]
    if reading.targets[CARTRIDGE_KIT.control] is None:
        call = "INVALID"
    else:
        call = "POSITIVE" if any(ct is not None for ct in genes) else "NEGATIVE"
    return {"specimen": barcode, "call": call, "targets": dict(reading.targets)}


def _by(number: int, things: Sequence[str]) -> list[list[str]]:
    return [list(things[at : at + number]) for at in range(0, len(things), number)]
