"""The best hierarchical design of everybody at one risk, by dynamic programming over partitions.

The expected tests of a tree are a sum over its groups, and each term knows only the sizes of the
groups around it: with N people in the master pool, g and h in the nested groups,

    ET(N) = 1 + Σ_g [ P(N+) + g>1: Σ_h ( P(N+, g+) + h>1: h · P(N+, g+, h+) ) ]

so the best parting of k people is the best last group plus the best parting of the rest. People
tested alone early ("singles") are found with fewer tests and so more often; how many of them there
are is kept apart, because a least pooling sensitivity asks for it. Every array here has one row
for each N, so that all master pools are weighed at once.

Source of the terms: Kim et al. 2007, Black et al. 2015 (see `hierarchical`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from lims.domain.pooling.designs.accuracy import ROUNDING, Accuracy
from lims.domain.pooling.designs.configuration import Group
from lims.domain.pooling.designs.hierarchical import Floats, all_positive

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """Everybody's probability, the largest master pool, and the least pooling sensitivity."""

    probability: float
    accuracy: Accuracy
    most: int
    least_sensitivity: float = 0.0


def best_tree(asked: Asked, stages: int) -> Group | None:
    """The tree with the fewest expected tests per person; None when none is sensitive enough.

    A tree of D3 has three people or more and one of D4 four or more, as in binGroup2; its groups
    may be tested alone sooner than its stages allow.
    """
    if asked.most < stages:
        return None
    search = {2: _two, 3: _three, 4: _four}[stages]
    return search(asked)


def _two(asked: Asked) -> Group | None:
    if not _enough(asked, asked.accuracy.kept(2)):
        return None
    sizes = np.arange(2, asked.most + 1)
    positive = _positive(asked)
    return Group(int(sizes[np.argmin(1 / sizes + positive[sizes])]))


def _three(asked: Asked) -> Group | None:
    weigh = _Weigh(asked)
    best, last = _parted(weigh.opened_twice(), asked.most)
    people = np.arange(asked.most + 1)
    found: tuple[float, int, int] | None = None
    for master in range(3, asked.most + 1):
        costs = people[: master + 1] * weigh.one[master] + best[master, master::-1]
        costs[~weigh.enough(master, people[: master + 1])] = np.inf
        alone = int(np.argmin(costs))
        found = _better(found, (1 + costs[alone]) / master, master, alone)
    if found is None:
        return None
    _, master, alone = found
    groups = [Group(size) for size in _groups(last[master], master - alone)]
    return Group.of([*groups, *[Group(1)] * alone])


def _four(asked: Asked) -> Group | None:
    weigh = _Weigh(asked)
    inner = _Inner(weigh)
    if asked.accuracy.kept(4) >= asked.least_sensitivity - ROUNDING:
        return _four_free(weigh, inner)
    return _four_held(weigh, inner)


def _four_free(weigh: "_Weigh", inner: "_Inner") -> Group | None:
    """Without a limit: how many are tested alone after the second stage does not matter."""
    most = weigh.asked.most
    singles = inner.costs.argmin(axis=2)
    costs = np.take_along_axis(inner.costs, singles[:, :, None], axis=2)[:, :, 0]
    best, last = _parted(costs, most)
    people = np.arange(4, most + 1)
    each = (1 + best[people, people]) / people
    master = int(people[np.argmin(each)])
    groups = _groups(last[master], master)
    return Group.of([inner.group(master, g, int(singles[master, g])) for g in groups])


def _four_held(weigh: "_Weigh", inner: "_Inner") -> Group | None:
    """With a limit: the best for each number of people (k) and of singles (t) inside groups."""
    most, asked = weigh.asked.most, weigh.asked
    size = most + 1
    best = np.full((size, size, size), np.inf)  # k, master, t
    best[0, :, 0] = 0.0
    for k in range(2, size):
        for group in range(2, k + 1):
            before = best[k - group, k:, : k - group + 1]  # masters of k or more
            for t in range(group + 1):
                kept = best[k, k:, t : t + k - group + 1]
                np.minimum(kept, before + inner.costs[k:, group, t, None], out=kept)
    found: tuple[float, int, int] | None = None
    for master, k in product(range(4, size), range(size)):
        if k > master:
            continue
        inside = np.arange(k + 1)
        costs = best[k, master, : k + 1] + (master - k) * weigh.one[master]
        found_of = (master - k) * asked.accuracy.kept(2) + inside * asked.accuracy.kept(3)
        overall = (found_of + (k - inside) * asked.accuracy.kept(4)) / master
        costs = np.where(overall >= asked.least_sensitivity - ROUNDING, costs, np.inf)
        least = int(np.argmin(costs))
        found = _better(found, (1 + costs[least]) / master, master, k * size + least)
    if found is None:
        return None
    _, master, packed = found
    k, t = divmod(packed, size)
    groups = [Group(1)] * (master - k)
    while k:
        group, alone = _last_held(best[:, master], inner.costs[master], k, t)
        groups.append(inner.group(master, group, alone))
        k, t = k - group, t - alone
    return Group.of(sorted(groups, key=lambda group: -group.people))


def _last_held(best: Floats, costs: Floats, k: int, t: int) -> tuple[int, int]:
    """The last group and its singles behind best[k, t]: found again, which is less than to keep."""
    options = (
        (float(best[k - group, t - alone] + costs[group, alone]), group, alone)
        for group in range(2, k + 1)
        for alone in range(min(group, t) + 1)
    )
    _, group, alone = min(options)
    return group, alone


class _Inner:
    """The second stage of D4: a group of g in a master of N, with t of its people tested alone
    in the third stage; ``costs[N, g, t]``."""

    def __init__(self, weigh: "_Weigh") -> None:
        most = weigh.asked.most
        self._last: dict[int, Ints] = {}
        self.costs = np.full((most + 1, most + 1, most + 1), np.inf)
        self.costs[:, 1, 0] = weigh.one
        self.costs[:, 1, 1:] = np.inf
        for group in range(2, most + 1):
            best, last = _parted(weigh.opened_thrice(group), group)
            alone = np.arange(group + 1)
            costs = alone * weigh.two[:, group][:, None] + best[:, group::-1]
            self.costs[:, group, : group + 1] = costs + weigh.one[:, None]
            self.costs[: group + 1, group] = np.inf  # a part is smaller than its master
            self._last[group] = last

    def group(self, master: int, people: int, alone: int) -> Group:
        """The tree behind one of the costs."""
        if people == 1:
            return Group(1)
        parts = [Group(size) for size in _groups(self._last[people][master], people - alone)]
        if not parts:
            return Group(people)
        return Group.of([*parts, *[Group(1)] * alone])


class _Weigh:
    """The terms: ``one[N]`` = P(N+), ``two[N, g]`` = P(N+, g+)."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.sizes = np.arange(asked.most + 1)
        self.clear = (1 - asked.probability) ** self.sizes.astype(np.float64)
        self.one = _positive(asked)
        self.two = all_positive([self.clear[:, None], self.clear[None, :]], asked.accuracy)

    def opened_twice(self) -> Floats:
        """costs[N, g] of a group that is tested alone next; never the whole master again."""
        costs: Floats = self.one[:, None] + self.sizes * self.two
        costs[:, :2] = np.inf
        costs[self.sizes[:, None] <= self.sizes] = np.inf
        return costs

    def opened_thrice(self, group: int) -> Floats:
        """costs[N, h] of a part of ``group`` that is tested alone next."""
        parts = self.sizes[: group + 1]
        nested = [self.clear[:, None], self.clear[group : group + 1], self.clear[: group + 1]]
        thrice = all_positive(nested, self.asked.accuracy)
        costs: Floats = self.two[:, group][:, None] + parts * thrice
        costs[:, :2] = np.inf
        costs[:, group:] = np.inf
        return costs

    def enough(self, master: int, alone: Ints) -> npt.NDArray[np.bool_]:
        """Whether so many tested alone in the second stage make D3 sensitive enough."""
        kept = self.asked.accuracy.kept
        overall = (alone * kept(2) + (master - alone) * kept(3)) / master
        return np.asarray(overall >= self.asked.least_sensitivity - ROUNDING)


def _parted(costs: Floats, most: int) -> tuple[Floats, Ints]:
    """best[N, k]: the cheapest groups of k people inside a master of N; and the last of them."""
    best = np.full((len(costs), most + 1), np.inf)
    last = np.zeros((len(costs), most + 1), dtype=np.int64)
    best[:, 0] = 0.0
    for k in range(1, most + 1):
        options = best[:, k - 1 :: -1][:, :k] + costs[:, 1 : k + 1]  # the last group has 1 … k
        last[:, k] = options.argmin(axis=1) + 1
        best[:, k] = options.min(axis=1)
    return best, last


def _groups(last: Ints, people: int) -> list[int]:
    return sorted(_walked_back(last, people), reverse=True)


def _walked_back(last: Ints, people: int) -> Iterator[int]:
    while people:
        size = int(last[people])
        yield size
        people -= size


def _positive(asked: Asked) -> Floats:
    """P(a master pool of 0, 1, … people tests positive)."""
    clear = (1 - asked.probability) ** np.arange(asked.most + 1, dtype=np.float64)
    return all_positive([clear], asked.accuracy)


def _enough(asked: Asked, sensitivity: float) -> bool:
    return sensitivity >= asked.least_sensitivity - ROUNDING


def _better(
    found: tuple[float, int, int] | None, each: float, master: int, how: int
) -> tuple[float, int, int] | None:
    """The lower expected tests per person; of equals the smaller master."""
    if not np.isfinite(each) or (found is not None and each >= found[0]):
        return found
    return float(each), master, how
