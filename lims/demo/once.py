"""The whole story headless, at full speed, with the real processes; then the reckoning."""

import json
import threading
import time
from pathlib import Path

import click

from lims import log
from lims.db.engine import session_factory
from lims.demo.bench import Bench
from lims.demo.client import Station
from lims.demo.desks import Desks
from lims.demo.founding import POOL_SIZE
from lims.demo.house import SITE, House, open_house, stop_on_signals
from lims.demo.ledger import Ledger
from lims.demo.measuring import Samples
from lims.demo.receiver import read_book
from lims.demo.reconcile import Reckoning, reconcile
from lims.demo.reviewer import Reviewer
from lims.demo.story import Story
from lims.demo.telling import Audience, Phase
from lims.demo.truth import Commune, draw_commune


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
        desks=Desks(house.url, keys.desk, SITE, house.founded.campaign_id, ledger, audience, stop),
        bench=Bench(
            Station(house.url, keys.bench, stop),
            Samples(commune, ledger),
            ledger,
            audience,
            house.cyclers_by_name,
            house.cartridges,
            reviewer,
            SITE,
            POOL_SIZE,
        ),
        watch=Station(house.url, keys.watch, stop),
        reviewer=reviewer,
        leave_positives=leave_positives,
        audience=audience,
        stop=stop,
    )


def reckon(house: House, commune: Commune, ledger: Ledger) -> Reckoning:
    """Reconcile what is in the database with the truth and every receipt."""
    told = read_book(house.receiver_book)
    with session_factory(house.engine)() as session:
        return reconcile(session, commune, ledger, told)


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
        commune = draw_commune(house.places, people=people, prevalence=prevalence, seed=seed)
        try:
            story_in(house, commune, ledger, progress, stop).play()
        finally:
            stop.set()
        reckoning = reckon(house, commune, ledger)
        restarts = house.supervisor.restarts
    for fault in (*reckoning.lost, *reckoning.duplicated):
        click.echo(f"fault: {fault}", err=True)
    click.echo(f"programs started again: {restarts}", err=True)
    line = reckoning.as_json(time.monotonic() - began)
    click.echo(json.dumps(line, ensure_ascii=False) if as_json else _told(line))
    return reckoning.clean


def _told(line: dict[str, object]) -> str:
    return "\n".join(f"{name:18} {value}" for name, value in line.items())
