"""Zones at the street desk and in campaigns; the two scans stay two scans."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import func, select

from lims.domain.zones import ZoneKind
from lims.tables import Campaign, Person, PersonZone, Specimen
from lims.work.access import Role
from lims.work.teams import create_team
from lims.work.tell import recipients
from lims.work.zones import open_zone, set_zone_open
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn
from tests.web.test_collect import CARD, OTHER, carried, scans


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


def ties(bench: Bench) -> list[tuple[str, str]]:
    bench.session.expire_all()
    found = bench.session.execute(
        select(Person.name, PersonZone.tie)
        .join(Person, Person.id == PersonZone.person_id)
        .order_by(PersonZone.created_at, Person.name)
    )
    return [(row.name, row.tie) for row in found]


def test_a_desk_at_a_zone_says_it_once_and_then_scans_as_ever(
    signed_in: SignIn, bench: Bench, zone: UUID
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    draft = {**carried(browser.get("/collect").text), "zone": f"worker:{zone}"}
    sent = {**draft, "barcode": next(bench.labels), "name": "An", "birth": "1980"}
    assert [browser.post("/collect", sent).status_code for _ in range(2)] == [303, 303]
    assert ties(bench) == [("An", "worker")]
    assert f'value="worker:{zone}" selected' in browser.get("/collect").text
    scans(browser, CARD, next(bench.labels))
    scans(browser, next(bench.labels), OTHER)
    assert sorted(ties(bench)) == [
        ("An", "worker"),
        ("Lê Văn Ước", "worker"),
        ("Phạm Thị Hồng Nhung", "worker"),
    ]


def test_a_zone_that_was_closed_meanwhile_stops_nobody_from_registering(
    signed_in: SignIn, bench: Bench, zone: UUID
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    draft = {**carried(browser.get("/collect").text), "zone": f"resident:{zone}"}
    set_zone_open(bench.session, zone, False, site_id=bench.site_id, by="user:op", now=bench.now)
    bench.session.commit()
    sent = {**draft, "barcode": next(bench.labels), "name": "An"}
    assert browser.post("/collect", sent).status_code == 303
    for wrong in ("worker:", "x", "boss:1"):
        sent = {**draft, "specimen_id": "", "barcode": next(bench.labels), "name": "Bình"}
        assert browser.post("/collect", sent | {"zone": wrong}, seen="/collect").status_code in (
            200,
            303,
        )
    assert ties(bench) == []
    assert bench.session.scalar(select(func.count()).select_from(Specimen)) == 4


def test_without_zones_the_desk_does_not_speak_of_them(signed_in: SignIn, bench: Bench) -> None:
    assert 'name="zone"' not in signed_in(Role.TECHNICIAN).get("/collect").text


def test_whom_a_campaign_at_a_zone_swabs_belongs_there(
    signed_in: SignIn, bench: Bench, zone: UUID
) -> None:
    operator = signed_in(Role.OPERATOR)
    form = {"name": "Tầm soát KCN", "pool_size": "1", "answer_within_h": "24"}
    operator.post("/admin/campaigns", form | {"zone": str(zone), "resolution": "dorfman"})
    made = bench.session.scalars(select(Campaign).where(Campaign.name == "Tầm soát KCN")).one()
    assert made.zone_id == zone
    assert "at KCN Tân Tạo" in words(operator.get("/admin/campaigns"))
    operator.post(
        "/admin/subscriptions",
        {"team": str(_team(bench)), "zone": str(zone), "channel": "board"},
    )
    swab = bench.swab(campaign_id=made.id)
    other = bench.swab()
    told = recipients(
        bench.session, [swab.person_id, other.person_id], site_id=bench.site_id, now=bench.now
    )
    assert len(told[swab.person_id] - told[other.person_id]) == 1


def _team(bench: Bench) -> UUID:
    made = create_team(
        bench.session,
        site_id=bench.site_id,
        name="Y tế KCN",
        phone="",
        by="user:op",
        now=bench.now,
    )
    bench.session.commit()
    return made
