"""From a result that is posted to the webhook received, beside a full table and a dead office.

python -m loadtests.handoff.told --cases 200
"""

import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from lims.db.laboratory import utc_now
from loadtests.figures.notice import positive
from loadtests.handoff.receiver import SERVED_AS
from loadtests.handoff.seed import notices, subscribed
from loadtests.handoff.stand import Office, start, until
from loadtests.people import Crowd
from loadtests.rig import Rig, free_port, rig

OFFICES: Final = 4  # beside the dead one


@dataclass(frozen=True, slots=True)
class Told:
    """Milliseconds from the POST until the last of the living offices had it."""

    cases: int
    in_the_table: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


def told(rig: Rig, folder: Path, *, cases: int, in_the_table: int) -> Told:
    """The dead office takes the connection and never says a word, which is the worst of deaths."""
    offices = [_office(folder, n) for n in range(OFFICES)]
    running = [start([*SERVED_AS, *one.arguments], rig.environment) for one in offices]
    lab = rig.laboratory
    try:
        with _dead() as dead_url:
            with lab.sessions.begin() as session:
                known = [subscribed(session, lab.site_id, one.url, utc_now()) for one in offices]
                subscribed(session, lab.site_id, dead_url, utc_now())
                notices(session, lab.site_id, known, utc_now(), cases=in_the_table, delivered=True)
            took = _post(rig, offices, cases)
    finally:
        for child in running:
            child.kill()
            child.wait()
    return Told(
        cases,
        in_the_table,
        statistics.median(took),
        statistics.quantiles(took, n=100)[98],
        max(took),
    )


def _post(rig: Rig, offices: list[Office], cases: int) -> list[float]:
    crowd, took = Crowd("TT", seed=4), []
    with rig.client() as client:
        for number in range(cases):
            row = crowd.registration()
            client.post("/specimens", json=row).raise_for_status()
            client.post("/receptions", json={"barcodes": [row["barcode"]]}).raise_for_status()
            body = positive(row["barcode"], number).to_json()
            began = time.time()
            client.post("/messages", json=body).raise_for_status()
            took.append((_arrived(offices) - began) * 1000)
    return took


def _arrived(offices: list[Office]) -> float:
    last = 0.0
    for office in offices:
        heard: list[float] = []

        def came(office: Office = office, heard: list[float] = heard) -> bool:
            heard += [one.at_s for one in office.read()]
            return bool(heard)

        until(came, f"the notice at {office.url}")
        last = max(last, *heard)
    return last


def _office(folder: Path, number: int) -> Office:
    book = folder / f"told{number}.book"
    book.touch()
    return Office(f"http://127.0.0.1:{free_port()}/", book)


@contextmanager
def _dead() -> Iterator[str]:
    """Whatever connects is held and never answered."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=100)
    held: list[socket.socket] = []

    def hold() -> None:
        with suppress(OSError):
            while True:
                held.append(listening.accept()[0])

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        listening.close()
        for one in held:
            one.close()


@click.command()
@click.option("--cases", default=200, show_default=True)
@click.option("--in-the-table", default=100_000, show_default=True)
def main(*, cases: int, in_the_table: int) -> None:
    """Post so many positives and print how long each took to arrive as one JSON object."""
    with rig() as made:
        folder = Path(made.environment["LIMS_HOME"])
        click.echo(json.dumps(asdict(told(made, folder, cases=cases, in_the_table=in_the_table))))


if __name__ == "__main__":
    main()
