"""Who is drawn into which sub-pool: each member has a code word, the pools that hold her.

Words of one weight never contain one another, so one carrier's pattern is no other's (Sperner
1928); of two neighbouring weights there are many more words and the few that are contained are
left to a check pool. Five pools have ten words of two and ten of three: a pool of twenty. Local
search from these finds nothing better by more than .02 tests, and from elsewhere ends above them.
"""

import itertools
from functools import lru_cache
from math import comb
from typing import Final

import numpy as np

from lims.domain.pooling.bayes.overlapping import Design

FEWEST: Final = 2  # sub-pools


@lru_cache(maxsize=64)
def code_designs(members: int) -> tuple[Design, ...]:
    """Designs worth judging for so many members; read-only."""
    return tuple(
        design
        for pools in _numbers(members)
        for weights in _weightings(pools, members)
        if (design := _design(pools, weights, members)).any(axis=1).all()
    )


def _numbers(members: int) -> range:
    """Of sub-pools: about as many as it takes to give everybody a word of her own."""
    enough = members.bit_length()
    return range(max(FEWEST, enough - 2), min(enough + 1, members - 1) + 1)


def _weightings(pools: int, members: int) -> list[tuple[int, ...]]:
    """Orders in which words of each weight are given out, till there are enough: from each weight
    to its lighter or its heavier neighbours. Repeated from the start where all are not enough."""
    orders: dict[tuple[int, ...], None] = {}
    for first in range(1, pools):
        for way in (1, -1):
            by_nearness = sorted(range(1, pools + 1), key=lambda w: (abs(w - first), -way * w))
            enough, taken = 0, []
            for weight in by_nearness:
                if enough >= members:
                    break
                taken.append(weight)
                enough += comb(pools, weight)
            orders[tuple(taken)] = None
    return list(orders)


def _design(pools: int, weights: tuple[int, ...], members: int) -> Design:
    """Of the words of the last weight, those that keep the pools even."""
    design = np.zeros((pools, members), dtype=bool)
    sizes = [0] * pools
    given = 0
    for weight in itertools.cycle(weights):
        words = list(itertools.combinations(range(pools), weight))
        while words and given < members:
            word = min(words, key=lambda w: (sum([sizes[pool] for pool in w]), w))
            words.remove(word)
            for pool in word:
                design[pool, given] = True
                sizes[pool] += 1
            given += 1
        if given == members:
            break
    design.setflags(write=False)
    return design
