"""A list of thousands: good rows are kept, bad ones come back correctable, nothing twice."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO

import pytest
from sqlalchemy import func, select

from lims.db.ids import derived, uuid7
from lims.domain.refusals import InvalidBody, NotUtf8
from lims.tables import Specimen
from lims.web.collect.batch_file import decoded, lines_of, sex_of, written
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn

_BOX = re.compile(r"<textarea[^>]*>(.*?)</textarea>", re.DOTALL)


def test_headings_are_read_in_both_languages_and_with_any_separator() -> None:
    for head, row in (
        ("barcode,name,birth", "TT7K,An,1980"),
        ("Mã ống;Họ và tên;Năm sinh", "TT7K;An;1980"),
        ("tube\tHỌ TÊN\tngày sinh", "TT7K\tAn\t1980"),
    ):
        (line,) = lines_of(f"\ufeff{head}\r\n{row}\r\n\r\n")
        assert (line.cells["barcode"], line.cells["name"], line.cells["birth"]) == (
            "TT7K",
            "An",
            "1980",
        )


def test_a_list_without_its_headings_says_which_are_missing() -> None:
    with pytest.raises(InvalidBody) as refused:
        lines_of("An;1980\n")
    assert refused.value.came == "barcode, name"


def test_a_file_in_another_encoding_is_refused_with_its_line() -> None:
    with pytest.raises(NotUtf8) as refused:
        decoded("barcode,name\nTT7K,Trân\n".encode("cp1258"))
    assert refused.value.came == "line 2 is not UTF-8"


@pytest.mark.parametrize(
    ("cell", "sex"), [("Nữ", "female"), ("nam", "male"), ("", ""), ("F", "female"), ("x", "x")]
)
def test_sexes_as_people_write_them(cell: str, sex: str) -> None:
    assert sex_of(cell) == sex


def test_a_cell_that_a_spreadsheet_would_run_is_written_as_text() -> None:
    (line,) = lines_of('barcode,name,phone\nTT7K,"=HYPERLINK(""x"")",+84912345678\n')
    assert "'=HYPERLINK" in written([(line, "wrong")])
    assert ",+84912345678," in written([(line, "wrong")])


def test_a_row_keeps_its_id_within_its_batch() -> None:
    batch = uuid7()
    assert derived(batch, "TT7K40FQ9XB") == derived(batch, "TT7K40FQ9XB")
    assert derived(batch, "TT7K40FQ9XB") != derived(uuid7(), "TT7K40FQ9XB")
    assert derived(batch, "TT7K40FQ9XB").version == 7


def test_good_rows_are_kept_and_bad_ones_come_back_with_what_is_wrong(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, good, bad = signed_in(Role.TECHNICIAN), next(bench.labels), next(bench.labels)
    rows = f"barcode,name,birth\n{good},Nguyễn Văn An,1980\n{bad},Trần B,19x0\nXX,C,\n"
    answer = browser.post("/collect/batch", {"batch_id": str(uuid7()), "rows": rows})
    assert "1 kept · 0 were here before · 2 with something wrong" in words(answer)
    box = _BOX.search(answer.text)
    assert box is not None
    left = lines_of(unescape(box[1]))
    assert [line.cells["barcode"] for line in left] == [bad, "XX"]
    corrected = unescape(box[1]).replace("19x0", "1990")
    again = browser.post("/collect/batch", {"batch_id": str(uuid7()), "rows": corrected})
    assert "1 kept · 0 were here before · 1 with something wrong" in words(again)


def test_a_list_sent_twice_adds_nothing(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    rows = "barcode,name\n" + "\n".join(f"{next(bench.labels)},Người {n}" for n in range(20))
    batch = str(uuid7())
    for sent_under in (batch, batch, str(uuid7())):
        answer = browser.post("/collect/batch", {"batch_id": sent_under, "rows": rows})
    assert "0 kept · 20 were here before" in words(answer)
    assert bench.session.scalar(select(func.count()).select_from(Specimen)) == 20


def test_the_bad_rows_can_be_taken_away_as_a_file(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    answer = browser.post("/collect/batch/download", {"rows": "barcode,name\nXX,An\n"})
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.data.decode("utf-8-sig").startswith("barcode,name")


def test_a_row_says_every_fault_with_its_column(signed_in: SignIn, bench: Bench) -> None:
    one, two = next(bench.labels), next(bench.labels)
    rows = f"barcode,name,birth,phone\n{one},An,,\n{one},Bình,,\n{two},,19x0,12\n,Chi,,\n"
    browser = signed_in(Role.TECHNICIAN, language="vi")
    answer = browser.post("/collect/batch", {"batch_id": str(uuid7()), "rows": rows})
    wrong = [unescape(said) for said in re.findall(r'<span class="late">(.*?)</span>', answer.text)]
    assert wrong[0] == "barcode: ống này đã ở dòng 2"
    columns = {fault.split(":")[0] for fault in wrong[1].split("; ")}
    assert columns == {"phone", "birth", "name"}
    assert "name: thiếu tên" in wrong[1]
    assert wrong[2] == "barcode: thiếu mã ống"


def test_a_spreadsheets_own_file_is_told_how_to_be_saved(signed_in: SignIn) -> None:
    browser = signed_in(Role.TECHNICIAN, language="vi")
    for content in (b"PK\x03\x04 a workbook", "barcode,name\nTT7K,Trân\n".encode("cp1258")):
        sent = {"batch_id": str(uuid7()), "file": (BytesIO(content), "list.xlsx")}
        answer = browser.post("/collect/batch", sent)
        assert answer.status_code in (400, 422)
        assert "dạng CSV UTF-8" in words(answer)
