"""Analysers and campaigns: added by an administrator, taken out of use, never doubled."""

from __future__ import annotations

import re

from sqlalchemy import select

from lims.db.ids import uuid7
from lims.tables import AuditEvent, Campaign, Instrument
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


def test_an_analyser_is_added_and_taken_out_of_use(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.ADMIN)
    browser.post("/admin/instruments", {"name": "GX-7", "driver": "genexpert"})
    page = browser.get("/admin/instruments")
    assert "GX-7" in words(page) and "never" in words(page)
    named = bench.session.scalars(select(Instrument).where(Instrument.name == "GX-7")).one()
    browser.post(f"/admin/instruments/{named.id}/active", {"active": "no"})
    bench.session.refresh(named)
    assert not named.active


def test_an_analyser_that_writes_files_or_has_a_profile_of_its_own_can_be_added(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.ADMIN)
    for driver in ("quantstudio", "profile"):
        form = {"name": f"new {driver}", "driver": driver}
        assert browser.post("/admin/instruments", form).status_code == 303
    added = select(Instrument.driver).where(Instrument.name.startswith("new "))
    assert set(bench.session.scalars(added)) == {"quantstudio", "profile"}


def test_the_driver_of_an_analyser_is_corrected_and_the_change_is_on_record(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.OPERATOR)
    known = bench.session.scalars(
        select(Instrument).where(Instrument.name == bench.instrument)
    ).one()
    was = known.driver
    place = f"/admin/instruments/{known.id}/driver"
    assert browser.post(place, {"driver": "abacus"}).status_code == 422
    assert browser.post(place, {"driver": "cobas"}).status_code == 303
    bench.session.refresh(known)
    assert known.driver == "cobas"
    told = bench.session.scalars(
        select(AuditEvent.detail).where(AuditEvent.verb == "instrument-driver-set")
    ).one()
    assert told == {"driver": "cobas", "was": was}


def test_two_analysers_do_not_share_a_name_and_need_a_driver_we_have(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.ADMIN)
    answer = browser.post("/admin/instruments", {"name": bench.instrument, "driver": "abacus"})
    assert answer.status_code == 422
    assert "this name is already used" in words(answer)
    assert "a driver from the list" in words(answer)


def test_a_campaign_is_opened_once_and_closed(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.OPERATOR)
    form = {"campaign_id": str(uuid7()), "name": "Tầm soát đợt 3", "pool_size": "10"}
    form["answer_within_h"] = "1,5"
    for _ in range(2):
        assert browser.post("/admin/campaigns", form).status_code == 303
    campaign = bench.session.scalars(select(Campaign)).one()
    assert campaign.answer_within_min == 90
    browser.post(f"/admin/campaigns/{campaign.id}/open", {"open": "no"})
    bench.session.refresh(campaign)
    assert campaign.closed_at is not None
    desk = signed_in(Role.TECHNICIAN).get("/collect").text
    assert not re.search(r"<option[^>]*>Tầm soát đợt 3", desk)


def test_a_campaign_without_a_size_is_refused(signed_in: SignIn, bench: Bench) -> None:
    answer = signed_in(Role.OPERATOR).post("/admin/campaigns", {"name": "", "pool_size": "many"})
    assert answer.status_code == 422
    assert "1 to 100 swabs in a pool" in words(answer)
    assert "half an hour to 240 hours" in words(answer)
