"""What a design costs and how often it is right: the figures a laboratory chooses by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lims.domain.pooling.designs import array, hierarchical
from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import Cohort, Design, Hierarchical
from lims.domain.pooling.designs.hierarchical import Floats, PerPerson


@dataclass(frozen=True, slots=True)
class OperatingCharacteristics:
    """Of one design for its people.

    The overall figures weigh each person by their probability of being positive (sensitivity) or
    negative (specificity), and the predictive values are those of everybody's results together
    (Hitt et al. 2019, section 2). ``sensitivity`` and ``specificity`` are each person's own, in
    the order the design takes them.
    """

    people: int
    expected_tests: float
    pooling_sensitivity: float
    pooling_specificity: float
    pppv: float
    pnpv: float
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]

    @property
    def expected_tests_per_person(self) -> float:
        return self.expected_tests / self.people


def operating_characteristics(
    design: Design | Cohort, probabilities: float | Sequence[float], accuracy: Accuracy
) -> OperatingCharacteristics:
    """``probabilities``: one for everybody, or one a person in the order the design takes them.

    A square is filled row by row: sorted people make rows of like risk, the gradient arrangement
    of McMahan et al. 2012b. Raises ValueError when there are not as many as the design has people.
    """
    each = np.full(design.people, probabilities, dtype=np.float64)
    parts = design.designs if isinstance(design, Cohort) else (design,)
    first, found = 0, []
    for part in parts:
        found.append(_per_person(part, each[first : first + part.people], accuracy))
        first += part.people
    tests = sum(part.tests for part in found)
    sensitivity = np.concatenate([part.sensitivity for part in found])
    specificity = np.concatenate([part.specificity for part in found])
    specificity = np.clip(specificity, 0.0, 1.0)  # of the rare positive, rounding is felt
    return _summed(each, tests, sensitivity, specificity)


def _per_person(design: Design, probabilities: Floats, accuracy: Accuracy) -> PerPerson:
    if isinstance(design, Hierarchical):
        told = accuracy.alone if design.people == 1 else accuracy
        return hierarchical.per_person(design.master, probabilities, told)
    square = probabilities.reshape(design.side, design.side)
    found = array.cells(square, accuracy, master=design.master)
    return PerPerson(float(found.tests), found.sensitivity.ravel(), found.specificity.ravel())


def _summed(
    each: Floats, tests: float, sensitivity: Floats, specificity: Floats
) -> OperatingCharacteristics:
    found, missed = (float((each * s).sum()) for s in (sensitivity, 1 - sensitivity))
    cleared, blamed = (float(((1 - each) * s).sum()) for s in (specificity, 1 - specificity))
    return OperatingCharacteristics(
        people=len(each),
        expected_tests=tests,
        pooling_sensitivity=found / (found + missed),
        pooling_specificity=cleared / (cleared + blamed),
        pppv=found / (found + blamed),
        pnpv=cleared / (cleared + missed),
        sensitivity=tuple(sensitivity.tolist()),
        specificity=tuple(specificity.tolist()),
    )
