"""A plate of 384 wells from the queue to its answers, by a cycler's own message and the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import text

from instruments.analyser_messages import Well, encoded, plate_message
from instruments.astm.session import Received
from instruments.drivers import DRIVERS
from instruments.measurement import Role
from instruments.reader import Reader
from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.work.pool import PoolRequest, make_pool
from tests.api import bodies
from tests.api.bodies import Json
from tests.api.caller import Caller, refused

NEGATIVE = {"ORF1ab": None, "N": None, "IC": 27.1}
POSITIVE = {"ORF1ab": 25.2, "N": 24.8, "IC": 27.4}
BLANK = {"ORF1ab": None, "N": None, "IC": None}


def pooled(api: Caller, laboratory: Laboratory, campaign: str, pools: int) -> list[str]:
    """Pools of two received tubes each, in the queue; the barcodes of the pools."""
    rows = [bodies.registration(campaign_id=campaign) for _ in range(2 * pools)]
    api.done("/specimens/batch", {"rows": rows})
    tubes = [row["barcode"] for row in rows]
    api.done("/receptions", {"barcodes": tubes})
    labels = [bodies.label() for _ in range(pools)]
    with laboratory.sessions.begin() as session:
        for at, label in enumerate(labels):
            request = PoolRequest(uuid7(), label, tuple(tubes[2 * at : 2 * at + 2]))
            make_pool(
                session, request, site_id=laboratory.site_id, by="bench", now=laboratory.clock()
            )
    return labels


def spoken(layout: Json, odd: Mapping[str, Mapping[str, float | None]]) -> Json:
    """The cycler's message on the layout, read by the gateway's own driver."""
    wells = [
        Well(
            well=well["position"],
            specimen=well["barcode"] or "",
            role=Role(well["role"]),
            targets=POSITIVE
            if well["role"] == "positive_control"
            else odd.get(well["barcode"] or "", NEGATIVE),
        )
        for well in layout["wells"]
    ]
    at = datetime(2021, 9, 11, 4, 0, tzinfo=UTC)
    printed = plate_message(layout["plate"], wells, serial="C384", ended_at=at)
    reader = Reader(DRIVERS["plate"], "QS5-1")
    capture = reader.capture(Received(b"".join(encoded(printed))), at)
    assert capture is not None
    return bodies.posted(capture)


def test_380_pools_go_on_one_plate_and_come_back_as_380_answers(
    api: Caller, laboratory: Laboratory, campaign: str
) -> None:
    pools = pooled(api, laboratory, campaign, 380)

    layout = api.planned("PLATE-0384", format=384)

    placed = {well["barcode"]: well["position"] for well in layout["wells"] if well["barcode"]}
    assert (layout["format"], layout["control_template"]) == (384, "Standard/1")
    assert [placed[pool] for pool in pools[:3]] == ["A01", "B01", "C01"]
    assert (placed[pools[16]], placed[pools[-1]]) == ("A02", "N24")
    assert api.get("/queues/sars-cov-2").json()["tests"] == 0

    receipt = api.done("/messages", spoken(layout, {pools[20]: POSITIVE, pools[379]: BLANK}))

    assert (receipt["matched"], receipt["unmatched"]) == (384, 0)
    assert receipt["runs"] == {"PLATE-0384": "valid"}
    with laboratory.sessions() as session:
        results = session.execute(
            text("SELECT outcome, count(*) FROM result WHERE current GROUP BY 1")
        )
        assert {row.outcome: row[1] for row in results} == {
            "not_detected": 378,
            "detected": 1,
            "invalid": 1,
        }
        told = session.execute(
            text("SELECT outcome, status, count(*) FROM finding WHERE current GROUP BY 1, 2")
        )
        assert sorted(tuple(row) for row in told) == [
            ("negative", "F", 756),
            ("preliminary", "P", 2),
        ]
        queued = session.scalars(text("SELECT why FROM test_order WHERE state = 'queued'"))
        assert sorted(queued) == ["repeat", "resolve", "resolve"]


def test_a_well_is_refused_that_the_plate_has_not(api: Caller) -> None:
    [tube] = api.received(1)
    corner = [{"position": "P22", "barcode": tube}]
    said = refused(api.post("/runs", bodies.run(wells=corner)), 422, "not-a-well")
    assert "96-well plate" in said["where"]
    layout = api.done("/runs", bodies.run(wells=corner, format=384))
    assert [well["position"] for well in layout["wells"] if well["barcode"]] == ["P22"]


def test_more_tests_than_the_plate_has_wells_are_refused(api: Caller) -> None:
    api.received(1)
    refused(api.post("/runs", bodies.run(most=95)), 422, "invalid-body")
    assert len(api.planned(most=380, format=384)["wells"]) == 1 + 4
