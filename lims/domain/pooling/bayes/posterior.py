"""What the measurements of a pool and of its parts make of every subset of its members.

Bayes' rule over the subsets. Given who is infected the errors of different tubes are independent,
those of attempts at one tube are not (``error_model``): its second negative says less than its
first. The order of the measurements does not matter, and neither does telling one twice: they are a
set. An invalid well is no measurement.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from lims.domain.pooling.bayes.ct_model import CtModel
from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel, Floats, Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.states import States

CONTRADICTED_BELOW: Final = 1e-4
"""Chance of the measurements even under their likeliest explanation: it would take two errors."""

LEFT_OUT_MOST: Final = 0.05
"""Of the whole, what the larger pools' subsets may leave out: in a cluster that is much, and a
posterior without it names the wrong ones (pooling.md, "Pitfalls")."""

_NEGLIGIBLE: Final = 1e-7


@dataclass(frozen=True)
class Posterior:
    """``weights``: (states,), their sum 1. ``explained``: the chance of what was and was not
    detected under the likeliest subset. ``omitted``: how much of the whole was left out at most,
    had each subset that was left out explained everything; ``left_out``: the same, where those with
    somebody infected who was in a negative tube explain it only as a miss."""

    states: States
    weights: Floats
    explained: float
    omitted: float
    left_out: float
    measurements: frozenset[Measurement]

    @cached_property
    def marginals(self) -> Floats:
        """P(infected) of each member. (members,)"""
        return self.states.marginals(self.weights)

    @property
    def nobody(self) -> float:
        """P(no member is infected): the pool was falsely detected."""
        return float(self.weights[0])

    @property
    def contradicted(self) -> bool:
        """The evidence contradicts itself beyond what errors explain."""
        return self.explained < CONTRADICTED_BELOW

    @property
    def too_much_left_out(self) -> bool:
        """More may be infected than were counted on."""
        return self.left_out > LEFT_OUT_MOST

    @property
    def too_much_omitted(self) -> bool:
        """The same, as rules to ``bayesian/2`` had it: two infected were a cluster to them, and
        everybody was tested alone."""
        return self.omitted > LEFT_OUT_MOST


def posterior(
    states: States,
    measurements: Iterable[Measurement],
    model: ErrorModel = USUAL,
    ct_model: CtModel | None = None,
) -> Posterior:
    """Raises ValueError where the evidence is impossible under every subset."""
    told = frozenset(measurements)
    ordered = sorted(told, key=_order)
    chance = np.ones(len(states.prior))
    negative: set[int] = set()
    missing = 0.0  # the likeliest miss
    for (role, members), (detected, missed) in attempts_at(told).items():
        with_one, without = model.of_attempts(role, detected, missed)
        chance *= np.where(states.holding(members), with_one, without)
        if not detected:
            negative.update(members)
            missing = max(missing, with_one)
    joint = states.prior * chance
    total = float(joint.sum())
    if not total > 0:
        raise ValueError("the evidence is impossible under every subset of the members")
    omitted = states.omitted / (states.omitted + total)
    unmissed = states.omitted_without(frozenset(negative))
    left_out = unmissed + missing * (states.omitted - unmissed)
    if ct_model is not None:
        joint = _with_ct(joint, states, ordered, model, ct_model)
    return Posterior(
        states,
        joint / joint.sum(),
        explained=float(chance[joint.argmax()]),
        omitted=omitted,
        left_out=left_out / (left_out + total),
        measurements=told,
    )


def _with_ct(
    joint: Floats,
    states: States,
    ordered: list[Measurement],
    model: ErrorModel,
    ct_model: CtModel,
) -> Floats:
    """The same with the cycle numbers, of the subsets that matter without them: the others keep
    nothing. To a factor."""
    likely = np.flatnonzero(joint > _NEGLIGIBLE * joint.sum())
    said = ct_model.log_chance_of(ordered, states.infected[likely], model)
    if said is None:
        return joint
    told = np.zeros_like(joint)
    told[likely] = states.prior[likely] * np.exp(said - said.max())
    return told


def attempts_at(
    told: Iterable[Measurement],
) -> dict[tuple[Role, tuple[int, ...]], tuple[int, int]]:
    """Of each tube, how often it was detected and how often not; in one order whatever theirs."""
    said = Counter((one.role, one.members, one.detected) for one in told)
    tubes = sorted({(role, members) for role, members, _ in said})
    return {
        (role, members): (said[role, members, True], said[role, members, False])
        for role, members in tubes
    }


def _order(one: Measurement) -> tuple[str, tuple[int, ...], int, bool, float]:
    return one.role, one.members, one.attempt, one.detected, one.ct_cycles or 0.0
