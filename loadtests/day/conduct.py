"""One day from the opening of the house to the reckoning. Runs in a process patched by gevent."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import gevent
from locust.env import Environment
from sqlalchemy import text

from lims.db.engine import session_factory
from lims.demo.house import SITE, House, open_house
from lims.demo.ledger import Ledger
from lims.demo.measuring import Samples
from lims.demo.receiver import read_book
from lims.demo.truth import draw_commune
from loadtests.day.browsers import BROWSERS
from loadtests.day.clock import DayClock
from loadtests.day.desks import FIELD_TEAMS
from loadtests.day.faults import Faults, Happened
from loadtests.day.laboratory import LABORATORY
from loadtests.day.meter import Book, Exchange, Heard, Judged
from loadtests.day.objectives import failures, verdicts, webhook_verdicts
from loadtests.day.person import Person
from loadtests.day.plan import draw_plan
from loadtests.day.reckoning import reckon_day
from loadtests.day.shape import ShapeOfTheDay
from loadtests.day.timeline import Timeline, drawn
from loadtests.day.today import Keys, Premises, Today, Waiting
from loadtests.day.verdict import Verdict, machine
from loadtests.figures.registration import pgbench_ceiling

STAFF: Final = (*LABORATORY, *BROWSERS)
CALM_LOOKS: Final = 3  # in a row, before the day is called done
LOOK_S: Final = 0.4
SHORTEST_OVERTIME_S: Final = 300.0  # beyond the day's hours, to finish what is open
STOP_S: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    people: int
    hours: float
    compress: float
    prevalence: float
    seed: int
    ceiling_s: float
    calm: bool = False
    home: Path | None = None


@dataclass(frozen=True)
class Lived:
    """A day that is over: the verdict, its pictures, and locust's own statistics."""

    verdict: Verdict
    timeline: Timeline
    environment: Environment


class Screen:
    """Shows the day to somebody; the plain one says nothing."""

    def begins(self, words: str) -> None:
        """A chapter."""

    def shows(
        self, today: Today, house: House, environment: Environment, book: Book, faults: Faults
    ) -> None:
        """The day has begun."""

    def ends(self) -> None:
        """The day is over."""


def spend_day(
    asked: Asked,
    screen: Screen,
    *,
    after_the_day: Callable[[House], None] = lambda _house: None,
) -> Lived:
    """Open a laboratory, live the day in it, reckon. ``after_the_day`` comes before the reckoning.

    Raises what opening a house raises.
    """
    ledger, book = Ledger(), Book()
    screen.begins("opening the laboratory")
    began = datetime.now(UTC)
    with open_house(
        seed=asked.seed,
        ledger=ledger,
        home=asked.home,
        interactive=False,
        cyclers=cyclers_for(asked.people),
    ) as house:
        screen.begins("drawing the plan of the day")
        commune = draw_commune(
            house.places, people=asked.people, prevalence=asked.prevalence, seed=asked.seed
        )
        clock = DayClock(asked.hours, asked.compress)
        faults = Faults(house.supervisor, clock.now_h, asked.hours)
        plan = draw_plan(commune, hours=asked.hours)
        today = Today(
            plan=plan,
            clock=clock,
            premises=premises_of(house),
            ledger=ledger,
            samples=Samples(commune, ledger),
            waiting=Waiting(plan),
            heard=book,
            fault=faults.on,
        )
        with _crowd(today, book) as (environment, shape):
            doors_open = datetime.now(UTC)
            screen.shows(today, house, environment, book, faults)
            if not asked.calm:
                gevent.spawn(faults.run, today.stop)
            drained = _until_quiet(today, house)
            lived_s, lived_h = clock.elapsed_s(), clock.now_h()
            shape.closed = True
        screen.ends()
        screen.begins("reckoning")
        after_the_day(house)
        with session_factory(house.engine)() as session:
            reckoned = reckon_day(
                session,
                commune,
                ledger,
                read_book(house.receiver_book),
                site_id=house.site_id,
                since=began - timedelta(minutes=1),
                until=datetime.now(UTC) + timedelta(minutes=1),
            )
            webhooks = webhook_verdicts(session, faults.happened)
            timeline = drawn(
                session,
                book,
                plan,
                clock,
                faults.happened,
                doors_open=doors_open,
                until_h=lived_h,
            )
        ceiling = None
        if asked.ceiling_s:
            screen.begins("measuring the machine's own limit (pgbench, the same registrations)")
            ceiling = pgbench_ceiling(house.server, house.site_id, asked.ceiling_s)
    verdict = Verdict(
        people=asked.people,
        prevalence=asked.prevalence,
        seed=asked.seed,
        hours=asked.hours,
        compress=asked.compress,
        lived_s=lived_s,
        lived_h=lived_h,
        drained=drained,
        objectives=(*verdicts(book), *webhooks),
        failures=failures(book, Judged.FAILED),
        of_faults=failures(book, Judged.OF_A_FAULT),
        faults=tuple(_told(one) for one in faults.happened),
        broke=tuple(today.broke),
        done=dict(today.done),
        requests=len(book.exchanges),
        machine=machine(ceiling, busiest_per_s(book)),
        reckoned=reckoned,
    )
    return Lived(verdict, timeline, environment)


def cyclers_for(people: int) -> int:
    """How many plate cyclers stand in the laboratory, each with a gateway of its own."""
    return 1 + min(3, people // 2_000)


def premises_of(house: House) -> Premises:
    """The house as the day's users know it."""
    keys = house.founded.keys
    return Premises(
        url=house.url,
        site=SITE,
        campaign_id=house.founded.campaign_id,
        keys=Keys(keys.desk, keys.bench, keys.watch, house.founded.password),
        cyclers=house.cyclers,
        cartridges=house.cartridges,
        spools=house.home,
    )


@contextmanager
def _crowd(today: Today, book: Book) -> Iterator[tuple[Environment, ShapeOfTheDay]]:
    """Locust's users, out in the street and in the laboratory, until the block is left."""
    Person.today = today
    shape = ShapeOfTheDay(today, STAFF)
    environment = Environment(
        user_classes=[*STAFF, *FIELD_TEAMS],
        shape_class=shape,
        host=today.premises.url,
        stop_timeout=STOP_S,
    )
    today.heard = _both(book, environment)
    runner = environment.create_local_runner()
    today.clock.begin()
    runner.start_shape()
    try:
        yield environment, shape
    finally:
        runner.stop()
        today.stop.set()


def _both(book: Book, environment: Environment) -> Heard:
    """Our book, and locust's own statistics."""

    def heard(exchange: Exchange) -> None:
        book(exchange)
        method, _, name = exchange.name.partition(" ")
        environment.events.request.fire(  # type: ignore[no-untyped-call] # locust's own
            request_type=method,
            name=name,
            response_time=exchange.took_ms,
            response_length=exchange.length,
            exception=None if exchange.judged is Judged.GOOD else _Said(exchange.said),
            context={},
        )

    return heard


class _Said(Exception):
    """What locust counts failures by."""


def _until_quiet(today: Today, house: House) -> bool:
    """True when nothing waits anywhere; False when that does not come in the overtime."""
    calm, over_at = 0, None
    patience_s = max(SHORTEST_OVERTIME_S, today.clock.hours * 3600 / today.clock.compress)
    while calm < CALM_LOOKS:
        gevent.sleep(LOOK_S)
        if house.supervisor.fault is not None:
            raise house.supervisor.fault
        if today.clock.over() and over_at is None:
            over_at = time.monotonic()
        if over_at is not None and time.monotonic() - over_at > patience_s:
            return False
        calm = calm + 1 if today.quiet and _nothing_waits(house) else 0
    return True


_WAITING = text("""
SELECT (SELECT count(*) FROM test_order WHERE state IN ('queued', 'plated'))
     + (SELECT count(*) FROM recollection WHERE state = 'open')
     + (SELECT count(*) FROM notice WHERE state = 'owed')
     + (SELECT count(*) FROM finding WHERE current AND status = 'P' AND outcome = 'positive')
""")


def _nothing_waits(house: House) -> bool:
    with house.engine.connect() as connection:
        return not connection.execute(_WAITING).scalar_one()


def busiest_per_s(book: Book) -> float:
    """Single registrations in the busiest ten seconds of the day, a second."""
    span_s = 10.0
    moments = sorted(e.at_s for e in book.exchanges if e.name == "POST /specimens")
    most = start = 0
    for end, at in enumerate(moments):
        while at - moments[start] > span_s:
            start += 1
        most = max(most, end - start + 1)
    return most / span_s


def _told(one: Happened) -> dict[str, Any]:
    line = asdict(one)
    return line | {
        "fault": one.fault.value,
        "began": one.began.isoformat(timespec="milliseconds"),
        "ended": one.ended and one.ended.isoformat(timespec="milliseconds"),
    }
