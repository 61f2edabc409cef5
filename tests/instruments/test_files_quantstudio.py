"""A QuantStudio's export gives exactly its wells, or a refusal that says why."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.analyser_exports import quantstudio_export
from instruments.analyser_messages import Well
from instruments.drivers.reading import Unreadable
from instruments.measurement import Measurement, Role, TargetReading
from tests.instruments.export_stand import EXPORTS, read, refused, roles, workbook

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
