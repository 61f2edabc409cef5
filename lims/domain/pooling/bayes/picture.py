"""How likely each member of a pool is infected, and what each test that is wanted would change.

A picture beside the findings, never one of them: who is cleared, named or confirmed is said by
``conclude``. What was drawn of some evidence is kept, since a page is looked at oftener than a
result comes.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np

from lims.domain.pooling.bayes.error_model import USUAL, Floats, Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.posterior import Posterior, attempts_at
from lims.domain.pooling.bayes.thought import posterior_of
from lims.domain.pooling.prior import Prior

_HEAVIEST: Final = 4_000  # subsets that the answers to come are reckoned on
_MOST_TESTS: Final = 64


class Trust(StrEnum):
    """Whether the numbers mean anything."""

    SOUND = "sound"
    CONTRADICTED = "contradicted"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Asked:
    """A test without an answer: one member's own tube, or a sub-pool of several."""

    role: Role
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """What one test would do: ``chance`` that it is detected, and everybody's risk after it."""

    asked: Asked
    chance: float
    if_detected: tuple[float, ...]
    if_not: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """``risks``: of each member. ``nobody``: that the pool was falsely detected."""

    risks: tuple[float, ...]
    nobody: float
    splits: tuple[Split, ...]
    trust: Trust


@lru_cache(maxsize=512)
def picture(
    members: int, prior: Prior, told: frozenset[Measurement], asked: tuple[Asked, ...]
) -> Picture:
    """Of a pool of so many. At most 64 of the tests are drawn, the first of them."""
    seen = posterior_of(prior, members, told)
    return Picture(
        risks=tuple(float(one) for one in seen.marginals),
        nobody=seen.nobody,
        splits=_splits(seen, asked[:_MOST_TESTS]),
        trust=_trust(seen),
    )


def _trust(seen: Posterior) -> Trust:
    if seen.contradicted:
        return Trust.CONTRADICTED
    return Trust.TOO_MANY if seen.too_much_left_out else Trust.SOUND


def _splits(seen: Posterior, asked: tuple[Asked, ...]) -> tuple[Split, ...]:
    """Bayes' rule once for every test: detected, and by what is left, not detected. A tube that was
    measured before says less the second time."""
    if not asked:
        return ()
    weights, infected = _heaviest(seen)
    risks = weights @ infected
    before = attempts_at(seen.measurements)
    splits = []
    for one in asked:
        detected, missed = before.get((one.role, one.members), (0, 0))
        with_one, without = USUAL.detected_next(one.role, detected, missed)
        positive = infected[:, list(one.members)].any(axis=1)
        with_it = weights * np.where(positive, with_one, without)
        chance = float(with_it.sum())
        joint = with_it @ infected
        splits.append(
            Split(one, chance, _shares(joint, chance), _shares(risks - joint, 1 - chance))
        )
    return tuple(splits)


def _heaviest(seen: Posterior) -> tuple[Floats, Floats]:
    kept = np.arange(len(seen.weights))
    if len(kept) > _HEAVIEST:
        kept = np.argpartition(-seen.weights, _HEAVIEST)[:_HEAVIEST]
    weights = seen.weights[kept]
    return weights / weights.sum(), seen.states.infected[kept].astype(float)


def _shares(joint: Floats, whole: float) -> tuple[float, ...]:
    return tuple(float(one) for one in (joint / whole).clip(0.0, 1.0))
