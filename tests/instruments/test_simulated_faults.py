"""Each kind of link with each of its faults, through the gateway's process: what the machine got
rid of is at the LIMS right, or set aside with its reason; never wrong, never lost.

One gateway serves every line of this file, so that a fault which spoils its line is seen by the
next one. The faults' volume, with crashes, is in test_crash_and_fault.
"""

import json
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from instruments.drivers.own_ids import agrees
from instruments.drivers.reading import Format
from instruments.measurement import Capture, Measurement, Role
from instruments.misbehaviour import Fault
from instruments.simulated.folder import FileFault
from instruments.simulated.machines import MACHINES
from instruments.simulated.mllp import MllpFault
from instruments.simulated.playing import CLOCK_JUMP, FolderPlayer, LinePlayer, Playing
from instruments.simulated.said import said
from lims.domain import barcodes
from lims.domain.instrument_clock import ahead
from tests.instruments.bench_stand import Bench, bench_in
from tests.until import WITHIN_S, until

REPLY_S = {Format.ASTM: 1.1, Format.HL7: 0.5, Format.FILE: 0.0}  # half of it, then all begins anew
SETTLE_S = 0.5
PAUSE_S = 1.7  # more than that and the second between two looks at a folder

ALTERING = {
    Format.ASTM: {"byte-swap"},  # a sum does not see the order of what it sums
    Format.HL7: {"bit-flip", "byte-swap", "dropped-byte", "doubled-byte"},  # MLLP has no sum
    Format.FILE: set[str](),
}
"""What may change a value so that no receiver can see it. A tube's own id can always be seen."""
DOUBTFUL = {"wrong-number"}
"""A frame under the number of the one before it says two things: the message may be set aside."""

Cts = dict[str, float | None]
Where = tuple[str | None, str | None]


@dataclass
class Scene:
    """One link, and all that was ever measured on it."""

    name: str
    driver: str
    link: str
    bench: Bench
    truth: dict[str, tuple[Where, Cts]] = field(default_factory=dict)
    alterable: set[str] = field(default_factory=set)
    player: LinePlayer | FolderPlayer | None = None

    @property
    def format(self) -> Format:
        return MACHINES[self.driver].format

    def playing(self, fault: str) -> Playing:
        return Playing(
            self.driver,
            self.link,
            "S1",
            faults=[fault],
            seed=len(self.truth),
            reply_timeout_s=REPLY_S[self.format],
            drop_after=3,
            pause_s=PAUSE_S,
        )

    def plays(self, fault: str, asked: dict[str, Any]) -> int:
        """On the line that the faults before it were played on. How many messages or files."""
        playing = self.playing(fault)
        if isinstance(self.player, LinePlayer):
            self.player = LinePlayer(playing, self.player.line)
        else:
            self.player = playing.player(lambda _whom: None)
        tasks = playing.tasks(said(asked))
        for task in tasks:
            self.player.play(task)
        return len(tasks)

    def taken(self) -> list[Capture]:
        return [c for c in self.bench.lims.captures if c.instrument == self.name]

    def measured(self) -> list[Measurement]:
        return [m for capture in self.taken() for m in capture.measurements]

    def right(self, measured: Measurement) -> bool:
        cts = {target.target: target.ct_cycles for target in measured.targets}
        return self.truth.get(measured.specimen) == ((measured.run, measured.well), cts)

    def delivered(self, specimens: Sequence[str]) -> bool:
        return set(specimens) <= {m.specimen for m in self.measured() if self.right(m)}

    def set_aside(self, before: int) -> list[Capture]:
        """Since then: in quarantine, held as broken off, or of a tube that nobody knows."""
        return [
            capture
            for capture in self.taken()[before:]
            if capture.quarantine
            or not capture.complete
            or any(m.specimen not in self.truth for m in capture.measurements)
        ]

    def wrong(self) -> list[Measurement]:
        """Of a tube of ours: not known to have been measured, or measured otherwise than it was,
        unless a fault was played on it that may alter a value. Whose it is may never alter."""
        return [
            m
            for m in self.measured()
            if m.role is Role.SPECIMEN
            and not self.right(m)
            and (m.specimen in self.truth or _is_ours(m.specimen))
            and m.specimen not in self.alterable
        ]

    def story(self) -> tuple[dict[str, Any], list[str]]:
        """Two tubes that were never measured before, on a plate of their own."""
        number = len(self.truth)
        tubes = [barcodes.mint("TT", "7K", _SERIALS[self.name] + number + n) for n in (0, 1)]
        plate = f"PL{number}" if MACHINES[self.driver].plates else None
        wells = []
        for at, tube in enumerate(tubes):
            ct = round(20 + number % 10 + at / 4, 2)
            cts: Cts = {"ORF1ab": ct, "E" if plate is None else "N": None, "IC": 27.5}
            well = f"{'AB'[at]}03"
            wells.append({"well": well, "specimen": tube, "targets": cts})
            self.truth[tube] = ((plate, well if plate else None), cts)
        return {"plate": plate or f"R{number}", "wells": wells}, tubes


_SERIALS = {"pty": 1000, "tcp": 2000, "called": 3000, "mllp": 4000, "folder": 5000, "zip": 6000} | {
    "pty-killed": 7000,
    "mllp-killed": 8000,
}


def _is_ours(specimen: str) -> bool:
    return len(specimen) == 11 and specimen.isalnum() and specimen.isupper() and agrees(specimen)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench_in(tmp_path_factory.mktemp("faults")) as bench:
        yield bench


@pytest.fixture(scope="module")
def scenes(bench: Bench) -> Iterator[dict[str, Scene]]:
    ports = [f"127.0.0.1:{bench.port()}" for _ in range(4)]
    folders = [bench.folder / "exports", bench.folder / "zips"]
    for folder in folders:
        folder.mkdir()
    lines = [  # the simulator's end, and the gateway's
        ("pty", "plate", f"pty:{bench.folder / 'pty'}", str(bench.folder / "pty")),
        ("tcp", "plate", ports[0], f"listen://{ports[0]}"),
        ("called", "plate", f"listen://{ports[1]}", f"socket://{ports[1]}"),
        ("mllp", "cobas", ports[2], f"listen://{ports[2]}"),
        ("folder", "quantstudio", str(folders[0]), str(folders[0])),
        ("zip", "rdml", str(folders[1]), str(folders[1])),
        ("pty-killed", "plate", f"pty:{bench.folder / 'dies'}", str(bench.folder / "dies")),
        ("mllp-killed", "cobas", ports[3], f"listen://{ports[3]}"),
    ]
    gateway = bench.gateway_of(
        *(
            {
                "instrument": name,
                "driver": driver,
                "link": theirs,
                "idle_timeout_s": 1.0,
                "settle_s": SETTLE_S,
            }
            for name, driver, _ours, theirs in lines
        )
    )
    until(lambda: len(gateway.events("started")) == len(lines), "every line")
    scenes = {name: Scene(name, driver, ours, bench) for name, driver, ours, _theirs in lines}
    yield scenes
    for scene in scenes.values():
        if isinstance(scene.player, LinePlayer):
            scene.player.line.close()


CASES = [
    *((name, fault.value) for name in ("pty", "tcp", "called") for fault in Fault),
    *(("mllp", fault.value) for fault in MllpFault),
    *(("folder", fault.value) for fault in FileFault),
    ("zip", "cut-short"),
]


@pytest.mark.parametrize(("name", "fault"), [case for case in CASES if case[1] != "killed"])
def test_a_fault_ends_in_what_is_right_or_set_aside(
    scenes: dict[str, Scene], name: str, fault: str
) -> None:
    scene = scenes[name]
    before = len(scene.taken())
    asked, tubes = scene.story()
    altering = fault in ALTERING[scene.format]
    if altering:
        scene.alterable.update(tubes)
    sent = scene.plays(fault, asked)
    if altering or fault in DOUBTFUL:
        until(lambda: len(scene.taken()) - before >= sent, f"{fault} on {name}")
        assert scene.delivered(tubes) or scene.set_aside(before) or altering
    else:
        until(lambda: scene.delivered(tubes), f"{fault} on {name}")
    assert scene.wrong() == []
    assert all(c.quarantine.reason for c in scene.set_aside(before) if c.quarantine)


@pytest.mark.parametrize("name", ["pty", "mllp"])
def test_a_clock_that_jumped_is_told_beside_the_gateway_s_own(
    scenes: dict[str, Scene], name: str
) -> None:
    scene = scenes[name]
    asked, tubes = scene.story()
    scene.plays("clock-jump", asked)
    until(lambda: scene.delivered(tubes), f"a clock jump on {name}")
    told = [c for c in scene.taken() if {m.specimen for m in c.measurements} & {*tubes}]
    assert told
    for capture in told:
        by = ahead(capture.sent_at, datetime.fromisoformat(capture.captured_at), UTC)
        assert by is not None
        assert abs(by - CLOCK_JUMP) < timedelta(days=1)


@pytest.mark.parametrize("name", ["pty-killed", "mllp-killed", "folder"])
def test_a_machine_killed_in_the_middle_sends_it_whole_when_it_is_up_again(
    bench: Bench, scenes: dict[str, Scene], name: str
) -> None:
    scene = scenes[name]
    asked, tubes = scene.story()
    dies = bench.simulator(scene.driver, scene.link, "--fault", "killed", "--seed", "3")
    dies.tell(asked)
    assert dies.process.wait(WITHIN_S) == -signal.SIGKILL
    assert not scene.delivered(tubes)
    again = bench.simulator(scene.driver, scene.link)
    again.tell(asked)
    until(lambda: scene.delivered(tubes), "the whole of it")
    until(lambda: again.lines, "the machine's own word")
    assert json.loads(again.lines[0])["sent"] in (asked["plate"], *tubes)
    assert scene.wrong() == []
