"""The worklist reads back as it was written, and no cell is a formula."""

import csv
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from reports.worklist import COLUMNS, WorklistLine, worklist_csv

TUBE = WorklistLine(
    "PL-0001", "A01", "TT7K40FQ9XB", "lab_pool", 10, 9, "resolve", "sars-cov-2", None
)
CONTROL = WorklistLine(
    "PL-0001", "H11", "NTC", "control", None, None, None, "sars-cov-2", "negative_control"
)


def read_back(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))


def test_it_has_the_documented_columns_in_their_order() -> None:
    said = worklist_csv([TUBE, CONTROL])
    assert said.split(b"\r\n")[0].decode() == (
        "plate,well,barcode,kind,people,priority,why,assay,control"
    )
    tube, control = read_back(said)
    assert tube == {
        "plate": "PL-0001",
        "well": "A01",
        "barcode": "TT7K40FQ9XB",
        "kind": "lab_pool",
        "people": "10",
        "priority": "9",
        "why": "resolve",
        "assay": "sars-cov-2",
        "control": "",
    }
    assert (control["barcode"], control["people"], control["control"]) == (
        "NTC",
        "",
        "negative_control",
    )


def test_the_byte_order_mark_is_there_when_asked_for_and_only_then() -> None:
    assert worklist_csv([TUBE], byte_order_mark=True) == b"\xef\xbb\xbf" + worklist_csv([TUBE])


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_no_cell_begins_as_a_formula_and_whatever_stood_there_is_still_read(text: str) -> None:
    line = WorklistLine(text, "A01", text, "individual", 1, 5, text, "sars-cov-2", None)
    [read] = read_back(worklist_csv([line]))
    for column in COLUMNS:
        assert not read[column].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert read["barcode"] in (text, f"'{text}")
