"""The optimum against the reference table, and against trying every configuration there is."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import Algorithm, Group, Hierarchical
from lims.domain.pooling.designs.operating import operating_characteristics
from lims.domain.pooling.designs.optimal import Limits, optimal_testing_configuration
from loadtests.pooling.bar import Bar

_CAP = 16
_FOUR_DIGITS = 5e-5
# p, Se = Sp, then expected tests a person of D2 (cap 100), D3, D4 and A2 (cap 40): binGroup2.
_TABLE = (
    (0.001, 1.0, 0.0628, 0.0376, 0.0353, 0.0525),
    (0.01, 1.0, 0.1956, 0.1334, 0.1200, 0.1355),
    (0.05, 1.0, 0.4262, 0.3770, 0.3770, 0.3798),
    (0.2, 1.0, 0.8213, 0.8213, 0.8404, 0.8789),
    (0.001, 0.99, 0.0721, 0.0392, 0.0360, 0.0561),
    (0.01, 0.99, 0.2035, 0.1354, 0.1203, 0.1378),
    (0.05, 0.99, 0.4317, 0.3773, 0.3773, 0.3809),
    (0.01, 0.95, 0.2351, 0.1443, 0.1207, 0.1475),
)
_ALGORITHMS = (Algorithm.D2, Algorithm.D3, Algorithm.D4, Algorithm.A2)


def measure(quick: bool) -> Sequence[Bar]:
    """How much above the reference, and above the best of everything, the optimum comes out."""
    prevalences = (0.01,) if quick else (0.001, 0.01, 0.05, 0.2)
    worst = max(_above_every_three(p, right) for p, right in product(prevalences, (1.0, 0.97)))
    tried = len(list(_every_three()))
    return [
        Bar(
            "optimum against the table",
            max(_above_the_table()),
            _FOUR_DIGITS,
            "tests a person",
            note=f"{len(_TABLE) * len(_ALGORITHMS)} cells of four digits, D2 to 100, others to 40",
        ),
        Bar(
            f"D3 to {_CAP} against every configuration",
            worst,
            1e-12,
            "tests a person",
            note=f"{tried:,} configurations each",
        ),
    ]


def _above_the_table() -> Iterator[float]:
    for p, right, *cells in _TABLE:
        for algorithm, cell in zip(_ALGORITHMS, cells, strict=True):
            yield abs(_found(algorithm, p, right, 100 if algorithm is Algorithm.D2 else 40) - cell)


def _above_every_three(p: float, right: float) -> float:
    accuracy = Accuracy.alike(right, right)
    least = min(
        operating_characteristics(design, p, accuracy).expected_tests_per_person
        for design in _every_three()
    )
    return _found(Algorithm.D3, p, right, _CAP) - least


def _found(algorithm: Algorithm, p: float, right: float, cap: int) -> float:
    found = optimal_testing_configuration(algorithm, p, Accuracy.alike(right, right), Limits(cap))
    return found.characteristics.expected_tests_per_person if found else float("nan")


def _every_three() -> Iterator[Hierarchical]:
    for people in range(3, _CAP + 1):
        for sizes in _partitions(people, people - 1):
            yield Hierarchical(Group.of([Group(size) for size in sizes]))


@cache
def _partitions(people: int, most: int) -> tuple[tuple[int, ...], ...]:
    if people == 0:
        return ((),)
    return tuple(
        (first, *rest)
        for first in range(min(people, most), 0, -1)
        for rest in _partitions(people - first, first)
    )
