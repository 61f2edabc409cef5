"""Rapid tests at the desk: read inside the window, a positive asks for PCR at once (S19)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.domain.barcodes import shown
from lims.tables import F0Case, RapidTest
from lims.work.access import Role
from lims.work.kits import lot_said
from tests.builders import Bench
from tests.builders_rapid import GTIN, box
from tests.web.browsing import words
from tests.web.conftest import SignIn


def reading(bench: Bench, *, minutes: int = 20, **more: str) -> dict[str, str]:
    """As the form sends it: the drop so many minutes ago, on the site's clock."""
    lot = box(bench)
    bench.session.commit()
    dropped = (bench.now - timedelta(minutes=minutes)).astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    return {
        "specimen_id": str(uuid7()),
        "started_at": dropped.strftime("%Y-%m-%dT%H:%M"),
        "kit_lot_id": str(lot.lot_id),
        "outcome": "negative",
        "name": "Vũ Thị Nhanh",
        "birth": "1990",
        **more,
    }


def test_a_negative_is_kept_once(signed_in: SignIn, bench: Bench) -> None:
    browser, form = signed_in(Role.TECHNICIAN), reading(bench)
    for _ in range(2):
        answer = browser.post("/collect/rapid", form)
    assert "Rapid test negative." in words(browser.get(answer.location))
    assert len(bench.session.scalars(select(RapidTest)).all()) == 1


@pytest.mark.parametrize("minutes", [12, 31])
def test_outside_the_window_it_is_refused(signed_in: SignIn, bench: Bench, minutes: int) -> None:
    answer = signed_in(Role.TECHNICIAN).post("/collect/rapid", reading(bench, minutes=minutes))
    assert answer.status_code == 409
    assert "Outside read window" in words(answer)
    assert 'value="Vũ Thị Nhanh"' in answer.text


def test_the_time_of_the_drop_is_said_and_not_proposed(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    field = browser.get("/collect/rapid").text.partition('name="started_at"')[2].partition(">")[0]
    assert 'value=""' in field and "required" in field
    answer = browser.post("/collect/rapid", reading(bench, started_at=""))
    assert answer.status_code == 422 and "say when the drop fell" in words(answer)
    assert bench.session.scalars(select(RapidTest)).all() == []


def test_a_positive_is_told_at_once_and_its_tube_scanned_on_the_same_screen(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, barcode = signed_in(Role.TECHNICIAN), next(bench.labels)
    done = browser.post("/collect/rapid", reading(bench, outcome="positive"))
    said = browser.get(done.location)
    assert "Isolate now; the PCR tube goes first." in words(said)
    assert bench.session.scalars(select(F0Case.state)).one() == "presumptive"
    owes = done.location.rpartition("=")[2]
    assert f'name="owes" value="{owes}"' in said.text

    scanned = browser.post("/collect/rapid/scan", {"owes": owes, "text": barcode})

    assert f"PCR tube {shown(barcode)}" in words(browser.get(scanned.location))


def test_a_contact_is_confirmed_by_one_strip_when_the_definition_says_so(
    app: Flask, signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    later = datetime(2022, 1, 10, 3, 0, tzinfo=UTC)
    bench.now = later
    app.extensions["laboratory"] = replace(laboratory, clock=lambda: later)
    browser = signed_in(Role.TECHNICIAN)
    form = reading(bench, outcome="positive", exposure="contact")
    done = browser.post("/collect/rapid", form)
    assert "F0 by the case definition in force" in words(browser.get(done.location))


def test_a_box_is_chosen_by_scan_and_an_expired_one_refused(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    box(bench)
    bench.session.commit()
    good = browser.post("/collect/rapid/scan", {"text": f"01{GTIN}1723013110AG21-08"})
    assert "Lot AG21-08 of Nhanh Ag is used at this desk now." in words(good)
    old = browser.post("/collect/rapid/scan", {"text": f"01{GTIN}1721091010AG20-01"})
    assert old.status_code == 409
    assert "Kit expired" in words(old)


def test_a_kit_that_nobody_named_is_asked_for_once(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    code = f"]d201{GTIN}1723013110AG21-09"
    asked = browser.post("/collect/rapid/scan", {"text": code})
    page = browser.get(asked.location)
    assert "This kit is new here" in words(page)
    form = {"name": "Nhanh Ag", "gtin": GTIN, "lot": "AG21-09", "expires_on": "2023-01-31"}
    kept = browser.post(
        "/collect/rapid/kits",
        form | {"reads_from": "10", "reads_to": "20", "back": "/collect/rapid"},
    )
    assert kept.location == "/collect/rapid"
    assert "Read between 10 and 20 minutes" in words(browser.get(kept.location))
    again = browser.post("/collect/rapid/scan", {"text": code})
    assert "AG21-09" in words(again)


def test_a_kit_that_a_machine_told_of_is_named_by_the_first_person_who_scans_it(
    signed_in: SignIn, bench: Bench
) -> None:
    code = f"]d201{GTIN}1723013110AG21-09"
    told = partial(lot_said, bench.session, site_id=bench.site_id, by="token:bus", now=bench.now)
    lot = told(code)
    bench.session.commit()
    assert (lot.kit, lot.named) == (f"GTIN {GTIN}", False)
    browser = signed_in(Role.TECHNICIAN)
    listed = browser.get("/collect/rapid/kits")
    assert "Name this kit" in words(listed)
    by_link = browser.get(f"/collect/rapid/kits?lot={lot.lot_id}").text
    assert f'name="gtin" value="{GTIN}"' in by_link and 'value="31/01/2023"' in by_link
    asked = browser.post("/collect/rapid/scan", {"text": code})
    page = words(browser.get(asked.location))
    assert "Lot AG21-09 is known here, its kit has no name yet" in page
    assert "This kit is new here" not in page
    form = {"name": "Nhanh Ag", "gtin": GTIN, "lot": "AG21-09", "expires_on": "31/01/2023"}
    window = {"reads_from": "10", "reads_to": "20"}
    assert browser.post("/collect/rapid/kits", form | window).status_code == 303
    page = words(browser.get("/collect/rapid/kits"))
    assert "Nhanh Ag · 10–20 min" in page and f"GTIN {GTIN}" in page
    assert "Name this kit" not in page
    bench.session.rollback()
    again = told(code)
    assert (again.kit, again.lot_id, again.named) == ("Nhanh Ag", lot.lot_id, True)


@pytest.mark.parametrize("at", ["/collect/rapid/scan", "/collect/rapid/kits/scan"])
def test_a_kit_typed_by_hand_is_known_when_its_box_is_scanned(
    signed_in: SignIn, bench: Bench, at: str
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    bench.session.commit()
    form = {"name": "Nhanh Ag", "lot": "AG21-09", "expires_on": "31/01/2023"}
    window = {"reads_from": "10", "reads_to": "20"}
    assert browser.post("/collect/rapid/kits", form | window).status_code == 303
    answer = browser.post(at, {"text": f"]d201{GTIN}1723013110AG21-09"})
    if answer.status_code == 303:
        answer = browser.get(answer.location)
    assert answer.status_code == 200
    assert "Nhanh Ag" in words(answer) and "This kit is new here" not in words(answer)
    assert f"GTIN {GTIN}" in words(browser.get("/collect/rapid/kits"))


def test_a_typed_lot_of_another_day_is_named_beside_the_scanned_box(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    bench.session.commit()
    form = {"name": "Nhanh Ag", "lot": "AG21-09", "expires_on": "28/02/2023"}
    window = {"reads_from": "10", "reads_to": "20"}
    assert browser.post("/collect/rapid/kits", form | window).status_code == 303
    answer = browser.post("/collect/rapid/kits/scan", {"text": f"]d201{GTIN}1723013110AG21-09"})
    assert "Lot AG21-09 was typed here as Nhanh Ag" in words(answer)


def test_a_name_that_is_another_items_is_refused_with_that_item(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    box(bench)
    bench.session.commit()
    form = {"name": "Nhanh Ag", "lot": "AG21-07", "expires_on": "31/01/2023"}
    item = {"gtin": "08935212000024", "reads_from": "15", "reads_to": "30"}
    refused = browser.post("/collect/rapid/kits", form | item)
    assert refused.status_code == 409
    assert f"Nhanh Ag is item {GTIN}" in words(refused)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "— and GTIN are for kits that nobody named"),
        ("vi", "— và GTIN là của kít chưa ai đặt tên"),
    ],
)
def test_a_dash_is_no_kits_name(signed_in: SignIn, bench: Bench, language: str, said: str) -> None:
    browser = signed_in(Role.TECHNICIAN, language=language)
    bench.session.commit()
    form = {"name": "—", "lot": "AG21-07", "expires_on": "31/01/2023"}
    item = {"gtin": GTIN, "reads_from": "15", "reads_to": "30"}
    refused = browser.post("/collect/rapid/kits", form | item)
    assert refused.status_code == 422
    assert said in words(refused)


def test_the_name_of_a_typed_kit_said_of_a_machines_item_makes_them_one(
    signed_in: SignIn, bench: Bench
) -> None:
    lot_said(
        bench.session,
        f"]d201{GTIN}1723013110AG21-09",
        site_id=bench.site_id,
        by="token:bus",
        now=bench.now,
    )
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    typed = {"expires_on": "31/01/2023", "reads_from": "10", "reads_to": "20", "name": "Nhanh Ag"}
    assert browser.post("/collect/rapid/kits", typed | {"lot": "X1"}).status_code == 303
    second = browser.post("/collect/rapid/kits", typed | {"lot": "AG21-09", "gtin": GTIN})
    assert second.status_code == 303
    page = words(browser.get("/collect/rapid/kits"))
    assert "Name this kit" not in page
    assert page.count(f"Nhanh Ag · 10–20 min · GTIN {GTIN}") == 2  # both lots
