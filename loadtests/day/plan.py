"""The plan of a day, drawn from a seed: who comes when, to which desk, and what goes wrong.

A pure function of its arguments. The people and what is true of them are the demonstration's
(lims.demo.truth); here is the day around them.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from random import Random
from typing import Final

from lims.demo.truth import Commune, Household, Route, Villager

# How many come, by the fraction of the day: the morning's ramp, noon, the afternoon, the end of
# collection. The shape is the field's habit (queues at seven, heat at noon), not a measurement.
CURVE: Final = (
    (0.00, 0.10), (0.06, 0.70), (0.10, 1.00), (0.22, 1.00), (0.28, 0.35), (0.34, 0.35),
    (0.40, 0.90), (0.50, 0.70), (0.58, 0.00),
)  # fmt: skip
COLLECTION_ENDS: Final = CURVE[-1][0]
LATEST_BATCH: Final = 0.68  # of the day: when the last team out of reach has sent what it noted
BATCH_ROWS: Final = 100
NOTED: Final = 0.30  # of the people swabbed one by one, by teams without a network
_STEPS: Final = 600

ODD: Final = 0.02  # of the households at a desk, for each of the first three oddities
BAD_ROW: Final = 0.01
BATCH_AGAIN: Final = 0.25
TORN: Final = 0.004  # of the tubes
LATE: Final = 0.03
TRAVEL_H: Final = (0.2, 0.8)
LATE_H: Final = (2.0, 4.0)


class Desk(StrEnum):
    """How people are registered."""

    ONE_BY_ONE = "one by one"
    BATCH = "batch"
    FAMILY = "family tube"
    RAPID = "rapid test"


class Oddity(StrEnum):
    """What a desk does besides registering, as desks do."""

    SAID_TWICE = "the same body twice"
    OTHER_BODY = "another body under the same id"
    TAKEN_LABEL = "the label of somebody else's tube"


@dataclass(frozen=True, slots=True)
class Visit:
    """A household at a desk, at an hour of the day."""

    at_h: float
    desk: Desk
    household: Household
    oddity: Oddity | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line that a team out of reach noted. ``bad``: its label was copied wrongly at first."""

    household: Household
    villager: Villager
    bad: bool


@dataclass(frozen=True, slots=True)
class LateBatch:
    """What such a team sends when it is back in reach; ``again``: twice, being unsure."""

    at_h: float
    rows: tuple[Row, ...]
    again: bool


@dataclass(frozen=True)
class Plan:
    """The whole day. Visits and batches are in the order in which they come."""

    seed: int
    hours: float
    commune: Commune
    visits: tuple[Visit, ...]
    batches: tuple[LateBatch, ...]

    def is_torn(self, barcode: str) -> bool:
        """Whether this tube arrives broken."""
        return Random(f"torn {self.seed} {barcode}").random() < TORN

    def travel_h(self, barcode: str) -> float:
        """How long this tube is on the way to the laboratory; some come after everybody."""
        rng = Random(f"way {self.seed} {barcode}")
        return rng.uniform(*(LATE_H if rng.random() < LATE else TRAVEL_H))


def draw_plan(commune: Commune, *, hours: float) -> Plan:
    """The day of these people. The same commune gives the same day."""
    rng = Random(f"day {commune.seed} {hours:g}")
    visits: list[Visit] = []
    noted: list[tuple[float, Household]] = []
    arrivals = Arrivals()
    for household in commune.households:
        at_h = arrivals.draw(rng) * hours
        desk = _desk(rng, household)
        if desk is Desk.BATCH:
            noted.append((at_h, household))
        else:
            visits.append(Visit(at_h, desk, household, _oddity(rng, desk)))
    visits.sort(key=lambda visit: (visit.at_h, visit.household.number))
    noted.sort(key=lambda one: (one[0], one[1].number))
    batches = _batches(rng, [household for _, household in noted], hours)
    return Plan(commune.seed, hours, commune, tuple(visits), batches)


def intensity(fraction: float) -> float:
    """How many come at this fraction of the day, against the busiest moment."""
    if not CURVE[0][0] <= fraction <= COLLECTION_ENDS:
        return 0.0
    for (x0, y0), (x1, y1) in pairwise(CURVE):
        if fraction <= x1:
            return y0 + (y1 - y0) * (fraction - x0) / (x1 - x0)
    return 0.0


class Arrivals:
    """Draws moments of the day so that people come as the curve has them."""

    def __init__(self) -> None:
        self._at = [COLLECTION_ENDS * (n + 0.5) / _STEPS for n in range(_STEPS)]
        self._upto = list(accumulate(intensity(at) for at in self._at))

    def draw(self, rng: Random) -> float:
        """A fraction of the day, from 0 to the end of collection."""
        step = bisect_left(self._upto, rng.random() * self._upto[-1])
        return self._at[step] + (rng.random() - 0.5) * COLLECTION_ENDS / _STEPS

    def busiest(self) -> float:
        """The share of all arrivals in one unit of the day at its busiest moment."""
        return max(map(intensity, self._at)) / (self._upto[-1] * COLLECTION_ENDS / _STEPS)


def _desk(rng: Random, household: Household) -> Desk:
    match household.route:
        case Route.TOGETHER:
            return Desk.FAMILY
        case Route.RAPID:
            return Desk.RAPID
        case Route.ALONE:
            return Desk.BATCH if rng.random() < NOTED else Desk.ONE_BY_ONE


def _oddity(rng: Random, desk: Desk) -> Oddity | None:
    if desk is not Desk.ONE_BY_ONE:
        return None
    place = rng.random() / ODD
    return list(Oddity)[int(place)] if place < len(Oddity) else None


def _batches(rng: Random, households: Sequence[Household], hours: float) -> tuple[LateBatch, ...]:
    """Teams come back into reach one after another, from mid-morning to after the last swab."""
    people = [(h, v) for h in households for v in h.villagers]
    number = math.ceil(len(people) / BATCH_ROWS)
    batches = []
    for nth in range(number):
        rows = tuple(
            Row(h, v, rng.random() < BAD_ROW)
            for h, v in people[nth * BATCH_ROWS : (nth + 1) * BATCH_ROWS]
        )
        noted = 0.2 + (LATEST_BATCH - 0.2) * (nth + rng.random()) / number
        batches.append(LateBatch(noted * hours, rows, rng.random() < BATCH_AGAIN))
    return tuple(sorted(batches, key=lambda batch: batch.at_h))
