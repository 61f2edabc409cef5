"""People by what is remembered of them, tubes by a piece of their label."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.asked import asked
from lims.domain.barcodes import shown
from lims.domain.identity import name_key
from lims.domain.registration import PersonGiven, Registration
from lims.work.register import register
from lims.work.views.search import PAGE, Found, search
from tests.builders import HOME, Bench, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def swabbed(bench: Bench, name: str, year: int = 1980, **more: str | None) -> str:
    barcode = next(bench.labels)
    person = PersonGiven(name, name_key(name), year, area=HOME, **more)  # type: ignore[arg-type] # the text fields alone
    given = Registration(uuid7(), barcode, bench.now, person)
    register(bench.session, given, site_id=bench.site_id, by="user:hoa", now=bench.now)
    return barcode


def looked(bench: Bench, typed: str, page: int = 1) -> Found:
    return search(bench.session, asked(typed), site_id=bench.site_id, page=page)


def names(bench: Bench, typed: str) -> list[str]:
    return [one.name for one in looked(bench, typed).people]


@pytest.fixture
def crowd(bench: Bench) -> Bench:
    for name, year in (
        ("Trần Thị Mỹ Hạnh", 1975),
        ("Trần Văn Hạnh", 1990),
        ("Lê Hạnh", 1975),
        ("Hạnh Thị Lan", 2001),
        ("Đặng Thị Hạnh_Anh", 1960),
    ):
        swabbed(bench, name, year)
    return bench


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("tran thi", ["Trần Thị Mỹ Hạnh"]),
        ("my hanh", ["Trần Thị Mỹ Hạnh"]),
        ("tran hanh", ["Trần Thị Mỹ Hạnh", "Trần Văn Hạnh"]),
        ("trần văn hạ", ["Trần Văn Hạnh"]),
        ("lan", ["Hạnh Thị Lan"]),
        ("la", ["Hạnh Thị Lan"]),
        ("lan hanh", ["Hạnh Thị Lan"]),
        ("le hanh 1975", ["Lê Hạnh"]),
        ("le hanh 1976", []),
        ("thi", []),
        ("t% hanh", []),
        ("đặng hanh_anh", ["Đặng Thị Hạnh_Anh"]),
    ],
)
def test_a_name_is_found_by_its_beginning_or_its_given_name(
    crowd: Bench, typed: str, found: list[str]
) -> None:
    assert names(crowd, typed) == found


def test_those_whose_name_begins_so_come_before_those_who_are_called_so(crowd: Bench) -> None:
    assert names(crowd, "hanh")[0] == "Hạnh Thị Lan"
    assert set(names(crowd, "hanh 1975")) == {"Trần Thị Mỹ Hạnh", "Lê Hạnh"}


def test_a_telephone_finds_the_whole_family_and_a_number_one_person(bench: Bench) -> None:
    for name in ("Lê Thị Ba", "Lê Thị Tư"):
        swabbed(bench, name, phone="+84912345218")
    swabbed(bench, "Lê Thị Năm", national_id="001189001234", old_id="012345678")
    assert names(bench, "0912 345 218") == ["Lê Thị Ba", "Lê Thị Tư"]
    assert names(bench, "001189001234") == names(bench, "012345678") == ["Lê Thị Năm"]


def test_a_person_stands_with_the_last_tube_and_what_is_known_of_it(bench: Bench) -> None:
    swabbed(bench, "Lê Thị Ba", national_id="001189001234")
    bench.later(60)
    last = swabbed(bench, "Lê Thị Ba", national_id="001189001234")
    (one,) = looked(bench, "le thi ba").people
    assert (one.barcode, one.area, one.birth_year, one.sign) == (last, "Tân Định", 1980, "waiting")


@pytest.mark.parametrize("piece", [slice(0, 11), slice(0, 8), slice(-4, None), slice(-3, None)])
def test_a_tube_is_found_by_either_end_of_its_label(bench: Bench, piece: slice) -> None:
    barcode = swabbed(bench, "Lê Thị Ba")
    typed = shown(barcode)[piece].lower() if piece.start == 0 else barcode[piece]
    assert barcode in [tube.barcode for tube in looked(bench, typed).tubes]


def test_a_plate_is_found_by_any_part_of_its_name(bench: Bench) -> None:
    bench.swabs(2)
    bench.swab()
    plate = bench.plate().plate
    for typed in ("PLATE-0001", "ate-0001", "0001"):
        assert looked(bench, typed).plates == (plate,)
    assert looked(bench, "0002").plates == ()


def test_pages_show_everybody_once(bench: Bench) -> None:
    for n in range(2 * PAGE + 3):
        swabbed(bench, f"Nguyễn Văn {chr(65 + n % 26)}{chr(65 + n // 26)}")
    pages = [looked(bench, "nguyen van", page) for page in (1, 2, 3)]
    seen = [one.person_id for page in pages for one in page.people]
    assert [len(page.people) for page in pages] == [PAGE, PAGE, 3]
    assert len(set(seen)) == len(seen) and [page.more for page in pages] == [True, True, False]


def test_every_search_walks_an_index(bench: Bench) -> None:
    """Among a million people a scan of the table is a second; the planner is asked, not a clock."""
    bench.session.execute(text("SET LOCAL enable_seqscan = off"))
    for where in (
        "name_key ~>=~ 'tran' AND name_key ~<~ 'trao'",
        "substring(name_key, '[^ ]+$') ~>=~ 'hanh' AND substring(name_key, '[^ ]+$') ~<~ 'hanhz'",
        "phone = '+84912345218'",
        "national_id = '001189001234'",
        "old_id = '012345678'",
    ):
        query = f"EXPLAIN SELECT FROM person WHERE site_id = :site AND {where}"
        plan = "\n".join(bench.session.scalars(text(query), {"site": bench.site_id}))
        assert "ix_person" in plan or "uq_person" in plan, plan
    ends = "reverse(barcode) ~>=~ 'BX9' AND reverse(barcode) ~<~ 'BXA'"
    ended = list(bench.session.scalars(text(f"EXPLAIN SELECT FROM tube WHERE {ends}")))
    assert "ix_tube_ending" in "\n".join(ended)
