"""``lims loadtest``: the command line of a day. gevent patches this process before all else."""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 - everything below is to be imported patched
import signal  # noqa: E402 - the same
import sys  # noqa: E402 - the same
from collections.abc import Callable  # noqa: E402 - the same
from contextlib import AbstractContextManager  # noqa: E402 - the same
from dataclasses import replace  # noqa: E402 - the same
from functools import partial  # noqa: E402 - the same
from pathlib import Path  # noqa: E402 - the same

import click  # noqa: E402 - the same
import gevent  # noqa: E402 - the same
from rich.console import Console  # noqa: E402 - the same

from lims import log  # noqa: E402 - the same
from lims.demo.ledger import Ledger  # noqa: E402 - the same
from lims.demo.telling import Broke  # noqa: E402 - the same
from lims.domain.pooling.choice import Resolution  # noqa: E402 - the same
from loadtests.day.conduct import Asked, spend_day  # noqa: E402 - the same
from loadtests.day.elsewhere import (  # noqa: E402 - the same
    KEY_FILE,
    NotOurs,
    refuse_foreign,
    their_house,
)
from loadtests.day.ground import TEN_ALONE, Ground, our_house  # noqa: E402 - the same
from loadtests.day.report import write  # noqa: E402 - the same
from loadtests.day.screen import Telling, tell  # noqa: E402 - the same

LEAST_PEOPLE, MOST_PEOPLE = 50, 200_000
LARGEST_POOL = 20  # what the validation panel of the day's laboratory bears


@click.command()
@click.option(
    "--people", default=2_000, show_default=True, type=click.IntRange(LEAST_PEOPLE, MOST_PEOPLE)
)
@click.option("--hours", default=10.0, show_default=True, type=click.FloatRange(1, 24))
@click.option(
    "--compress",
    default=600.0,
    show_default=True,
    type=click.FloatRange(1, 10_000),
    help="How many times as fast the day passes: 600 makes ten hours one minute.",
)
@click.option("--prevalence", default=0.02, show_default=True, type=click.FloatRange(0, 0.5))
@click.option("--seed", default=184, show_default=True, type=click.IntRange(0, 9999))
@click.option(
    "--ceiling",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0, 60),
    help="Seconds of pgbench afterwards, for the machine's own limit; 0 leaves it out.",
)
@click.option(
    "--report",
    default=Path("build/loadtest"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for day.html, day.json, exchanges.parquet and locust.html.",
)
@click.option(
    "--resolution",
    default=str(TEN_ALONE.resolution),
    show_default=True,
    type=click.Choice([str(way) for way in Resolution]),
    help="How the day's positive pools are resolved.",
)
@click.option(
    "--pool-size",
    default=TEN_ALONE.pool_size,
    show_default=True,
    type=click.IntRange(2, LARGEST_POOL),
    help="Tubes to a laboratory pool.",
)
@click.option("--target", help="Load this running LIMS instead, with its own analysers' gateways.")
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON file of the target's tokens (docs/load-testing.md).",
)
@click.option("--i-own", help="The target's URL again, where it is not this machine.")
@click.option("--calm", is_flag=True, help="Nothing is killed.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as one JSON object.")
def main(
    *,
    people: int,
    hours: float,
    compress: float,
    prevalence: float,
    seed: int,
    ceiling: float,
    resolution: str,
    pool_size: int,
    target: str | None,
    keys: Path | None,
    i_own: str | None,
    calm: bool,
    report: Path,
    as_json: bool,
) -> None:
    """A mass-testing day on this machine, with faults, reconciled; exit 1 unless all is green."""
    log.configure(level="ERROR")
    _stop_on_signals()
    console = Console(stderr=True)
    campaign = replace(TEN_ALONE, pool_size=pool_size, resolution=Resolution(resolution))
    house = partial(our_house, people=people, seed=seed, campaign=campaign)
    opened = _opener(target, keys, i_own, house)
    asked = Asked(people, hours, compress, prevalence, seed, ceiling, calm)
    try:
        lived = spend_day(asked, opened, Telling(console))
    except Broke as fault:
        raise click.ClickException(str(fault)) from fault
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        sys.exit(130)
    written = write(lived.verdict, lived.timeline, lived.book, lived.environment, report)
    tell(console, lived.verdict)
    console.print(f"\n{written.page}\n{written.data}\n{written.exchanges}\n{written.locust}")
    if as_json:
        click.echo(json.dumps(lived.verdict.as_json(), ensure_ascii=False))
    sys.exit(lived.verdict.exit_status)


def _opener(
    target: str | None,
    keys: Path | None,
    i_own: str | None,
    house: Callable[[Ledger], AbstractContextManager[Ground]],
) -> Callable[[Ledger], AbstractContextManager[Ground]]:
    """Our own house, or the target's once it may be loaded. Exit 2 where it may not."""
    if target is None:
        return house
    try:
        refuse_foreign(target, i_own)
    except NotOurs as refused:
        raise click.BadParameter(str(refused), param_hint="--target") from refused
    if keys is None:
        raise click.BadParameter(f"a target needs {KEY_FILE}", param_hint="--keys")
    return partial(their_house, url=target.rstrip("/"), keys=keys)


def _stop_on_signals() -> None:
    """To the main greenlet, whichever user is running when the signal comes."""
    here = gevent.getcurrent()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        gevent.signal_handler(number, gevent.kill, here, KeyboardInterrupt)


if __name__ == "__main__":
    main(prog_name="lims loadtest")
