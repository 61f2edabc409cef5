"""One day from the opening of the house to the reckoning. Runs in a process patched by gevent."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import gevent
from locust.env import Environment

from lims.demo.ledger import Ledger
from lims.demo.measuring import Samples
from lims.demo.truth import Commune, draw_commune
from loadtests.day.browsers import BROWSERS
from loadtests.day.clock import DayClock
from loadtests.day.desks import FIELD_TEAMS
from loadtests.day.faults import Faults, Happened
from loadtests.day.ground import Ground
from loadtests.day.laboratory import LABORATORY
from loadtests.day.meter import Book, Exchange, Heard, Judged
from loadtests.day.objectives import failures, verdicts
from loadtests.day.person import Person
from loadtests.day.plainly import busy, load_now, on_load
from loadtests.day.plan import draw_plan
from loadtests.day.preparing import LiquidHandler
from loadtests.day.shape import ShapeOfTheDay
from loadtests.day.timeline import Timeline, drawn
from loadtests.day.today import Today, Waiting
from loadtests.day.verdict import Verdict, cores, machine

STAFF: Final[tuple[type[Person], ...]] = (*LABORATORY, LiquidHandler, *BROWSERS)
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


@dataclass(frozen=True)
class Lived:
    """A day that is over: the verdict, its pictures, and locust's own statistics."""

    verdict: Verdict
    timeline: Timeline
    book: Book
    environment: Environment


class Screen:
    """Shows the day to somebody; the plain one says nothing."""

    def begins(self, words: str) -> None:
        """A chapter."""

    def shows(
        self, today: Today, ground: Ground, environment: Environment, book: Book, faults: Faults
    ) -> None:
        """The day has begun."""

    def ends(self) -> None:
        """The day is over."""


def spend_day(
    asked: Asked,
    opened: Callable[[Ledger], AbstractContextManager[Ground]],
    screen: Screen,
    *,
    after_the_day: Callable[[Ground], None] = lambda _ground: None,
) -> Lived:
    """Open a laboratory, live the day in it, reckon. ``after_the_day`` comes before the reckoning.

    Raises what opening the laboratory raises.
    """
    ledger, book, load_before = Ledger(), Book(), load_now()
    if busy(load_before, cores()):
        screen.begins(on_load(load_before, cores()))
    screen.begins("opening the laboratory")
    with opened(ledger) as ground:
        screen.begins("drawing the plan of the day")
        day = _drawn_up(asked, ground, ledger, book)
        lived = _live(asked, day, ground, book, screen)
        screen.begins("reckoning")
        after_the_day(ground)
        reckoned = ground.reckon(day.commune, ledger)
        webhooks = ground.webhooks(day.faults.happened)
        timeline = _timeline(day, lived, ground, book)
        ceiling = _ceiling(asked, ground, screen)
    verdict = Verdict(
        people=asked.people,
        prevalence=asked.prevalence,
        seed=asked.seed,
        hours=asked.hours,
        compress=asked.compress,
        lived_s=lived.took_s,
        lived_h=lived.until_h,
        drained=lived.drained,
        objectives=(*verdicts(book), *webhooks),
        failures=failures(book, Judged.FAILED),
        of_faults=failures(book, Judged.OF_A_FAULT),
        faults=tuple(_told(one) for one in day.faults.happened),
        broke=tuple(day.today.broke),
        done=dict(day.today.done),
        requests=len(book.exchanges),
        machine=machine(ceiling, busiest_per_s(book), load_before),
        reckoned=reckoned,
    )
    return Lived(verdict, timeline, book, lived.environment)


@dataclass(frozen=True)
class _Day:
    """What is to happen, and to whom."""

    commune: Commune
    faults: Faults
    today: Today


@dataclass(frozen=True)
class _Spell:
    """How the day went by; ``drained`` where nothing was left open."""

    environment: Environment
    doors_open: datetime
    took_s: float
    until_h: float
    drained: bool


def _drawn_up(asked: Asked, ground: Ground, ledger: Ledger, book: Book) -> _Day:
    commune = draw_commune(
        ground.places, people=asked.people, prevalence=asked.prevalence, seed=asked.seed
    )
    clock = DayClock(asked.hours, asked.compress)
    faults = Faults(ground.supervisor, clock.now_h, asked.hours)
    plan = draw_plan(commune, hours=asked.hours)
    today = Today(
        plan=plan,
        clock=clock,
        premises=ground.premises,
        ledger=ledger,
        samples=Samples(commune, ledger),
        waiting=Waiting(plan),
        heard=book,
        fault=faults.on,
    )
    return _Day(commune, faults, today)


def _live(asked: Asked, day: _Day, ground: Ground, book: Book, screen: Screen) -> _Spell:
    """The day itself, from the first user to the last open thing."""
    today, clock = day.today, day.today.clock
    with _crowd(today, book) as (environment, shape):
        doors_open = datetime.now(UTC)
        screen.shows(today, ground, environment, book, day.faults)
        if ground.may_be_struck and not asked.calm:
            gevent.spawn(day.faults.run, today.stop)
        drained = _until_quiet(today, ground)
        spell = _Spell(environment, doors_open, clock.elapsed_s(), clock.now_h(), drained)
        shape.closed = True
    screen.ends()
    return spell


def _timeline(day: _Day, lived: _Spell, ground: Ground, book: Book) -> Timeline:
    today = day.today
    return drawn(
        ground.moments(),
        book,
        today.plan,
        today.clock,
        day.faults.happened,
        doors_open=lived.doors_open,
        until_h=lived.until_h,
    )


def _ceiling(asked: Asked, ground: Ground, screen: Screen) -> float | None:
    """Registrations a second that this machine's PostgreSQL takes by itself; None unasked."""
    if not asked.ceiling_s:
        return None
    screen.begins("measuring the machine's own limit (pgbench, the same registrations)")
    return ground.ceiling_per_s(asked.ceiling_s)


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


def _until_quiet(today: Today, ground: Ground) -> bool:
    """True when nothing waits anywhere; False when that does not come in the overtime."""
    calm, over_at = 0, None
    patience_s = max(SHORTEST_OVERTIME_S, today.clock.hours * 3600 / today.clock.compress)
    while calm < CALM_LOOKS:
        gevent.sleep(LOOK_S)
        if ground.supervisor.fault is not None:
            raise ground.supervisor.fault
        if today.clock.over() and over_at is None:
            over_at = time.monotonic()
        if over_at is not None and time.monotonic() - over_at > patience_s:
            return False
        calm = calm + 1 if today.quiet and not ground.waits() else 0
    return True


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
