"""The whole story headless, at full speed, with the real processes; then the reckoning."""

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from lims import log
from lims.db.engine import session_factory
from lims.db.laboratory import Laboratory, utc_now
from lims.demo.bench import Bench
from lims.demo.campaigns import BY_EVERY_STRATEGY, share_out, with_a_strong_one_each
from lims.demo.client import PATIENCE_S, Station
from lims.demo.desks import Desks
from lims.demo.house import SITE, House, open_house, stop_on_signals
from lims.demo.ledger import Ledger
from lims.demo.measuring import Samples
from lims.demo.opened_pools import opened_pools
from lims.demo.receiver import read_book
from lims.demo.reconcile import Reckoning, reconcile
from lims.demo.reviewer import Reviewer
from lims.demo.story import Story
from lims.demo.telling import Audience, Phase
from lims.demo.truth import Commune, Places, draw_commune
from lims.demo.words import opened_words
from lims.work.views.reconcile import Reconciliation
from lims.work.views.reconcile import reconcile as lims_reconcile

_LOOK_S: Final = 0.1
_EVER: Final = datetime(2020, 1, 1, tzinfo=UTC)


class Progress:
    """Chapters on standard error, with the time they began; nobody is waited for."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def begins(self, phase: Phase, detail: str = "") -> None:
        click.echo(f"{time.monotonic() - self._began:6.1f} s  {phase.value} {detail}", err=True)

    def rest(self, seconds: float) -> None:
        """No time for watchers."""


def story_in(
    house: House,
    commune: Commune,
    ledger: Ledger,
    audience: Audience,
    stop: threading.Event,
    *,
    leave_positives: int = 0,
) -> Story:
    """Everybody at their place, each with a key of their own."""
    keys = house.founded.keys
    reviewer = Reviewer(house.url, house.founded.password, stop)
    return Story(
        commune=commune,
        desks=Desks(house.url, keys.desk, SITE, house.founded.campaigns, ledger, audience, stop),
        bench=Bench(
            Station(house.url, keys.bench, stop),
            Samples(commune, ledger),
            ledger,
            audience,
            house.cyclers_by_name,
            house.cartridges,
            reviewer,
            SITE,
        ),
        watch=Station(house.url, keys.watch, stop),
        reviewer=reviewer,
        leave_positives=leave_positives,
        audience=audience,
        stop=stop,
    )


def populated(places: Places, *, people: int, prevalence: float, seed: int) -> Commune:
    """The story's people, with something to find for every strategy."""
    drawn = draw_commune(places, people=people, prevalence=prevalence, seed=seed)
    return with_a_strong_one_each(share_out(drawn, BY_EVERY_STRATEGY), BY_EVERY_STRATEGY)


def reckon(house: House, commune: Commune, ledger: Ledger) -> Reckoning:
    """Reconcile what is in the database with the truth and every receipt, and with itself.

    Again while a notice is on its way: a case that nobody claims is told on when its time comes.
    """
    until = time.monotonic() + PATIENCE_S
    lab = Laboratory(house.engine, session_factory(house.engine), house.site_id, SITE)
    while True:
        told = read_book(house.receiver_book)
        with lab.snapshot() as session:
            reckoning = reconcile(session, commune, ledger, told)
            day = lims_reconcile(session, site_id=house.site_id, since=_EVER, until=utc_now())
        on_the_way = reckoning.notices_delivered < reckoning.notices_owed
        if not on_the_way or time.monotonic() > until:
            return replace(reckoning, lost=(*reckoning.lost, *_unequal(day)))
        time.sleep(_LOOK_S)


def _unequal(day: Reconciliation) -> list[str]:
    """What does not add up by the laboratory's own reconciliation."""
    sums = [f"equation {one.name} does not hold: {one}" for one in day.equations if not one.holds]
    return sums + [str(difference) for difference in day.differences]


def run_once(
    *, people: int, prevalence: float, seed: int, home: Path | None, as_json: bool
) -> bool:
    """Print the reckoning as the last line; True when it is clean."""
    log.configure(level="ERROR")
    stop_on_signals()
    began = time.monotonic()
    ledger, stop, progress = Ledger(), threading.Event(), Progress()
    progress.begins(Phase.OPEN)
    with open_house(seed=seed, ledger=ledger, home=home, interactive=False) as house:
        commune = populated(house.places, people=people, prevalence=prevalence, seed=seed)
        try:
            story_in(house, commune, ledger, progress, stop).play()
        finally:
            stop.set()
        reckoning = reckon(house, commune, ledger)
        with house.engine.connect() as connection:
            opened = opened_pools(connection)
        restarts = house.supervisor.restarts
    for pool in opened:
        click.echo(f"pool {opened_words(pool)}", err=True)
    for fault in (*reckoning.lost, *reckoning.duplicated):
        click.echo(f"fault: {fault}", err=True)
    click.echo(f"programs started again: {restarts}", err=True)
    line = reckoning.as_json(time.monotonic() - began)
    click.echo(json.dumps(line, ensure_ascii=False) if as_json else _told(line))
    return reckoning.clean


def _told(line: dict[str, object]) -> str:
    return "\n".join(f"{name:18} {value}" for name, value in line.items())
