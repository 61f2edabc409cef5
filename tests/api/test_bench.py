"""The bench: receive, reject, pool, lay out a plate; and what waits for hands."""

from __future__ import annotations

from sqlalchemy import Engine

from lims.domain.barcodes import shown
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written


def test_each_scan_of_a_rack_has_its_own_outcome(api: Caller) -> None:
    first, second = api.registered(2)
    unknown = bodies.label()

    answer = api.done("/receptions", {"barcodes": [first, unknown, shown(second).lower(), first]})

    assert (answer["received"], answer["refused"]) == (3, 1)
    assert [row["scan"] for row in answer["rows"]] == [first, unknown, shown(second).lower(), first]
    assert answer["rows"][0]["receipt"]["next_step"] == "run"
    assert answer["rows"][1]["problem"]["type"] == "/problems/unknown-barcode"
    assert [row["receipt"]["replayed"] for row in answer["rows"] if row["receipt"]] == [
        False,
        False,
        True,
    ]


def test_a_rack_scanned_again_answers_the_same_and_changes_nothing(
    api: Caller, database: Engine
) -> None:
    scans = {"barcodes": api.registered(3)}
    first = api.done("/receptions", scans)
    with nothing_written(database):
        again = api.done("/receptions", scans, status=200)
    for before, after in zip(first["rows"], again["rows"], strict=True):
        assert after["receipt"] == before["receipt"] | {"replayed": True}


def test_a_tube_is_rejected_once_with_one_reason(api: Caller, database: Engine) -> None:
    [barcode] = api.received()
    body = {"barcode": barcode, "reason": "cracked"}
    first = api.done("/rejections", body)
    with nothing_written(database):
        assert api.done("/rejections", body, status=200) == first | {"replayed": True}
        refused(api.post("/rejections", body | {"reason": "leaking"}), 409, "tube-state")
        answer = api.done("/receptions", {"barcodes": [barcode]}, status=200)
    assert answer["rows"][0]["problem"]["allowed"] == ["discarded"]


def test_a_pool_is_made_once(api: Caller, campaign: str) -> None:
    sources = api.received(3, campaign_id=campaign)
    rack = api.get("/racks/awaiting-pool").json()["tubes"]
    assert {tube["barcode"] for tube in rack} == set(sources)
    body = bodies.pool(sources)

    first, again = api.post("/pools", body), api.post("/pools", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert first.json()["people"] == 3
    assert api.get("/racks/awaiting-pool").json()["tubes"] == []


def test_other_sources_under_the_same_pool_id_are_refused(
    api: Caller, campaign: str, database: Engine
) -> None:
    sources = api.received(3, campaign_id=campaign)
    body = bodies.pool(sources[:2])
    api.done("/pools", body)
    with nothing_written(database):
        refused(api.post("/pools", body | {"sources": sources}), 409, "different-body")


def test_a_plate_is_laid_out_once_and_can_be_read_again(api: Caller) -> None:
    waiting = api.received(3)
    queue = api.get("/queues/sars-cov-2").json()
    assert (queue["tests"], queue["lines"][0]["tests"]) == (3, 3)
    body = bodies.run()

    first, again = api.post("/runs", body), api.post("/runs", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert [well["barcode"] for well in first.json()["wells"] if well["barcode"]] == waiting
    assert api.get(f"/runs/{body['run_id']}").json() == first.json()
    assert api.get("/queues/sars-cov-2").json()["tests"] == 0


def test_a_rack_fills_a_plate_in_the_order_it_was_scanned(api: Caller) -> None:
    rack = api.registered(12)[::-1]
    api.done("/receptions", {"barcodes": rack})
    assert [well["barcode"] for well in api.planned()["wells"] if well["barcode"]] == rack


def test_a_plate_may_be_laid_out_by_hand(api: Caller) -> None:
    first, second = api.received(2)
    wells = [{"position": "b1", "barcode": second}, {"position": "A01", "barcode": first}]
    layout = api.done("/runs", bodies.run(wells=wells))
    placed = {well["position"]: well["barcode"] for well in layout["wells"] if well["barcode"]}
    assert placed == {"A01": first, "B01": second}


def test_another_plate_under_the_same_run_id_is_refused(api: Caller, database: Engine) -> None:
    api.received(2)
    body = bodies.run(most=1)
    api.done("/runs", body)
    with nothing_written(database):
        refused(api.post("/runs", body | {"most": 2}), 409, "different-body")
        refused(api.post("/runs", bodies.run(body["plate"])), 409, "well-taken")


def test_an_empty_queue_is_told_from_a_run_that_nobody_laid_out(
    api: Caller, database: Engine
) -> None:
    with nothing_written(database):
        refused(api.get(f"/runs/{bodies.fresh_id()}"), 404, "unknown-run")
        refused(api.post("/runs", bodies.run()), 409, "queue-empty")
        refused(api.get("/queues/measles"), 404, "not-found")


def test_people_of_a_broken_tube_are_on_the_list_of_re_swabs(api: Caller) -> None:
    [barcode] = api.received()
    assert api.get("/recollections").json() == []
    api.done("/rejections", {"barcode": barcode, "reason": "cracked"})
    [again] = api.get("/recollections").json()
    api.done("/specimens", bodies.registration(person=None, person_id=again["person_id"]))
    assert api.get("/recollections").json() == []
