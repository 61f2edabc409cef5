"""Two messages at one moment: nobody concludes on half the evidence, nothing is taken twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from time import sleep

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.engine import session_factory
from lims.tables import Site, Tube
from lims.work.measure import Receipt, take
from lims.work.reject import reject
from tests import seen
from tests.builders import Bench, add_instrument, open_bench
from tests.captures import cartridge_capture, plate_capture


def _at_once(
    database: Engine, captures: list[Capture], now: datetime
) -> list[tuple[Receipt, bool]]:
    """Each message in its own transaction, all begun before any has ended."""
    ready = Barrier(len(captures))
    sessions = session_factory(database)

    def taken(capture: Capture) -> tuple[Receipt, bool]:
        with sessions.begin() as session:
            site_id = session.scalars(select(Site.id)).one()
            ready.wait(timeout=30)
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
            _until_somebody_waits(database)
            concluding.execute(lock.where(Tube.id == last.id))
        assert answer.result(timeout=30) == "rejected"


def _until_somebody_waits(database: Engine) -> None:
    """Return when one connection waits for another's row."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(1_000):
        with database.connect() as connection:
            if connection.execute(blocked).scalar_one():
                return
        sleep(0.01)
    raise AssertionError("nobody waits: the rejection does not lock the pool's tubes")
