"""Lists, clusters and the map through the door: refused where they are not one's own, and kept."""

from __future__ import annotations

import re
from csv import DictReader
from datetime import datetime, timedelta
from html import unescape
from io import BytesIO, StringIO
from typing import Any
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text

from lims.db.ids import uuid7
from lims.domain.telling import Channel
from lims.domain.zones import Tie, ZoneKind
from lims.tables import AuditEvent, F0Case, Person, Subscription, TracingList
from lims.work.access import Role
from lims.work.subscribe import subscribe
from lims.work.zones import Belonging, join_zones, leave_zone, open_zone
from tests.builders import ELSEWHERE, HOME, WORK, Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


@pytest.fixture
def told(bench: Bench) -> tuple[UUID, UUID]:
    """Two teams; the first is told of two people of one lane, the second of one person."""
    home, work = bench.subscribe(HOME), bench.subscribe(WORK)
    lane = [bench.swab(area=HOME, name=name) for name in ("Lý A Páo", "Nguyễn Thị Ánh")]
    away = bench.swab(area=WORK, name="Trần Quốc Việt")
    for number, one in enumerate((*lane, away)):
        bench.session.execute(
            text("UPDATE person SET address = :said WHERE id = :person"),
            {"said": f"Số {number + 1} ngõ 165 Cầu Giấy", "person": one.person_id},
        )
    bench.run({one.barcode: 21.5 for one in (*lane, away)})
    bench.session.commit()
    teams = [bench.session.get_one(Subscription, one).team_id for one in (home, work)]
    return teams[0], teams[1]


def test_a_list_of_another_team_s_commune_is_refused_and_recorded(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.TRACER, team_id=told[0])
    form = {"which": "open", "area": f"{WORK.scheme}:{WORK.code}", "form": "csv"}
    answer = browser.post("/handoff/list", form, seen="/handoff/list")
    assert answer.status_code == 403 and answer.headers["X-Problem"] == "wrong-scope"
    assert "Trần Quốc Việt" not in answer.text
    refused = bench.session.scalars(
        select(AuditEvent).where(AuditEvent.verb == "positive-list-refused")
    ).one()
    assert refused.actor == "user:tracer"
    assert refused.detail["area"] == f"{WORK.scheme} {WORK.code}"
    assert bench.session.scalar(select(TracingList.id)) is None


def test_the_same_form_sent_twice_is_the_same_file_and_one_list(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.TRACER, team_id=told[0])
    page = browser.get("/handoff/list").text
    (list_id,) = re.findall(r'name="list" value="([0-9a-f-]+)"', page)
    form = {"which": "since", "form": "csv", "list": list_id}
    first = browser.post("/handoff/list", form, seen="/handoff/list")
    again = browser.post("/handoff/list", form, seen="/handoff/list")
    assert first.data == again.data and b"Tracer" in first.data
    assert first.headers["Cache-Control"] == "no-store"
    assert bench.session.scalars(select(TracingList.id)).all() == [UUID(list_id)]
    assert browser.get(f"/handoff/lists/{list_id}").data == first.data


def test_a_csv_has_no_formula_and_says_whose_copy_each_line_is(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    bench.session.execute(text("UPDATE person SET name = '=1+1' WHERE name = 'Lý A Páo'"))
    bench.session.commit()
    browser = signed_in(Role.TRACER, team_id=told[0])
    answer = browser.post("/handoff/list", {"which": "open", "form": "csv"}, seen="/handoff/list")
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and "Ct" not in lines[0].split(",")
    assert any(",'=1+1," in line for line in lines)
    assert all("Tracer" in line for line in lines[1:])


def test_a_standing_order_is_made_and_ended_on_the_page(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.TRACER, team_id=told[0])
    wrong = browser.post("/handoff/list/orders", {"hours": "7, 25"}, seen="/handoff/list")
    assert wrong.status_code == 422 and "whole hours of the day" in words(wrong)
    order = {"hours": "19h 7:00", "order_form": "sheet", "arrival": "board"}
    letter = order | {"arrival": "email", "email": "truyvet@example.vn"}
    refused = browser.post("/handoff/list/orders", letter, seen="/handoff/list")
    assert refused.status_code == 422 and "no mail server is set up here" in words(refused)
    assert browser.post("/handoff/list/orders", order, seen="/handoff/list").status_code == 303
    page = browser.get("/handoff/list").text
    assert "07:00, 19:00" in page
    (end,) = re.findall(r'action="(/handoff/list/orders/[0-9a-f-]+/end)"', page)
    other = signed_in(Role.REVIEWER)
    assert "07:00, 19:00" in other.get("/handoff/list").text
    assert browser.post(end, {}, seen="/handoff/list").status_code == 303
    assert "07:00, 19:00" not in browser.get("/handoff/list").text


def test_a_team_sees_the_clusters_of_its_own_cases_and_reading_one_is_recorded(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.TRACER, team_id=told[0])
    page = browser.get("/handoff/clusters")
    assert "1 cluster" in words(page) and "ngõ 165 Cầu Giấy" in words(page)
    (address,) = re.findall(r'href="(/handoff/clusters/[^"?]+)', page.text)
    inside = words(browser.get(address))
    assert "Lý A Páo" in inside and "Nguyễn Thị Ánh" in inside and "Trần" not in inside
    read = bench.session.scalars(select(AuditEvent).where(AuditEvent.verb == "cluster-read")).one()
    assert len(read.detail["cases"]) == 2
    assert "0 clusters" in words(browser.get("/handoff/clusters?tie=household"))
    alone = bench.session.scalars(
        select(F0Case.id).where(F0Case.id.not_in(map(UUID, read.detail["cases"])))
    ).one()
    assert browser.get(f"/handoff/clusters/{alone}").status_code == 404


def test_people_of_one_zone_are_a_cluster_for_the_team_that_hears_of_it(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    by: dict[str, Any] = {"site_id": bench.site_id, "by": "desk", "now": bench.now}
    estate = open_zone(bench.session, name="KCN Tân Tạo", kind=ZoneKind.INDUSTRIAL, **by)
    hospital = open_zone(bench.session, name="Bệnh viện Bạch Mai", kind=ZoneKind.HOSPITAL, **by)
    people = {
        name: bench.session.scalars(select(Person.id).where(Person.name == name)).one()
        for name in ("Nguyễn Thị Ánh", "Trần Quốc Việt")
    }
    join_zones(
        bench.session,
        [
            Belonging(people["Nguyễn Thị Ánh"], estate, Tie.WORKER),
            Belonging(people["Trần Quốc Việt"], estate, Tie.RESIDENT),
            Belonging(people["Trần Quốc Việt"], hospital, Tie.WORKER),
        ],
        **by,
    )
    bench.session.commit()
    everybody = signed_in(Role.OPERATOR)
    page = everybody.get("/handoff/clusters?tie=zone")
    assert "1 cluster" in words(page) and "KCN Tân Tạo" in words(page)
    assert "Bạch Mai" not in words(page)
    (address,) = re.findall(r'href="(/handoff/clusters/[^"]+)"', page.text)
    inside = words(everybody.get(unescape(address)))
    assert all(name in inside for name in people) and "Lý A Páo" not in inside
    assert "3 cases in them" in words(everybody.get("/handoff/clusters"))  # by lane and by zone
    assert "0 clusters" in words(everybody.get("/handoff/clusters?tie=household"))
    one_of_two = signed_in(Role.TRACER, team_id=told[1])
    assert "KCN Tân Tạo" not in words(one_of_two.get("/handoff/clusters?tie=zone"))
    tie = Belonging(people["Trần Quốc Việt"], estate, Tie.RESIDENT)
    leave_zone(bench.session, tie, "chuyển đi", **by)
    bench.session.commit()
    assert "KCN Tân Tạo" not in words(everybody.get("/handoff/clusters?tie=zone"))


def test_a_team_of_a_zone_takes_the_list_of_its_zone_and_of_the_areas_its_cases_lie_in(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    by: dict[str, Any] = {"site_id": bench.site_id, "by": "desk", "now": bench.now}
    estate = open_zone(bench.session, name="KCN Tân Tạo", kind=ZoneKind.INDUSTRIAL, **by)
    other = open_zone(bench.session, name="Chợ Bình Điền", kind=ZoneKind.MARKET, **by)
    team = bench.session.get_one(Subscription, bench.subscribe(ELSEWHERE)).team_id
    board: dict[str, Any] = {"channel": Channel.BOARD, "private": False, "area": None}
    subscribe(bench.session, team_id=team, zone_id=estate, **board, **by)
    worker = bench.session.scalars(select(Person.id).where(Person.name == "Nguyễn Thị Ánh")).one()
    join_zones(bench.session, [Belonging(worker, estate, Tie.WORKER)], **by)
    bench.session.commit()
    browser = signed_in(Role.TRACER, team_id=team)
    page = browser.get("/handoff/list").text
    assert f'value="zone:{estate}"' in page and f'value="zone:{other}"' not in page
    for area in (f"zone:{estate}", f"{HOME.scheme}:{HOME.code}"):
        form = {"which": "open", "area": area, "form": "csv"}
        taken = browser.post("/handoff/list", form, seen="/handoff/list")
        assert taken.status_code == 200, area
        said = taken.data.decode("utf-8-sig")
        assert "Nguyễn Thị Ánh" in said and "Lý A Páo" not in said
    assert "KCN Tân Tạo" in words(browser.get("/handoff/list"))
    for area in (f"zone:{other}", f"{WORK.scheme}:{WORK.code}"):
        form = {"which": "open", "area": area, "form": "csv"}
        refused = browser.post("/handoff/list", form, seen="/handoff/list")
        assert refused.status_code == 403 and refused.headers["X-Problem"] == "wrong-scope", area
    kept = bench.session.scalars(
        select(AuditEvent.detail).where(AuditEvent.verb == "positive-list-refused")
    ).all()
    assert {(one["area"], one["zone"]) for one in kept} == {
        (None, str(other)),
        (f"{WORK.scheme} {WORK.code}", None),
    }
    for nothing in ("zone:", "zone:perhaps", f"zone:{uuid7()}"):
        form = {"which": "open", "area": nothing, "form": "csv"}
        assert browser.post("/handoff/list", form, seen="/handoff/list").status_code == 404


def test_the_map_counts_a_team_s_open_cases_by_commune(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    said = words(signed_in(Role.TRACER, team_id=told[0]).get("/handoff/map"))
    assert "2 open cases" in said and "Tân Định 2" in said and "Sài Gòn" not in said
    whole = words(signed_in(Role.OPERATOR).get("/handoff/map"))
    assert "3 open cases" in whole and "Sài Gòn 1" in whole


@pytest.mark.parametrize(
    ("narrowed", "there"),
    [
        ("?unclaimed=1", True),
        ("?state=presumptive&basis=pcr", True),
        ("?state=confirmed", False),
        ("?basis=antigen_twice", False),
        ("?colour=none", True),
        ("?colour=red", False),
        ("?hours=24", True),
        ("?state=nonsense&hours=5&colour=blue", True),
    ],
)
def test_the_board_is_narrowed_by_what_is_asked(
    signed_in: SignIn, told: tuple[UUID, UUID], narrowed: str, there: bool
) -> None:
    browser = signed_in(Role.TRACER, team_id=told[0])
    assert ("Lý A Páo" in browser.get("/handoff" + narrowed).text) is there


def test_one_house_number_or_one_telephone_is_a_tie(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    everybody = signed_in(Role.OPERATOR)
    for tie in ("house", "phone"):
        assert "0 clusters" in words(everybody.get(f"/handoff/clusters?tie={tie}"))
    bench.session.execute(
        text(
            "UPDATE person SET address = CASE name WHEN 'Lý A Páo' THEN '2, ngõ 165, Cầu Giấy'"
            " ELSE 'Nhà số 2 ngõ 165 Cầu Giấy' END, phone = '+84912345218'"
            " WHERE name IN ('Lý A Páo', 'Nguyễn Thị Ánh')"
        )
    )
    bench.session.commit()
    house = words(everybody.get("/handoff/clusters?tie=house"))
    assert "1 cluster" in house and "one house number, 2" in house
    phone = words(everybody.get("/handoff/clusters?tie=phone"))
    assert "…218 one telephone, 2" in phone and "345" not in phone


def test_the_csv_for_a_program_has_moments_with_year_and_offset_and_names_do_not_collide(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.TRACER, team_id=told[0])
    files = {
        form: browser.post("/handoff/list", {"which": "open", "form": form}, seen="/handoff/list")
        for form in ("csv", "pdf", "sheet", "xlsx")
    }
    rows = list(DictReader(StringIO(files["csv"].data.decode("utf-8-sig"))))
    collected = rows[0]["Swabbed"]
    assert datetime.fromisoformat(collected).utcoffset() == timedelta(hours=7)
    names = {one.headers["Content-Disposition"] for one in files.values()}
    assert len(names) == 4
    book = CalamineWorkbook.from_filelike(BytesIO(files["xlsx"].data)).get_sheet_by_index(0)
    cells = [cell for row in book.to_python() for cell in row]
    assert datetime.fromisoformat(collected).replace(tzinfo=None, second=0) in [
        cell.replace(second=0, microsecond=0) for cell in cells if isinstance(cell, datetime)
    ]
