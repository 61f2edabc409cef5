"""Pools told as they might happen, each resolved by the code that decides in the laboratory.

What is counted is what the design tables count (tests a person, sensitivity of the whole procedure)
and what an epidemic asks (who is named after one more run). Nothing here knows the truth but the
one who draws it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lims.domain.pooling.bayes.classify import Stands, classify
from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel, Role
from lims.domain.pooling.bayes.next_tests import Limits, Wanted, next_tests
from lims.domain.pooling.bayes.posterior import Measurement, Posterior

_MOST_RUNS = 8  # a pool that is still open then is a reviewer's


class Truth(Protocol):
    """Who of one pool is infected, and what a tube shows."""

    @property
    def infected(self) -> NDArray[np.bool_]: ...

    def measured(self, role: Role, members: tuple[int, ...], attempt: int) -> Measurement: ...


@dataclass(frozen=True, slots=True)
class Resolved:
    """One pool's way. ``runs``: after the master's. ``named_in``, ``confirmed_in``: of each
    infected member who was, after how many of them she first was presumptive or confirmed."""

    infected: int
    found: int
    false_positives: int
    tests: int
    runs: int
    detected: bool
    named_in: tuple[int, ...]
    confirmed_in: tuple[int, ...]
    discordant: bool


@dataclass(slots=True)
class Errors:
    """A truth whose tests err independently, as the error model says: what the design tables of the
    literature assume."""

    infected: NDArray[np.bool_]
    chance: np.random.Generator
    model: ErrorModel = USUAL

    def measured(self, role: Role, members: tuple[int, ...], attempt: int) -> Measurement:
        """One attempt."""
        positives = self.infected[list(members)].sum()
        chance = float(self.model.detected(role, np.asarray(positives)))
        return Measurement(role, members, bool(self.chance.random() < chance), attempt)


@dataclass(slots=True)
class Deciding:
    """The laboratory's decisions, each thought once: the same evidence of the same kind of pool has
    the same answer."""

    seen: Callable[[frozenset[Measurement]], Posterior]
    limits: Limits = field(default_factory=Limits)
    model: ErrorModel = USUAL
    _thought: dict[frozenset[Measurement], tuple[tuple[Wanted, ...], tuple[Stands, ...]]] = field(
        default_factory=dict
    )

    def on(self, told: frozenset[Measurement]) -> tuple[tuple[Wanted, ...], tuple[Stands, ...]]:
        """The next batch, and how each member stands."""
        if told not in self._thought:
            seen = self.seen(told)
            self._thought[told] = (
                next_tests(seen, self.limits, self.model),
                classify(seen, self.limits.worth.cleared_below),
            )
        return self._thought[told]


def resolve(truth: Truth, deciding: Deciding) -> Resolved:
    """One pool from its own test to the last of its members."""
    infected = truth.infected
    members = tuple(range(len(infected)))
    master = truth.measured(Role.MASTER, members, 1)
    told = frozenset([master])
    attempts: dict[tuple[int, ...], int] = {}
    named: dict[int, int] = {}
    confirmed: dict[int, int] = {}
    tests, runs = 1, 0
    stands: tuple[Stands, ...] = tuple(Stands.CLEARED for _ in members)
    while master.detected:
        batch, stands = deciding.on(told)
        for member in np.flatnonzero(infected):
            if stands[member] in _NAMED:
                named.setdefault(int(member), runs)
            if stands[member] is Stands.CONFIRMED:
                confirmed.setdefault(int(member), runs)
        if not batch or runs == _MOST_RUNS:
            break
        told |= {_attempt(truth, wanted, attempts) for wanted in batch}
        tests += len(batch)
        runs += 1
    positive = np.array([word is Stands.CONFIRMED for word in stands])
    return Resolved(
        infected=int(infected.sum()),
        found=int((positive & infected).sum()),
        false_positives=int((positive & ~infected).sum()),
        tests=tests,
        runs=runs,
        detected=master.detected,
        named_in=tuple(named.values()),
        confirmed_in=tuple(confirmed.values()),
        discordant=Stands.DISCORDANT in stands,
    )


_NAMED = frozenset({Stands.PRESUMPTIVE, Stands.CONFIRMED})


def _attempt(truth: Truth, wanted: Wanted, attempts: dict[tuple[int, ...], int]) -> Measurement:
    attempts[wanted.members] = nth = attempts.get(wanted.members, 0) + 1
    role = Role.ALONE if wanted.alone else Role.SUB_POOL
    return truth.measured(role, wanted.members, nth)
