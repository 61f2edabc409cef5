"""From plugging in to being heard: `python -m loadtests.gateway.replug`.

The terminal goes away under the running gateway and comes back under the same name, as a USB
converter does under `/dev/serial/by-id`. Counted is from the moment the name is there to the
acknowledgement of a whole message, which the analyser offers again every 0.4 s.
"""

import json
import random
import time
from pathlib import Path
from typing import Final

import click

from loadtests.gateway.analysers import Bedside, drive
from loadtests.gateway.stand import GatewayProcess, a_folder

_MOST_AWAY_S: Final = 6.0


def plugged(folder: Path, *, times: int, seed: int) -> list[float]:
    """Seconds, of each time."""
    chance = random.Random(seed)
    bedside = Bedside("gx-0", folder / "tty-0", seed)
    gateway = GatewayProcess(folder, [bedside.as_line])
    took = []
    try:
        gateway.start(lines_up=1)
        for _ in range(times):
            bedside.unplug()
            time.sleep(chance.uniform(0.5, _MOST_AWAY_S))
            bedside.plug_in()
            began_s, before = time.monotonic(), len(bedside.acknowledged)
            while len(bedside.acknowledged) == before:
                drive([bedside], time.monotonic() + 0.02)
            took.append(time.monotonic() - began_s)
    finally:
        gateway.stop()
    return took


@click.command()
@click.option("--times", default=20, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(*, times: int, seed: int) -> None:
    """Unplug and plug in so often; print the seconds until a whole message was acknowledged."""
    with a_folder(None) as place:
        took = sorted(plugged(place, times=times, seed=seed))
    told = {"times": times, "median_s": took[len(took) // 2], "worst_s": took[-1]}
    click.echo(json.dumps({name: round(value, 2) for name, value in told.items()}))


if __name__ == "__main__":
    main()
