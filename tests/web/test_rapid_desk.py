"""Rapid tests at the desk: read inside the window, a positive asks for PCR at once (S19)."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from lims.db.ids import uuid7
from lims.tables import F0Case, RapidTest
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


def reading(bench: Bench, *, minutes: int = 20, **more: str) -> dict[str, str]:
    """As the form sends it: the drop so many minutes ago, on the site's clock."""
    dropped = (bench.now - timedelta(minutes=minutes)).astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    return {
        "specimen_id": str(uuid7()),
        "started_at": dropped.strftime("%Y-%m-%dT%H:%M"),
        "kit_lot": "L-77",
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


def test_a_positive_needs_its_pcr_tube_on_the_same_screen(signed_in: SignIn, bench: Bench) -> None:
    browser, barcode = signed_in(Role.TECHNICIAN), next(bench.labels)
    form = reading(bench, outcome="positive")
    asked = browser.post("/collect/rapid", form)
    assert "a positive asks for a PCR tube" in words(asked)
    done = browser.post("/collect/rapid", {**form, "pcr_barcode": barcode})
    assert "Isolate now; the PCR tube goes first." in words(browser.get(done.location))
    assert bench.session.scalars(select(F0Case.state)).one() == "presumptive"
