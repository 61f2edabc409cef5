"""The tests that a pool still needs once this much is known of it, and which they are.

Whoever is named by the evidence is tested alone. What is left open if she is indeed infected shares
*check pools*: a negative one clears all of its members at once, a positive one costs their tests
in the run after. Members whose risk is only that of being infected *instead of* her wait: her own
test settles theirs.

Sorted by risk, the best partition takes neighbours together (Hwang 1975, J. Am. Stat. Assoc. 70,
923-926), so that dynamic programming over the sorted members finds it.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lims.domain.pooling.bayes.error_model import Floats

CLEARED_BELOW: Final = 5e-4
"""Posterior risk under which a negative tube clears: a person of a pool of 20 that was not detected
has about .01 * .02 = 2e-4 at 1 %."""

NAMED_FROM: Final = 0.95
"""Posterior risk from which a member is named: isolate now, confirm in the next run."""

LARGEST_CHECK: Final = 16  # members; a larger one saves nothing that matters
_NAMED_MOST: Final = 3  # of one pool at once; more is a cluster, and tested alone
_AFTER_A_MISS: Final = 3.0  # tests, where who was named is not infected
_NEVER: Final = 1e9
_SURE: Final = 1 - 1e-9
LIGHT: Final = 1e-7  # weight of a subset that changes no decision

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Worth:
    """What a decision weighs.

    ``run_tests`` (lambda): a further run's hours, in tests, for the whole pool. ``name_tests``:
    that an infected member is named a run earlier, in tests; .4 names nine pools of ten after one
    run, at 1 %, where 0 names four for .001 tests a person less. ``cleared_below``: see
    ``classify``.
    """

    run_tests: float = 0.0
    name_tests: float = 0.4
    cleared_below: float = CLEARED_BELOW


USUAL_WORTH: Final = Worth()


def named_and_left(weights: Floats, infected: Flags) -> tuple[list[int], Floats]:
    """Who is named, and the weights of the subsets if they are indeed infected.

    ``weights``: (states,), their sum 1. ``infected``: (states, members).
    """
    named: list[int] = []
    given = weights
    for _ in range(_NAMED_MOST):
        risks = given @ infected
        risks[named] = 0
        likeliest = int(risks.argmax())
        if risks[likeliest] < NAMED_FROM:
            break
        named.append(likeliest)
        given = given * infected[:, likeliest] / risks[likeliest]
    return named, given


def work_after(
    *, named: Flags, missed: Floats, risks: Floats, held_negative: Flags, worth: Worth
) -> Floats:
    """Tests to be expected after each of several patterns, (patterns,).

    ``named``: who is, (patterns, members); ``missed``: P(she is not infected), (patterns,);
    ``risks``: of all if she is; ``held_negative``: who was in a negative tube. Members of a check
    pool count as independent, which errs by little once who is named is taken out.
    """
    is_open = ~named & ~(held_negative & (risks < worth.cleared_below))
    counts = is_open.sum(axis=1)
    ordered = -np.sort(-np.where(is_open, risks, -1.0), axis=1)[:, : counts.max(initial=0)]
    cost, _began = _partition(_Independent(ordered), worth.run_tests, LARGEST_CHECK)
    apart: Floats = cost[np.arange(len(cost)), counts]
    unnamed = np.where(named, 0.0, risks).sum(axis=1)
    told: Floats = (
        named.sum(axis=1)
        + apart
        + missed * (_AFTER_A_MISS + worth.run_tests)
        + unnamed * worth.name_tests
    )
    return told


def cheapest_partition(
    weights: Floats, infected: Flags, run_tests: float = 0.0, largest: int = LARGEST_CHECK
) -> tuple[list[list[int]], float]:
    """Groups of members (columns of ``infected``), the most likely infected first; one of a single
    member is a test of her own. And the tests to be expected. ``weights``: (states,)."""
    order = np.argsort(-(weights @ infected), kind="stable")
    cost, began = _partition(_Joint(weights, infected[:, order]), run_tests, largest)
    groups: list[list[int]] = []
    end = len(order)
    while end:
        start = int(began[0, end])
        groups.insert(0, [int(i) for i in order[start:end]])
        end = start
    return groups, float(cost[0, -1])


class _Sorted(Protocol):
    """Members by falling risk, of one posterior or several."""

    @property
    def shape(self) -> tuple[int, int]:
        """(posteriors, members)."""
        ...

    def positive(self, sizes: NDArray[np.intp]) -> Floats:
        """P(somebody infected) among the last so many of the first j members, for every j from 1;
        of more than there are, what does not matter. (posteriors, members, sizes)"""
        ...


class _Independent:
    """``risks``: (posteriors, members); beyond 0 where there is nobody."""

    def __init__(self, risks: Floats) -> None:
        self.shape = risks.shape
        self._log_well = np.zeros((risks.shape[0], risks.shape[1] + 1))
        np.cumsum(np.log1p(-risks.clip(0, _SURE)), axis=1, out=self._log_well[:, 1:])

    def positive(self, sizes: NDArray[np.intp]) -> Floats:
        ends = np.arange(1, self.shape[1] + 1)
        began = (ends[:, None] - sizes).clip(min=0)
        told: Floats = 1 - np.exp(self._log_well[:, 1:, None] - self._log_well[:, began])
        return told


class _Joint:
    """One posterior: who is infected together, or instead of another, is counted so."""

    def __init__(self, weights: Floats, infected: Flags) -> None:
        heavy = weights > LIGHT
        self.shape = (1, infected.shape[1])
        self._weights, self._infected = weights[heavy], infected[heavy]

    def positive(self, sizes: NDArray[np.intp]) -> Floats:
        """By the place of each subset's last carrier so far, 0 where there is none."""
        told = np.empty((*self.shape, len(sizes)))
        last = np.zeros(len(self._weights), dtype=np.intp)
        for end in range(1, self.shape[1] + 1):
            last[self._infected[:, end - 1]] = end
            by_last = np.bincount(last, self._weights, end + 1)
            at_or_after = np.cumsum(by_last[::-1])[::-1]
            told[0, end - 1] = at_or_after[(end - sizes).clip(min=0) + 1]
        return told


def _partition(members: _Sorted, run_tests: float, largest: int) -> tuple[Floats, NDArray[np.intp]]:
    """Cost of the first j members, and where the last group of them begins. (posteriors, j)"""
    rows, count = members.shape
    cost = np.full((rows, count + 1), _NEVER)
    cost[:, 0] = 0
    began = np.zeros((rows, count + 1), dtype=np.intp)
    sizes = np.arange(min(largest, count), 0, -1)
    once = 1 + np.where(sizes > 1, members.positive(sizes) * (sizes + run_tests), 0.0)
    every = np.arange(rows)
    for end in range(1, count + 1):
        first = max(0, end - largest)
        tried = cost[:, first:end] + once[:, end - 1, first - end :]
        best = tried.argmin(axis=1)
        cost[:, end] = tried[every, best]
        began[:, end] = first + best
    return cost, began
