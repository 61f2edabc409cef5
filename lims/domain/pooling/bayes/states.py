"""Every way in which the members of one pool may be infected, each with its prior probability.

Exact to 16 members (65,536 subsets). Above, subsets of at most K positives, K as large as keeps
the omitted mass small; that mass is told, since truncation fails in clusters (pooling.md).
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lims.domain.pooling.bayes.error_model import Floats

EXACT_TO: Final = 16  # members
MOST_STATES: Final = 50_000  # of a larger pool
OMITTED_MOST: Final = 1e-3  # of the prior mass of pools that hold a positive

Subsets = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class States:
    """``infected``: (states, members). ``prior``: (states,), its sum 1 - ``omitted``. ``alike``:
    exchanging two members changes nothing."""

    infected: Subsets
    prior: Floats
    omitted: float
    alike: bool = False

    @property
    def members(self) -> int:
        return int(self.infected.shape[1])


def independent(risks: Sequence[float]) -> States:
    """Members infected each for themselves. Raises ValueError."""
    refuse_impossible(risks)
    return _independent(tuple(risks))


@lru_cache(maxsize=64)
def _independent(risks: tuple[float, ...]) -> States:
    risk = np.asarray(risks, dtype=float)
    count = _count_distribution([np.array([1 - r, r]) for r in risk])
    infected = _subsets(len(risk), _most_positives(len(risk), count))
    log_odds = np.log(risk) - np.log1p(-risk)
    prior = np.exp(np.log1p(-risk).sum() + infected @ log_odds)
    prior.setflags(write=False)
    alike = len(set(risks)) == 1
    return States(infected, prior, max(0.0, 1 - float(prior.sum())), alike)


def in_households(
    risks: Sequence[float], households: Sequence[int], secondary_attack_rate: float
) -> States:
    """Members of one household infect one another (Reed-Frost chains, Bailey 1975 ch. 14): each is
    brought the infection from outside with her own risk, and whoever has it gives it to each of the
    others with the secondary attack rate. ``households``: a label for each member.

    Raises ValueError.
    """
    refuse_impossible(risks)
    if not 0 <= secondary_attack_rate < 1:
        raise ValueError(f"secondary attack rate {secondary_attack_rate}: expected 0 to below 1")
    homes = [
        [i for i, label in enumerate(households) if label == one]
        for one in dict.fromkeys(households)
    ]
    tables = [_home(tuple(risks[i] for i in home), secondary_attack_rate) for home in homes]
    sizes = [
        np.bincount([s.bit_count() for s in range(len(table))], table).astype(float)
        for table in tables
    ]
    infected = _subsets(len(risks), _most_positives(len(risks), _count_distribution(sizes)))
    prior = np.ones(len(infected))
    for home, table in zip(homes, tables, strict=True):
        which = infected[:, home] @ (1 << np.arange(len(home)))
        prior *= table[which]
    return States(infected, prior, max(0.0, 1 - float(prior.sum())))


def refuse_impossible(risks: Sequence[float]) -> None:
    """Raises ValueError."""
    if not 1 <= len(risks) <= 64:
        raise ValueError(f"{len(risks)} members: expected 1 to 64")
    for place, risk in enumerate(risks, start=1):
        if not 0 < risk < 1:
            raise ValueError(f"risk of member {place} is {risk}: expected above 0 and below 1")


@lru_cache(maxsize=256)
def _home(risks: tuple[float, ...], rate: float) -> Floats:
    """P(the set infected in the end), by bit pattern, of one household."""
    size = len(risks)
    ends = np.zeros(1 << size)
    chains: dict[
        tuple[int, int], float
    ] = {}  # (infected, of them those who may still spread) -> probability
    for brought in range(1, 1 << size):
        chains[brought, brought] = _product(risks, brought)
    ends[0] = _product(risks, 0)
    for infected in sorted(range(1, 1 << size), key=int.bit_count):
        well = (1 << size) - 1 & ~infected
        for spreading in _parts_of(infected):
            chance = chains.pop((infected, spreading), 0.0)
            if not chance:
                continue
            escapes = (1 - rate) ** spreading.bit_count()
            for caught in _parts_of(well):
                k, left = caught.bit_count(), well.bit_count()
                likely = chance * (1 - escapes) ** k * escapes ** (left - k)
                if caught:
                    key = infected | caught, caught
                    chains[key] = chains.get(key, 0.0) + likely
                else:
                    ends[infected] += likely
    return ends


def _product(risks: Sequence[float], infected: int) -> float:
    return prod(r if infected >> i & 1 else 1 - r for i, r in enumerate(risks))


def _parts_of(whole: int) -> list[int]:
    parts, part = [0], whole
    while part:
        parts.append(part)
        part = (part - 1) & whole
    return parts


def _count_distribution(groups: Iterable[Floats]) -> Floats:
    """P(number of positives) of independent groups, each given by its own."""
    total = np.ones(1)
    for group in groups:
        total = np.convolve(total, group)
    return total


def _most_positives(members: int, count: Floats) -> int:
    """All, or the fewest that leave little of the pools with a positive out."""
    if members <= EXACT_TO:
        return members
    held = 1 - count[0]
    most, states = 1, 1 + members
    while most < members and count[most + 1 :].sum() > OMITTED_MOST * held:
        states += comb(members, most + 1)
        if states > MOST_STATES:
            break
        most += 1
    return most


@lru_cache(maxsize=64)
def _subsets(members: int, most: int) -> Subsets:
    """Of at most ``most``, the smallest first."""
    if most >= members:
        every = np.arange(1 << members)
        infected = (every[:, None] >> np.arange(members) & 1).astype(bool)
        infected = infected[np.argsort(infected.sum(axis=1), kind="stable")]
    else:
        chosen = [c for k in range(most + 1) for c in itertools.combinations(range(members), k)]
        infected = np.zeros((len(chosen), members), dtype=bool)
        for row, positives in enumerate(chosen):
            infected[row, list(positives)] = True
    infected.setflags(write=False)
    return infected
