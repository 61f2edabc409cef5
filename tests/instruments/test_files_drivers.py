"""Every export gives exactly its wells, or a refusal that says why."""

import io
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.analyser_exports import quantstudio_export
from instruments.analyser_messages import Well
from instruments.drivers.exports import FILE_DRIVERS
from instruments.drivers.reading import Unreadable
from instruments.files.export import Export
from instruments.measurement import Measurement, Role, TargetReading
from tests.instruments.test_files_export import workbook

EXPORTS = Path(__file__).parent.parent / "data" / "exports"


def read(driver: str, name: str, content: bytes | None = None) -> dict[str, Measurement]:
    """By well; of one plate."""
    content = (EXPORTS / name).read_bytes() if content is None else content
    measurements = FILE_DRIVERS[driver].measurements(Export(content, name))
    assert len({m.path for m in measurements}) == len(measurements)
    wells = {m.well or "": m for m in measurements}
    assert len(wells) == len(measurements)
    return wells


def refused(driver: str, name: str, content: bytes) -> str:
    with pytest.raises(Unreadable) as why:
        FILE_DRIVERS[driver].measurements(Export(content, name))
    return str(why.value)


def roles(wells: dict[str, Measurement]) -> Counter[Role]:
    return Counter(m.role for m in wells.values())


# QuantStudio

HEADER = "* Block Type = 96-Well Block (0.2mL)\n* Experiment Barcode = PL7\n"
ENDED = "* Experiment Run End Time = 2021-08-20 09:12:44 AM ICT\n"
HEADINGS = "Well\tWell Position\tOmit\tSample Name\tTarget Name\tTask\tReporter\tCT\tNOAMP\n"


def quantstudio(*rows: str, header: str = HEADER + ENDED, headings: str = HEADINGS) -> bytes:
    return (header + "\n[Results]\n" + headings + "".join(f"{r}\n" for r in rows)).encode()


def test_quantstudio_a_viia_7_run_of_one_target() -> None:
    wells = read("quantstudio", "allotropy_qs_example01.txt")
    assert len(wells) == 16 and roles(wells) == {Role.SPECIMEN: 16}
    assert wells["A01"] == Measurement(
        path="row 110",
        specimen="1SAMPLE_1.1",
        role=Role.SPECIMEN,
        assay="TARGET_1",
        targets=(TargetReading("TARGET_1", 18.717),),
        run="allotropy_qs_example01",
        well="A01",
        measured_at="2001-12-31T21:09:19",
    )
    assert wells["A18"].targets == (TargetReading("TARGET_1", 18.842),)
    assert "A13" not in wells  # set up empty


def test_quantstudio_joins_the_rows_of_a_multiplex_well() -> None:
    wells = read("quantstudio", "allotropy_qs_example02.txt")
    assert len(wells) == 48
    assert roles(wells) == {Role.NEGATIVE_CONTROL: 4, Role.SPECIMEN: 44}
    assert wells["A01"].role is Role.NEGATIVE_CONTROL
    assert wells["A02"].targets == (
        TargetReading("IC", 32.874, "IPC Failed"),
        TargetReading("TGFb", None, "Unconfirmed"),
    )
    assert wells["A02"].flags == ("EXPFAIL", "NOAMP")
    assert wells["A07"].targets[1] == TargetReading("TGFb", 27.987, "Presence")


def test_quantstudio_a_genotyping_run_is_refused_for_what_it_is() -> None:
    name = "allotropy_qs_minimal_missing_results.txt"
    why = refused("quantstudio", name, (EXPORTS / name).read_bytes())
    assert why.startswith("missing-columns: row 40 has no column 'Target Name'")
    assert "SNP Assay Name" in why


def test_quantstudio_takes_the_plate_from_its_barcode_and_knows_both_genes_and_controls() -> None:
    wells = read(
        "quantstudio",
        "anything.txt",
        quantstudio(
            "1\tA1\tfalse\tTT7K40FQ9XB\tORF 1ab\tUNKNOWN\tFAM\t24.8\tN",
            "1\tA1\tfalse\tTT7K40FQ9XB\tN gene\tUNKNOWN\tVIC\tUndetermined\tY",
            "1\tA1\tfalse\tTT7K40FQ9XB\tRNase P\tUNKNOWN\tCY5\t27.113\tN",
            "85\tH1\tfalse\tNTC\tORF 1ab\tNTC\tFAM\tUndetermined\tN",
            "86\tH2\tfalse\tPC\tORF 1ab\tUNKNOWN\tFAM\t22.01\tN",
            "87\tH3\tfalse\tNEC\tORF 1ab\tNTC\tFAM\tUndetermined\tN",
            "88\tH4\tfalse\tS1e4\tORF 1ab\tSTANDARD\tFAM\t20.0\tN",
        ),
    )
    assert wells["A01"].run == "PL7" and wells["A01"].assay == "sars-cov-2"
    assert wells["A01"].targets == (
        TargetReading("ORF1ab", 24.8),
        TargetReading("N", None),
        TargetReading("IC", 27.113),
    )
    assert wells["A01"].measured_at == "2021-08-20T09:12:44"
    assert {well: m.role for well, m in wells.items()} == {
        "A01": Role.SPECIMEN,
        "H01": Role.NEGATIVE_CONTROL,
        "H02": Role.POSITIVE_CONTROL,
        "H03": Role.EXTRACTION_CONTROL,
    }


ROW = "1\tA1\tfalse\tS1\tN\tUNKNOWN\tFAM\t24.8\tN"


@pytest.mark.parametrize("ended", ["Not Started", "NA", "", "In Progress"])
def test_quantstudio_a_run_that_did_not_end_is_refused(ended: str) -> None:
    header = HEADER + f"* Experiment Run End Time = {ended}\n"
    why = refused("quantstudio", "PL7.txt", quantstudio(ROW, header=header))
    assert why.startswith("run-not-finished: Experiment Run End Time is")


def test_quantstudio_without_results_is_refused_and_says_what_is_there() -> None:
    content = (HEADER + ENDED + "\n[Sample Setup]\n" + HEADINGS).encode()
    why = refused("quantstudio", "PL7.txt", content)
    assert why == "no-results-block: the file has [Sample Setup]"


def test_quantstudio_a_well_that_is_set_up_and_has_no_result_is_refused() -> None:
    setup = "[Sample Setup]\nWell\tWell Position\tSample Name\tTarget Name\tTask\n"
    setup += "1\tA1\tS1\tN\tUNKNOWN\n2\tA2\tS2\tN\tUNKNOWN\n3\tA3\n\n"
    why = refused("quantstudio", "PL7.txt", quantstudio(ROW, header=HEADER + ENDED + setup))
    assert why == "missing-wells: 1 of 2 that are set up have no result: A02 N"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2\tA1\tfalse\tS1\tN\tUNKNOWN\tFAM\t24.8\tN", "well-mismatch: row 7: well 2"),
        ("1\tA1\tfalse\tS1\tN\tUNKNOWN\tFA", "short-row: row 7 ends before 'CT'"),
        ("1\tA1\tfalse\tS1\tN\tUNKNOWN\tFAM\t74.8\tN", "cycle-number: row 7"),
        ("1\tA1\tfalse\tS1\tN\tUNKNOWN\tFAM\tN/A\tN", "cycle-number: row 7"),
        ("1\tA1\tfalse\tS1\tN\tWHATEVER\tFAM\t24.8\tN", "unknown-task: row 7"),
        ("1\tA1\tfalse\tPC\tN\tNTC\tFAM\t24.8\tN", "role-mismatch: row 7, well A01"),
        ("1\tQ1\tfalse\tS1\tN\tUNKNOWN\tFAM\t24.8\tN", "well-name: row 7"),
        (f"{ROW}\n{ROW}", "target-twice: row 7, well A01: 'N' came twice"),
        (f"{ROW}\n{ROW.replace('S1', 'S2')}", "specimen-mismatch: row 7, well A01: 'S1', 'S2'"),
        (f"{ROW}\n2\tA2\tfalse\tS2\tN\tUNKNOWN\tFAM\t24,8\tN", "decimal-mark: both"),
        ("4\tA4\tfalse\tS9\tN\tSTANDARD\tFAM\t20.0\tN", "no-results"),
    ],
)
def test_quantstudio_refuses_what_contradicts_itself(row: str, why: str) -> None:
    assert refused("quantstudio", "PL7.txt", quantstudio(row)).startswith(why)


def test_quantstudio_what_the_operator_left_out_and_a_missing_number_are_errors() -> None:
    wells = read(
        "quantstudio",
        "PL7.txt",
        quantstudio(
            "1\tA1\ttrue\tS1\tN\tUNKNOWN\tFAM\t\tN",
            "2\tA2\tfalse\tS2\tN\tUNKNOWN\tFAM\t\tN",
        ),
    )
    assert wells["A01"].error == "left out of the analysis by the operator"
    assert wells["A02"].error == "no cycle number was given"


@pytest.mark.parametrize("heading", ["CT", "Cт", "Cq", "СТ"])
def test_quantstudio_a_cyrillic_letter_in_a_heading_changes_nothing(heading: str) -> None:
    content = quantstudio(ROW, headings=HEADINGS.replace("CT", heading))
    assert read("quantstudio", "PL7.txt", content)["A01"].targets == (TargetReading("N", 24.8),)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_quantstudio_every_way_of_saving_gives_the_same(encoding: str) -> None:
    text = quantstudio(ROW, "2\tA2\tfalse\tS2\tN\tUNKNOWN\tFAM\tUndetermined\tN").decode()
    wanted = read("quantstudio", "PL7.txt", text.encode())
    assert read("quantstudio", "PL7.txt", text.replace("\n", "\r\n").encode(encoding)) == wanted
    assert read("quantstudio", "PL7.csv", text.replace("\t", ",").encode()) == wanted
    comma = text.replace("24.8", "24,8").replace("\t", ";")
    assert read("quantstudio", "PL7.csv", comma.encode()) == wanted


def test_quantstudio_a_workbook_gives_the_same() -> None:
    head: list[list[object]] = [
        ["Block Type", "96-Well Block (0.2mL)"],
        ["Experiment Barcode", "PL7"],
        ["Experiment Run End Time", "2021-08-20 09:12:44 AM ICT"],
        [],
    ]
    names: list[object] = [*HEADINGS.strip().split("\t")]
    rows: list[list[object]] = [[1, "A1", False, "S1", "N", "UNKNOWN", "FAM", 24.8, "N"]]
    setup: list[list[object]] = [["Well", "Well Position", "Sample Name", "Target Name"]]
    setup += [[1, "A1", "S1", "N"]]
    content = workbook(("Sample Setup", head + setup), ("Results", [*head, names, *rows]))
    (well,) = read("quantstudio", "x.xlsx", content).values()
    (wanted,) = read("quantstudio", "x.txt", quantstudio(ROW)).values()
    assert (well.run, well.well, well.targets) == (wanted.run, wanted.well, wanted.targets)
    assert well.path == "Results row 6"
    assert well.measured_at == wanted.measured_at


def test_quantstudio_design_and_analysis_writes_its_header_with_hashes() -> None:
    text = "# Experiment Barcode: PL7\n# Run End Data/Time: 2021-08-20 09:12:44 PM ICT\n\n"
    text += "Well,Well Position,Omit,Sample,Target,Task,Amp Status,Cq\n"
    text += "1,A1,false,S1,N,UNKNOWN,Amp,24.8\n2,A2,false,S2,N,UNKNOWN,No Amp,UNDETERMINED\n"
    wells = read("quantstudio", "x.csv", text.encode())
    assert wells["A01"].run == "PL7" and wells["A01"].measured_at == "2021-08-20T21:12:44"
    assert wells["A02"].targets == (TargetReading("N", None, "No Amp"),)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_quantstudio_a_file_that_was_cut_is_refused_or_gives_wells_as_the_whole_one_does(
    data: st.DataObject,
) -> None:
    whole = (EXPORTS / "allotropy_qs_example02.txt").read_bytes()
    wanted = read("quantstudio", "x.txt", whole)
    end = data.draw(st.integers(0, len(whole) - 1))
    try:
        wells = read("quantstudio", "x.txt", whole[:end])
    except Unreadable:
        return
    assert {w: m.specimen for w, m in wells.items()} == {w: m.specimen for w, m in wanted.items()}
    changed = [well for well, m in wells.items() if m.targets != wanted[well].targets]
    assert changed == []


# CFX96


def test_cfx_the_wells_of_a_384_well_plate() -> None:
    wells = read("cfx96", "HTqPCR_CFX_sample.txt")
    assert len(wells) == 288
    assert roles(wells) == {Role.SPECIMEN: 282, Role.NEGATIVE_CONTROL: 6}
    assert wells["A01"] == Measurement(
        path="row 2",
        specimen="1-SI1",
        role=Role.SPECIMEN,
        assay="GLP1",
        targets=(TargetReading("GLP1", 37.42),),
        run="HTqPCR_CFX_sample",
        well="A01",
    )
    assert wells["A07"].role is Role.NEGATIVE_CONTROL and wells["A07"].specimen == "Neg Ctrl"
    assert wells["B01"].targets == (TargetReading("GLP1", None),)
    assert "B07" not in wells  # Std-101


CFX = ",Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Cq Mean\n"


def test_cfx_a_preamble_names_the_plate_and_its_program_s_ending_is_no_part_of_a_name() -> None:
    rows = (
        CFX
        + ",A1,FAM,N,Unkn-01,S1,,24.8,0\n,A1,HEX,IC,Unkn-01,S1,,NaN,0\n"
        + ",H12,FAM,,Pos Ctrl-1,,,22,0\n"
    )
    wells = read("cfx96", "PL7 -  Quantification Cq Results_0.csv", rows.encode())
    assert wells["A01"].run == "PL7"
    assert wells["A01"].targets == (TargetReading("N", 24.8), TargetReading("IC", None))
    assert wells["H12"].role is Role.POSITIVE_CONTROL
    assert wells["H12"].targets == (TargetReading("FAM", 22.0),)
    head = "File Name,run.pcrd\nPlate ID,PL8\nRun Ended,08/20/2021 09:12:44 UTC\n\n"
    well = read("cfx96", "x.csv", (head + rows).encode())["A01"]
    assert (well.run, well.measured_at) == ("PL8", "2021-08-20T09:12:44")


def test_cfx_a_european_computer_writes_semicolons_and_commas() -> None:
    rows = (CFX + ",A01,FAM,N,Unkn,S1,,24§8,0\n,A02,FAM,N,Unkn,S2,,N/A,0\n").replace(",", ";")
    wells = read("cfx96", "PL7.csv", rows.replace("§", ",").encode("utf-16"))
    assert wells["A01"].targets == (TargetReading("N", 24.8),)
    assert wells["A02"].targets == (TargetReading("N", None),)


# LightCycler 480


def test_lightcycler_480_reads_lines_that_end_in_cr_and_an_empty_cp() -> None:
    wells = read("lightcycler480", "HTqPCR_LightCycler_sample.txt")
    target = "SYBR Green (483-533)"
    assert len(wells) == 349 and wells["A01"].targets == (TargetReading(target, 16.13),)
    assert wells["A02"].targets == (TargetReading(target, None),)
    assert wells["P11"].role is Role.NEGATIVE_CONTROL
    assert wells["P11"].targets == (TargetReading(target, 35.17),)
    standards = {f"{row}{column}" for row in "ABCDEFGHIJKLMNOP" for column in range(1, 25)}
    assert len(standards) - len(wells) == 35


def test_lightcycler_480_a_table_without_its_filter_is_refused() -> None:
    content = b"free text\rInclude\tColor\tPos\tName\tCp\tStandard\rTrue\t255\tA1\tS\t16.1\t0\r"
    assert refused("lightcycler480", "PL7.txt", content).startswith("no-target")
    left_out = content.replace(b"free", b"Selected Filter: FAM").replace(b"True", b"False")
    well = read("lightcycler480", "PL7.txt", left_out)["A01"]
    assert well.error == "left out of the analysis by the operator"


# Rotor-Gene

ROTOR = """Excel Analysed Data Export;;;;;
Copyright (c) 2013 QIAGEN GmbH. All Rights Reserved.;;;;;
File;SARS 2021-08-20 (1).rex;;;;
Date;8/20/2021;;;;
Time;10:34:20 AM;;;;
Run Id;PL7;;;;
;;;;;
Quantitative analysis of Cycling A.Green (ORF1ab);;;;;
;;;;;
No.;Colour;Name;Type;Ct;Ct Comment
1;5775359;TT7K40FQ9XB;Unknown;24,83;
2;5775359;S2;Unknown;;
9;16719743;PC;Positive Control;22,1;
10;508703;NTC;NTC;;NEG (NTC)
11;508703;Standard 1;Standard;18,2;
12;508703;;None;;
;;;;;
Quantitative analysis of Cycling A.Yellow (IC);;;;;
;;;;;
No.;Colour;Name;Type;Ct;Ct Comment
1;5775359;TT7K40FQ9XB;Unknown;27,13;
2;5775359;S2;Unknown;27;
9;16719743;PC;Positive Control;NEG (NTC);
10;508703;NTC;NTC;;
"""


def test_rotor_gene_joins_its_channels_and_reads_decimal_commas() -> None:
    wells = read("rotorgene", "x.csv", ROTOR.encode("windows-1252"))
    assert wells["A01"] == Measurement(
        path="row 11",
        specimen="TT7K40FQ9XB",
        role=Role.SPECIMEN,
        assay="sars-cov-2",
        targets=(TargetReading("ORF1ab", 24.83), TargetReading("IC", 27.13)),
        run="PL7",
        well="A01",
        measured_at="2021-08-20T10:34:20",
    )
    assert wells["B01"].targets == (TargetReading("ORF1ab", None), TargetReading("IC", 27.0))
    assert {well: m.role for well, m in wells.items()} == {
        "A01": Role.SPECIMEN,
        "B01": Role.SPECIMEN,
        "A02": Role.POSITIVE_CONTROL,
        "B02": Role.NEGATIVE_CONTROL,
    }
    assert wells["B02"].flags == ("NEG (NTC)",)


def test_rotor_gene_with_points_and_an_american_heading_gives_the_same() -> None:
    text = ROTOR.replace(",", ".").replace(";", ",").replace("Colour", "Color")
    assert read("rotorgene", "x.csv", text.encode()) == read("rotorgene", "x.csv", ROTOR.encode())


def test_rotor_gene_a_table_of_no_channel_is_refused() -> None:
    text = ROTOR.replace("Quantitative analysis of Cycling A.Yellow (IC)", "")
    assert refused("rotorgene", "x.csv", text.encode()).startswith("no-target: row 20")


# RDML


def rdml(body: str, head: str = "", *, packed: bool = True) -> bytes:
    text = (
        f'<?xml version="1.0"?>{head}<rdml version="1.2" xmlns="http://www.rdml.org">{body}</rdml>'
    )
    if not packed:
        return text.encode()
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rdml_data.xml", text)
    return kept.getvalue()


PEOPLE = (
    '<sample id="S1"><type>unkn</type></sample><sample id="W"><type>ntc</type></sample>'
    '<sample id="D"><type>std</type></sample>'
)
FORMAT = "<pcrFormat><rows>8</rows><columns>12</columns></pcrFormat>"


def run(name: str, *reacts: tuple[int, str, str]) -> str:
    told = "".join(
        f'<react id="{at}"><sample id="{sample}"/><data><tar id="N"/>{data}</data></react>'
        for at, sample, data in reacts
    )
    return f'<experiment id="e"><run id="{name}">{FORMAT}{told}</run></experiment>'


def test_rdml_joins_the_channels_of_a_bio_rad_plate() -> None:
    wells = read("rdml", "BioRad_qPCR_melt.rdml")
    assert len(wells) == 30
    assert roles(wells) == {
        Role.POSITIVE_CONTROL: 18,
        Role.SPECIMEN: 6,
        Role.NEGATIVE_CONTROL: 6,
    }
    assert wells["A01"] == Measurement(
        path="react 1",
        specimen="Alm12",
        role=Role.POSITIVE_CONTROL,
        assay="Cy5+EvaGreen",
        targets=(TargetReading("EvaGreen", 27.7514537682101), TargetReading("Cy5", None)),
        run="BioRad_qPCR_melt",
        well="A01",
    )
    assert wells["D10"].targets[0] == TargetReading("EvaGreen", 39.3137019214124)


def test_rdml_markers_standards_and_what_was_left_out() -> None:
    body = PEOPLE + run(
        "r",
        (1, "S1", "<cq>24.8</cq>"),
        (2, "S1", "<cq>-1.0</cq>"),
        (3, "W", "<cq>NaN</cq>"),
        (4, "D", "<cq>20</cq>"),
        (13, "S1", "<cq>31.5</cq><excl>bubble</excl>"),
    )
    wells = read("rdml", "PL7.rdml", rdml(body))
    assert {well: m.targets[0].ct_cycles for well, m in wells.items()} == {
        "A01": 24.8,
        "A02": None,
        "A03": None,
        "B01": 31.5,
    }
    assert wells["A01"].run == "PL7" and wells["A03"].role is Role.NEGATIVE_CONTROL
    assert wells["B01"].error and wells["B01"].flags == ("bubble",)
    assert read("rdml", "PL7.xml", rdml(body, packed=False)) == wells


def test_rdml_several_runs_are_several_plates() -> None:
    body = PEOPLE + run("PL7", (1, "S1", "<cq>24.8</cq>")) + run("PL8", (1, "S1", "<cq>30</cq>"))
    measurements = FILE_DRIVERS["rdml"].measurements(Export(rdml(body), "both.rdml"))
    assert [(m.run, m.path) for m in measurements] == [
        ("PL7", "run PL7 react 1"),
        ("PL8", "run PL8 react 1"),
    ]


BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (rdml(PEOPLE + run("r", (1, "S1", "<cq>&b;</cq>")), BOMB), "document-type"),
        (rdml("", '<!DOCTYPE r SYSTEM "file:///etc/passwd">'), "document-type"),
        (rdml(PEOPLE + run("r", (1, "S1", ""))), "no-cycle-numbers"),
        (rdml(PEOPLE + run("r", (97, "S1", "<cq>20</cq>"))), "well-name"),
        (rdml(PEOPLE + run("r", (1, "who", "<cq>20</cq>"))), "rdml: run r react 1"),
        (rdml(PEOPLE + run("r", (1, "S1", "<cq>1,5</cq>"))), "cycle-number"),
        (rdml(PEOPLE).replace(b"PK", b"PK", 1)[:-30], "rdml: the zip"),
        (rdml(""), "no-results"),
        (b"<html/>", "rdml: expected <rdml>"),
        (b"PK\x03\x04", "rdml"),
        (b"", "rdml"),
    ],
)
def test_rdml_refuses(content: bytes, why: str) -> None:
    assert refused("rdml", "PL7.rdml", content).startswith(why)


@pytest.mark.parametrize("driver", sorted(FILE_DRIVERS))
def test_a_driver_refuses_the_files_of_the_others(driver: str) -> None:
    own = {
        "quantstudio": "allotropy",
        "cfx96": "HTqPCR_CFX",
        "lightcycler480": "HTqPCR_Light",
        "rdml": "BioRad",
    }
    for path in sorted(EXPORTS.iterdir()):
        if path.suffix != ".md" and not path.name.startswith(own.get(driver, "none")):
            why = refused(driver, path.name, path.read_bytes())
            assert why.split(":")[0] in {
                *("no-table", "missing-columns", "not-text", "workbook", "rdml"),
                "no-results-block",
            }


@settings(deadline=None)
@given(
    cts=st.lists(
        st.tuples(*[st.none() | st.integers(5000, 45000).map(lambda ct: ct / 1000)] * 3),
        min_size=1,
        max_size=94,
    )
)
def test_what_a_simulated_quantstudio_exports_is_read_back(
    cts: list[tuple[float | None, float | None, float | None]],
) -> None:
    places = [f"{row}{column:02d}" for column in range(1, 13) for row in "ABCDEFGH"]
    kinds = [Role.SPECIMEN] * (len(cts) - 1) + [Role.NEGATIVE_CONTROL]
    put = [
        Well(place, f"S{at}", kind, dict(zip(("ORF1ab", "N", "IC"), told, strict=True)))
        for at, (place, kind, told) in enumerate(zip(places, kinds, cts, strict=False))
    ]
    ended = datetime(2021, 8, 20, 21, 12, 44, tzinfo=UTC)
    content = quantstudio_export("PL7", put, serial="Q1", ended_at=ended)
    found = read("quantstudio", "anything.txt", content)
    assert {m.run for m in found.values()} == {"PL7"}
    assert {m.measured_at for m in found.values()} == {"2021-08-20T21:12:44"}
    assert {
        well: (m.role, {t.target: t.ct_cycles for t in m.targets}) for well, m in found.items()
    } == {well.well: (well.role, dict(well.targets)) for well in put}
