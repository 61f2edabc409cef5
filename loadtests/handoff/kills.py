"""`kill -9` of deliverers at random moments: nothing owed is lost, each arrives once, in order.

python -m loadtests.handoff.kills --kills 500
"""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import click
from sqlalchemy import text

from lims.db.laboratory import utc_now
from loadtests.handoff.seed import notices, subscribed
from loadtests.handoff.stand import Heard, Office, Stand, stand, until

_LEASE_S: Final = 2.0
_SEQUENCES: Final = 3
_OFFICES: Final = 3  # the last wants digests
_PER_KILL: Final = 20  # cases owed anew before each kill
_ALIVE: Final = 4


@dataclass(frozen=True, slots=True)
class Reckoned:
    """`repeats` came again under an id already known: a receiver drops them."""

    kills: int
    owed: int
    lost: int
    strangers: int
    out_of_order: int
    repeats: int
    undelivered: int

    @property
    def well(self) -> bool:
        return not (self.lost or self.strangers or self.out_of_order or self.undelivered)


def killed(*, kills: int, seed: int, lives_s: tuple[float, float] = (0.2, 1.6)) -> Reckoned:
    """Four deliverers at a time, of which the oldest dies after so many seconds, at random."""
    dice = random.Random(seed)
    with stand() as place:
        offices = [place.office(f"office{n}") for n in range(_OFFICES)]
        recipients = _recipients(place, offices)
        lives = [_born(place) for _ in range(_ALIVE)]
        for number in range(kills):
            _owe(place, recipients)
            time.sleep(dice.uniform(*lives_s))
            doomed = number % len(lives)
            lives[doomed].send_signal(signal.SIGKILL)
            lives[doomed].wait()
            lives[doomed] = _born(place)
        _until_delivered(place)
        heard = [office.read() for office in offices]
        return _reckoned(place, heard, kills)


def _recipients(place: Stand, offices: Sequence[Office]) -> list[UUID]:
    lab = place.laboratory
    with lab.sessions.begin() as session:
        made = [subscribed(session, lab.site_id, office.url, utc_now()) for office in offices]
        session.execute(
            text("UPDATE subscription SET gather_s = 10 WHERE id = :id"), {"id": made[-1]}
        )
    return made


def _born(place: Stand) -> "subprocess.Popen[bytes]":
    return place.deliverer(lease_s=_LEASE_S)


def _owe(place: Stand, recipients: list[UUID]) -> None:
    lab = place.laboratory
    with lab.sessions.begin() as session:
        notices(
            session,
            lab.site_id,
            recipients,
            utc_now(),
            cases=_PER_KILL,
            sequences=_SEQUENCES,
        )
        session.execute(text("SELECT pg_notify('notice_owed', '')"))


def _undelivered(place: Stand) -> int:
    with place.laboratory.sessions.begin() as session:
        return session.scalar(text("SELECT count(*) FROM notice WHERE state <> 'delivered'")) or 0


def _until_delivered(place: Stand) -> None:
    """However many are left: it fails when for two minutes none of them moves."""
    left = _undelivered(place)

    def fewer() -> bool:
        return _undelivered(place) < left

    while left:
        until(fewer, f"the next of {left} deliveries")
        left = _undelivered(place)


def _reckoned(place: Stand, heard: Sequence[Sequence[Heard]], kills: int) -> Reckoned:
    with place.laboratory.sessions.begin() as session:
        owed = {f"msg_{id}" for id in session.scalars(text("SELECT id FROM notice"))}
    came: set[str] = set()
    repeats = out_of_order = 0
    for book in heard:
        last: dict[str, int] = {}
        for one in book:
            if one.id in came:
                repeats += 1
                continue
            came.add(one.id)
            out_of_order += one.sequence != last.get(one.about, 0) + 1
            last[one.about] = one.sequence
    return Reckoned(
        kills=kills,
        owed=len(owed),
        lost=len(owed - came),
        strangers=len(came - owed),
        out_of_order=out_of_order,
        repeats=repeats,
        undelivered=_undelivered(place),
    )


@click.command()
@click.option("--kills", default=500, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(*, kills: int, seed: int) -> None:
    """Kill deliverers so often and print the reckoning as one JSON object. Exit 1 for any loss."""
    result = killed(kills=kills, seed=seed)
    click.echo(json.dumps(asdict(result)))
    sys.exit(0 if result.well else 1)


if __name__ == "__main__":
    main()
