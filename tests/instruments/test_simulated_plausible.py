"""What a person rehearses with: one tube, or a plate that the LIMS laid out, on any machine."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from instruments.astm import records
from instruments.drivers.exports import ALL_DRIVERS
from instruments.files.export import Export
from instruments.gateway import main
from instruments.hl7 import message as hl7
from instruments.measurement import Measurement, Role
from instruments.misbehaviour import Order
from instruments.poct import message as poct1
from instruments.simulated.machines import MACHINES, Block, Task
from instruments.simulated.plausible import (
    Layout,
    NoLayout,
    Outcome,
    Place,
    one_tube,
    read_layout,
    whole_plate,
)
from instruments.simulated.playing import Playing
from instruments.simulated.poct1 import Observed
from instruments.simulated.said import Said
from lims.domain import barcodes
from reports.worklist import WorklistLine, worklist_csv

CONTROLS = ("IC", "SPC")
POSITIVE_WORDS = ("positive", "detected")
TUBES = [barcodes.mint("TT", "7K", serial) for serial in range(1, 95)]
PLACES = [f"{row}{column:02}" for column in range(1, 13) for row in "ABCDEFGH"]


def measured(driver: str, told: Said) -> list[Measurement]:
    """As the driver reads what the machine would send."""
    tasks = Playing(driver, "", "S1").tasks(told)
    return [m for task in tasks for m in ALL_DRIVERS[driver].measurements(_as_read(task))]


def _as_read(task: Task) -> object:
    match task:
        case Order():
            return records.read(b"".join(task.records))
        case Block():
            return hl7.read(task.message)
        case Observed():
            return poct1.read(task.message)
    return Export(task.content, task.file_name)


def amplified(one: Measurement) -> list[str]:
    return [t.target for t in one.targets if t.ct_cycles is not None and t.target not in CONTROLS]


def is_positive(one: Measurement) -> bool:
    return bool(amplified(one)) or (one.call or "").casefold() in POSITIVE_WORDS


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("driver", sorted(MACHINES))
def test_one_tube_is_what_was_asked_for(driver: str, outcome: Outcome) -> None:
    machine = Playing(driver, "", "S1").machine
    told = one_tube(machine, TUBES[0], outcome, plate="PL7", well="B03", seed=4)
    if (driver, outcome) == ("rotorgene", Outcome.ERROR):
        with pytest.raises(ValueError, match="no word for a tube"):
            measured(driver, told)
        return
    (one,) = measured(driver, told)
    assert (one.specimen, one.role) == (TUBES[0], Role.SPECIMEN)
    assert (one.run, one.well) == (("PL7", "B03") if machine.plates else (None, None))
    match outcome:
        case Outcome.POSITIVE:
            assert is_positive(one) and one.error is None
        case Outcome.NEGATIVE:
            assert not is_positive(one) and one.error is None
        case Outcome.ERROR:
            assert one.error and not is_positive(one)
        case Outcome.INVALID:
            silent = any(t.target in CONTROLS and t.ct_cycles is None for t in one.targets)
            assert (one.error or silent) and not is_positive(one)


def worklist(*, controls: bool = True) -> bytes:
    lines = [
        WorklistLine("PL7", well, tube, "individual", 1, 5, "primary", "sars-cov-2", None)
        for well, tube in zip(PLACES, TUBES, strict=False)
    ]
    if controls:
        for well, name, role in (
            ("G12", "NTC", "negative_control"),
            ("H12", "PC", "positive_control"),
        ):
            lines.append(
                WorklistLine("PL7", well, name, "control", None, None, None, "sars-cov-2", role)
            )
    return worklist_csv(lines, byte_order_mark=True)


@pytest.mark.parametrize("driver", sorted(MACHINES))
def test_a_plate_of_the_lims_is_measured_tube_by_tube(driver: str, tmp_path: Path) -> None:
    (tmp_path / "PL7.csv").write_bytes(worklist())
    layout = read_layout(tmp_path / "PL7.csv")
    machine = Playing(driver, "", "S1").machine
    told = whole_plate(machine, layout, outcome=None, positive=TUBES[3:5], seed=1)
    found = measured(driver, told)
    tubes = {one.specimen: one for one in found if one.role is Role.SPECIMEN}
    assert sorted(tubes) == sorted(TUBES)
    assert [tube for tube, one in tubes.items() if is_positive(one)] == TUBES[3:5]
    assert not any(one.error for one in found)
    if machine.plates:
        assert {one.specimen: one.well for one in tubes.values()} == dict(
            zip(TUBES, PLACES, strict=False)
        )
    for control in (one for one in found if one.role is not Role.SPECIMEN):
        assert bool(amplified(control)) is (control.role is Role.POSITIVE_CONTROL)


def test_where_nobody_says_who_is_positive_one_in_twenty_is_and_a_seed_says_which() -> None:
    machine = Playing("plate", "", "S1").machine
    places = tuple(Place(f"A{n}", f"S{n}", Role.SPECIMEN) for n in range(2000))

    def drawn(seed: int) -> Said:
        return whole_plate(machine, Layout("PL7", places), outcome=None, positive=(), seed=seed)

    assert drawn(1) == drawn(1) != drawn(2)
    assert 60 < sum(well.targets["N"] is not None for well in drawn(1).wells) < 140


def test_a_layout_as_the_api_answers_it(tmp_path: Path) -> None:
    wells = [
        {"position": "A01", "role": "specimen", "barcode": TUBES[0]},
        {"position": "B01", "role": "specimen", "barcode": None},
        {"position": "H12", "role": "positive_control", "barcode": None},
    ]
    file = tmp_path / "PL7.json"
    file.write_text(json.dumps({"plate": "PL7", "wells": wells}))
    assert read_layout(file).places == (
        Place("A01", TUBES[0], Role.SPECIMEN),
        Place("H12", "", Role.POSITIVE_CONTROL),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "came 0 plates"),
        ("well,barcode\nA01,X\n", "no 'plate'"),
        ("plate,well,barcode,control\nPL7,A01,X,\nPL8,A02,Y,\n", "came 2 plates"),
        ("plate,well,barcode,control\nPL7,A01,X,blank\n", "'blank' is not a valid Role"),
        ("plate,well,barcode,control\nPL7,A01,,\n", "no well with a tube"),
        ('{"plate": "PL7"}', "no 'wells'"),
        ("{", "is no layout"),
    ],
)
def test_a_file_that_is_no_layout_says_what_is_missing(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "PL7.csv"
    file.write_text(text)
    with pytest.raises(NoLayout, match=why):
        read_layout(file)


def simulated(*words: object) -> Result:
    return CliRunner().invoke(main, ["simulate", *map(str, words)])


def test_a_person_sends_one_tube_and_reads_what_it_measured(tmp_path: Path) -> None:
    told = simulated(
        *("cfx96", "--link", tmp_path, "--specimen", TUBES[0], "--plate", "PL7"),
        *("--result", "positive", "--well", "C02"),
    )
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[0].startswith(f"C02  {TUBES[0]}  ORF1ab ")
    assert (
        told.output.splitlines()[1]
        == f"{TUBES[0]}: written to PL7 -  Quantification Cq Results.csv"
    )
    (file,) = tmp_path.iterdir()
    (one,) = ALL_DRIVERS["cfx96"].measurements(Export(file.read_bytes(), file.name))
    assert (one.specimen, one.run, one.well) == (TUBES[0], "PL7", "C02")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("cfx96", "--specimen", "X"), "measures plates: --plate says which"),
        (
            ("cfx96", "--fault", "wrong-number"),
            "cfx96 writes files: no wrong-number; it has grows-",
        ),
        (("cobas", "--fault", "bad-checksum"), "cobas speaks HL7 over a line: no bad-checksum"),
        (("plate", "--fault", "renamed"), "plate speaks ASTM over a line: no renamed; it has bit-"),
        (("plate", "--link", "{folder}"), "speaks ASTM over a line, and {folder} is a folder"),
        (("cfx96", "--link", "{folder}/none"), "--link is a folder that exists"),
        (("plate", "--link", "somewhere"), "expected pty:/path, host:port, listen://host:port"),
        (("plate", "--link", "host:port"), "host:port"),
        (("plate", "--link", "pty:{folder}/x", "--ask", "ALL"), "a plate does not ask; genexpert"),
        (("cfx96", "--specimen", "X", "--ask", "ALL"), "one of --specimen, --layout and --ask"),
        (("cfx96", "--specimen", "X", "--positive", "X"), "--positive is of --layout"),
        (("cfx97",), "'cfx97' is not one of"),
    ],
)
def test_what_cannot_be_played_is_refused_with_what_can(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    words = tuple(word.format(folder=tmp_path) for word in words)
    if "--link" not in words:
        words = (*words, "--link", str(tmp_path))
    told = simulated(*words)
    assert told.exit_code == 2
    said = " ".join(told.stderr.replace("│", " ").split())
    assert why.format(folder=tmp_path) in said


def test_a_tube_that_is_not_on_the_plate_cannot_be_its_positive(tmp_path: Path) -> None:
    file = tmp_path / "PL7.csv"
    file.write_bytes(worklist())
    told = simulated("cfx96", "--link", tmp_path, "--layout", file, "--positive", "X")
    assert (told.exit_code, "not on plate PL7: X" in told.stderr) == (2, True)


def test_lines_that_say_nothing_are_reported_and_the_next_is_sent(tmp_path: Path) -> None:
    lines = [
        "no json",
        '{"wells": []}',
        '{"specimen": "X", "targets": {"N": "late"}}',
        '{"specimen": "X", "targets": {"N": 20}}',
        json.dumps({"specimen": TUBES[0], "run": "PL7", "well": "A01", "targets": {"N": 20}}),
    ]
    told = CliRunner().invoke(
        main, ["simulate", "rdml", "--link", str(tmp_path)], input="\n".join(lines)
    )
    assert told.exit_code == 0
    assert json.loads(told.stdout) == {"sent": TUBES[0], "file": "PL7.rdml"}
    assert [line.split(":")[0] for line in told.stderr.splitlines()] == ["not sent"] * 4
    assert "this machine measures plates" in told.stderr


def test_the_help_names_every_fault_by_its_kind_of_driver() -> None:
    said = " ".join(simulated("--help").output.split())
    assert "file (cfx96, lightcycler480, quantstudio, rdml, rotorgene): grows-slowly" in said
    assert "missing-end" in said and "wrong-number" in said
