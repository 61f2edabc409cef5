"""Every way in which the members of one pool may be infected, each with its prior probability.

Exact to 16 members (65,536 subsets). Above, subsets of at most K positives, K as large as keeps
the omitted mass small, or with households the heaviest subsets; the omitted mass is told, since
truncation fails in clusters (pooling.md).
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from math import comb, prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lims.domain.pooling.bayes.error_model import Floats

EXACT_TO: Final = 16  # members
MOST_STATES: Final = 50_000  # of a larger pool
MOST_WEIGHED: Final = 20_000  # of a larger pool with households
LARGEST_WHOLE_HOME: Final = 8  # members of a larger pool's household with every subset counted
_FEW_OF_A_CROWD: Final = 3
_LOOKED_AT_WHOLE: Final = 16  # subsets of a household
_TOO_LIGHT: Final = 1e-7  # prior of a subset; all of them together weigh little
OMITTED_MOST: Final = 1e-3  # of the prior mass of pools that hold a positive

Subsets = NDArray[np.bool_]


@dataclass(frozen=True)
class States:
    """``infected``: (states, members). ``prior``: (states,), its sum 1 - ``omitted``. ``spared``:
    P(nobody of these members is infected), or a little more. ``alike``: exchanging two members
    changes nothing."""

    infected: Subsets
    prior: Floats
    omitted: float
    spared: Callable[[frozenset[int]], float]
    alike: bool = False

    @property
    def members(self) -> int:
        return int(self.infected.shape[1])

    @cached_property
    def patterns(self) -> NDArray[np.uint64]:
        """A number for each subset, its lowest bit the first member. (states,)"""
        return _patterns(self.infected)

    @cached_property
    def _carriers(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """How many each subset has, and who they are, subset by subset."""
        return self.infected.sum(axis=1), np.nonzero(self.infected)[1]

    def marginals(self, weights: Floats) -> Floats:
        """P(infected) of each member under these weights of the subsets: adding up the few carriers
        of each takes a tenth of the time of a product with all of ``infected``. (members,)"""
        counts, carriers = self._carriers
        each = np.bincount(carriers, np.repeat(weights, counts), self.members)
        return np.asarray(each, dtype=np.float64)

    def omitted_without(self, members: frozenset[int]) -> float:
        """Of what is omitted, at most how much has nobody of these infected."""
        kept = float(self.prior[~self.holding(members)].sum())
        return min(self.omitted, max(0.0, self.spared(members) - kept))

    def holding(self, members: Iterable[int]) -> NDArray[np.bool_]:
        """In which subsets at least one of these is infected. (states,)"""
        these = np.uint64(sum(1 << member for member in set(members)))
        held: NDArray[np.bool_] = (self.patterns & these) != 0
        return held


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
    spared = partial(_spared_apart, risks)
    return States(infected, prior, max(0.0, 1 - float(prior.sum())), spared, alike)


def _spared_apart(risks: tuple[float, ...], members: frozenset[int]) -> float:
    return prod(1 - risks[member] for member in members)


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
    return _in_households(tuple(risks), _relabelled(households), secondary_attack_rate)


@lru_cache(maxsize=16)
def _in_households(risks: tuple[float, ...], labels: tuple[int, ...], rate: float) -> States:
    members = len(risks)
    homes = [[i for i in range(members) if labels[i] == home] for home in range(max(labels) + 1)]
    whole = EXACT_TO if members <= EXACT_TO else LARGEST_WHOLE_HOME
    tables = [_home(tuple(risks[i] for i in home), rate, whole) for home in homes]
    if members <= EXACT_TO:
        infected = _subsets(members, members)
        prior = np.ones(len(infected))
        for home, (subsets, chances) in zip(homes, tables, strict=True):
            by_pattern = np.empty(len(chances))
            by_pattern[_patterns(subsets)] = chances
            prior *= by_pattern[_patterns(infected[:, home])]
    else:
        infected, prior = _heaviest(homes, tables, members)
    infected.setflags(write=False)
    prior.setflags(write=False)
    spared = partial(_spared_at_home, homes, tables)
    return States(infected, prior, max(0.0, 1 - float(prior.sum())), spared)


def _spared_at_home(
    homes: list[list[int]], tables: list["_Home"], members: frozenset[int]
) -> float:
    """What a large household's table leaves out may be in any of its subsets."""
    spared = 1.0
    for home, (subsets, chances) in zip(homes, tables, strict=True):
        these = [place for place, member in enumerate(home) if member in members]
        spared *= 1 - float(chances[subsets[:, these].any(axis=1)].sum())
    return spared


def _relabelled(households: Sequence[int]) -> tuple[int, ...]:
    """By the place of the first of each, so that alike households are alike whatever their name."""
    names = {label: n for n, label in enumerate(dict.fromkeys(households))}
    return tuple(names[label] for label in households)


def _heaviest(
    homes: list[list[int]], tables: list["_Home"], members: int
) -> tuple[Subsets, Floats]:
    """Household by household, what is too unlikely whatever the others bring left out.

    Few households are infected at once, but all of one may be: so subsets are kept by what they
    weigh, not by how many they are.
    """
    infected, prior = np.zeros((1, members), dtype=bool), np.ones(1)
    well = np.cumprod([1.0, *(float(chances[0]) for _, chances in reversed(tables))])[::-1]
    for home, (subsets, chances), others in zip(homes, tables, well[1:], strict=True):
        before, which = _not_too_light(prior, chances, others)
        joint = prior[before] * chances[which]
        if len(joint) > MOST_WEIGHED:
            heavy = np.sort(np.argpartition(-joint, MOST_WEIGHED)[:MOST_WEIGHED])
            before, which, joint = before[heavy], which[heavy], joint[heavy]
        infected, prior = infected[before], joint
        infected[:, home] = subsets[which]
    order = np.lexsort((_patterns(infected), infected.sum(axis=1)))
    return infected[order], prior[order]


def _not_too_light(
    prior: Floats, chances: Floats, others: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which subset of the members before goes with which of the next household, in their order.

    Of a large household only the heaviest of those before are looked at for each of its subsets, so
    that it costs what is kept.
    """
    if len(chances) <= _LOOKED_AT_WHOLE:
        before, which = np.nonzero(np.outer(prior, chances) * others >= _TOO_LIGHT)
        return before, which
    heaviest = np.argsort(-prior, kind="stable")
    falling = -prior[heaviest]
    with np.errstate(divide="ignore"):
        lightest = np.divide(_TOO_LIGHT * (1 - 1e-9), chances * others)
    many = np.searchsorted(falling, -lightest, side="right")
    which = np.repeat(np.arange(len(chances)), many)
    before = heaviest[np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)]
    kept = prior[before] * chances[which] * others >= _TOO_LIGHT
    order = np.argsort((before * len(chances) + which)[kept])
    return before[kept][order], which[kept][order]


def _patterns(infected: Subsets) -> NDArray[np.uint64]:
    bits = np.uint64(1) << np.arange(infected.shape[1], dtype=np.uint64)
    told: NDArray[np.uint64] = infected.astype(np.uint64) @ bits
    return told


def refuse_impossible(risks: Sequence[float]) -> None:
    """Raises ValueError."""
    if not 1 <= len(risks) <= 64:
        raise ValueError(f"{len(risks)} members: expected 1 to 64")
    for place, risk in enumerate(risks, start=1):
        if not 0 < risk < 1:
            raise ValueError(f"risk of member {place} is {risk}: expected above 0 and below 1")


_Home = tuple[Subsets, Floats]
"""The subsets of one household, nobody first, and P(exactly these infected in the end)."""


@lru_cache(maxsize=256)
def _home(risks: tuple[float, ...], rate: float, whole: int) -> _Home:
    """Where all have one risk, by counting; a household of more than ``whole`` keeps its smallest
    subsets, and what that leaves out is missing from the sum."""
    size = len(risks)
    if len(set(risks)) == 1:
        subsets = _subsets(size, size if size <= whole else _FEW_OF_A_CROWD)
        of_size = _final_sizes(size, risks[0], rate) / [comb(size, k) for k in range(size + 1)]
        return subsets, of_size[subsets.sum(axis=1)]
    if size > LARGEST_WHOLE_HOME:
        raise ValueError(
            f"household of {size} with risks of their own: expected at most {LARGEST_WHOLE_HOME}"
        )
    subsets = _subsets(size, size)
    return subsets, _chains(risks, rate)[_patterns(subsets)]


def _final_sizes(size: int, risk: float, rate: float) -> Floats:
    """P(so many infected in the end) where all have one risk (Bailey 1975 ch. 14)."""
    ends = np.zeros(size + 1)
    ends[0] = (1 - risk) ** size
    chains = np.zeros((size + 1, size + 1))  # infected, of them those who may still spread
    for brought in range(1, size + 1):
        chains[brought, brought] = _binomial(size, brought, risk)
    for infected in range(1, size + 1):
        left = size - infected
        for spreading in range(1, infected + 1):
            catches = 1 - (1 - rate) ** spreading
            for caught in range(left + 1):
                likely = chains[infected, spreading] * _binomial(left, caught, catches)
                if caught:
                    chains[infected + caught, caught] += likely
                else:
                    ends[infected] += likely
    return ends


def _binomial(of: int, so_many: int, chance: float) -> float:
    return float(comb(of, so_many) * chance**so_many * (1 - chance) ** (of - so_many))


def _chains(risks: tuple[float, ...], rate: float) -> Floats:
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
        infected = np.zeros((sum(comb(members, k) for k in range(most + 1)), members), dtype=bool)
        first = 1  # after nobody
        for k in range(1, most + 1):
            places = itertools.chain.from_iterable(itertools.combinations(range(members), k))
            chosen = np.fromiter(places, dtype=np.intp, count=k * comb(members, k)).reshape(-1, k)
            infected[np.arange(first, first + len(chosen))[:, None], chosen] = True
            first += len(chosen)
    infected.setflags(write=False)
    return infected
