"""A list's columns of zones: who lives or works there, and what a list cannot mean."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from lims.domain.zones import Tie, ZoneKind
from lims.tables import Person, PersonZone
from lims.work.tell import recipients
from lims.work.zones import open_zone
from tests.builders import Bench
from tests.importing.conftest import Desk
from tests.lists import csv_text

HEADINGS = ("Mã ống", "Họ và tên", "Khu công nghiệp", "Ký túc xá")


@pytest.fixture
def zone(bench: Bench) -> UUID:
    made = open_zone(
        bench.session,
        site_id=bench.site_id,
        name="KCN Tân Tạo",
        kind=ZoneKind.INDUSTRIAL,
        by="user:op",
        now=bench.now,
    )
    bench.session.commit()
    return made


def listed(bench: Bench, *zones: tuple[str, str]) -> bytes:
    rows = [(next(bench.labels), f"Nguyễn Văn Thứ {n}", *one) for n, one in enumerate(zones)]
    return csv_text([HEADINGS, *rows]).encode()


def ties(bench: Bench) -> list[tuple[str, str]]:
    bench.session.expire_all()
    rows = bench.session.execute(
        select(Person.name, PersonZone.tie)
        .join(Person, Person.id == PersonZone.person_id)
        .order_by(Person.name, PersonZone.tie)
    )
    return [(row.name, row.tie) for row in rows]


def test_who_works_or_lives_at_a_zone_belongs_to_it_however_the_name_is_written(
    desk: Desk, bench: Bench, zone: UUID
) -> None:
    raw = listed(bench, ("kcn tân  tạo", ""), ("", "KCN TAN TAO"), ("", ""))
    done = desk.take(raw)
    assert (done.rows_in, done.rows_bad) == (3, 0)
    assert ties(bench) == [
        ("Nguyễn Văn Thứ 0", Tie.WORKER),
        ("Nguyễn Văn Thứ 1", Tie.RESIDENT),
    ]
    worker = bench.session.scalars(select(Person.id).order_by(Person.name)).first()
    assert worker is not None
    assert recipients(bench.session, [worker], site_id=bench.site_id, now=bench.now)[worker]


def test_a_zone_nobody_made_is_said_and_the_line_comes_back(
    desk: Desk, bench: Bench, zone: UUID
) -> None:
    done = desk.take(listed(bench, ("KCN Tân Tạo", ""), ("KCN Vĩnh Lộc", "")))
    assert (done.rows_in, done.rows_bad) == (1, 1)
    assert desk.said(done.job_id) == {3: "Khu công nghiệp: no open zone of this name"}


def test_a_laboratory_without_zones_reads_past_the_column(desk: Desk, bench: Bench) -> None:
    done = desk.take(listed(bench, ("KCN Tân Tạo", "KTX B")))
    assert (done.rows_in, done.rows_bad) == (1, 0)
    assert ties(bench) == []


def test_a_list_that_is_taken_back_takes_its_ties_along(
    desk: Desk, bench: Bench, zone: UUID
) -> None:
    done = desk.take(listed(bench, ("KCN Tân Tạo", "")))
    assert desk.undo(done.job_id).taken_back == 1
    assert ties(bench) == []
