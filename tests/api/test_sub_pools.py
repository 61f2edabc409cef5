"""A liquid handler's side of a positive pool: what to pipette, and keeping what was pipetted."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written
from tests.builders import Bench


@pytest.fixture
def pool(laboratory: Laboratory, api: Caller) -> str:
    """Twenty tubes, detected, to be resolved by a grid."""
    with laboratory.sessions.begin() as session:
        bench = Bench(session, laboratory.site_id, api.clock.now, "QS5-1", bodies.LABELS)
        people = bench.swabs(20)
        session.execute(text("UPDATE campaign SET resolution = 'grid'"))
        made = bench.lab_pool(people)
        bench.run({made: 27.0})
    return made


def test_the_handler_reads_what_is_wanted_and_says_what_it_made_once(
    api: Caller, pool: str, database: Engine
) -> None:
    (waiting,) = api.get("/sub-pools").json()["pools"]
    assert (waiting["barcode"], waiting["sub_pools"]) == (pool, 9)
    asked = api.get(f"/pools/{pool}/sub-pools").json()
    assert (asked["strategy"], asked["because"], len(asked["sub_pools"])) == ("grid", "campaign", 9)
    row = asked["sub_pools"][0]
    assert (row["position"], row["state"], len(row["sources"]), row["volume_ul"]) == (
        "row 1",
        "wanted",
        5,
        50,
    )
    body = {
        "tube_id": bodies.fresh_id(),
        "sub_pool_id": row["sub_pool_id"],
        "barcode": bodies.label(),
    }

    first = api.done("/sub-pools", body)

    assert (first["master"], first["position"], first["sources"]) == (pool, "row 1", row["sources"])
    with nothing_written(database):
        assert api.done("/sub-pools", body, status=200) == first | {"replayed": True}
        other = body | {"barcode": bodies.label()}
        refused(api.post("/sub-pools", other), 409, "different-body")
        refused(
            api.post("/sub-pools", other | {"tube_id": bodies.fresh_id()}), 409, "sub-pool-made"
        )
        unknown = other | {"tube_id": bodies.fresh_id(), "sub_pool_id": bodies.fresh_id()}
        refused(api.post("/sub-pools", unknown), 404, "not-found")
    made = api.get(f"/pools/{pool}/sub-pools").json()["sub_pools"][0]
    assert (made["state"], made["barcode"]) == ("prepared", body["barcode"])
    (waiting,) = api.get("/sub-pools").json()["pools"]
    assert waiting["sub_pools"] == 8
    assert api.get("/queues/sars-cov-2").json()["tests"] == 1


def test_a_pool_without_an_answer_asks_for_nothing(api: Caller, campaign: str) -> None:
    made = api.done("/pools", bodies.pool(api.received(3, campaign_id=campaign)))
    asked = api.get(f"/pools/{made['barcode']}/sub-pools").json()
    assert asked == {"pool": made["barcode"], "strategy": None, "because": None, "sub_pools": []}


def test_a_day_with_a_pool_to_pipette_adds_up(api: Caller, pool: str) -> None:
    assert api.get(f"/pools/{pool}/sub-pools").status_code == 200
    today = api.get("/reconciliation").json()
    assert (today["registered"], today["clean"]) == (20, True)


def test_a_volume_is_said_once_and_an_impossible_one_refused(api: Caller, database: Engine) -> None:
    (barcode,) = api.received()
    first = api.done("/volumes", {"barcode": barcode, "volume_ul": 500})
    assert (first["left_ul"], first["replayed"]) == (500, False)
    with nothing_written(database):
        again = api.done("/volumes", {"barcode": barcode, "volume_ul": 500}, status=200)
        assert again == first | {"replayed": True}
        refused(api.post("/volumes", {"barcode": barcode, "volume_ul": -1}), 422, "invalid-body")
