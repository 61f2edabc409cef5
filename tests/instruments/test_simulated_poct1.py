"""A rapid-test reader that misbehaves, on the real journal and outbox: many seeds of each fault,
and what was acknowledged is there, on its own tube, or set aside with its reason."""

import itertools
import json
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from instruments.drivers import DRIVERS
from instruments.drivers.own_ids import OwnIds
from instruments.intake import intake_of
from instruments.journal import Journal
from instruments.measurement import Measurement, Role
from instruments.outbox import Outbox
from instruments.poct.message import read
from instruments.reader import Reader
from instruments.simulated.playing import Playing
from instruments.simulated.poct1 import Observed, Poct1Fault, Poct1Machine
from instruments.simulated.said import said
from lims.domain import barcodes
from tests.instruments.bench_stand import bench_in
from tests.instruments.poct1_messages import NOW
from tests.instruments.test_poct1_intake import ReaderGateway, messages
from tests.until import until

SEEDS = 24
CALLS = ("positive", "negative", "invalid")
ALTERING = {
    Poct1Fault.BIT_FLIP,
    Poct1Fault.BYTE_SWAP,
    Poct1Fault.DROPPED_BYTE,
    Poct1Fault.DOUBLED_BYTE,
}
"""XML has no checksum: these may change a value, and nobody can see it. Never whose it is."""


class Checked(ReaderGateway):
    """With the check of our own barcodes, as a site switches it on."""

    def start(self) -> None:
        self.journal = Journal(self.folder / "journal", now=NOW, **self.limits)
        self.outbox = Outbox(self.folder / "outbox")
        ticks = itertools.count()
        self.intake = intake_of(
            Reader(OwnIds(DRIVERS[self.driver], ["TT"]), "sofia-1"),
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


def observed(tube: str, call: str, *, role: Role = Role.SPECIMEN) -> Observed:
    asked = {"specimen": tube, "call": call, "role": role.value}
    (task,) = Playing("sofia2", "", "S1").tasks(said(asked))
    assert isinstance(task, Observed)
    return task


def drawn(rng: random.Random) -> dict[str, Observed]:
    """By tube."""
    tubes = [barcodes.mint("TT", "7K", rng.randrange(1_000_000) + n) for n in range(3)]
    return {tube: observed(tube, rng.choice(CALLS)) for tube in dict.fromkeys(tubes)}


class Talk:
    """A reader and a gateway on one line, and who said what."""

    def __init__(self, machine: Poct1Machine, gateway: ReaderGateway) -> None:
        self.machine, self.gateway = machine, gateway
        self.now_s = 0.0
        self.lines: list[str] = []
        self.hang_ups = 0

    def until_taken(self, one: Observed) -> None:
        out = self.machine.send(one, self.now_s)
        for _ in range(400):
            replies = self._hears(out)
            self.now_s += 0.02
            if self.machine.dead:
                self.machine.restart(self.now_s)
            if self.machine.done and not replies:
                return
            if replies:
                out = self.machine.hear(replies, self.now_s)
                self.hang_ups += self.machine.hung_up
                continue
            self.now_s += 1.0
            self.gateway.waits(1.02)
            out = self.machine.tick(self.now_s)
            self.hang_ups += self.machine.hung_up
        raise AssertionError("the reader never got rid of its observation")

    def _hears(self, out: list[bytes]) -> bytes:
        replies = b""
        for data in out:
            self.lines += re.findall(r"<([A-Z]{3})\.R0\d>", data.decode("latin-1"))
            answer = self.gateway.hears(data)
            self.lines += [message.kind[:3].lower() for message in messages(answer)]
            replies += answer
        return replies

    @property
    def told(self) -> str:
        """The reader in capitals, the gateway in small letters."""
        return " ".join(self.lines)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Checked]:
    gateway = Checked(tmp_path, driver="sofia2")
    yield gateway
    gateway.journal.close()


def test_a_reader_that_takes_the_directive_stays_and_sends_each_test_when_it_is_made(
    gateway: Checked,
) -> None:
    talk = Talk(Poct1Machine(), gateway)
    one, two = barcodes.mint("TT", "7K", 1), barcodes.mint("TT", "7K", 2)
    talk.until_taken(observed(one, "positive"))
    assert talk.told == "HEL ack DST ack dtv ACK OBS ack"
    talk.until_taken(observed(two, "negative"))
    assert talk.told.endswith("OBS ack OBS ack"), "without another greeting"
    assert talk.hang_ups == 0
    assert [(m.specimen, m.call) for c in gateway.owed() for m in c.measurements] == [
        (one, "positive"),
        (two, "negative"),
    ]


def test_a_reader_that_refuses_it_is_asked_ends_its_topic_and_leaves(gateway: Checked) -> None:
    talk = Talk(Poct1Machine([Poct1Fault.REFUSED_DIRECTIVE]), gateway)
    talk.until_taken(observed(barcodes.mint("TT", "7K", 1), "positive"))
    assert talk.told == "HEL ack DST ack dtv ACK req ACK OBS ack EOT ack end ACK"
    assert talk.hang_ups == 1
    talk.until_taken(observed(barcodes.mint("TT", "7K", 2), "positive"))
    assert talk.told.endswith("HEL ack DST ack dtv ACK OBS ack"), "the fault was played"


def test_a_quality_control_is_a_control(gateway: Checked) -> None:
    talk = Talk(Poct1Machine(), gateway)
    talk.until_taken(observed("", "passed", role=Role.POSITIVE_CONTROL))
    (capture,) = gateway.owed()
    (measured,) = capture.measurements
    assert (measured.role, measured.call) == (Role.POSITIVE_CONTROL, "passed")


def test_what_a_reader_is_never_answered_is_said_again_for_as_long_as_it_takes() -> None:
    machine = Poct1Machine(reply_timeout_s=15.0)
    one = observed(barcodes.mint("TT", "7K", 1), "positive")
    (greeting,) = machine.send(one, 0.0)
    said_again = 0
    for second in range(1, 300):
        out = machine.tick(float(second))
        said_again += len(out)
        assert all(read(each).kind == read(greeting).kind for each in out)
    assert said_again == 300 // 23, "every time-out and half of one"
    assert not machine.done


@pytest.mark.parametrize("fault", Poct1Fault)
def test_what_was_acknowledged_is_there_on_its_own_tube_or_set_aside(
    fault: Poct1Fault, tmp_path: Path
) -> None:
    played = 0
    for seed in range(SEEDS):
        rng = random.Random(f"{fault} {seed}")
        sent = drawn(rng)
        truth = {tube: _measured(one) for tube, one in sent.items()}
        gateway = Checked(tmp_path / str(seed), driver="sofia2")
        asked = [fault] * rng.randint(1, 2)
        talk = Talk(Poct1Machine(asked, seed=seed, chance=0.6), gateway)
        for one in sent.values():
            talk.until_taken(one)
        gateway.waits(31.0)
        captures = gateway.owed()
        gateway.journal.close()
        where = f"seed {seed} of {fault}"
        measured = [m for capture in captures for m in capture.measurements]
        played += talk.told != "HEL ack DST ack dtv ACK OBS ack OBS ack OBS ack"
        strangers = {m.specimen for m in measured} - set(truth)
        assert not [name for name in strangers if re.fullmatch("TT[0-9A-Z]{9}", name)], where
        right = [tube for tube, told in truth.items() if told in measured]
        otherwise = [m for m in measured if m not in truth.values()]
        if fault in ALTERING:
            aside = otherwise or any(capture.quarantine for capture in captures)
            assert right == [*truth] or aside, where
        else:
            assert (right, otherwise) == ([*truth], []), where
    silent = {Poct1Fault.SPLIT, Poct1Fault.NOISE, Poct1Fault.CLOCK_JUMP, *ALTERING}
    assert played > SEEDS // 2 or fault in silent, "the fault is seen in what was said"


def test_a_reader_on_a_real_connection_hangs_up_calls_again_and_is_heard_once(
    tmp_path: Path,
) -> None:
    with bench_in(tmp_path) as bench:
        port = bench.port()
        gateway = bench.gateway_of(
            {"instrument": "s-1", "driver": "sofia2", "link": f"listen://127.0.0.1:{port}"}
        )
        until(lambda: gateway.events("started") != [], "the line")
        reader = bench.simulator(
            "sofia2",
            f"127.0.0.1:{port}",
            *("--fault", "drop-and-repeat", "--fault", "refused-directive"),
            *("--reply-timeout", "10", "--seed", "5"),  # no more attempts than its faults make
        )
        tube = barcodes.mint("TT", "7K", 7)
        reader.tell({"specimen": tube, "call": "positive"})
        until(lambda: reader.lines, "the reader's own word")
        assert json.loads(reader.lines[0]) == {"sent": tube, "attempts": 2}

        def told() -> list[tuple[str, str | None]]:
            taken = bench.lims.captures
            return [(m.specimen, m.call) for capture in taken for m in capture.measurements]

        until(lambda: told() != [], "the result")
        assert told() == [(tube, "positive")]


def _measured(one: Observed) -> Measurement:
    (measured,) = DRIVERS["sofia2"].measurements(read(one.message))
    assert isinstance(measured, Measurement)
    return measured
