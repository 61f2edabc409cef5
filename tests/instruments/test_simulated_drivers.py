"""Every driver has its machine: what it is told comes out of the gateway's process as it was told.

What is expected stands here by hand; nothing of it is taken from the simulator.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from instruments.drivers.exports import ALL_DRIVERS
from instruments.drivers.reading import Format
from instruments.measurement import Measurement, Role
from instruments.simulated.machines import MACHINES
from lims.domain import barcodes
from tests.instruments.bench_stand import Bench, Running, bench_in
from tests.until import WITHIN_S, until

ONE, TWO, THREE = (barcodes.mint("TT", "7K", serial) for serial in (1, 2, 3))
ORF, N, IC = "ORF1ab", "N", "IC"
SPECIMEN, NEGATIVE, POSITIVE = Role.SPECIMEN, Role.NEGATIVE_CONTROL, Role.POSITIVE_CONTROL
NONE = {ORF: None, N: None, IC: None}

Cts = Mapping[str, float | None]
Seen = tuple[str, Role, str | None, str | None, Cts, str | None, str | None]
"""Specimen ("" of a control), role, run, well, cycle numbers, call, error ("…" for any)."""

FOUND = {ORF: 23.71, N: 24.1, IC: 27.13}
CLEAN = {ORF: None, N: None, IC: 26.5}
PLATE: dict[str, Any] = {
    "plate": "PL7",
    "wells": [
        {"well": "A01", "specimen": ONE, "targets": FOUND},
        {"well": "B01", "specimen": TWO, "targets": CLEAN},
        {"well": "C01", "specimen": THREE, "targets": NONE, "error": "5007 Simulated"},
        {"well": "G12", "role": "negative_control", "targets": CLEAN},
        {"well": "H12", "role": "positive_control", "targets": FOUND},
    ],
}
ON_A_PLATE: list[Seen] = [
    (ONE, SPECIMEN, "PL7", "A01", FOUND, None, None),
    (TWO, SPECIMEN, "PL7", "B01", CLEAN, None, None),
    (THREE, SPECIMEN, "PL7", "C01", NONE, None, "…"),
    ("", NEGATIVE, "PL7", "G12", CLEAN, None, None),
    ("", POSITIVE, "PL7", "H12", FOUND, None, None),
]


def without(well: str) -> tuple[list[dict[str, Any]], list[Seen]]:
    told = {**PLATE, "wells": [each for each in PLATE["wells"] if each["well"] != well]}
    return [told], [each for each in ON_A_PLATE if each[3] != well]


def one_filter() -> tuple[list[dict[str, Any]], list[Seen]]:
    dye = "FAM (465-510)"
    told = [{**each, "targets": {dye: each["targets"][N]}} for each in PLATE["wells"]]
    return [{"plate": "PL7", "wells": told}], [
        (*seen[:4], {dye: seen[4][N]}, *seen[5:]) for seen in ON_A_PLATE
    ]


STORIES: dict[str, tuple[list[dict[str, Any]], list[Seen]]] = {
    "plate": ([PLATE], ON_A_PLATE),
    "plate96": ([PLATE], ON_A_PLATE),
    "quantstudio": ([PLATE], ON_A_PLATE),
    "cfx96": ([PLATE], ON_A_PLATE),
    "rdml": ([PLATE], ON_A_PLATE),
    "rotorgene": without("C01"),
    "lightcycler480": one_filter(),
    "genexpert": (
        [
            {"specimen": f"{ONE},{TWO}", "targets": {"E": 24.8, "N2": 25.1, "SPC": 27.0}},
            {"specimen": THREE, "call": "ERROR", "error": "5007 Simulated"},
        ],
        [
            (ONE, SPECIMEN, None, None, {"E": 24.8, "N2": 25.1, "SPC": 27.0}, "POSITIVE", None),
            (THREE, SPECIMEN, None, None, {}, "ERROR", "5007 Simulated"),
        ],
    ),
    "m2000": (
        [
            {"specimen": ONE, "run": "PL7", "well": "B07", "ct": 21.4},
            {"specimen": TWO, "run": "PL7", "well": "C07", "ct": None},
            {"specimen": THREE, "run": "PL7", "well": "D07", "error": "4441 Simulated"},
        ],
        [
            (ONE, SPECIMEN, "PL7", "B07", {"SARS2": 21.4}, "Detected", None),
            (TWO, SPECIMEN, "PL7", "C07", {"SARS2": None}, "Target not detected", None),
            (THREE, SPECIMEN, "PL7", "D07", {}, None, "…"),
        ],
    ),
    "cobas": (
        [
            {"specimen": ONE, "targets": {ORF: 23.71, "E": None, IC: 36.2}},
            {"specimen": TWO, "targets": {ORF: None, "E": None}, "error": "P02T Clot"},
        ],
        [
            (ONE, SPECIMEN, None, None, {ORF: 23.71, "E": None, IC: 36.2}, None, None),
            (TWO, SPECIMEN, None, None, {ORF: None, "E": None}, "Invalid", "P02T Clot"),
        ],
    ),
    "cobas4800": (
        [
            {
                "plate": "R1",
                "wells": [
                    {"specimen": ONE, "targets": {"0BHIV1": 26.71}, "call": "6.73E+01 cp/mL"},
                    {"specimen": TWO, "targets": {"0BHIV1": None}},
                    {"specimen": THREE, "targets": {"0BHIV1": None}, "error": "R3223 X2"},
                    {"specimen": "K1", "role": "negative_control", "targets": {"0BHIV1": None}},
                ],
            }
        ],
        [
            (ONE, SPECIMEN, None, None, {"0BHIV1": 26.71}, "6.73E+01 cp/mL", None),
            (TWO, SPECIMEN, None, None, {"0BHIV1": None}, "Target Not Detected", None),
            (THREE, SPECIMEN, None, None, {}, "Invalid", "Invalid R3223 X2"),
            ("", NEGATIVE, None, None, {"0BHIV1": None}, "Valid", None),
        ],
    ),
    "alinity-m": (
        [
            {"specimen": ONE, "targets": {"SARS-CoV-2": 18.62, IC: 15.7}},
            {"specimen": TWO, "targets": {"SARS-CoV-2": None, IC: 15.9}},
            {"specimen": THREE, "targets": {"SARS-CoV-2": None}, "error": "9186 Simulated"},
        ],
        [
            (ONE, SPECIMEN, None, None, {"SARS-CoV-2": 18.62, IC: 15.7}, "Detected", None),
            (
                TWO,
                SPECIMEN,
                None,
                None,
                {"SARS-CoV-2": None, IC: 15.9},
                "Target Not Detected",
                None,
            ),
            (THREE, SPECIMEN, None, None, {"SARS-CoV-2": None}, None, "9186 Simulated"),
        ],
    ),
    "fline": (
        [
            {"specimen": ONE, "call": "Positive"},
            {"specimen": TWO, "call": "Negative"},
            {"specimen": THREE, "call": "Invalid"},
        ],
        [
            (ONE, SPECIMEN, None, None, {"SARS-CoV-2 Ag": None}, "Positive", None),
            (TWO, SPECIMEN, None, None, {"SARS-CoV-2 Ag": None}, "Negative", None),
            (THREE, SPECIMEN, None, None, {"SARS-CoV-2 Ag": None}, "Invalid", "Invalid"),
        ],
    ),
    "sofia2": (
        [
            {"specimen": ONE, "call": "positive"},
            {"specimen": TWO},
            {"specimen": THREE, "error": "5007 Simulated"},
        ],
        [
            (ONE, SPECIMEN, None, None, {"SARS": None}, "positive", None),
            (TWO, SPECIMEN, None, None, {"SARS": None}, "negative", None),
            (THREE, SPECIMEN, None, None, {"SARS": None}, "invalid", "invalid: 5007 Simulated"),
        ],
    ),
}
CALLED = ("cobas4800", "m2000")  # the gateway calls these; the others call the gateway
ON_A_TERMINAL = ("plate", "plate96")


def test_every_driver_has_its_machine_and_its_story() -> None:
    assert set(ALL_DRIVERS) == set(MACHINES) == set(STORIES)
    assert all(machine.format is ALL_DRIVERS[name].format for name, machine in MACHINES.items())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench_in(tmp_path_factory.mktemp("drivers")) as bench:
        yield bench


@pytest.fixture(scope="module")
def links(bench: Bench) -> dict[str, str]:
    """The simulator's end of each driver's line; one gateway has the other ends."""
    ports = {driver: bench.port() for driver in STORIES}
    ours, theirs = {}, []
    for driver, machine in MACHINES.items():
        place = f"127.0.0.1:{ports[driver]}"
        if machine.format is Format.FILE:
            (bench.folder / driver).mkdir()
            ours[driver] = link = str(bench.folder / driver)
        elif driver in ON_A_TERMINAL:
            ours[driver], link = f"pty:{bench.folder / driver}", str(bench.folder / driver)
        elif driver in CALLED:
            ours[driver], link = f"listen://{place}", f"socket://{place}"
        else:
            ours[driver], link = place, f"listen://{place}"
        theirs.append({"instrument": driver, "driver": driver, "link": link, "settle_s": 0.5})
    gateway = bench.gateway_of(*theirs)
    until(lambda: len(gateway.events("started")) == len(theirs), "every line")
    return ours


@pytest.mark.parametrize("driver", sorted(MACHINES))
def test_what_the_machine_is_told_is_what_the_gateway_posts(
    bench: Bench, links: dict[str, str], driver: str
) -> None:
    told, expected = STORIES[driver]
    serial = f"S-{driver}"  # else two machines say the same bytes within one second
    machine = bench.simulator(driver, links[driver], "--serial", serial)
    for each in told:
        machine.tell(each)
    until(lambda: len(seen_of(bench, driver)) >= len(expected), f"the results of {driver}")
    assert seen_of(bench, driver) == expected
    until(lambda: machine.lines, "the machine's own word")
    assert json.loads(machine.lines[0])["sent"] == next(iter(told[0].values()))
    hung_up(machine)


def hung_up(machine: Running) -> None:
    """At the end of its input it ends by itself."""
    assert machine.process.stdin
    machine.process.stdin.close()
    assert machine.process.wait(WITHIN_S) == 0


def seen_of(bench: Bench, instrument: str) -> list[Seen]:
    taken = [c for c in bench.lims.captures if c.instrument == instrument]
    assert [c.quarantine for c in taken if c.quarantine] == []
    return sorted(
        (seen(m) for c in taken if c.complete for m in c.measurements),
        key=lambda each: (each[3] or "", each[0] == "", each[0]),
    )


def seen(measured: Measurement) -> Seen:
    return (
        measured.specimen if measured.role is SPECIMEN else "",
        measured.role,
        measured.run,
        measured.well,
        {target.target: target.ct_cycles for target in measured.targets},
        measured.call,
        "…" if measured.well and measured.error else measured.error,
    )
