"""Lists from the file to the tubes: good rows in, bad rows back, nothing twice."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO, StringIO

import pytest
import python_calamine
from sqlalchemy import func, select, text

from lims.domain.barcodes import shown
from lims.domain.refusals import InvalidBody, UnreadableList
from lims.sheets.columns import Column
from lims.sheets.encodings import Encoding, encoded
from lims.sheets.opened import open_list
from lims.tables import CardDoubt, Person, Specimen, Tube
from lims.work.areas import SCHEME
from tests.builders import Bench
from tests.importing.conftest import Desk
from tests.lists import HEADINGS, csv_text, workbook


def people(bench: Bench) -> int:
    bench.session.expire_all()
    return bench.session.scalar(select(func.count()).select_from(Specimen)) or 0


def rows(bench: Bench, count: int) -> list[tuple[str, ...]]:
    return [
        (next(bench.labels), f"Nguyễn Văn Thứ {n}", str(1950 + n), f"09123456{n:02d}", "")
        for n in range(count)
    ]


def as_csv(listed: Sequence[tuple[str, ...]]) -> bytes:
    return csv_text([HEADINGS, *listed]).encode()


def test_a_workbook_with_titles_merged_headings_and_formulas_is_taken_whole(
    desk: Desk, bench: Bench
) -> None:
    one, two = next(bench.labels), next(bench.labels)
    raw = workbook(
        [
            ["UBND PHƯỜNG DỊCH VỌNG"],
            ["DANH SÁCH LẤY MẪU NGÀY 11/9"],
            [],
            ["TT", "Mã ống", "Họ và tên", "Năm sinh", None, "SĐT", "CCCD", "Ngày lấy", "Giờ lấy"],
            [None, None, None, "Nam", "Nữ", None, None, None, None],
            [1, one, None, None, 1975, 912345678, 1189001234, date(2021, 9, 10), 0.5],
            [2, shown(two), "Trần Văn Bình", date(1989, 3, 5), None, "0987 654 321", None, None],
            [None, None, "Người lập bảng", None],
            ["Tổng cộng: 2 người"],
        ],
        merged=[
            (0, 0, 0, 8, "UBND PHƯỜNG DỊCH VỌNG"),
            *((3, n, 4, n, s) for n, s in ((0, "TT"), (1, "Mã ống"), (2, "Họ và tên"))),
            (3, 3, 3, 4, "Năm sinh"),
        ],
        formulas=[(5, 2, "=UPPER(A1)", "Trần Thị Mỹ Hạnh")],
        sheets=("Bìa", "Danh sách"),
    )
    done = desk.take(raw, name="danh-sach.xlsx")
    assert (done.state, done.rows_in, done.rows_passed, done.rows_bad) == ("done", 2, 1, 1)
    assert desk.said(done.job_id) == {8: "Mã ống: the tube is missing"}
    hanh = bench.session.scalars(select(Person).where(Person.name.contains("Hạnh"))).one()
    assert (hanh.birth_year, hanh.sex, hanh.phone) == (1975, "female", "+84912345678")
    assert hanh.national_id == "001189001234"
    swab = bench.session.scalars(select(Specimen).where(Specimen.person_id == hanh.id)).one()
    assert swab.collected_at.isoformat() == "2021-09-10T05:00:00+00:00"
    binh = bench.session.scalars(select(Person).where(Person.name == "Trần Văn Bình")).one()
    assert (binh.birth_date, binh.sex, binh.phone) == (date(1989, 3, 5), "male", "+84987654321")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1258"])
def test_csv_in_any_encoding_becomes_the_same_people(
    desk: Desk, bench: Bench, encoding: str
) -> None:
    text_ = csv_text([HEADINGS, (next(bench.labels), "Đặng Thị Mỹ Hằng", "1975", "", "")], ";")
    raw = encoded(text_, Encoding.WINDOWS_1258) if encoding == "cp1258" else text_.encode(encoding)
    assert desk.take(raw).rows_in == 1
    assert bench.session.scalars(select(Person.name)).one() == "Đặng Thị Mỹ Hằng"


def test_bad_rows_come_back_in_the_same_file_and_only_what_is_new_goes_in(
    desk: Desk, bench: Bench
) -> None:
    good, bad = next(bench.labels), next(bench.labels)
    listed = [
        (good, "Nguyễn Văn An", "1980", "", ""),
        (bad, "Trần B", "30/02/1990", "912345678", "'=1+1"),
        (bad[:-1] + ("A" if bad[-1] != "A" else "B"), "=HYPERLINK(1)", "", "9.12E+08", ""),
    ]
    done = desk.take(as_csv(listed))
    assert (done.rows_in, done.rows_bad) == (1, 2)
    said = desk.said(done.job_id)
    assert said[3] == ("Năm sinh: the calendar has no such day; CCCD: the 12 digits of the card")
    assert "Họ và tên: = is no letter" in said[4]
    assert "SĐT: the spreadsheet has cut the digits" in said[4]
    back = desk.bad_file(done.job_id)
    read = list(csv.reader(StringIO(back.decode(), newline="")))
    assert read[0] == [*HEADINGS, "What is wrong"]
    assert read[1][:5] == list(listed[1])
    assert read[2][1] == "'=HYPERLINK(1)"
    corrected = back.decode().replace("30/02/1990", "28/02/1990").replace("'=1+1", "")
    again = desk.take(corrected.encode())
    assert (again.state, again.remembered) == ("done", True)
    assert (again.rows_in, again.rows_again, again.rows_bad) == (1, 0, 1)
    assert people(bench) == 2


def test_the_bad_rows_of_a_workbook_are_a_workbook_whose_digits_stay(
    desk: Desk, bench: Bench
) -> None:
    day, at = date(1989, 3, 5), datetime.fromisoformat("2031-09-10T08:12")
    raw = workbook(
        [
            ["Mã ống", "Họ tên", "Ngày sinh", "SĐT", "CCCD", "Lấy lúc", "Ghi chú"],
            [next(bench.labels), "An", day, "0912345678", "001189001234", at, "=1+1"],
        ]
    )
    done = desk.take(raw, name="x.xlsx")
    assert desk.said(done.job_id) == {2: "Lấy lúc: a moment that has passed"}
    book = python_calamine.load_workbook(BytesIO(desk.bad_file(done.job_id)))
    head, row = book.get_sheet_by_name("Danh sách").to_python()
    assert head[-2:] == ["Ghi chú", "What is wrong"]
    assert row[2:] == [
        *(day, "0912345678", "001189001234", at, "=1+1"),
        "Lấy lúc: a moment that has passed",
    ]


def test_the_bad_rows_of_windows_1258_are_windows_1258(desk: Desk, bench: Bench) -> None:
    raw = encoded(
        csv_text([HEADINGS, ("x", "Đặng Thị Hằng", "1975", "", "")]), Encoding.WINDOWS_1258
    )
    done = desk.take(raw)
    (sheet,) = open_list(desk.bad_file(done.job_id)).sheets
    assert sheet.rows[1][:2] == list(open_list(raw).sheets[0].rows[1][:2])


def test_the_same_file_again_is_the_same_list(desk: Desk, bench: Bench) -> None:
    raw = as_csv(rows(bench, 7))
    first = desk.take(raw)
    second = desk.take(raw, name="a copy.csv")
    assert second.job_id == first.job_id
    assert (second.rows_in, people(bench)) == (7, 7)


def test_rows_that_were_here_before_are_recognised_in_any_file(desk: Desk, bench: Bench) -> None:
    listed = rows(bench, 7)
    desk.take(as_csv(listed[:4]))
    wider = desk.take(workbook([HEADINGS, *listed]), name="all.xlsx")
    assert (wider.rows_in, wider.rows_again, wider.rows_bad) == (3, 4, 0)
    assert people(bench) == 7


def test_a_tube_of_somebody_else_and_one_that_stands_twice_are_told_apart(
    desk: Desk, bench: Bench
) -> None:
    taken = bench.swab().barcode
    bench.session.commit()
    twice = next(bench.labels)
    listed = [
        (taken, "Người Khác", "1980", "", ""),
        *((twice, name, "1980", "", "") for name in ("An", "Bình", "Chi", "Dũng")),
        (twice, "An", "1980", "", ""),
    ]
    done = desk.take(as_csv(listed))
    said = desk.said(done.job_id)
    assert said[2] == "Mã ống: this tube belongs to somebody else already"
    assert {said[n] for n in (4, 5, 6)} == {"Mã ống: this tube stands in line 3 already"}
    assert (done.rows_in, done.rows_again, done.rows_bad) == (1, 1, 4)


def test_the_columns_of_unknown_headings_are_asked_for_once(desk: Desk, bench: Bench) -> None:
    strange = ("A", "B", "C")
    listed = [(next(bench.labels), "Nguyễn Văn An", "1980") for _ in range(2)]
    job_id = desk.send(csv_text([strange, listed[0]]).encode())
    desk.worker.drain()
    assert desk.look(job_id).state == "mapping"
    with pytest.raises(InvalidBody):
        desk.confirm(job_id, (None, Column.NAME, None))
    with pytest.raises(InvalidBody):
        desk.confirm(job_id, (Column.BARCODE, Column.NAME, Column.NAME))
    columns = (Column.BARCODE, Column.NAME, Column.BIRTH)
    desk.confirm(job_id, columns)
    desk.confirm(job_id, columns)
    desk.worker.drain()
    assert desk.look(job_id).rows_in == 1
    following = desk.send(csv_text([strange, listed[1]]).encode())
    desk.worker.drain()
    assert (desk.look(following).state, desk.look(following).rows_in) == ("done", 1)


def test_communes_are_found_by_their_names(desk: Desk, bench: Bench) -> None:
    bench.session.execute(
        text(
            "INSERT INTO area (scheme, code, level, parent_code, name, name_key, full_name) VALUES"
            " (:s, '00166', 'ward', '01', 'Cầu Giấy', 'cau giay', 'Phường Cầu Giấy'),"
            " (:s, '00001', 'ward', '01', 'Tân An', 'tan an', 'Phường Tân An'),"
            " (:s, '00002', 'ward', '79', 'Tân An', 'tan an', 'Xã Tân An')"
        ),
        {"s": SCHEME},
    )
    bench.session.commit()
    asked = {
        "00166": "00166",
        "P. Cầu Giấy": "00166",
        "phường cầu giấy, quận Cầu Giấy, Hà Nội": "00166",
        "Tân An": None,
        "Tân An, TP. Hồ Chí Minh": "00002",
        "Phường Tân An": "00001",
        "Chỗ nào đó": None,
        "": "",
    }
    head = ("Mã ống", "Họ tên", "Xã/Phường")
    listed = [(next(bench.labels), "Nguyễn Văn An", f'"{said}"') for said in asked]
    done = desk.take(csv_text([head, *listed]).encode())
    found = Counter(bench.session.scalars(select(Person.area_code)))
    assert found == Counter(code or None for code in asked.values() if code is not None)
    assert sorted(desk.said(done.job_id).values()) == [
        "Xã/Phường: no province or commune of this name or code",
        "Xã/Phường: several places have this name: add the province",
    ]


def test_two_cards_under_one_number_wait_for_a_reviewer(desk: Desk, bench: Bench) -> None:
    number = "001189001234"
    listed = [(next(bench.labels), name, "1980", "", number) for name in ("An", "Bình")]
    assert desk.take(as_csv(listed)).rows_in == 2
    assert len(bench.session.scalars(select(CardDoubt)).all()) == 1


def test_what_is_no_list_is_refused_at_the_door_or_by_the_worker(desk: Desk, bench: Bench) -> None:
    with pytest.raises(UnreadableList):
        desk.send(b"")
    broken = desk.send(b"PK\x03\x04 no workbook", name="x.xlsx")
    headings_only = desk.send(csv_text([HEADINGS]).encode())
    desk.worker.drain()
    assert [(desk.look(one).state, desk.look(one).failure) for one in (broken, headings_only)] == [
        ("failed", desk.look(broken).failure),
        ("failed", desk.look(headings_only).failure),
    ]
    assert str(desk.look(broken).failure).startswith("this workbook is damaged")
    assert str(desk.look(headings_only).failure) == "there are no lines under the headings"


def test_everybody_of_a_list_gets_a_tube_of_the_lists_own(desk: Desk, bench: Bench) -> None:
    done = desk.take(as_csv(rows(bench, 5)))
    tubes = bench.session.scalars(select(Tube)).all()
    assert {tube.created_by for tube in tubes} == {"import:lan"}
    jobs = set(bench.session.scalars(select(Specimen.import_job_id)))
    assert jobs == {done.job_id}
