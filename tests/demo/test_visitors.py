"""A plate that a visitor laid out is measured once nobody touches it any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lims.demo.analysers import Analyser
from lims.demo.ledger import Ledger
from lims.demo.machines import QUANTSTUDIO, cyclers
from lims.demo.measuring import Samples
from lims.demo.truth import Places, Ward, draw_commune
from lims.demo.visitors import LOADED_AFTER_S, LOOK_S, Visitors
from lims.work.plate_by_hand import put_in
from lims.work.run_layout import Layout, read_layout
from tests.builders import Bench, open_bench

WARD = Ward("vn-2025", "26734", "Tân Định")
PLACES = Places(WARD.scheme, "79", "Hồ Chí Minh", (WARD, WARD), (WARD,))


class Hall:
    """The machines of a demonstration whose day is over, with what each was told."""

    def __init__(self, bench: Bench, engine: Engine) -> None:
        self._bench = bench
        self.ledger = Ledger()
        commune = draw_commune(PLACES, people=10, prevalence=0.5, seed=1)
        self.machines = tuple((m, Analyser(print)) for m in (*cyclers(1), QUANTSTUDIO))
        samples = Samples(commune, self.ledger)
        self.visitors = Visitors(engine, self._layout, samples, self.ledger, self.machines)
        self.now_s = 1000.0

    def looks(self, seconds: float) -> list[str]:
        """Look for so long; the plates that were measured in that time."""
        before = len(self.visitors.measured)
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += LOOK_S
            self.visitors.look(self.now_s)
        return self.visitors.measured[before:]

    def told(self, machine: int) -> list[Any]:
        return [json.loads(order) for order in self.machines[machine][1].pending]

    def _layout(self, run_id: UUID) -> dict[str, Any]:
        layout = read_layout(self._bench.session, run_id)
        written: dict[str, Any] = TypeAdapter(Layout).dump_python(layout, mode="json")
        return written


@pytest.fixture
def bench(database: Engine, now: datetime) -> Iterator[Bench]:
    with Session(database) as session:
        opened = open_bench(session, now)
        session.commit()
        yield opened


@pytest.fixture
def hall(bench: Bench, database: Engine) -> Hall:
    return Hall(bench, database)


def test_a_plate_is_measured_when_it_has_rested_and_only_once(hall: Hall, bench: Bench) -> None:
    one, two, three = (bench.swab().barcode for _ in range(3))
    layout = bench.plate(one, two)
    bench.session.commit()
    assert hall.looks(LOADED_AFTER_S - 10) == []

    put_in(
        bench.session, layout.plate, three, None, site_id=bench.site_id, by="visitor", now=bench.now
    )
    bench.session.commit()
    assert hall.looks(LOADED_AFTER_S - 10) == [], "somebody is still pipetting"
    assert hall.looks(30) == [layout.plate]
    assert hall.looks(200) == []
    (told,) = hall.told(0)
    read = {well["specimen"] for well in told["wells"] if well["role"] == "specimen"}
    assert read == {one, two, three}
    assert hall.ledger.plates[layout.plate] == 3


def test_a_villagers_tube_is_measured_as_it_is_and_a_strangers_the_same_each_time(
    hall: Hall, bench: Bench
) -> None:
    known, stranger = bench.swab(), bench.swab()
    infected = next(v for v in hall.visitors.samples.commune.villagers if v.infected)
    hall.ledger.swabs[known.specimen_id] = infected.number
    bench.plate(known.barcode, stranger.barcode)
    bench.session.commit()
    hall.looks(LOADED_AFTER_S + 10)

    assert hall.ledger.contents[known.barcode] == (infected.number,)
    (nobody_we_know,) = hall.ledger.contents[stranger.barcode]
    assert nobody_we_know < 0
    assert hall.visitors.samples.stranger(stranger.specimen_id) == nobody_we_know


def test_plates_go_to_the_machines_in_turn(hall: Hall, bench: Bench) -> None:
    plates = []
    for _ in range(2):
        plates.append(bench.plate(bench.swab().barcode).plate)
        bench.session.commit()
    assert sorted(hall.looks(LOADED_AFTER_S + 10)) == sorted(plates)
    assert [len(hall.told(machine)) for machine in range(2)] == [1, 1]
