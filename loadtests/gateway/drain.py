"""What piled up while the LIMS was away, once it is back: `python -m loadtests.gateway.drain`.

The outbox is filled by the gateway's own hand, one message of one cartridge each; the gateway is
the real process, the LIMS is one that reads and counts. Counted is from the first message taken to
the last, and the order of the messages is the order in which they came.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import click

from instruments.analyser_messages import encoded, genexpert_message
from instruments.drivers import DRIVERS
from instruments.line import Received
from instruments.reader import Reader
from instruments.spool import Spool
from loadtests.gateway.lims import CountingLims, answering
from loadtests.gateway.stand import GatewayProcess, LineLink, a_folder, until

_LINE: Final = "gx-0"
_BEGAN: Final = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)


def fill(folder: Path, messages: int) -> None:
    """As if the line had brought them, LIMS away."""
    reader = Reader(DRIVERS["genexpert"], _LINE)
    journal, outbox = Spool(folder / "spools" / _LINE).opened(_BEGAN)
    for number in range(messages):
        ended = _BEGAN + timedelta(seconds=number)
        told = genexpert_message(
            [f"{_LINE}-{number:06d}"],
            {"E": 21.4, "N2": None, "SPC": 29.3},
            call="POSITIVE",
            serial="C1000",
            ended_at=ended,
        )
        capture = reader.capture(Received(b"".join(encoded(told))), ended)
        if capture is None or not outbox.put(capture):
            raise RuntimeError(f"message {number} was not put into the outbox")
    journal.close()


def drained(folder: Path, messages: int) -> dict[str, float]:
    """Raises RuntimeError when some do not come."""
    fill(folder, messages)
    line = LineLink(_LINE, "genexpert", str(folder / "no-tty"))
    lims = CountingLims()
    with answering(lims):
        pass  # now its port is known, and it is away
    gateway = GatewayProcess(folder, [line], lims.url)
    gateway.start()
    try:
        until(lambda: gateway.events("not posted"), "a post that failed")
        back_s = time.monotonic()
        with answering(lims):
            until(lambda: lims.taken, "the first message")
            began_s, before = time.monotonic(), len(lims.taken)
            until(lambda: len(lims.taken) == messages, "the last message")
            took_s = time.monotonic() - began_s
    finally:
        gateway.stop()
    specimens = [m.specimen for m in lims.measurements]
    return {
        "messages": messages,
        "results_a_second": round((len(specimens) - before) / took_s),
        "until_the_first_s": round(began_s - back_s, 2),
        "out_of_order": sum(a > b for a, b in pairwise(specimens)),
        "posted_twice": lims.posts - messages,
    }


@click.command()
@click.option("--messages", default=3000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="on the disk to be measured")
def main(*, messages: int, folder: Path | None) -> None:
    """Drain so many messages and print how fast, as one JSON object. Exit 1 when out of order."""
    with a_folder(folder) as place:
        result = drained(place, messages)
    click.echo(json.dumps(result))
    sys.exit(1 if result["out_of_order"] else 0)


if __name__ == "__main__":
    main()
