"""The positive list on paper and in cells: long, hostile, in grey, and always somebody's copy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from zipfile import ZipFile

import pypdfium2
import pytest

from lims.domain.outcomes import Basis
from reports.positive_list import LabDetail, Line, PositiveList, Section
from reports.positive_pdf import positive_pdf
from reports.positive_words import basis_words
from reports.positive_xlsx import positive_xlsx
from reports.saying import Saying, Tongue

NOW = datetime(2021, 9, 11, 7, 5, tzinfo=UTC)
VI = Saying(Tongue.VI, "Asia/Ho_Chi_Minh")
LONG = "Công Tằng Tôn Nữ Hoàng Thị Phương Thảo Nguyên Anh Thư Diệu Huyền"


def test_every_ground_of_a_case_has_its_words() -> None:
    said = {basis_words(VI, line(1, basis=basis)) for basis in Basis}
    assert len(said) == len(Basis)


def line(number: int, section: Section = Section.CONFIRMED, **given: object) -> Line:
    said: dict[str, object] = {
        "code": f"F0-{number:06X}",
        "section": section,
        "basis": Basis.PCR,
        "name": f"Nguyễn Thị {number}",
        "birth_year": 1980,
        "sex": "female",
        "phone": "+84912345218",
        "address": "Ngõ 165 Cầu Giấy",
        "area": "Phường Dịch Vọng",
        "province": "Hà Nội",
        "work_area": None,
        "household": "hộ 114",
        "household_people": 3,
        "collected_at": NOW,
        "found_at": NOW,
        "team": None,
        "claimed_at": None,
    }
    return Line(**(said | given))  # type: ignore[arg-type] # by keyword


def listed(*lines: Line) -> PositiveList:
    return PositiveList(
        site="Phòng xét nghiệm Cầu Giấy",
        team="Tổ truy vết phường Dịch Vọng",
        day=date(2021, 9, 11),
        made_at=NOW,
        made_by="Trần Thị Hạnh",
        destroy_by=date(2021, 9, 25),
        lines=lines,
    )


def pages_of(document: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(document)]


def test_every_page_says_whose_copy_it_is_and_how_many_there_are() -> None:
    pages = pages_of(positive_pdf(listed(*map(line, range(60))), VI))
    assert len(pages) == 4
    for number, said in enumerate(pages, 1):
        assert f"Trang {number}/4" in said
        assert said.count("Trần Thị Hạnh tải lúc 11/09/2021 14:05") == 2  # watermark and foot
        assert "Huỷ chậm nhất ngày 25/09/2021" in said
        assert "F0 khẳng định · 60" in said
    found = {f"F0-{number:06X}" for number in range(60)}
    assert all(any(code in said for said in pages) for code in found)


@pytest.mark.parametrize("name", ["Nguyễn Thị Mai", LONG])
def test_the_laboratory_s_copy_shows_the_tube_and_the_ct_whole_beside_any_name(name: str) -> None:
    detail = LabDetail("001307000017", "TTA1000003K", 1, 36.84, None)
    given = line(1, name=name, laboratory=detail)
    (page,) = pages_of(positive_pdf(listed(given, line(2)), VI))
    said = " ".join(page.split())
    for part in ("1980 · nữ", "001307000017", "TTA1-0000-03K", "Ct 36,8"):
        assert part in said, part
    (english,) = pages_of(positive_pdf(listed(given), Saying(Tongue.EN, "Asia/Ho_Chi_Minh")))
    assert "Ct 36.8" in english


def test_a_long_address_is_broken_and_stays_large_enough_to_find_the_door_by() -> None:
    address = "Căn hộ 12.05, toà nhà Vinhomes Central Park, 208 Nguyễn Hữu Cảnh, khu phố 3"
    document = positive_pdf(listed(line(1, address=address), line(2)), VI)
    (page,) = pages_of(document)
    said = " ".join(page.split())
    assert "Căn hộ 12.05, toà nhà Vinhomes" in said and "Cảnh, khu phố 3" in said
    assert page.index("khu phố 3") < page.index("F0-000002")
    text = pypdfium2.PdfDocument(document)[0].get_textpage()
    letter = text.get_charbox(text.get_text_range().index("Căn hộ"))
    assert letter[3] - letter[1] > 4.5, "points: of a capital letter"


def test_a_long_name_is_whole_and_a_section_never_ends_a_page() -> None:
    lines = [line(n) for n in range(16)] + [line(99, Section.PRESUMPTIVE, name=LONG)]
    pages = pages_of(positive_pdf(listed(*lines), VI))
    assert LONG in pages[-1].replace("\r\n", " ")
    assert "F0 nghi ngờ" in pages[-1]


TEAM = "Tổ truy vết số 3 của Trung tâm Y tế thành phố Thủ Đức, phường An Khánh và phường Bình Trưng"


def test_a_long_teams_name_is_whole_and_in_letters_that_can_be_read() -> None:
    lines = [line(n, team=TEAM, claimed_at=NOW) for n in range(30)]
    document = positive_pdf(replace(listed(*lines), team=f"{TEAM}, {TEAM}"), VI)
    pages = pages_of(document)
    assert len(pages) > 2 and all(f"F0-{n:06X}" in "".join(pages) for n in range(30))
    said = " ".join("".join(pages).split())
    assert said.count("Trung tâm Y tế") >= 30, "wrapped at words, and never cut"
    assert "…" not in said
    text_page = pypdfium2.PdfDocument(document)[0].get_textpage()
    drawn = [n for n, one in enumerate(text_page.get_text_range()) if not one.isspace()]
    assert min(pypdfium2.raw.FPDFText_GetFontSize(text_page, n) for n in drawn) >= 7.4


def test_nobody_on_the_list_is_a_page_that_says_so() -> None:
    assert "Không có ca nào." in pages_of(positive_pdf(listed(), VI))[0]


@pytest.mark.parametrize("write", [positive_pdf, positive_xlsx])
def test_the_same_list_gives_the_same_bytes(write: object) -> None:
    assert callable(write)
    assert write(listed(line(1)), VI) == write(listed(line(1)), VI)


@pytest.mark.parametrize("hostile", ["=1+1", "+84", "-2", "@SUM(A1)", "\tx", "<b>&", "https://x"])
def test_a_hostile_name_is_only_a_name(hostile: str) -> None:
    raw = positive_xlsx(listed(line(1, name=hostile)), VI)
    with ZipFile(BytesIO(raw)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml")
        assert "xl/worksheets/_rels/sheet1.xml.rels" not in parts.namelist()  # no link
    assert b"<f>" not in sheet
    assert pages_of(positive_pdf(listed(line(1, name=hostile)), VI))


def test_only_the_laboratorys_own_list_has_columns_for_it() -> None:
    detail = LabDetail("001087000123", "TT7K40FQ9X", 10, 24.7, None)
    laboratory = positive_xlsx(listed(line(1, laboratory=detail)), VI)
    team = positive_xlsx(listed(line(1)), VI)
    with ZipFile(BytesIO(laboratory)) as ours, ZipFile(BytesIO(team)) as theirs:
        assert b"001087000123" in ours.read("xl/sharedStrings.xml")
        assert "Số CCCD".encode() not in theirs.read("xl/sharedStrings.xml")
