"""`kill -9` of the real gateway, over and over: `python -m loadtests.gateway.kills --kills 200`.

Analysers send flat out over pseudo-terminals, and each remembers what was acknowledged to its last
frame. The gateway is killed at a random moment of each of its lives, soon after it was begun; the
LIMS stays. One life in ten is started as a person would; the others are forked from a program that
is loaded already, for nothing can be lost in its imports. At the end everything that was
acknowledged must be in the LIMS, once and with its own value.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from loadtests.gateway.analysers import Bedside, drive
from loadtests.gateway.lims import CountingLims, answering
from loadtests.gateway.stand import PATIENCE_S, GatewayProcess, a_folder, until

_COLD = 10  # of so many lives one is started by its command line
_COLD_START_S = 1.5  # within which that one is killed
_START_S = 0.4  # after a fork: its spool is taken up, its lines are opened
_AT_WORK_S = 0.5  # after its lines are open: messages are kept, captured, posted
_DRAIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Of results that analysers were told were kept."""

    kills: int
    acknowledged: int
    lost: int
    wrong: int  # another specimen's value, or one that nobody sent
    twice: int  # two whole messages for one specimen
    out_of_order: int
    torn: int  # entries that a kill cut, and that were cut off
    took_s: float = 0.0

    @property
    def well(self) -> bool:
        return not (self.lost or self.wrong or self.twice or self.out_of_order)


Told = Callable[[int, int], None]
"""How many kills were, and how many results were acknowledged so far."""


def killed(
    folder: Path, *, kills: int, lines: int, seed: int, told: Told = lambda _kills, _kept: None
) -> Reckoned:
    """So many kills; then it lives until the LIMS has all."""
    begun_s = time.monotonic()
    chance = random.Random(seed)
    bedsides = [Bedside(f"gx-{n}", folder / f"tty-{n}", seed + n) for n in range(lines)]
    with answering(CountingLims()) as lims:
        gateway = GatewayProcess(folder, [each.as_line for each in bedsides], lims.url)
        try:
            for number in range(kills):
                most_s = _begin(gateway, number, lines)
                drive(bedsides, time.monotonic() + chance.uniform(0.0, most_s))
                gateway.kill()
                told(number + 1, sum(len(each.acknowledged) for each in bedsides))
            gateway.start(lines_up=lines)
            for bedside in bedsides:
                bedside.orders = len(bedside.acknowledged) + 1
            drive(bedsides, time.monotonic() + PATIENCE_S)
            wanted = {specimen for each in bedsides for specimen in each.acknowledged}
            until(lambda: wanted <= lims.specimens, "what was acknowledged", within_s=_DRAIN_S)
        except RuntimeError as error:
            click.echo(str(error), err=True)  # the reckoning says what is missing
        finally:
            gateway.stop()
        torn = sum(bool(event["torn_bytes"]) for event in gateway.events("started"))
        told_all = reckoned(bedsides, lims, kills, torn)
        return replace(told_all, took_s=round(time.monotonic() - begun_s, 1))


def _begin(gateway: GatewayProcess, number: int, lines: int) -> float:
    """The next life, and within which time it is killed: a third of them while they start."""
    if number % _COLD == 0:
        gateway.start()
        return _COLD_START_S
    if number % 3 == 0:
        gateway.fork()
        return _START_S
    gateway.fork(lines_up=lines)
    return _AT_WORK_S


def reckoned(bedsides: Sequence[Bedside], lims: CountingLims, kills: int, torn: int) -> Reckoned:
    lost = wrong = twice = out_of_order = 0
    for bedside in bedsides:
        whole: Counter[str] = Counter()
        told: dict[str, float | None] = {}
        for capture in lims.of(bedside.name):
            for measured in capture.measurements:
                ct = next((t.ct_cycles for t in measured.targets if t.target == "E"), None)
                partly = ct is None and not capture.complete
                wrong += not partly and bedside.sent.get(measured.specimen) != ct
                if capture.complete:
                    whole[measured.specimen] += 1
                    told[measured.specimen] = ct
        lost += sum(told.get(specimen) != ct for specimen, ct in bedside.acknowledged.items())
        twice += sum(times - 1 for times in whole.values())
        order = list(told)
        out_of_order += sum(a > b for a, b in pairwise(order))
    acknowledged = sum(len(each.acknowledged) for each in bedsides)
    return Reckoned(kills, acknowledged, lost, wrong, twice, out_of_order, torn)


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--lines", default=4, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="on the disk to be measured")
def main(*, kills: int, lines: int, seed: int, folder: Path | None) -> None:
    """Kill the gateway so often and print the reckoning as one JSON object. Exit 1 for any loss."""
    shown = Progress(
        TextColumn("kill"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[kept]} results acknowledged"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with a_folder(folder) as place, shown:
        task = shown.add_task("", total=kills, kept=0)

        def told(done: int, kept: int) -> None:
            shown.update(task, completed=done, kept=kept)

        result = killed(place, kills=kills, lines=lines, seed=seed, told=told)
    click.echo(json.dumps(asdict(result)))
    sys.exit(0 if result.well else 1)


if __name__ == "__main__":
    main()
