"""A recall beside what is just being said: whoever is second meets what the first did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.domain.recall import RecallKind, RecallRequest, RecallScope
from lims.tables import Site
from lims.work.measure import take
from lims.work.recall import recall
from tests import seen
from tests.builders import open_bench
from tests.builders_rapid import Classroom, classroom
from tests.builders_recall import of_analyser, of_lot, of_run, recalled, said_lot, sign
from tests.captures import plate_capture
from tests.waiting import while_the_first_is_open

Deed = Callable[[Session], None]


@dataclass(frozen=True)
class Scene:
    """What two people are about to do, one of them a recall."""

    said: Deed
    recalled: Deed


def _taken(capture: Capture, now: datetime) -> Deed:
    def deed(session: Session) -> None:
        site = session.scalars(select(Site.id)).one()
        take(session, capture, site_id=site, captured_at=now, now=now)

    return deed


def _recall(scope: RecallScope, now: datetime) -> Deed:
    def deed(session: Session) -> None:
        site = session.scalars(select(Site.id)).one()
        request = RecallRequest(uuid7(), scope, "wrong lot")
        recall(session, request, site_id=site, by="user:lan", now=now)

    return deed


def _in_either_order(database: Engine, scene: Scene, *, recall_first: bool) -> None:
    pair = (scene.recalled, scene.said) if recall_first else (scene.said, scene.recalled)
    while_the_first_is_open(database, *pair)


@pytest.mark.parametrize("recall_first", [True, False])
def test_a_message_and_the_recall_of_its_analyser(
    database: Engine, now: datetime, recall_first: bool
) -> None:
    with session_factory(database).begin() as session:
        bench = open_bench(session, now)
        positive = bench.swab()
        bench.lab_pool(bench.swabs(3))
        capture = plate_capture(
            bench.plate(), {positive.barcode: 22.0}, instrument=bench.instrument
        )
        scene = Scene(_taken(capture, now), _recall(of_analyser(bench), now))

    _in_either_order(database, scene, recall_first=recall_first)

    with session_factory(database)() as session:
        assert seen.findings(session) == {}
        assert {c.state for c in seen.cases(session)} <= {"withdrawn"}
        assert len(seen.waiting(session)) == 2


@pytest.mark.parametrize("recall_first", [True, False])
def test_a_lot_that_is_said_and_recalled_at_one_moment(
    database: Engine, now: datetime, recall_first: bool
) -> None:
    with session_factory(database).begin() as session:
        bench = open_bench(session, now)
        first, other = bench.swab(), bench.swab()
        runs = [bench.plate(swab.barcode) for swab in (first, other)]
        for layout in runs:
            bench.take(plate_capture(layout, {}, instrument=bench.instrument))
        lot = said_lot(bench, runs[0].run_id)

    def said(session: Session) -> None:
        bench.session = session
        said_lot(bench, runs[1].run_id)

    scene = Scene(said, _recall(of_lot(lot), now))
    _in_either_order(database, scene, recall_first=recall_first)

    with session_factory(database)() as session:
        assert seen.findings(session) == {}
        assert seen.waiting(session) == {first.barcode, other.barcode}


@pytest.mark.parametrize("recall_first", [True, False])
def test_strips_that_are_read_while_their_lot_is_recalled(
    database: Engine, now: datetime, recall_first: bool
) -> None:
    with session_factory(database).begin() as session:
        bench = open_bench(session, now)
        room = classroom(bench, 3)
        timer = room.start()
        bench.later(20)
        room.mark(1)
        lot = room.lot.lot_id

    def read(session: Session) -> None:
        bench.session = session
        Classroom(bench, room.roster_id, room.lot).read(timer, negative=2, positive=1)

    scene = Scene(read, _recall(RecallScope(RecallKind.KIT_LOT, lot), now))
    _in_either_order(database, scene, recall_first=recall_first)

    with session_factory(database)() as session:
        assert {f.outcome for f in seen.findings(session).values()} == {"recollect"}
        assert len(seen.recollections(session)) == 3
        assert {c.state for c in seen.cases(session)} <= {"withdrawn"}


def test_two_recalls_that_overlap_each_take_back_their_own(database: Engine, now: datetime) -> None:
    with session_factory(database).begin() as session:
        bench = open_bench(session, now)
        runs = []
        for _ in range(2):
            swab = bench.swab()
            layout = bench.plate()
            bench.take(plate_capture(layout, {swab.barcode: 22.0}, instrument=bench.instrument))
            runs.append(layout.run_id)
            lot = said_lot(bench, layout.run_id)
        sign(bench)

    while_the_first_is_open(database, _recall(of_run(runs[0]), now), _recall(of_lot(lot), now))

    with session_factory(database)() as session:
        told = session.execute(
            text("SELECT figures ->> 'runs' FROM recall ORDER BY recalled_at, id")
        ).scalars()
        assert list(told) == ["1", "1"]
        assert len(seen.notices(session, "case.corrected")) == 2
        assert _sequences(session) == {1, 2, 3}


def _sequences(session: Session) -> set[int]:
    return set(session.execute(text("SELECT sequence FROM notice")).scalars())


def test_the_same_recall_from_two_workers_is_one(database: Engine, now: datetime) -> None:
    with session_factory(database).begin() as session:
        bench = open_bench(session, now)
        layout = bench.plate(bench.swab().barcode)
        bench.take(plate_capture(layout, {}, instrument=bench.instrument))
        request = uuid7()

    def again(session: Session) -> None:
        bench.session = session
        recalled(bench, of_run(layout.run_id), recall_id=request)

    while_the_first_is_open(database, again, again)

    with session_factory(database)() as session:
        assert session.execute(text("SELECT count(*) FROM recall")).scalar_one() == 1
        assert len(seen.orders(session, "queued")) == 1
