"""What the measurements of a pool and of its parts make of every subset of its members.

Bayes' rule over the subsets, with the errors of each measurement independent given who is
infected. The order of the measurements does not matter, and neither does telling one twice: they
are a set. An invalid well is no measurement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from lims.domain.pooling.bayes.ct_model import CtModel
from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel, Floats, Role
from lims.domain.pooling.bayes.states import States, Subsets

CONTRADICTED_BELOW: Final = 1e-4
"""Chance of the measurements even under their likeliest explanation: it would take two errors."""

_NEGLIGIBLE: Final = 1e-7


@dataclass(frozen=True, slots=True, order=True)
class Measurement:
    """One valid attempt at one tube. ``members``: indices into the pool, ascending; ``attempt``
    tells two attempts at the same tube apart; ``ct_cycles`` where it was detected, else None."""

    role: Role
    members: tuple[int, ...]
    detected: bool
    attempt: int = 1
    ct_cycles: float | None = None


@dataclass(frozen=True)
class Posterior:
    """``weights``: (states,), their sum 1. ``explained``: the chance of what was and was not
    detected under the likeliest subset. ``omitted``: how much of the whole was left out at most."""

    states: States
    weights: Floats
    explained: float
    omitted: float
    measurements: frozenset[Measurement]

    @cached_property
    def marginals(self) -> Floats:
        """P(infected) of each member. (members,)"""
        said: Floats = self.weights @ self.states.infected
        return said

    @property
    def nobody(self) -> float:
        """P(no member is infected): the pool was falsely detected."""
        return float(self.weights[0])

    @property
    def contradicted(self) -> bool:
        """The evidence contradicts itself beyond what errors explain."""
        return self.explained < CONTRADICTED_BELOW


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
    for one in ordered:
        chance *= chance_of(one, states.infected, model)
    joint = states.prior * chance
    total = float(joint.sum())
    if not total > 0:
        raise ValueError("the evidence is impossible under every subset of the members")
    omitted = states.omitted / (states.omitted + total)
    if ct_model is not None:
        joint = _with_ct(joint, states, ordered, model, ct_model)
    return Posterior(
        states,
        joint / joint.sum(),
        explained=float(chance[joint.argmax()]),
        omitted=omitted,
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


def chance_of(one: Measurement, infected: Subsets, model: ErrorModel) -> Floats:
    """P(this measurement) under each subset. (states,)"""
    positives = infected[:, list(one.members)].sum(axis=1)
    detected = model.detected(one.role, positives)
    return detected if one.detected else 1 - detected


def _order(one: Measurement) -> tuple[str, tuple[int, ...], int, bool, float]:
    return one.role, one.members, one.attempt, one.detected, one.ct_cycles or 0.0
