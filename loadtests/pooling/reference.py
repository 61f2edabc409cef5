"""Operating characteristics against the published formulas, over many cells."""

from collections.abc import Iterator, Sequence
from itertools import product

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import Algorithm, Cohort, Design
from lims.domain.pooling.designs.notation import read
from lims.domain.pooling.designs.operating import operating_characteristics
from loadtests.pooling import by_sums
from loadtests.pooling.bar import Bar

_PREVALENCES = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.4)
_RIGHT = ((1.0, 1.0), (0.99, 0.99), (0.95, 0.95), (0.9, 0.999), (0.98, 0.995), (0.8, 0.7))
_TREES = {
    "D2": ((2, 1), (5, 1), (11, 1), (32, 1), (100, 1)),
    "D3": ((9, 3, 1), (24, 6, 1), (25, 5, 1), (40, 8, 1), (36, 4, 1)),
    "D4": ((8, 4, 2, 1), (36, 9, 3, 1), (36, 12, 3, 1), (40, 20, 5, 1)),
}
_SIDES = {"A2": (2, 3, 5, 10, 25, 40), "A2M": (2, 3, 5, 6, 10)}


def measure(_quick: bool) -> Sequence[Bar]:
    """The largest difference of each algorithm, of all five characteristics."""
    return [
        Bar(
            f"{algorithm} against the formulas",
            max(_differences(algorithm)),
            1e-6,
            note=f"{_cells(algorithm)} cells, five figures each",
        )
        for algorithm in (*_TREES, *_SIDES)
    ]


def _cells(algorithm: str) -> int:
    designs = len(_TREES.get(algorithm, ())) + len(_SIDES.get(algorithm, ()))
    return len(_PREVALENCES) * len(_RIGHT) * designs


def _differences(algorithm: str) -> Iterator[float]:
    for p, (se, sp) in product(_PREVALENCES, _RIGHT):
        for sizes in _TREES.get(algorithm, ()):
            design = read(":".join(map(str, sizes)), Algorithm(algorithm))
            yield _difference(design, p, (se, sp), by_sums.hierarchical(sizes, p, se, sp))
        for side in _SIDES.get(algorithm, ()):
            design = read(f"{side}", Algorithm(algorithm))
            sums = by_sums.square(side, p, se, sp, master=algorithm == "A2M")
            yield _difference(design, p, (se, sp), sums)


def _difference(
    design: Design | Cohort, p: float, right: tuple[float, float], sums: by_sums.Sums
) -> float:
    found = operating_characteristics(design, p, Accuracy.alike(*right))
    return max(
        abs(found.expected_tests_per_person - sums.tests),
        abs(found.pooling_sensitivity - sums.sensitivity),
        abs(found.pooling_specificity - sums.specificity),
        abs(found.pppv - sums.pppv(p)),
        abs(found.pnpv - sums.pnpv(p)),
    )
