"""Overlapping sub-pools: a handful of tests in one run that between them name who is infected.

Each member is in some of the pools and not in others, as a code word, so that the pattern of
positive pools points at her. A design is judged by all the tests it leads to: its own, and what is
expected to be left open by every pattern that it may show (``remaining_work``).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lims.domain.pooling.bayes.error_model import ErrorModel, Floats, Role
from lims.domain.pooling.bayes.posterior import Posterior
from lims.domain.pooling.bayes.remaining_work import NAMED_FROM, Worth, work_after

Design = NDArray[np.bool_]
"""(pools, members): who is drawn into which."""

Places = NDArray[np.intp]

_KEPT_MASS: Final = 0.99  # of the posterior, in planning only
_MOST_PLANNED: Final = 2000  # subsets; of 32 members those with two carriers, which are 96 % at 1 %
_MOST_PAIRS: Final = 32_000
"""Of carriers, over all planned subsets: those of whole households hold many, and cost as many."""

_TIE: Final = 1e-9  # subsets of one weight are kept or left out together


@dataclass(frozen=True)
class Prospect:
    """A posterior as designs are judged on: its heaviest subsets.

    ``holder``, ``pair``, ``pair_weights``: for each subset and each two of its carriers (i and j,
    and i with herself), the subset, i * members + j, and its weight.
    """

    infected: Floats
    weights: Floats
    holder: Places
    pair: Places
    pair_weights: Floats
    model: ErrorModel
    worth: Worth

    def expected(self, design: Design) -> float:
        """The design's own tests, and those expected after it."""
        pools, members = design.shape
        patterns = 1 << pools
        true = (self.infected @ design.T.astype(float) > 0.5) @ (1 << np.arange(pools))
        shown = _errors(pools, self.model)
        chance = shown @ np.bincount(true, self.weights, patterns)
        weighed = np.bincount(
            true[self.holder] * members**2 + self.pair, self.pair_weights, patterns * members**2
        )
        together = np.asarray(weighed, dtype=np.float64).reshape(patterns, members, members)
        each = np.arange(members)
        risks = shown @ together[:, each, each] / chance[:, None]
        named, missed, given = _if_named(risks, together, shown, chance)
        negative = ~(np.arange(patterns)[:, None] >> np.arange(pools) & 1).astype(bool)
        after = work_after(
            named=named,
            missed=missed,
            risks=given,
            held_negative=negative @ design,
            worth=self.worth,
        )
        return float(pools + (chance * after).sum())


def _if_named(
    risks: Floats, together: Floats, shown: Floats, chance: Floats
) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Who is named by each pattern; P(she is not infected); the risks of all if she is."""
    rows = np.arange(len(risks))
    likeliest = risks.argmax(axis=1)
    sure = risks[rows, likeliest] >= NAMED_FROM
    named = np.zeros(risks.shape, dtype=bool)
    named[rows, likeliest] = sure
    given = risks.copy()
    for her in sorted({int(one) for one in likeliest[sure]}):
        by = np.flatnonzero(sure & (likeliest == her))
        with_her = shown[by] @ together[:, :, her] / chance[by, None]
        given[by] = with_her / risks[by, her][:, None]
    return named, np.where(sure, 1 - risks[rows, likeliest], 0.0), given


def prospect(seen: Posterior, members: list[int], model: ErrorModel, worth: Worth) -> Prospect:
    """Of these members only."""
    heaviest = np.argsort(-seen.weights, kind="stable")[: _MOST_PLANNED + 1]
    falling = seen.weights[heaviest]
    pairs = np.cumsum(seen.states.infected[heaviest].sum(axis=1) ** 2)
    most = min(_MOST_PLANNED, int(np.searchsorted(pairs, _MOST_PAIRS)), len(falling) - 1)
    enough = int(np.searchsorted(np.cumsum(falling), _KEPT_MASS))
    lightest = falling[min(enough, most)]
    if enough > most:  # without the ties that would be cut through
        lightest *= 1 + 2 * _TIE
    kept = np.flatnonzero(seen.weights >= lightest * (1 - _TIE))
    if not len(kept):  # all of one weight: there is nothing to choose
        kept = heaviest[:most]
    weights = seen.weights[kept] / seen.weights[kept].sum()
    infected = seen.states.infected[kept][:, members]
    holder, one, other = np.nonzero(infected[:, :, None] & infected[:, None, :])
    pair = one * len(members) + other
    return Prospect(infected.astype(float), weights, holder, pair, weights[holder], model, worth)


def improved(design: Design, ahead: Prospect, tries: int, seed: int = 0) -> tuple[Design, float]:
    """By exchanging, adding and leaving out members, as long as that helps. Always the same of the
    same."""
    chance = np.random.default_rng(seed)
    best, cost = design, ahead.expected(design)
    for _ in range(tries):
        changed = neighbour(best, chance)
        tried = ahead.expected(changed)
        if tried < cost - 1e-9:
            best, cost = changed, tried
    return best, cost


def neighbour(design: Design, chance: np.random.Generator) -> Design:
    """One member in or out of one pool, or two members' places exchanged."""
    pools, members = design.shape
    changed = design.copy()
    kind = chance.random()
    if kind < 0.5 or members < 2:
        changed[chance.integers(pools), chance.integers(members)] ^= True
    elif kind < 0.8:
        one, other = chance.choice(members, 2, replace=False)
        pool = chance.integers(pools)
        changed[pool, [one, other]] = design[pool, [other, one]]
    else:
        changed[:, chance.integers(members)] = chance.random(pools) < 0.5
    return changed


@lru_cache(maxsize=64)
def _errors(pools: int, model: ErrorModel) -> Floats:
    """P(pattern shown | pattern true): (2^pools, 2^pools), pool 0 the lowest bit."""
    seen, sp = model.sensitivity(Role.SUB_POOL), model.specificity
    one = np.array([[sp, 1 - seen], [1 - sp, seen]])
    whole = np.ones((1, 1))
    for _ in range(pools):
        whole = np.kron(one, whole)
    whole.setflags(write=False)
    return whole
