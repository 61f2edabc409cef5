"""Two messages at one moment: nobody concludes on half the evidence, nothing is taken twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.domain.refusals import QueueEmpty, UnknownBarcode, WellTaken
from lims.domain.registration import Registration
from lims.tables import Measurement, Site, Specimen, Tube
from lims.work.attach import attach
from lims.work.measure import Receipt, take
from lims.work.merge import merge_people
from lims.work.plate import RunRequest, lay_out
from lims.work.register import register
from lims.work.register_batch import register_batch
from lims.work.reject import reject
from tests import seen
from tests.builders import Bench, add_instrument, open_bench
from tests.captures import cartridge_capture, plate_capture, stray
from tests.until import WITHIN_S
from tests.waiting import until_somebody_waits, while_the_first_is_open


def _at_once(
    database: Engine, captures: list[Capture], now: datetime
) -> list[tuple[Receipt, bool]]:
    """Each message in its own transaction, all begun before any has ended."""
    ready = Barrier(len(captures))
    sessions = session_factory(database)

    def taken(capture: Capture) -> tuple[Receipt, bool]:
        with sessions.begin() as session:
            site_id = session.scalars(select(Site.id)).one()
            ready.wait(timeout=WITHIN_S)
            return take(session, capture, site_id=site_id, captured_at=now, now=now)

    with ThreadPoolExecutor(len(captures)) as threads:
        return list(threads.map(taken, captures))


def _prepared(database: Engine, story: Callable[[Session], list[Capture]]) -> list[Capture]:
    with session_factory(database).begin() as session:
        return story(session)


def _two_instruments(bench: Bench) -> tuple[str, str]:
    other = add_instrument(bench.session, bench.site_id, now=bench.now, name="QS5-2")
    return bench.instrument, other


def test_two_halves_of_a_pool_conclude_on_the_whole(database: Engine, now: datetime) -> None:
    def story(session: Session) -> list[Capture]:
        bench = open_bench(session, now)
        people = bench.swabs(8)
        bench.run({bench.lab_pool(people): 27.0})
        halves = (people[:4], people[4:])
        return [
            plate_capture(bench.plate(*(p.barcode for p in half)), {}, instrument=instrument)
            for half, instrument in zip(halves, _two_instruments(bench), strict=True)
        ]

    _at_once(database, _prepared(database, story), now)

    with session_factory(database)() as session:
        assert {f.outcome for f in seen.findings(session).values()} == {"discordant"}


def test_the_same_message_from_two_workers_is_taken_once(database: Engine, now: datetime) -> None:
    def story(session: Session) -> list[Capture]:
        bench = open_bench(session, now)
        person = bench.swab()
        capture = plate_capture(bench.plate(), {person.barcode: 24.0})
        return [capture, capture]

    answers = _at_once(database, _prepared(database, story), now)

    assert sorted(replayed for _, replayed in answers) == [False, True]
    assert answers[0][0] == answers[1][0]
    with session_factory(database)() as session:
        assert len(seen.cases(session)) == 1


def test_two_cartridges_for_one_waiting_test_answer_it_once(
    database: Engine, now: datetime
) -> None:
    def story(session: Session) -> list[Capture]:
        bench = open_bench(session, now)
        person = bench.swab()
        return [
            cartridge_capture(person.barcode, ct, at=now, instrument=instrument)
            for ct, instrument in zip((24.0, 25.0), _two_instruments(bench), strict=True)
        ]

    answers = _at_once(database, _prepared(database, story), now)

    assert sorted(r.matched for r, _ in answers) == [0, 1]
    assert sorted(r.unmatched for r, _ in answers) == [0, 1]
    with session_factory(database)() as session:
        assert len(seen.cases(session)) == 1


def test_a_tube_is_rejected_while_its_pool_is_concluded_and_neither_holds_what_the_other_wants(
    database: Engine, now: datetime
) -> None:
    """A rejection that waits for the pool's first tube must not hold the last one meanwhile."""
    sessions = session_factory(database)
    with sessions.begin() as session:
        bench = open_bench(session, now)
        bench.lab_pool(bench.swabs(3))
        members = select(Tube.id, Tube.barcode).where(Tube.kind == "individual").order_by(Tube.id)
        first, _, last = session.execute(members).all()

    def rejected() -> str:
        with sessions.begin() as session:
            return reject(session, last.barcode, "leaking", by="door", now=now).state

    lock = select(Tube.id).with_for_update(key_share=True, nowait=True)
    with ThreadPoolExecutor(1) as thread:
        with sessions.begin() as concluding:
            concluding.execute(lock.where(Tube.id == first.id))
            answer = thread.submit(rejected)
            until_somebody_waits(database)
            concluding.execute(lock.where(Tube.id == last.id))
        assert answer.result(timeout=WITHIN_S) == "rejected"


def _with_a_stray(database: Engine, now: datetime) -> tuple[UUID, str]:
    """A measurement that belongs to no tube, and a tube whose test waits in the queue."""
    with session_factory(database).begin() as session:
        bench = open_bench(session, now)
        tested, waiting = bench.swab(), bench.swab()
        layout = bench.plate(tested.barcode)
        found = stray(layout, waiting.barcode, "G07", 24.0)
        bench.take(plate_capture(layout, {}, extra=(found,)))
        [unmatched] = session.scalars(
            select(Measurement.id).where(Measurement.standing == "unmatched")
        )
        return unmatched, waiting.barcode


def _plated(session: Session, now: datetime) -> int:
    """How many samples a plate takes from the queue at this moment."""
    request = RunRequest(uuid7(), "PLATE-0099")
    site_id = session.scalars(select(Site.id)).one()
    layout, _ = lay_out(session, request, site_id=site_id, by="plater", now=now)
    return sum(well.role == "specimen" for well in layout.wells)


def test_a_test_that_is_being_plated_is_not_answered_by_an_attached_measurement(
    database: Engine, now: datetime
) -> None:
    measurement_id, barcode = _with_a_stray(database, now)
    sessions = session_factory(database)

    def attached() -> None:
        with sessions.begin() as session:
            attach(session, measurement_id, barcode, by="reviewer", now=now)

    with ThreadPoolExecutor(1) as thread:
        with sessions.begin() as plating:
            assert _plated(plating, now) == 1
            answer = thread.submit(attached)
            until_somebody_waits(database)
        with pytest.raises(WellTaken):
            answer.result(timeout=WITHIN_S)
    with sessions() as session:
        assert [order.state for order in seen.orders(session, "plated")] == ["plated"]


def test_a_test_that_is_being_plated_is_not_answered_by_a_cartridge(
    database: Engine, now: datetime
) -> None:
    _, barcode = _with_a_stray(database, now)
    sessions = session_factory(database)
    capture = cartridge_capture(barcode, 24.0, at=now, instrument="QS5-1")

    def taken() -> Receipt:
        with sessions.begin() as session:
            site_id = session.scalars(select(Site.id)).one()
            return take(session, capture, site_id=site_id, captured_at=now, now=now)[0]

    with ThreadPoolExecutor(1) as thread:
        with sessions.begin() as plating:
            assert _plated(plating, now) == 1
            answer = thread.submit(taken)
            until_somebody_waits(database)
        assert answer.result(timeout=WITHIN_S).unmatched == 1


def test_a_plate_passes_over_a_tube_that_somebody_concludes_about(
    database: Engine, now: datetime
) -> None:
    _, barcode = _with_a_stray(database, now)
    sessions = session_factory(database)
    lock = select(Tube.id).where(Tube.barcode == barcode).with_for_update(key_share=True)
    with sessions.begin() as concluding, sessions.begin() as plating:
        concluding.execute(lock)
        with pytest.raises(QueueEmpty):
            _plated(plating, now)


def test_two_plates_filled_with_the_same_tubes_wait_for_one_another(
    database: Engine, now: datetime
) -> None:
    """In opposite orders, at once: one takes both tubes, the other is refused, none deadlocks."""
    sessions = session_factory(database)
    with sessions.begin() as session:
        bench = open_bench(session, now)
        tubes = [bench.swab().barcode for _ in range(12)]
        site_id = bench.site_id
    ready = Barrier(2)

    def laid_out(order: list[str], plate: str) -> bool:
        wells = tuple((f"A{at + 1:02d}", barcode) for at, barcode in enumerate(order))
        with sessions.begin() as session:
            ready.wait(timeout=WITHIN_S)
            request = RunRequest(uuid7(), plate, wells=wells)
            try:
                lay_out(session, request, site_id=site_id, by="plater", now=now)
            except UnknownBarcode:
                return False
            return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(laid_out, (tubes, tubes[::-1]), ("PLATE-0001", "PLATE-0002")))
    assert sorted(done) == [False, True]


def _one_swab(session: Session, given: Registration, site_id: UUID, now: datetime) -> None:
    register(session, given, site_id=site_id, by="desk", now=now)


def _a_list(session: Session, given: Registration, site_id: UUID, now: datetime) -> None:
    register_batch(session, [(1, given)], site_id=site_id, by="desk", now=now)


@pytest.mark.parametrize("registered", [_one_swab, _a_list])
@pytest.mark.parametrize("merge_first", [True, False])
def test_a_swab_taken_while_two_rows_become_one_is_of_who_is_left(
    database: Engine,
    now: datetime,
    registered: Callable[[Session, Registration, UUID, datetime], None],
    merge_first: bool,
) -> None:
    """The first has done its work and not committed; the second waits, and meets what it did."""
    sessions = session_factory(database)
    with sessions.begin() as session:
        bench = open_bench(session, now)
        kept, gone = bench.swab().person_id, bench.swab().person_id
        given = Registration(uuid7(), next(bench.labels), now, person_id=gone)

    def register_it(session: Session) -> None:
        registered(session, given, bench.site_id, now)

    def merge_them(session: Session) -> None:
        merge_people(session, kept, gone, "one", site_id=bench.site_id, by="user:r", now=now)

    first, second = (merge_them, register_it) if merge_first else (register_it, merge_them)

    while_the_first_is_open(database, first, second)

    with sessions() as session:
        owner = session.scalar(select(Specimen.person_id).where(Specimen.id == given.specimen_id))
    assert owner == kept
