"""The laboratory's people as locust users: reception, pools, plates in waves, second swabs."""

import math
from collections.abc import Iterator
from random import Random
from typing import Any, Final
from uuid import UUID

import gevent

from lims.db.ids import uuid7
from lims.demo.bench import ASSAY
from lims.demo.client import PATIENCE_S, NoAnswer, Stopped
from lims.demo.forms import labels_of, second_swab
from loadtests.day.person import LOOK_S, Person
from loadtests.day.plates import next_plate

RACK: Final = 50
SCANNED_SINGLY: Final = 0.12  # of the racks: tubes taken one by one from a box
MISREAD: Final = 0.03  # of the racks: one scan is a label that nobody registered
WAVE_H: Final = 0.75  # between two starts of the cyclers
RUN_H: Final = 0.60  # from the loaded plate to the printed results
RESWAB_H: Final = 0.50
LOADING_H: Final = 2 / 60  # one person seals, spins and loads one plate after the other
A_LOOK_H: Final = 1 / 60  # whoever waits for a plate looks once a minute
FEWEST_LEFT: Final = 2  # a pool needs two tubes: nobody is left alone in the last rack
FULL_PLATE: Final = 94
URGENT: Final = "A1"  # the roll of the rapid positives' PCR tubes
TORN_WHY: Final = "vỡ nắp, chảy mẫu"
UNHEARD_OF: Final = "TTZZ0000009"


class AtTheBench(Person):
    """Whoever works with the bench's token."""

    abstract = True

    def on_start(self) -> None:
        """Come to work."""
        self.station, self.meter = self.today.station(self.today.premises.keys.bench)

    def on_stop(self) -> None:
        """Go home."""
        super().on_stop()
        self.station.close()


class Reception(AtTheBench):
    """Scans what arrives: mostly by rack, some tubes one by one; rejects what is broken."""

    fixed_count = 3

    def work(self) -> bool:
        today = self.today
        here = today.road.take(RACK, today.clock.now_h())
        if not here:
            return False
        today.busy += 1
        try:
            whole = [barcode for barcode in here if not today.plan.is_torn(barcode)]
            for barcode in here:
                if today.plan.is_torn(barcode):
                    self.reject(barcode)
            urgent = [barcode for barcode in whole if barcode[2:4] == URGENT]
            self.take_in([barcode for barcode in whole if barcode[2:4] != URGENT])
            if urgent:
                self.confirm(urgent)
        finally:
            today.busy -= 1
        return True

    def take_in(self, rack: list[str]) -> None:
        """Receive a rack; then its tubes wait in their racks for a pool."""
        if not rack:
            return
        rng = Random(f"rack {rack[0]}")
        if rng.random() < SCANNED_SINGLY:
            with self.meter.named(" (one scan)"):
                for barcode in rack:
                    self.scan([barcode])
        else:
            self.scan(rack, misread=rng.random() < MISREAD)
        self.today.racks.extend(b for b in rack if b[2] == "D")

    def scan(self, rack: list[str], *, misread: bool = False) -> None:
        """Every tube is received; a scan of an unknown label is refused alone."""
        scans = [*rack, UNHEARD_OF] if misread else rack
        answer = self.station.post("/receptions", {"barcodes": scans})
        if answer["received"] != len(rack) or answer["refused"] != misread:
            raise RuntimeError(f"expected {len(rack)} received, {misread:d} refused; came {answer}")
        self.today.ledger.received.update(rack)
        self.today.done["unknown scans refused"] += misread

    def reject(self, barcode: str) -> None:
        """Broken on the way: its people will be swabbed again."""
        self.station.post("/rejections", {"barcode": barcode, "reason": TORN_WHY})
        self.today.done["tubes rejected"] += 1

    def confirm(self, urgent: list[str]) -> None:
        """Rapid positives run on cartridges at once, and never on a plate beside it."""
        today = self.today
        with today.bench_lock:
            self.scan(urgent)
            for barcode in urgent:
                message, _ = today.samples.cartridge(barcode)
                today.premises.cartridges.measure(barcode, message)


class PoolBuilder(AtTheBench):
    """As many tubes to a pool as the campaign asks for, in the order of their racks."""

    fixed_count = 2
    _labels: Iterator[str] | None = None

    def work(self) -> bool:
        today = self.today
        racks = today.racks
        more_to_come = not today.waiting.nobody or bool(today.road) or today.busy > 0
        most = today.premises.pool_size
        if len(racks) >= most + FEWEST_LEFT:
            number = most
        elif more_to_come or len(racks) < FEWEST_LEFT:
            return False
        else:
            number = len(racks) if len(racks) <= most else most + 1 - FEWEST_LEFT
        sources = [racks.popleft() for _ in range(number)]
        today.busy += 1
        try:
            label = self.label()
            body = {"pool_id": str(uuid7()), "barcode": label, "sources": sources}
            self.station.post("/pools", body)
            today.ledger.pool(label, sources)
            today.done["pools"] += 1
        finally:
            today.busy -= 1
        return True

    def label(self) -> str:
        """The next pool label; one roll for all builders."""
        if PoolBuilder._labels is None:
            PoolBuilder._labels = labels_of(self.today.premises.site, "P1")
        return next(PoolBuilder._labels)


class PlateRunner(AtTheBench):
    """Loads the cyclers at fixed hours, plate after plate; so comes the wave of their results."""

    fixed_count = 1
    _wave = 0
    _plates = 0

    def work(self) -> bool:
        if not self.due():
            return False
        self._wave += 1
        plates = math.ceil(self.waiting() / FULL_PLATE)
        for _ in range(plates):
            with self.today.bench_lock:
                self.await_cartridges()
                if not (self.waiting() and self.load()):
                    return False
            gevent.sleep(self.today.clock.seconds(LOADING_H))
        return plates > 0

    def waiting(self) -> int:
        """Tests that no plate has."""
        return int(self.station.get(f"/queues/{ASSAY}")["tests"])

    def due(self) -> bool:
        """At each wave's hour; in the overtime, once a plate would be full or nothing moves."""
        clock, today = self.today.clock, self.today
        if not clock.over():
            return clock.now_h() >= (self._wave + 1) * WAVE_H
        moving = today.road or today.racks or today.open_plates or today.busy
        if today.waiting.nobody and not moving:
            return True
        return self.waiting() >= FULL_PLATE

    def await_cartridges(self) -> None:
        """A tube on a cartridge is not put on a plate as well."""
        with gevent.Timeout(PATIENCE_S, NoAnswer("the cartridges' results did not come")):
            while not self.today.cartridges_settled():
                gevent.sleep(LOOK_S)

    def load(self) -> bool:
        """Lay out one plate from the queue and start it; False when nothing waits after all."""
        today = self.today
        plate, run_id = f"PL-{today.plan.seed:04d}-{self._plates + 1:04d}", str(uuid7())
        layout = next_plate(self.station, self.meter, run_id, plate)
        if layout is None:
            return False
        self._plates += 1
        today.ledger.plates[plate] = sum(w["role"] == "specimen" for w in layout["wells"])
        today.open_plates.add(plate)
        gevent.spawn(self.run_plate, plate, run_id, layout, self._plates)
        return True

    def run_plate(self, plate: str, run_id: str, layout: dict[str, Any], nth: int) -> None:
        """A cycler's two hours; then its results are printed and judged."""
        today = self.today
        station, _ = today.station(today.premises.keys.bench)
        try:
            with station:
                gevent.sleep(today.clock.seconds(RUN_H))
                cyclers = today.premises.cyclers
                cyclers[nth % len(cyclers)].measure(plate, today.samples.plate(layout))
                with gevent.Timeout(PATIENCE_S, NoAnswer(f"no results of {plate}")):
                    while (state := station.get(f"/runs/{run_id}")["state"]) in UNFINISHED:
                        gevent.sleep(today.clock.seconds(A_LOOK_H) or LOOK_S * 3)
                if state == "held":
                    today.reviewer().release_run(run_id)
                today.done[f"runs {state}"] += 1
        except Stopped:
            pass
        except Exception as fault:
            today.broke.append(f"{plate}: {type(fault).__name__} {fault}"[:600])
        finally:
            today.open_plates.discard(plate)


class SecondSwabs(AtTheBench):
    """Goes back to whoever a tube could not tell of."""

    fixed_count = 1
    _labels: Iterator[str] | None = None

    def work(self) -> bool:
        today = self.today
        gevent.sleep(today.clock.seconds(RESWAB_H))
        wanted = self.station.get("/recollections")
        today.busy += 1
        try:
            for one in wanted:
                if UUID(one["specimen_id"]) in today.ledger.swabs:
                    self.swab(one)
        finally:
            today.busy -= 1
        return bool(wanted)

    def swab(self, one: dict[str, Any]) -> None:
        """One more swab of somebody the laboratory knows."""
        if SecondSwabs._labels is None:
            SecondSwabs._labels = labels_of(self.today.premises.site, "R1")
        body = second_swab(one, next(SecondSwabs._labels))
        self.station.post("/specimens", body)
        self.today.ledger.again(body, one)
        self.today.done["second swabs"] += 1
        self.today.leaves_for_the_laboratory(body["barcode"])


UNFINISHED: Final = frozenset({"planned", "measuring"})
LABORATORY: Final[tuple[type[Person], ...]] = (Reception, PoolBuilder, PlateRunner, SecondSwabs)
