"""The gateway killed at any point while the analyser misbehaves: what was acknowledged is there,
once, and on the tube it was measured in.

Each run is a story told by its seed alone: two or three messages of one of three analysers, one
class of fault, and up to three points at which the gateway falls, in mid-write among them. The
journal, the outbox and all between them are the real ones; the LIMS is a dictionary by digest.

By default a sample is told. The figures of the issue, 10,000 runs and more, come with
`FAULT_RUNS=12000 pytest tests/instruments/test_crash_and_fault.py -s`.
"""

import itertools
import json
import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from instruments.analyser_messages import (
    Well,
    encoded,
    genexpert_message,
    m2000_message,
    plate_message,
)
from instruments.astm.line import Line
from instruments.drivers import DRIVERS
from instruments.drivers.own_ids import OwnIds
from instruments.intake import Intake
from instruments.measurement import Capture, Measurement, Role
from instruments.misbehaviour import Analyser, Fault, Order
from instruments.reader import Reader
from lims.domain import barcodes
from tests.instruments.fragile_disk import FragileJournal, FragileOutbox, Fuse, Killed

RUNS = int(os.environ.get("FAULT_RUNS", "1360"))
NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)
DRIVER_NAMES = ("plate", "genexpert", "m2000")


OWES = 0.25  # of the gateways that start have something to say themselves


DOUBTFUL = {Fault.BYTE_SWAP, Fault.WRONG_NUMBER}
"""A swap passes the sum; a frame under the number of the one before it says two different things.
Only these may put a whole message in quarantine."""


@dataclass
class Gateway:
    """Everything but the serial port and the network; `killed` forgets what is not on disk."""

    folder: Path
    driver: str
    fuse: Fuse
    lims: dict[str, Capture] = field(default_factory=dict)
    deaths: int = 0
    clock: timedelta = timedelta()
    seconds: Iterator[int] = field(default_factory=itertools.count)

    def start(self, now_s: float) -> None:
        FragileJournal.fuse = FragileOutbox.fuse = self.fuse
        self.journal = FragileJournal(self.folder / "journal", now=self._now(), segment_bytes=4_000)
        self.outbox = FragileOutbox(self.folder / "outbox")
        reader = Reader(OwnIds(DRIVERS[self.driver], ["TT"]), "analyser-1")
        line = Line()
        if self.fuse.rng.random() < OWES:  # it asks for its turn between the analyser's sessions
            line.owe([b"H|\\^&\r", b"L|1|N\r"], until_s=now_s + 60)
        self.intake = Intake(
            self.journal,
            self.outbox,
            reader,
            line,
            self._now,
        )
        self.intake.take_up(now_s)
        if (
            self.driver != "plate"
        ):  # as beside a line: what became whole is captured some time after
            self.intake.leave_capturing_to(lambda: None)

    def hears(self, data: bytes, now_s: float) -> bytes:
        said: list[bytes] = []
        try:
            self.intake.hear(data, now_s, lambda byte: self._say(said, byte))
            self.intake.tick(now_s, lambda byte: self._say(said, byte))
            if self.fuse.rng.random() < 0.3:
                self.intake.capture_due()
            self.posts()
        except Killed:
            self.killed(now_s)
        return b"".join(said)

    def killed(self, now_s: float) -> None:
        """Dies, and is started until it stays up."""
        while True:
            self.deaths += 1
            self.journal.lose()
            self.fuse.steps = self.fuse.rng.randint(1, 60) if self.deaths < 3 else -1
            try:
                self.start(now_s)
                return
            except Killed:
                continue

    def posts(self) -> None:
        """Now and then; may be killed between the LIMS' receipt and forgetting the letter."""
        while self.fuse.rng.random() < 0.5 and (letter := self.outbox.first(0)):
            capture = Capture.from_json(json.loads(letter.body()))
            self.lims.setdefault(capture.digest, capture)
            self.fuse.burn()
            self.outbox.delivered(letter)

    def ends(self, now_s: float) -> None:
        """The line falls silent for good, the gateway is started once more, all is posted."""
        self.fuse.steps = -1
        self.hears(b"", now_s + 60)
        self.intake.capture_due()
        self.journal.close()
        self.start(now_s + 61)
        self.intake.tick(now_s + 120)
        self.intake.capture_due()
        while letter := self.outbox.first(0):
            capture = Capture.from_json(json.loads(letter.body()))
            self.lims.setdefault(capture.digest, capture)
            self.outbox.delivered(letter)
        self.journal.close()

    def _say(self, said: list[bytes], byte: bytes) -> None:
        self.fuse.burn()
        said.append(byte)
        self.fuse.burn()

    def _now(self) -> datetime:
        return NOW + self.clock + timedelta(seconds=next(self.seconds))


@dataclass(frozen=True)
class Truth:
    """Where a tube was measured (`place`: the well, or a cartridge's time) and what came."""

    order: str
    place: tuple[str | None, ...]
    targets: tuple[tuple[str, float | None], ...]


@dataclass
class Story:
    orders: list[Order]
    truth: dict[str, Truth]
    acknowledged: set[str] = field(default_factory=set)


def story_of(driver: str, rng: random.Random) -> Story:
    serial = rng.randrange(1_000_000)
    story = Story([], {})
    for number in range(rng.randint(2, 3)):
        ended = NOW + timedelta(hours=number + 1, seconds=rng.randrange(3000))
        count = rng.randint(2, 5) if driver == "plate" else 1
        tubes = [barcodes.mint("TT", "7K", serial + 10 * number + n) for n in range(count)]
        cts = [rng.choice([None, round(rng.uniform(15, 38), 1)]) for _ in tubes]
        name, printed = f"{driver}-{number}", list[str]()
        stamp = ended.strftime("%Y-%m-%dT%H:%M:%S")
        if driver == "plate":
            wells = [
                Well(f"{'ABCDEFGH'[n]}{number + 1:02}", tube, Role.SPECIMEN, {"N": ct, "IC": 27.5})
                for n, (tube, ct) in enumerate(zip(tubes, cts, strict=True))
            ]
            printed = plate_message(f"PL{number}", wells, serial="C1", ended_at=ended)
            for well, ct in zip(wells, cts, strict=True):
                told = (("N", ct), ("IC", 27.5))
                story.truth[well.specimen] = Truth(name, (f"PL{number}", well.well), told)
        elif driver == "genexpert":
            word = "NEGATIVE" if cts[0] is None else "POSITIVE"
            printed = genexpert_message(
                tubes, {"E": cts[0], "SPC": 29.0}, call=word, serial="8", ended_at=ended
            )
            story.truth[tubes[0]] = Truth(name, (stamp,), (("E", cts[0]), ("SPC", 29.0)))
        else:
            printed = m2000_message(
                tubes[0],
                plate=f"R{number}",
                well="B07",
                ct_cycles=cts[0],
                serial="2",
                ended_at=ended,
            )
            story.truth[tubes[0]] = Truth(name, (f"R{number}", "B07"), (("SARS2", cts[0]),))
        packed = driver == "genexpert"
        story.orders.append(Order(name, tuple(encoded(printed)), packed=packed))
    return story


def live(story: Story, gateway: Gateway, analyser: Analyser, fault: Fault) -> None:
    """Every message is sent until it was acknowledged to its end."""
    rng, now_s = gateway.fuse.rng, 0.0
    gateway.start(now_s)  # an empty journal: nothing to burn for
    for order in story.orders:
        if fault is Fault.CLOCK_JUMP:
            gateway.clock += timedelta(days=rng.choice([-3653, -1, 1, 400]))
        out = analyser.send(order, now_s)
        for _ in range(3_000):
            deaths = gateway.deaths
            replies = b"".join(gateway.hears(data, now_s) for data in out)
            if gateway.deaths > deaths:
                now_s += rng.choice([0.1, 2.0, 40.0])
                replies = replies if rng.random() < 0.5 else b""
            now_s += 0.02
            if analyser.done:
                break
            if analyser.dead:
                now_s += rng.choice([1.0, 45.0])
                analyser.restart(now_s)
            if replies:
                out = analyser.hear(replies, now_s)
                continue
            now_s += 1.0
            asked = gateway.hears(b"", now_s)
            out = analyser.tick(now_s)  # its timers ran while the gateway was away
            out = [*out, *(analyser.hear(asked, now_s) if asked else [])]
        assert analyser.done, "the analyser never got rid of its message"
        replies = b"".join(gateway.hears(data, now_s) for data in out)
        story.acknowledged.add(order.name)
        now_s += rng.choice([0.0, 1.0, 31.0])
    gateway.ends(now_s)


@dataclass
class Reckoning:
    lost: int = 0
    on_another_specimen: int = 0
    told_twice: int = 0
    changed_by_a_swap: int = 0
    unmatched: int = 0
    whole_in_quarantine: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    results: int = 0

    def add(self, other: "Reckoning") -> None:
        self.lost += other.lost
        self.on_another_specimen += other.on_another_specimen
        self.told_twice += other.told_twice
        self.changed_by_a_swap += other.changed_by_a_swap
        self.unmatched += other.unmatched
        self.whole_in_quarantine += other.whole_in_quarantine
        self.quarantined += other.quarantined
        self.results += other.results


def place_of(measured: Measurement) -> tuple[str | None, ...]:
    return (measured.run, measured.well) if measured.well else (measured.measured_at,)


def reckoned(story: Story, lims: dict[str, Capture], fault: Fault) -> Reckoning:
    result = Reckoning()
    told: dict[str, set[tuple[object, ...]]] = {}
    for capture in lims.values():
        if capture.quarantine:
            result.quarantined[capture.quarantine.reason] += 1
        for measured in capture.measurements:
            truth = story.truth.get(measured.specimen)
            if truth is None:
                result.unmatched += 1
                continue
            if place_of(measured) != truth.place and not _swapped_time(measured, truth, fault):
                result.on_another_specimen += 1
            targets = tuple((t.target, t.ct_cycles) for t in measured.targets)
            told.setdefault(measured.specimen, set()).add(targets)
    altered = fault is Fault.BYTE_SWAP
    for specimen, truth in story.truth.items():
        stories = told.get(specimen, set())
        result.results += truth.order in story.acknowledged
        if truth.targets in stories:
            result.told_twice += len(stories) > 1 and not altered
        elif stories and altered:
            result.changed_by_a_swap += 1
        elif truth.order in story.acknowledged:
            in_quarantine = _whole_in_quarantine(specimen, lims) or (
                altered and (result.quarantined or result.unmatched or _incomplete(specimen, lims))
            )
            result.whole_in_quarantine += bool(in_quarantine)
            result.lost += not in_quarantine
    return result


def _whole_in_quarantine(specimen: str, lims: dict[str, Capture]) -> bool:
    """Its message is there to its end, for a person to look at: the reason says why."""
    held = [c for c in lims.values() if c.quarantine and c.complete]
    return any(specimen.encode() in capture.raw for capture in held)


def _incomplete(specimen: str, lims: dict[str, Capture]) -> bool:
    """Held, and shown as incomplete: a swap in L leaves a message without its end."""
    return any(specimen.encode() in c.raw for c in lims.values() if not c.complete)


def _swapped_time(measured: Measurement, truth: Truth, fault: Fault) -> bool:
    """A message of one tube is known by its time or its run's name, of which a swap may have hit
    either; on a plate nothing but the well will do."""
    if fault is not Fault.BYTE_SWAP or truth.order.startswith("plate"):
        return False
    if measured.well:
        came, was = measured.run or "", truth.place[0] or ""
        return measured.well == truth.place[1] and sorted(came) == sorted(was)
    came, was = measured.measured_at or "", truth.place[0] or ""
    return came == "" or sorted(came) == sorted(was)


def one_run(seed: int, fault: Fault, folder: Path) -> Reckoning:
    rng = random.Random(seed)
    driver = rng.choice(DRIVER_NAMES)
    story = story_of(driver, rng)
    gateway = Gateway(folder, driver, Fuse(rng.randint(1, 250), rng))
    analyser = Analyser([fault] * rng.randint(1, 2), seed=seed, chance=0.1)
    live(story, gateway, analyser, fault)
    return reckoned(story, gateway.lims, fault)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture
def spools(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: thousands of runs, each with dozens of syncs."""
    memory = Path("/dev/shm")
    folder = memory / f"spools-{os.getpid()}" if os.access(memory, os.W_OK) else tmp_path
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("fault", Fault)
def test_what_was_acknowledged_is_there_once_and_on_its_own_tube(
    fault: Fault, spools: Path
) -> None:
    total = Reckoning()
    every = len(Fault)
    first = list(Fault).index(fault)
    for seed in range(first, RUNS, every):
        folder = spools / str(seed)
        run = one_run(seed, fault, folder)
        wrong = (run.lost, run.on_another_specimen, run.told_twice)
        assert wrong == (0, 0, 0), f"seed {seed}: {run}"
        total.add(run)
        shutil.rmtree(folder)
    if fault not in DOUBTFUL:
        assert total.whole_in_quarantine == 0
    sys.stdout.write(f"{fault.value}: {total}\n")
    assert total.results > 0
