"""What reads only, and the reviewer's word, through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.builders import Bench


@pytest.fixture
def positive(laboratory: Laboratory, api: Caller) -> str:
    """A finding that waits for its final word."""
    with laboratory.sessions.begin() as session:
        bench = Bench(session, laboratory.site_id, api.clock.now, "QS5-1", bodies.LABELS)
        bench.run({bench.swab().barcode: 23.7})
        found = session.execute(text("SELECT id FROM finding WHERE current")).scalar_one()
    return str(found)


def test_a_tubes_way_is_told_without_whose_it_is(api: Caller) -> None:
    (barcode,) = api.received()
    answer = api.get(f"/tubes/{barcode[:4].lower()}-{barcode[4:]}")
    way = answer.json()
    assert (way["barcode"], way["state"], len(way["swabs"])) == (barcode, "received", 1)
    assert [event["what"] for event in way["events"]][:2] == ["registered", "received"]
    assert "Nguyễn" not in answer.text and "912345678" not in answer.text
    refused(api.get(f"/tubes/{bodies.label()}"), 404, "not-found")


def test_the_day_adds_up_on_the_laboratorys_calendar(api: Caller) -> None:
    api.received(2)
    today = api.get("/reconciliation").json()
    assert (today["registered"], today["received"], today["clean"]) == (2, 2, True)
    day = today["since"][:10]
    assert api.get(f"/reconciliation/{day}").json() == today
    before = (api.clock.now - timedelta(days=2)).date()
    assert api.get(f"/reconciliation/{before}").json()["registered"] == 0
    for nothing in ("9999-12-31", "yesterday"):
        refused(api.get(f"/reconciliation/{nothing}"), 404, "not-found")


def test_a_reviewers_system_releases_a_positive_once(api: Caller, positive: str) -> None:
    first = api.post(f"/findings/{positive}/release")
    again = api.post(f"/findings/{positive}/release")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["status"] == "F"
    assert again.json() == first.json() | {"replayed": True}
    refused(api.post(f"/findings/{bodies.fresh_id()}/release"), 404, "not-found")
