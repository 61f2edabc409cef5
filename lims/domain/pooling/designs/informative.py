"""The best design of people whose risks differ, by dynamic programming over their order of risk.

People are sorted by risk, and every pool and part of a pool takes neighbours in that order: for
two stages no other parting has fewer expected tests (Hwang 1975), for three and four it is the
convention of the literature (Black et al. 2015). The best parting of the first k is then the best
last master pool plus the best parting of those before it; inside a master pool the same is done
once more for its parts, for every master and every start at once.

Here the least pooling sensitivity holds for each person: who stands where follows from who they
are, and nobody's chance is lowered to raise another's.

Sources: Hwang, "A generalized binomial group testing problem", JASA 70 (1975) 923; McMahan et al.
2012a (pool-specific optimal Dorfman, D2) and 2012b (arrays); Black et al. 2015 (D3, D4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lims.domain.pooling.designs import array
from lims.domain.pooling.designs.accuracy import ROUNDING, Accuracy
from lims.domain.pooling.designs.configuration import (
    Algorithm,
    Cohort,
    Design,
    Group,
    Hierarchical,
    SquareArray,
)
from lims.domain.pooling.designs.hierarchical import Floats, weights
from lims.domain.pooling.designs.squares import largest_side

Ints = npt.NDArray[np.int64]
_AT_ONCE = 256  # starts; their arrays fit into the processor's cache


@dataclass(frozen=True, slots=True)
class Sorted:
    """People's probabilities in ascending order, the largest pool and the least sensitivity."""

    probabilities: Floats
    accuracy: Accuracy
    most: int
    least_sensitivity: float = 0.0

    def bears(self, sensitivity: float) -> bool:
        """Whether so much is enough for a person."""
        return sensitivity >= self.least_sensitivity - ROUNDING


def best_cohort(algorithm: Algorithm, people: Sorted) -> Cohort | None:
    """The designs with the fewest expected tests; None when none is sensitive enough.

    Whoever is too likely positive to gain from a pool is tested alone.
    """
    many = len(people.probabilities)
    alone = 1.0 if people.bears(people.accuracy.alone.sensitivity(1)) else np.inf
    costs = {1: np.full(many, alone)}
    if algorithm.stages > 1 and algorithm.hierarchical:
        costs.update(_trees(people, algorithm.stages))
    elif algorithm.stages > 1:
        costs.update(_squares(people, master=algorithm is Algorithm.A2M))
    blocks = _blocks(costs, many)
    if blocks is None:
        return None
    if algorithm.hierarchical:
        return Cohort(tuple(_planted(people, algorithm.stages, blocks)))
    return Cohort(
        tuple(
            Hierarchical(Group(1))
            if size == 1
            else SquareArray(int(np.sqrt(size)), algorithm is Algorithm.A2M)
            for _, size in blocks
        )
    )


def _blocks(costs: dict[int, Floats], many: int) -> Sequence[tuple[int, int]] | None:
    """(first, people) of each master pool or square; ``costs[n][i]`` is of n people from i on."""
    best = np.full(many + 1, np.inf)
    last = np.zeros(many + 1, dtype=np.int64)
    best[0] = 0.0
    for until in range(1, many + 1):
        for size, of_size in costs.items():
            cost = best[until - size] + of_size[until - size] if size <= until else np.inf
            if cost < best[until]:
                best[until], last[until] = cost, size
    if not np.isfinite(best[many]):
        return None
    blocks = []
    while many:
        size = int(last[many])
        many -= size
        blocks.append((many, size))
    return blocks[::-1]


def _squares(people: Sorted, *, master: bool) -> dict[int, Floats]:
    costs = {}
    many = len(people.probabilities)
    for side in range(2, largest_side(people.most, master=master) + 1):
        if side * side > many:
            break
        windows = np.lib.stride_tricks.sliding_window_view(people.probabilities, side * side)
        cost = np.empty(len(windows))
        at_once = max(1, _AT_ONCE * 64 // (side * side))
        for first in range(0, len(windows), at_once):
            some = windows[first : first + at_once].reshape(-1, side, side)
            cells = array.cells(some, people.accuracy, master=master)
            weakest = cells.sensitivity.min(axis=(-2, -1))
            enough = weakest >= people.least_sensitivity - ROUNDING
            cost[first : first + at_once] = np.where(enough, cells.tests, np.inf)
        costs[side * side] = cost
    return costs


def _trees(people: Sorted, stages: int) -> dict[int, Floats]:
    many, most = len(people.probabilities), min(people.most, len(people.probabilities))
    costs = {size: np.full(many, np.inf) for size in range(2, most + 1)}
    if not people.bears(people.accuracy.kept(2)):
        return {}
    for first in range(0, many, _AT_ONCE):
        starts = np.arange(first, min(first + _AT_ONCE, many))
        tests = _masters(_Nest(people, starts, stages), most)
        for size, cost in costs.items():
            fits = starts + size <= many
            cost[starts[fits]] = tests[size][fits]
    return costs


def _masters(nest: "_Nest", most: int) -> Floats:
    """tests[n]: of a master pool of n from each start, all its sizes reckoned at once."""
    sizes = np.arange(most + 1)[:, None]
    master = nest.clear(np.zeros_like(sizes), sizes)
    if nest.stages == 2:
        return np.asarray(1 + sizes * nest.all_positive([master]))
    best = nest.parted(0, most, [master], sizes=True)
    return 1 + np.stack([best[size][size] for size in range(most + 1)])


def _planted(people: Sorted, stages: int, blocks: Sequence[tuple[int, int]]) -> Sequence[Design]:
    """The trees of the chosen master pools, those of one size together."""
    planted: dict[int, Design] = {}
    for size in {size for _, size in blocks}:
        firsts = [first for first, of_size in blocks if of_size == size]
        if size == 1 or stages == 2:
            planted.update(dict.fromkeys(firsts, Hierarchical(Group(size))))
            continue
        nest = _Nest(people, np.array(firsts), stages)
        chosen: list[Ints] = []
        nest.parted(0, size, [nest.clear(0, size)], chosen=chosen)
        for number, first in enumerate(firsts):
            parts = _walked_back([int(choice[number]) for choice in chosen])
            planted[first] = Hierarchical(
                _of([_part(nest.alone(number), size, at, part) for at, part in parts])
            )
    return [planted[first] for first, _ in blocks]


def _part(nest: "_Nest", master: int, at: int, size: int) -> Group:
    """One part of a chosen master pool; with four stages it has parts of its own."""
    if size == 1 or nest.stages == 3:
        return Group(size)
    chosen: list[Ints] = []
    nest.parted(at, size, [nest.clear(0, master), nest.clear(at, size)], chosen=chosen)
    return _of([Group(part) for _, part in _walked_back([int(choice[0]) for choice in chosen])])


def _of(parts: Sequence[Group]) -> Group:
    if all(part.people == 1 for part in parts):
        return Group(len(parts))
    return Group.of(parts)


def _walked_back(last: Sequence[int]) -> Sequence[tuple[int, int]]:
    """(where it begins, people) of each part; ``last[b]`` is the last part of the first b."""
    left, parts = len(last) - 1, []
    while left:
        size = last[left]
        left -= size
        parts.append((left, size))
    return parts[::-1]


class _Nest:
    """Nested neighbours from many starts at once.

    ``clear`` is the probability that nobody in a pool is positive; arrays end in one column for
    each start, and may have rows for masters of several sizes.
    """

    def __init__(self, people: Sorted, starts: Ints, stages: int) -> None:
        self.stages = stages
        self._people, self._starts = people, starts
        self._weights = [weights(nested, people.accuracy) for nested in range(1, stages + 1)]
        self._logs = np.concatenate([[0.0], np.cumsum(np.log1p(-people.probabilities))])
        self._known: dict[tuple[int, int], Floats] = {}

    def alone(self, number: int) -> "_Nest":
        """Of one of the starts."""
        return _Nest(self._people, self._starts[number : number + 1], self.stages)

    def clear(self, first: int | Ints, size: int | Ints) -> Floats:
        end = len(self._logs) - 1
        begin = np.minimum(self._starts + first, end)
        until = np.minimum(begin + size, end)
        return np.asarray(np.exp(self._logs[until] - self._logs[begin]))

    def all_positive(self, clear: Sequence[Floats]) -> Floats:
        """As `hierarchical.all_positive`, its weights reckoned once."""
        return self._part_sum(self._weights[len(clear) - 1], clear)

    def parted(
        self,
        first: int,
        people: int,
        around: Sequence[Floats],
        *,
        sizes: bool = False,
        chosen: list[Ints] | None = None,
    ) -> list[Floats]:
        """best[b]: the fewest tests in parts of the first b people of a pool that is positive.

        ``chosen`` is given the size of the last part of each. With ``sizes`` the masters have a
        row for each size; no part is a whole pool again.
        """
        opened = self.all_positive(around)
        best: list[Floats] = [np.zeros_like(opened)]
        last: list[Ints] = [np.zeros(opened.shape, dtype=np.int64)]
        deeper = self._people.bears(self._people.accuracy.kept(len(around) + 2))
        for until in range(1, people + 1):
            least, size_of = best[until - 1] + opened, np.ones(opened.shape, dtype=np.int64)
            largest = until if sizes else min(until, people - 1)
            for size in range(2, largest + 1 if deeper else 2):
                # Masters that hold the part and are more than it.
                rows = slice(until + (until == size), None) if sizes else slice(None)
                inner = [around[0][rows], *around[1:]]
                cost = best[until - size][rows] + opened[rows]
                cost += self._inside(first + until - size, size, inner)
                if chosen is not None:
                    size_of[rows][cost < least[rows]] = size
                np.minimum(least[rows], cost, out=least[rows])
            best.append(least)
            last.append(size_of)
        if chosen is not None:
            chosen.extend(last)
        return best

    def _inside(self, first: int, size: int, around: Sequence[Floats]) -> Floats:
        """Tests inside one part, once it is positive."""
        nested = [*around, self._clear(first, size)]
        if len(nested) == self.stages - 1:
            return size * self.all_positive(nested)
        if len(nested) == self.stages - 2:
            return self._tested_alone_after(first, size, nested)
        return self.parted(first, size, nested)[size]

    def _tested_alone_after(self, first: int, people: int, around: Sequence[Floats]) -> Floats:
        """`parted` where each part's people are tested alone next: the inmost loop, written out."""
        opened = self.all_positive(around)
        *outer, of_part = self._weights[len(around)]
        each = self._part_sum(outer, around)
        best: list[Floats] = [np.zeros_like(opened)]
        fixed = [opened + size * each for size in range(people)]
        deeper = self._people.bears(self._people.accuracy.kept(len(around) + 2))
        cost = np.empty_like(opened)
        for until in range(1, people + 1):
            least = best[until - 1] + opened
            for size in range(2, min(until, people - 1) + 1 if deeper else 2):
                np.add(best[until - size], fixed[size], out=cost)
                cost += size * of_part * self._clear(first + until - size, size)
                np.minimum(least, cost, out=least)
            best.append(least)
        return best[people]

    def _part_sum(self, weighing: Sequence[float], clear: Sequence[Floats]) -> Floats:
        total = weighing[0] + weighing[1] * clear[0]
        for weight, q in zip(weighing[2:], clear[1:], strict=True):
            total = total + weight * q
        return np.asarray(total)

    def _clear(self, first: int, size: int) -> Floats:
        if (first, size) not in self._known:
            self._known[first, size] = self.clear(first, size)
        return self._known[first, size]
