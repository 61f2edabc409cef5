"""A profile connects a machine that nobody has written for; a wrong one says what is wrong."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from instruments.analyser_messages import Well, encoded, plate_message
from instruments.astm.records import read
from instruments.drivers import DRIVERS
from instruments.drivers.profile import profile_read
from instruments.drivers.profile_driver import PROFILES, AstmProfile, TableProfile, driver_of
from instruments.drivers.profile_toml import BadProfile
from instruments.drivers.reading import Format, Unreadable
from instruments.files.export import Export
from instruments.measurement import Measurement, Role, TargetReading
from instruments.trying import tried, try_capture
from tests.instruments.export_stand import EXPORTS, workbook

SLAN = (PROFILES / "slan96-vi.toml").read_bytes()
PLATE = (PROFILES / "plate-astm.toml").read_bytes()
WIRE = Path(__file__).parent.parent / "data" / "astm_wire"
HL7 = WIRE.parent / "hl7"

FILE = """Phần mềm;SLAN 8.2
Mã đĩa;PL7
Ngày;20/08/2021

Vị trí;Mã mẫu;Loại mẫu;Loại bỏ;Ct (ORF1ab);Ct (N);Ct (IC)
A1;TT7K40FQ9XB;Mẫu;;24,83;25,1;27,13
A2;TT7K40FQ9YC;Mẫu thử;;Không Ct;40,00;27
A3;TT7K40FQ9ZD;Mẫu;x;31,2;-1;28
B1;;;;;;
H1;NTC;Chứng âm;;;NoCt;-1,00
H2;Chứng dương;Mẫu;;22;23;
H3;Std4;Chuẩn;;18;18,5;26
"""


def table(content: bytes = SLAN) -> TableProfile:
    driver = driver_of(profile_read(content))
    assert isinstance(driver, TableProfile)
    return driver


def wells(
    text: str = FILE, name: str = "export.csv", profile: bytes = SLAN
) -> dict[str, Measurement]:
    read_in = table(profile).measurements(Export(text.encode(), name))
    return {m.well or "": m for m in read_in}


def test_a_vietnamese_cycler_is_read_through_its_profile() -> None:
    found = wells()
    assert found["A01"] == Measurement(
        path="row 6",
        specimen="TT7K40FQ9XB",
        role=Role.SPECIMEN,
        assay="sars-cov-2",
        targets=(
            TargetReading("ORF1ab", 24.83),
            TargetReading("N", 25.1),
            TargetReading("IC", 27.13),
        ),
        run="PL7",
        well="A01",
    )
    none = TargetReading("ORF1ab"), TargetReading("N"), TargetReading("IC", 27.0)
    assert found["A02"].targets == none
    assert "left out of the analysis" in (found["A03"].error or "")
    assert {well: m.role for well, m in found.items()} == {
        "A01": Role.SPECIMEN,
        "A02": Role.SPECIMEN,
        "A03": Role.SPECIMEN,
        "H01": Role.NEGATIVE_CONTROL,
        "H02": Role.POSITIVE_CONTROL,
    }


def test_the_plate_is_looked_for_in_the_declared_places_in_order() -> None:
    without = FILE.replace("Mã đĩa;PL7", "Mã đĩa;")
    assert wells(without, "PL9_20210820.csv")["A01"].run == "PL9"
    with pytest.raises(Unreadable, match=r"no-run: no plate barcode in header: Mã đĩa, file name"):
        wells(without, "export PL9.csv")


def test_the_windows_of_a_vietnamese_computer() -> None:
    """Windows-1258 has no Đ with the rest of "Mẫu" in one piece: letters and tone marks apart."""
    headings = "Vị trí;Mã mẫu;Loại mẫu;Loại bỏ;FAM;VIC;ROX\nA1;S1;Mẫu;;24,8;25;27\n"
    apart = "".join(TONES.get(letter, letter) for letter in headings)
    export = Export(apart.encode("windows-1258"), "PL7_1.csv")
    (found,) = table().measurements(export)
    assert found.targets[0] == TargetReading("ORF1ab", 24.8) and found.run == "PL7"


TONES = {
    "ị": "i\u0323",
    "í": "í",
    "ẫ": "â\u0303",
    "ạ": "a\u0323",
    "ỏ": "o\u0309",
    "ã": "a\u0303",
}


def test_a_sheet_of_a_workbook_can_be_named() -> None:
    profile = SLAN.replace(b'delimiter = ";"', b'sheet = "K\xe1\xba\xbft qu\xe1\xba\xa3"')
    rows: list[list[object]] = [list(line.split(";")) for line in FILE.splitlines()]
    content = workbook(("Info", [["x"]]), ("Kết quả", rows))
    (first, *_others) = table(profile).measurements(Export(content, "x.xlsx"))
    assert first.targets[0] == TargetReading("ORF1ab", 24.83)
    assert first.path == "Kết quả row 6"
    with pytest.raises(Unreadable, match="no-sheet: expected a sheet 'Kết quả', came Info"):
        table(profile).measurements(Export(workbook(("Info", [["x"]])), "x.xlsx"))


LONG = b"""
[profile]
name = "long"
version = "2"
format = "table"
[file]
after = "Results"
[columns]
well = "Pos"
specimen = "Id"
target = "Gene"
ct = "Ct"
call = "Call"
run = "Plate"
[wells]
naming = "number-by-column"
[words]
no_amplification = ["Neg"]
unknown_task = "specimen"
[words.calls]
positive = ["D\xc6\xb0\xc6\xa1ng t\xc3\xadnh"]
[targets]
N = ["Nucleocapsid"]
[run]
from = "column"
"""
LONG_FILE = """Pos,Id,Gene,Ct,Call,Plate
9,not,this,one,,
Results
Pos,Id,Gene,Ct,Call,Plate
9,S1,Nucleocapsid,24.8,Dương tính,PL1
9,S1,RNase P,27,,PL1
9,S2,Nucleocapsid,Neg,,PL2
"""


def test_several_plates_in_one_file_and_wells_that_are_numbers() -> None:
    found = table(LONG).measurements(Export(LONG_FILE.encode(), "x.csv"))
    assert [(m.run, m.well, m.specimen, m.targets) for m in found] == [
        ("PL1", "A02", "S1", (TargetReading("N", 24.8, "positive"), TargetReading("IC", 27.0))),
        ("PL2", "A02", "S2", (TargetReading("N"),)),
    ]
    with pytest.raises(Unreadable, match="no-run"):
        table(LONG).measurements(Export(LONG_FILE.replace(",PL2", ",").encode(), "x.csv"))


ENDED = datetime(2021, 8, 20, 9, 12, tzinfo=UTC)
PLACES = [
    Well("A01", "TT7K40FQ9XB", Role.SPECIMEN, {"ORF1ab": 24.83, "N": None, "IC": 27.1}),
    Well("B01", "PC", Role.POSITIVE_CONTROL, {"ORF1ab": 22.0, "N": 23.0, "IC": 26.0}),
    Well("H12", "NTC", Role.NEGATIVE_CONTROL, {"ORF1ab": None, "N": None, "IC": None}),
]


def test_an_astm_profile_reads_as_the_driver_that_was_written_for_the_machine() -> None:
    text = b"".join(encoded(plate_message("PL7", PLACES, serial="C1", ended_at=ENDED)))
    ours = driver_of(profile_read(PLATE))
    assert isinstance(ours, AstmProfile) and ours.format is Format.ASTM
    written = DRIVERS["plate"].measurements(read(text))
    assert ours.measurements(read(text)) == written


def test_of_a_plate_that_breaks_off_an_astm_profile_tells_the_closed_wells() -> None:
    records = encoded(plate_message("PL7", PLACES, serial="C1", ended_at=ENDED))
    ours = driver_of(profile_read(PLATE))
    assert isinstance(ours, AstmProfile)
    for kept in range(7, len(records)):
        broken_off = read(b"".join(records[:kept]))
        assert ours.measurements(broken_off) == DRIVERS["plate"].measurements(broken_off)


def test_an_astm_profile_refuses_another_machine_and_a_broken_message() -> None:
    ours = driver_of(profile_read(PLATE))
    assert isinstance(ours, AstmProfile)
    bare = (WIRE / "kardianos_lis2a.txt").read_bytes()
    with pytest.raises(Unreadable, match="another-instrument"):
        ours.measurements(read(bare))
    records = encoded(plate_message("PL7", PLACES, serial="C1", ended_at=ENDED))
    with pytest.raises(Unreadable, match="no-terminator"):
        ours.measurements(read(b"".join(records[:6])))
    gap = [record for record in records if not record.startswith(b"R|2")]
    with pytest.raises(Unreadable, match=r"sequence|gap"):
        ours.measurements(read(b"".join(gap)))


def faults(profile: bytes) -> tuple[str, ...]:
    with pytest.raises(BadProfile) as bad:
        profile_read(profile)
    return bad.value.faults


@pytest.mark.parametrize(
    ("was", "now", "fault"),
    [
        (b'name = "slan96-vi"', b"", "profile.name: missing"),
        (b'name = "slan96-vi"', b'name = "SLAN 96"', "profile.name: 2 to 40 of a"),
        (b'version = "1"', b"version = 1", "profile.version: expected a text in quotes, came '1'"),
        (b'"table"', b'"excel"', 'profile.format: expected "table" or "astm", came \'excel\''),
        (b"well =", b"wel =", "columns.wel: not known here; known are call, ct, ct_of"),
        (b"well =", b"wel =", "columns.well: missing"),
        (b'naming = "A1"', b'naming = "1A"', 'wells.naming: expected "A1" or "number-by-row"'),
        (b'decimal = ","', b'decimal = "\'"', 'file.decimal: expected "." or ","'),
        (b'delimiter = ";"', b'delimiter = "#"', "file.delimiter: expected"),
        (b'"windows-1258"', b'"tcvn3"', "file.encoding: expected"),
        (b"no_amplification", b"no_ct", "words.no_amplification: missing"),
        (b"40, -1]", b"true]", "words.no_amplification: expected a text or a list"),
        (b"positive_control", b"positiv_control", "words.tasks.positiv_control: not known here"),
        (b'"file name"]', b'"folder"]', "run.from: expected 'file name' or 'column'"),
        (b'"file name"]', b'"file name", "column"]', 'run.from: says "column"'),
        (b"'^(PL[0-9]+)(?:_|$)'", b"'^PL'", "run.file_name: expected one (group)"),
        (b"'^(PL[0-9]+)(?:_|$)'", b"'^(PL'", "run.file_name: not a pattern"),
        (b"[run]\n", b"[run]\nwhere = 1\n", "run.where: not known here"),
        (b"[assay]", b"[essay]", "essay: not known here"),
        (b"[assay]", b"[fields]\nwell = 'O.3'\n[assay]", "fields: not known here"),
        (b"[columns.ct_of]", b'ct = "Ct"\n[columns.ct_of]', "columns.ct_of: a file has either"),
        (b"[profile]", b"[profile", "the file is not TOML"),
    ],
)
def test_a_fault_is_told_with_its_place(was: bytes, now: bytes, fault: str) -> None:
    assert was in SLAN
    assert any(each.startswith(fault) for each in faults(SLAN.replace(was, now))), faults(
        SLAN.replace(was, now)
    )


@pytest.mark.parametrize(
    ("was", "now", "fault"),
    [
        (b'specimen = "O.3.1"', b'specimen = "3.1"', "fields.specimen: expected a place as"),
        (b'specimen = "O.3.1"', b'specimen = "R.3.1"', "fields.specimen: an order's own field (O)"),
        (b'ct = "R.4"', b'ct = "O.4"', "fields.ct: a result's own field (R)"),
        (b"sender", b"sends", "message.sender: missing"),
        (b"[controls]", b"[columns]\n[controls]", "columns: not known here"),
    ],
)
def test_a_fault_of_an_astm_profile_is_told_with_its_place(
    was: bytes, now: bytes, fault: str
) -> None:
    assert was in PLATE
    assert any(each.startswith(fault) for each in faults(PLATE.replace(was, now)))


@pytest.mark.parametrize("taken", ["genexpert", "cobas", "m2000", "quantstudio"])
def test_a_profile_passes_for_no_driver(taken: str) -> None:
    """A closed system's word settles a test; a profile's never does, whatever it is called."""
    with pytest.raises(BadProfile, match=f"profile.name: '{taken}' is a driver's"):
        profile_read(PLATE.replace(b'name = "plate-astm"', f'name = "{taken}"'.encode()))


def test_every_fault_is_told_at_once() -> None:
    assert len(faults(b"[profile]\nname = 3\n[file]\nnmaes = 4\n")) >= 7


def tries(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(try_capture, list(words), env={"COLUMNS": "160"})
    return result.exit_code, result.output


def test_try_shows_each_field_its_raw_text_and_what_it_means(tmp_path: Path) -> None:
    capture = tmp_path / "export.csv"
    capture.write_text(FILE, "utf-8")
    code, out = tries(str(PROFILES / "slan96-vi.toml"), str(capture))
    assert code == 0
    for told in (
        "header: Mã đĩa",
        "row 6",
        "24,83",
        "24.83 cycles",
        "Không Ct",
        "no amplification",
    ):
        assert told in out
    assert re.search(r"well +│ A1 +│ A01", out) and "positive_control, by its name" in out
    assert "left out: a standard" in out and "left out of the analysis by the operator" in out
    assert "5 measurements, 5 in wells, plate PL7" in out
    assert "specimen 3" in out


def test_try_says_what_is_refused_and_why(tmp_path: Path) -> None:
    capture = tmp_path / "export.csv"
    capture.write_text(FILE.replace("24,83", "24,8x").replace("Chứng âm", "Chưa rõ"), "utf-8")
    code, out = tries(str(PROFILES / "slan96-vi.toml"), str(capture), "--rows", "1")
    assert code == 1
    assert "cycle-number: row 6: expected a cycle number" in out
    assert "unknown-task" in out and "more rows; --rows 0 shows all" in out
    assert "Refused whole: cycle-number" in out


def test_try_takes_the_name_of_a_driver_and_gives_json() -> None:
    path = EXPORTS / "allotropy_qs_example02.txt"
    code, out = tries("quantstudio", str(path), "--json")
    trial = json.loads(out)
    assert code == 0 and len(trial["measurements"]) == 48 and trial["quarantine"] is None
    assert {"where": "row 863", "field": "ct", "raw": "Undetermined"}.items() <= next(
        each for each in trial["fields"] if each["field"] == "ct"
    ).items()


def test_try_reads_a_captured_session() -> None:
    path = WIRE / "genexpert_302-7279-6.1.1.2_sarscov2_positive.bin"
    (trial,) = tried(DRIVERS["genexpert"], path.read_bytes(), path.name)
    assert len(trial.measurements) == 4 and trial.quarantine is None
    code, out = tries("genexpert", str(path))
    assert code == 0 and "31.2 cycles" in out


@pytest.mark.parametrize("framed", [b"%s", b"\x0b%s\x1c\r"])
def test_try_reads_captured_hl7(tmp_path: Path, framed: bytes) -> None:
    """With the line's own marks or without."""
    message = (HL7 / "cobas6800_target_not_detected.hl7").read_bytes().strip(b"\x0b\x1c\r\n")
    capture = tmp_path / "cobas.hl7"
    capture.write_bytes(framed % message)
    code, out = tries("cobas", str(capture), "--json")
    assert code == 0 and json.loads(out)["measurements"][0]["targets"][0]["call"] == "ND"
    capture.write_bytes(framed % message.replace(b"MSH|", b"MSX|"))
    assert tries("cobas", str(capture))[0] == 1


def test_try_tells_what_is_wrong_with_a_profile(tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_bytes(SLAN.replace(b"well =", b"wel ="))
    code, out = tries(str(profile), str(EXPORTS / "HTqPCR_CFX_sample.txt"))
    assert code == 1 and "columns.well: missing" in out
    code, out = tries("nobody", str(EXPORTS / "HTqPCR_CFX_sample.txt"))
    assert code == 2 and "quantstudio" in out
