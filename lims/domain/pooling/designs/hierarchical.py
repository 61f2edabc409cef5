"""Hierarchical designs: the expected tests, and each person's sensitivity and specificity.

A pool at stage s is tested when every pool around it was positive. Of nested pools the truth is
nested too: the first j hold somebody positive and the rest nobody. With Q the probability that
nobody in a pool is positive, P(1..j hold one, j+1 does not) = Q(j+1) − Q(j), and given that the
tests err independently.

Source: Kim et al. 2007, section 3.1 (equal probabilities); Black et al. 2015, section 2 (individual
probabilities, unequal groups, Se and Sp by stage).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import Group

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PerPerson:
    """Expected tests of one design, and for each of its people: P(found | positive), P(cleared |
    negative)."""

    tests: float
    sensitivity: Floats
    specificity: Floats


def weights(stages: int, accuracy: Accuracy) -> tuple[float, ...]:
    """What P(all of so many nested pools test positive) is made of: c0 + c1·Q1 + c2·Q2 + …, with
    Q the probability that nobody in that pool is positive, the largest pool first."""
    said = [
        prod(accuracy.positive(stage, truly=stage <= holding) for stage in range(1, stages + 1))
        for holding in range(stages + 1)
    ]
    return (said[-1], *(said[j - 1] - said[j] for j in range(1, stages + 1)))


def all_positive(clear: Sequence[Floats], accuracy: Accuracy) -> Floats:
    """P(every one of the nested pools tests positive); ``clear`` are their Q, of any shape."""
    first, *others = weights(len(clear), accuracy)
    total = np.array(first)
    for weight, q in zip(others, clear, strict=True):
        total = total + weight * q
    return total


def per_person(master: Group, probabilities: Floats, accuracy: Accuracy) -> PerPerson:
    """``probabilities`` in the order in which the tree takes people, one for each."""
    walk = _Walk(probabilities, accuracy)
    tests = 1 + walk.inside(master, 0, [])
    return PerPerson(tests, walk.sensitivity, walk.specificity)


class _Walk:
    """One pass through the tree; ``around`` is P(nobody positive) of the pools gone through."""

    def __init__(self, probabilities: Floats, accuracy: Accuracy) -> None:
        self.clear = 1 - probabilities
        self.accuracy = accuracy
        self.sensitivity = np.empty(len(probabilities))
        self.specificity = np.empty(len(probabilities))

    def inside(self, group: Group, first: int, around: list[Floats]) -> float:
        """The expected tests inside this group; fills in what its people may expect."""
        clear = np.prod(self.clear[first : first + group.people])
        nested = [*around, np.asarray(clear)]
        if group.people == 1:
            self._person(first, nested)
            return 0.0
        parts = group.next()
        tests = len(parts) * float(all_positive(nested, self.accuracy))
        for part in parts:
            tests += self.inside(part, first, nested)
            first += part.people
        return tests

    def _person(self, person: int, nested: list[Floats]) -> None:
        own = float(self.clear[person])
        self.sensitivity[person] = self.accuracy.kept(len(nested))
        given_negative = [np.minimum(clear / own, 1.0) for clear in nested]
        self.specificity[person] = 1 - float(all_positive(given_negative, self.accuracy))
