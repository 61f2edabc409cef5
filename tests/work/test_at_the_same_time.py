"""Two messages at one moment: nobody concludes on half the evidence, nothing is taken twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.engine import session_factory
from lims.tables import Site
from lims.work.measure import Receipt, take
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
