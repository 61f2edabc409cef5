"""HL7 machines that misbehave, on the real journal and outbox: many seeds of each fault, and what
was acknowledged is there, on its own tube, or set aside with its reason."""

import itertools
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from instruments.drivers import DRIVERS
from instruments.drivers.own_ids import OwnIds
from instruments.hl7.message import read
from instruments.intake import intake_of
from instruments.journal import Journal
from instruments.measurement import Measurement
from instruments.outbox import Outbox
from instruments.reader import Reader
from instruments.simulated.machines import Block
from instruments.simulated.mllp import MllpFault, MllpMachine
from instruments.simulated.playing import Playing
from instruments.simulated.said import said
from lims.domain import barcodes
from tests.instruments.hl7_messages import NOW
from tests.instruments.test_hl7_intake import MllpGateway

SEEDS = 24
NAMES = ("cobas", "alinity-m", "fline")
ALTERING = {
    MllpFault.BIT_FLIP,
    MllpFault.BYTE_SWAP,
    MllpFault.DROPPED_BYTE,
    MllpFault.DOUBLED_BYTE,
}
"""MLLP has no checksum: these may change a value, and nobody can see it. Never whose it is."""


class Checked(MllpGateway):
    """With the check of our own barcodes, as a site switches it on."""

    def start(self) -> None:
        self.journal = Journal(self.folder / "journal", now=NOW, **self.limits)
        self.outbox = Outbox(self.folder / "outbox")
        ticks = itertools.count()
        self.intake = intake_of(
            Reader(OwnIds(DRIVERS[self.driver], ["TT"]), "machine-1"),
            self.journal,
            self.outbox,
            lambda: NOW + timedelta(0, next(ticks)),
            idle_timeout_s=30.0,
        )
        self.intake.take_up(self.now_s)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


def blocks_of(driver: str, rng: random.Random) -> dict[str, Block]:
    """By tube."""
    tubes = [barcodes.mint("TT", "7K", rng.randrange(1_000_000) + n) for n in range(3)]
    told = {}
    for tube in dict.fromkeys(tubes):
        ct = rng.choice([None, round(rng.uniform(15, 38), 2)])
        targets = {"SARS-CoV-2": ct, "IC": 27.5} if driver == "alinity-m" else {"E": ct, "IC": 27.5}
        if driver == "fline":
            targets = {}
        asked = {"specimen": tube, "targets": targets}
        (task,) = Playing(driver, "", "S1").tasks(said(asked))
        assert isinstance(task, Block)
        told[tube] = task
    return told


def live(machine: MllpMachine, gateway: MllpGateway, block: Block, now_s: float) -> float:
    """Until it was acknowledged."""
    out = machine.send(block, now_s)
    for _ in range(400):
        replies = b"".join(gateway.hears(data) for data in out)
        now_s += 0.02
        if machine.dead:
            machine.restart(now_s)
        if machine.done:
            return now_s
        if replies:
            out = machine.hear(replies, now_s)
            continue
        now_s += 1.0
        gateway.waits(1.02)
        out = machine.tick(now_s)
    raise AssertionError("the machine never got rid of its message")


@pytest.mark.parametrize("fault", MllpFault)
def test_what_was_acknowledged_is_there_on_its_own_tube_or_set_aside(
    fault: MllpFault, tmp_path: Path
) -> None:
    for seed in range(SEEDS):
        rng = random.Random(f"{fault} {seed}")
        driver = rng.choice(NAMES)
        blocks = blocks_of(driver, rng)
        truth = {tube: _measured(driver, block) for tube, block in blocks.items()}
        gateway = Checked(tmp_path / str(seed), driver=driver)
        machine = MllpMachine([fault] * rng.randint(1, 2), seed=seed, chance=0.6)
        now_s = 0.0
        for block in blocks.values():
            now_s = live(machine, gateway, block, now_s)
        gateway.waits(31.0)
        captures = gateway.owed()
        gateway.journal.close()
        where = f"seed {seed} of {fault} on {driver}"
        measured = [m for capture in captures for m in capture.measurements]
        strangers = {m.specimen for m in measured} - set(truth)
        assert not [name for name in strangers if re.fullmatch("TT[0-9A-Z]{9}", name)], where
        right = [tube for tube, told in truth.items() if told in measured]
        otherwise = [m for m in measured if m not in truth.values()]
        if fault in ALTERING:
            assert len(captures) >= len(blocks), where
            aside = otherwise or any(capture.quarantine for capture in captures)
            assert right == [*truth] or aside, where
        else:
            assert (right, otherwise) == ([*truth], []), where


def _measured(driver: str, block: Block) -> Measurement:
    (measured,) = DRIVERS[driver].measurements(read(block.message))
    assert isinstance(measured, Measurement)
    return measured
