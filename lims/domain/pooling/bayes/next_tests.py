"""Which tests to put into the next run, to resolve one detected pool.

A batch, never one test at a time: a run takes two hours however few wells it has, and halving a
pool test by test takes thirteen (pooling.md). First a handful of overlapping sub-pools; then the
likely ones alone beside check pools for the rest. Where the wells are free anyway, everybody alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from lims.domain.pooling.bayes.classify import Stands, classify, held_negative
from lims.domain.pooling.bayes.codes import code_designs
from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel, Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.overlapping import Design, Prospect, improved, prospect
from lims.domain.pooling.bayes.posterior import Posterior, posterior
from lims.domain.pooling.bayes.remaining_work import (
    LARGEST_CHECK,
    LIGHT,
    USUAL_WORTH,
    Worth,
    cheapest_partition,
    named_and_left,
)
from lims.domain.pooling.bayes.states import independent

_TRIES: Final = 20_000  # exchanges in a design, for each member and pattern
_MOST_TRIES: Final = 240
_FINALISTS: Final = 2  # designs that are worth exchanges
_TIE_DIGITS: Final = 9  # of expected tests; what differs by less is the processor's rounding
_FEWEST_TO_SPLIT: Final = 4  # members; fewer are tested alone


@dataclass(frozen=True, slots=True)
class Limits:
    """What the laboratory can do now.

    ``empty_wells``: of the next run, that nothing else will fill: their tests cost nothing.
    ``wells``: a batch has at most so many tests. ``runs``: so many may still follow one another,
    this one included. ``worth``: of hours, in tests. ``largest``: members of a sub-pool at most
    (the validated cap, or the channels of a pipette). ``transfers``: into sub-pools, of one batch;
    a tube alone is none. ``draws``: for each member, how often her
    tube can still be drawn from; one draw is always kept for her own test.
    """

    empty_wells: int = 0
    wells: int = 94
    runs: int = 2
    worth: Worth = USUAL_WORTH
    largest: int = 32
    transfers: int = 1_000
    draws: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A test to make: one member's own tube, or a sub-pool to draw from several."""

    members: tuple[int, ...]
    risk: float

    @property
    def alone(self) -> bool:
        return len(self.members) == 1


def next_tests(
    seen: Posterior, limits: Limits | None = None, model: ErrorModel = USUAL
) -> tuple[Wanted, ...]:
    """The batch for the next run, what tells most first; empty where nothing is open.

    Depends on the evidence alone, not on its order.
    """
    limits = limits or Limits()
    undecided = _open(seen, limits)
    if not undecided:
        return ()
    if len(undecided) <= max(limits.empty_wells, _FEWEST_TO_SPLIT - 1):
        groups = [[member] for member in undecided]
    else:
        groups = _cheapest(seen, undecided, limits, model)
    risks = seen.marginals
    batch = [Wanted(tuple(sorted(g)), float(1 - np.prod(1 - risks[g]))) for g in groups]
    batch.sort(key=lambda test: (-test.risk, test.members))
    return tuple(_possible(batch, limits))


def _possible(batch: list[Wanted], limits: Limits) -> Iterator[Wanted]:
    """What the wells and the pipettes of one run can do, what tells most first; the rest follows
    in a later run. Never nothing: where not even one sub-pool can be made, somebody is tested."""
    wells, transfers = max(1, limits.wells), limits.transfers
    for test in batch:
        if not wells:
            return
        if test.alone or len(test.members) <= transfers:
            yield test
            wells -= 1
            transfers -= 0 if test.alone else len(test.members)
        elif wells == max(1, limits.wells):
            for member in test.members[:wells]:
                yield Wanted((member,), test.risk)
            return


def _open(seen: Posterior, limits: Limits) -> list[int]:
    decided = {Stands.CLEARED, Stands.CONFIRMED, Stands.DISCORDANT}
    return [
        i
        for i, word in enumerate(classify(seen, limits.worth.cleared_below))
        if word not in decided
    ]


def _cheapest(
    seen: Posterior, undecided: list[int], limits: Limits, model: ErrorModel
) -> list[list[int]]:
    """Overlapping sub-pools where a run may follow them and they cost less in all; else who is
    named alone, and of the others who is not waiting for that in check pools."""
    may_overlap = limits.runs > 1 and not any(m.role is Role.SUB_POOL for m in seen.measurements)
    if not may_overlap:
        return _apart(seen, undecided, limits)[0]
    if seen.states.alike and len(undecided) == seen.states.members and len(seen.measurements) == 1:
        risk = 1 - float(seen.states.prior[0]) ** (1 / len(undecided))
        return _of_alike(len(undecided), float(f"{risk:.3g}"), limits, model)
    return _overlapping_or_apart(seen, undecided, limits, model)


@lru_cache(maxsize=1024)
def _of_alike(members: int, risk: float, limits: Limits, model: ErrorModel) -> list[list[int]]:
    """Thought once, where only their pool was measured."""
    pool = Measurement(Role.MASTER, tuple(range(members)), detected=True)
    seen = posterior(independent([risk] * members), [pool], model)
    return _overlapping_or_apart(seen, list(range(members)), limits, model)


def _overlapping_or_apart(
    seen: Posterior, undecided: list[int], limits: Limits, model: ErrorModel
) -> list[list[int]]:
    groups, cost = _apart(seen, undecided, limits)
    ahead = prospect(seen, undecided, model, limits.worth)
    design, expected = _cheapest_design(ahead, limits)
    if expected + limits.worth.run_tests < cost:
        return [[undecided[i] for i in np.flatnonzero(pool)] for pool in design]
    return groups


def _apart(seen: Posterior, undecided: list[int], limits: Limits) -> tuple[list[list[int]], float]:
    """And the tests to be expected in all."""
    heavy = seen.weights > LIGHT
    infected = seen.states.infected[heavy]
    named, weights = named_and_left(seen.weights[heavy], infected)
    risks = weights @ infected
    last_draw = {m for m, draws in enumerate(limits.draws or ()) if draws < 2}  # S10
    alone = [member for member in undecided if member in last_draw.union(named)]
    settled = {m for m in held_negative(seen) if risks[m] < limits.worth.cleared_below}.union(alone)
    left = [member for member in undecided if member not in settled]
    largest = min(limits.largest, LARGEST_CHECK)
    groups, cost = cheapest_partition(weights, infected[:, left], limits.worth.run_tests, largest)
    together = [[member] for member in alone] + [[left[place] for place in g] for g in groups]
    if not together:  # their risk is that of being infected instead of one who was not
        return [[member] for member in undecided], float(len(undecided))
    return together, cost + len(alone)


def forget_designs() -> None:
    """So that the next pool's design is thought anew; for measuring how long that takes."""
    _of_alike.cache_clear()


def _cheapest_design(ahead: Prospect, limits: Limits) -> tuple[Design, float]:
    """And the tests it leads to in all; without pools where none can be made."""
    members = ahead.infected.shape[1]
    fitting = [_fitting(design, limits) for design in code_designs(members)]
    judged = sorted(
        (
            (round(ahead.expected(design), _TIE_DIGITS), place)
            for place, design in enumerate(fitting)
            if 0 < len(design) <= limits.wells and design.sum() <= limits.transfers
        ),
    )
    best: tuple[Design, float] = np.zeros((0, members), dtype=bool), float("inf")
    for _cost, place in judged[:_FINALISTS]:
        design = _fitting(improved(fitting[place], ahead, _tries(fitting[place]))[0], limits)
        if not len(design) or design.sum() > limits.transfers:  # the exchanges went too far
            design = fitting[place]
        expected = ahead.expected(design)
        if expected < best[1] - 10**-_TIE_DIGITS:
            best = design, expected
    return best


def _tries(design: Design) -> int:
    pools, members = design.shape
    return min(_MOST_TRIES, _TRIES // (int(members) << int(pools)))


def _fitting(design: Design, limits: Limits) -> Design:
    """Without pools that are too large or empty, and no tube drawn from oftener than it can be."""
    fitting = design.copy()
    if limits.draws is not None:
        for member, draws in enumerate(limits.draws):
            fitting[np.flatnonzero(fitting[:, member])[max(0, draws - 1) :], member] = False
    sizes = fitting.sum(axis=1)
    kept: Design = fitting[(sizes > 1) & (sizes <= limits.largest)]
    return kept
