"""Desks that come in crowds take turns; whoever asks for something else does not wait for them."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import text

from lims.api import door
from lims.api.door import AT_A_TIME, Crowd
from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller
from tests.captures import cartridge_capture
from tests.until import WITHIN_S
from tests.waiting import until_somebody_waits


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TURN_PATIENCE_S", 2 * WITHIN_S)


@pytest.mark.usefixtures("patient")
def test_a_crowd_waits_its_turn_and_nobody_else_does(api: Caller, laboratory: Laboratory) -> None:
    known = bodies.registration(person=bodies.person(national_id="001090000017"))
    assert api.post("/specimens", known).status_code == 201
    again = [bodies.registration(person=known["person"]) for _ in range(AT_A_TIME[Crowd.DESKS])]
    stranger = bodies.registration()
    told = bodies.posted(
        cartridge_capture(known["barcode"], None, at=api.clock.now, instrument="QS5-1")
    )
    with ThreadPoolExecutor(len(again) + 1) as desks:
        with laboratory.sessions.begin() as held:
            held.execute(text("SELECT FROM person FOR UPDATE"))
            stuck = [desks.submit(api.post, "/specimens", body) for body in again]
            until_somebody_waits(laboratory.engine, many=len(again))
            queueing = desks.submit(api.post, "/specimens", stranger)
            assert api.get("/queues/sars-cov-2").status_code == 200
            assert api.post("/messages", told).status_code == 201
            assert not wait([queueing], timeout=0.3).done
        assert [one.result().status_code for one in [*stuck, queueing]] == [201] * 3


def test_nobody_waits_for_ever_behind_a_row_that_somebody_holds(
    api: Caller, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "TURN_PATIENCE_S", 0.2)
    known = bodies.registration(person=bodies.person(national_id="001090000017"))
    assert api.post("/specimens", known).status_code == 201
    again = [bodies.registration(person=known["person"]) for _ in range(AT_A_TIME[Crowd.DESKS])]
    with ThreadPoolExecutor(len(again)) as desks:
        with laboratory.sessions.begin() as held:
            held.execute(text("SELECT FROM person FOR UPDATE"))
            stuck = [desks.submit(api.post, "/specimens", body) for body in again]
            until_somebody_waits(laboratory.engine, many=len(again))
            assert api.post("/specimens", bodies.registration()).status_code == 201
        assert [one.result().status_code for one in stuck] == [201] * len(again)


def test_a_refusal_gives_its_turn_back(api: Caller) -> None:
    bad = bodies.registration(barcode="TT00000001X")
    for _ in range(2 * AT_A_TIME[Crowd.DESKS]):
        assert api.post("/specimens", bad).status_code == 422
    assert api.post("/specimens", bodies.registration()).status_code == 201
