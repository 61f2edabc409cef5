"""The design with the fewest expected tests that keeps to the limits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lims.domain.pooling.designs.accuracy import ROUNDING, Accuracy
from lims.domain.pooling.designs.configuration import (
    Algorithm,
    Cohort,
    Design,
    Group,
    Hierarchical,
)
from lims.domain.pooling.designs.informative import Sorted, best_cohort
from lims.domain.pooling.designs.operating import (
    OperatingCharacteristics,
    operating_characteristics,
)
from lims.domain.pooling.designs.partitions import Asked, best_tree
from lims.domain.pooling.designs.squares import best_square

USUAL_MAX_POOL = 40
MOST_MAX_POOL = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """People in one pool (of an array: in a row, and in its master pool), rounds of testing, and
    the least pooling sensitivity: of all together where risks are equal, else of each person."""

    max_pool: int = USUAL_MAX_POOL
    max_stages: int = 4
    min_pse: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A design and what it does. Of a cohort the people are in ascending order of risk."""

    algorithm: Algorithm
    design: Design | Cohort
    characteristics: OperatingCharacteristics

    @property
    def stages(self) -> int:
        return self.design.stages


def optimal_testing_configuration(
    algorithm: Algorithm,
    probabilities: float | Sequence[float],
    accuracy: Accuracy,
    limits: Limits,
) -> Choice | None:
    """The best of its kind; None when it has none within the limits.

    ``probabilities``: one for everybody, or one a person for an informative design.
    """
    if algorithm.stages > limits.max_stages:
        return None
    design = (
        _of_equals(algorithm, probabilities, accuracy, limits)
        if isinstance(probabilities, float)
        else best_cohort(
            algorithm,
            Sorted(np.sort(np.array(probabilities)), accuracy, limits.max_pool, limits.min_pse),
        )
    )
    return None if design is None else weighed(algorithm, design, probabilities, accuracy)


def best_of_all(
    probabilities: float | Sequence[float], accuracy: Accuracy, limits: Limits
) -> Sequence[Choice]:
    """Every algorithm that keeps to the limits, the fewest expected tests first; of equals the one
    with fewer stages. Testing everybody alone is one of them."""
    found = [
        choice
        for algorithm in Algorithm
        if (choice := optimal_testing_configuration(algorithm, probabilities, accuracy, limits))
    ]
    return sorted(
        found,
        key=lambda c: (round(c.characteristics.expected_tests_per_person, 12), c.stages),
    )


def weighed(
    algorithm: Algorithm,
    design: Design | Cohort,
    probabilities: float | Sequence[float],
    accuracy: Accuracy,
) -> Choice:
    """A design that was fixed beforehand, with its figures."""
    ordered = probabilities if isinstance(probabilities, float) else sorted(probabilities)
    return Choice(algorithm, design, operating_characteristics(design, ordered, accuracy))


def _of_equals(
    algorithm: Algorithm, probability: float, accuracy: Accuracy, limits: Limits
) -> Design | None:
    asked = Asked(probability, accuracy, limits.max_pool, limits.min_pse)
    if algorithm is Algorithm.INDIVIDUAL:
        enough = accuracy.alone.sensitivity(1) >= limits.min_pse - ROUNDING
        return Hierarchical(Group(1)) if enough else None
    if algorithm.hierarchical:
        tree = best_tree(asked, algorithm.stages)
        return None if tree is None else Hierarchical(tree)
    return best_square(asked, master=algorithm is Algorithm.A2M)
