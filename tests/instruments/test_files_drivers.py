"""Every other cycler's export gives exactly its wells, or a refusal that says why."""

import io
import zipfile

import pytest

from instruments.drivers.exports import FILE_DRIVERS
from instruments.files.export import Export
from instruments.measurement import Measurement, Role, TargetReading
from tests.instruments.export_stand import EXPORTS, read, refused, roles


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
        (rdml("<a/>" * 2_000_001), "too-large: the document has over 2000000 elements"),
        (rdml(PEOPLE + run("r", (1, "S1", ""))), "no-cycle-numbers"),
        (rdml(PEOPLE + run("r", (97, "S1", "<cq>20</cq>"))), "well-name"),
        (rdml(PEOPLE + run("r", (1, "who", "<cq>20</cq>"))), "rdml: run r react 1"),
        (rdml(PEOPLE + run("r", (1, "S1", "<cq>1,5</cq>"))), "cycle-number"),
        (rdml(PEOPLE).replace(b"PK", b"PK", 1)[:-30], "rdml: the zip"),
        (rdml(PEOPLE)[:4] + rdml(PEOPLE)[10:], "rdml: the zip"),
        (rdml(PEOPLE)[:50] + b"\xff" * 20 + rdml(PEOPLE)[70:], "rdml: the zip"),
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
