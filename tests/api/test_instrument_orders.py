"""What an analyser that asks is to measure: what waits on its tubes, and nobody's name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from instruments.analyser_messages import genexpert_message
from lims.db.laboratory import Laboratory
from lims.domain.barcodes import shown
from lims.work.tokens import Scope
from lims.work.views.analyser_orders import MOST_TOLD
from tests.api import bodies
from tests.api.bodies import Json
from tests.api.caller import Caller, Clock, refused
from tests.api.conftest import Serving, nothing_written
from tests.builders import add_instrument
from tests.instruments.bench_stand import Bench, Lims, bench_in
from tests.instruments.hl7_messages import cobas6800
from tests.instruments.law_stand import LawAnalyser, answered, work
from tests.instruments.xpert_stand import Xpert, asks_for
from tests.until import until

PLACE = "/instruments/orders"


def orders(api: Caller, body: Json) -> list[Json]:
    told: list[Json] = api.done(PLACE, body, status=200)["orders"]
    return told


def wanted(api: Caller, *specimens: str) -> list[str]:
    return [order["specimen"] for order in orders(api, bodies.asked(*specimens))]


def test_a_tube_that_waits_is_told_with_its_assay_and_no_more(
    api: Caller, database: Engine
) -> None:
    waiting, other = api.received(2)
    with nothing_written(database):
        (told,) = orders(api, bodies.asked(waiting))
        (again,) = orders(api, bodies.asked(waiting))
    (number,) = told.pop("numbers")
    assert told == {"specimen": waiting, "assays": ["sars-cov-2"], "urgent": False}
    assert again["numbers"] == [number], "an analyser knows by it the work that it was told before"
    assert wanted(api, other, waiting) == [waiting, other], "in the order of the queue"


def test_the_tube_is_told_as_the_analyser_wrote_it(api: Caller) -> None:
    (waiting,) = api.received()
    written = shown(waiting).lower()
    assert wanted(api, written) == [written]


def test_nothing_is_told_of_a_tube_that_is_away_measured_plated_or_unknown(
    api: Caller, campaign: str
) -> None:
    (registered,) = api.registered()
    (pooled_later,) = api.received(campaign_id=campaign)
    (plated,) = api.received()
    api.planned()
    assert wanted(api, registered, pooled_later, plated, bodies.label(), "?", "") == []
    assert orders(api, bodies.asked(specimens=[])) == []


def test_a_pool_is_asked_for_by_its_own_label(api: Caller, campaign: str) -> None:
    sources = api.received(3, campaign_id=campaign)
    body = bodies.pool(sources)
    api.done("/pools", body)
    assert wanted(api, body["barcode"], *sources) == [body["barcode"]]


def test_the_work_list_is_the_queue_the_urgent_first_and_ends_somewhere(
    api: Caller, laboratory: Laboratory
) -> None:
    waiting = api.received(3)
    with laboratory.sessions.begin() as session:
        session.execute(
            text(
                "UPDATE test_order SET priority = 9 WHERE tube_id ="
                " (SELECT id FROM tube WHERE barcode = :barcode)"
            ),
            {"barcode": waiting[2]},
        )
    told = orders(api, bodies.asked())
    assert [order["specimen"] for order in told] == [waiting[2], *waiting[:2]]
    assert [order["urgent"] for order in told] == [True, False, False]
    api.received(MOST_TOLD)
    assert len(wanted(api)) == MOST_TOLD
    assert wanted(api)[0] == waiting[2]


def test_an_analyser_or_an_assay_that_is_not_known_has_no_empty_list(
    api: Caller, laboratory: Laboratory
) -> None:
    (waiting,) = api.received()
    strange = bodies.asked(waiting, instrument="GX-9")
    refused(api.post(PLACE, strange), 404, "unknown-instrument")
    refused(api.post(PLACE, bodies.asked(waiting, assays=["sars"])), 404, "not-found")
    wrongs: list[Json] = [{"assays": []}, {"specimens": ["x"] * 101}, {"instrument": ""}]
    for wrong in wrongs:
        refused(api.post(PLACE, bodies.asked(waiting) | wrong), 422, "invalid-body")


class Served(Lims):
    """The laboratory that the API tests serve, in the place of the bench's own."""

    address = ""

    @property
    def url(self) -> str:
        return f"{self.address}/api/v1/messages"

    def stop(self) -> None:
        """It is not ours."""


@pytest.fixture
def bench(
    tmp_path: Path, serving: Serving, api: Caller, laboratory: Laboratory, clock: Clock
) -> Iterator[Bench]:
    """A gateway's place beside the laboratory that knows its analyser."""
    with laboratory.sessions.begin() as session:
        add_instrument(session, laboratory.site_id, now=clock.now, name="GX-1")
    (tmp_path / "token").write_text(api.tokens[Scope.MEASURE])
    with bench_in(tmp_path) as bench:
        bench.lims = Served(port=1)
        bench.lims.address = serving.address
        yield bench


def test_a_genexpert_asks_for_a_tube_measures_it_and_the_result_lands(
    bench: Bench, api: Caller, laboratory: Laboratory
) -> None:
    (tube,) = api.received()
    xpert = Xpert(bench.folder / "GX-1")
    gateway = bench.gateway_of(
        {
            "instrument": "GX-1",
            "driver": "genexpert",
            "host_query": True,
            "tests": {"sars-cov-2": "COV2"},
            "sites": ["TT"],
        }
    )
    until(lambda: gateway.events("link up"), "the line")
    xpert.says(*asks_for(tube))
    told = xpert.hears()
    assert [record for record in told if record.startswith("O|")] == [
        f"O|1|{tube}||^^^COV2|R||||||A||||ORH||||||||||Q"
    ]
    assert "Nguyễn" not in "".join(told)
    ended = datetime(2021, 9, 11, 9, 12, tzinfo=UTC)
    targets = {"E": 24.1, "N2": 26.0, "SPC": 29.3}
    xpert.says(*genexpert_message([tube], targets, call="POSITIVE", serial="8", ended_at=ended))

    def outcome() -> list[str]:
        with laboratory.sessions() as session:
            said = "SELECT outcome FROM result r JOIN tube t ON t.id = r.tube_id WHERE barcode = :b"
            return list(session.execute(text(said), {"b": tube}).scalars())

    until(lambda: outcome() == ["detected"], "the result")
    assert wanted(api, tube) == [], "it waits no more"
    xpert.says(*asks_for())
    assert xpert.hears()[-1] == "L|1|I"
    xpert.close()


def test_a_cobas_asks_for_a_tube_measures_it_and_the_result_lands(
    bench: Bench, api: Caller, laboratory: Laboratory, clock: Clock
) -> None:
    with laboratory.sessions.begin() as session:
        add_instrument(session, laboratory.site_id, now=clock.now, name="C68-1", driver="cobas")
    (tube,) = api.received()
    port = bench.port()
    bench.gateway_of(
        {
            "instrument": "C68-1",
            "driver": "cobas",
            "link": f"listen://127.0.0.1:{port}",
            "host_query": True,
            "tests": {"sars-cov-2": "SARS-COV-2"},
            "sites": ["TT"],
        }
    )
    analyser = LawAnalyser(port)
    analyser.asks(tube)
    assert answered(analyser.hears()) == ("AA", "OK")
    order = analyser.hears()
    assert work(order) == (tube, ["NW"], ["SARS-COV-2"])
    with laboratory.sessions() as session:
        queued = "SELECT o.id FROM test_order o JOIN tube t ON t.id = o.tube_id WHERE barcode = :b"
        (number,) = session.execute(text(queued), {"b": tube}).scalars()
    assert order["ORC"][0][2] == str(number)
    assert "Nguyễn" not in str(order)
    nobody = bodies.label()
    analyser.asks(nobody)
    assert answered(analyser.hears()) == ("AA", "OK")
    assert work(analyser.hears()) == (nobody, ["DC"], [])
    analyser.says_bytes(cobas6800(("TGT1", "POS", "24.1"), specimen=tube, overall="Positive"))
    assert analyser.hears()["MSA"][0][1] == "AA"

    def outcome() -> list[str]:
        with laboratory.sessions() as session:
            said = "SELECT outcome FROM result r JOIN tube t ON t.id = r.tube_id WHERE barcode = :b"
            return list(session.execute(text(said), {"b": tube}).scalars())

    until(lambda: outcome() == ["detected"], "the result")
    analyser.asks(tube)
    analyser.hears()
    assert work(analyser.hears()) == (tube, ["DC"], []), "it waits no more"
    analyser.close()
