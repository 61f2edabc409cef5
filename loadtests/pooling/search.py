"""How long the search for the best configuration takes."""

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import Algorithm
from lims.domain.pooling.designs.optimal import Limits, optimal_testing_configuration
from loadtests.pooling.bar import Bar

_ACCURACY = Accuracy.alike(0.99, 0.99)
_MS = 1_000


def measure(quick: bool) -> Sequence[Bar]:
    """The median of many searches, the figures of the found design included."""
    rounds = 20 if quick else 200
    return [
        Bar(
            "search of D3 to 30",
            _ms(lambda: _search(Algorithm.D3, 30), rounds),
            10,
            "ms",
            note="binGroup2: 13 s",
        ),
        Bar(
            "search of A2 to 40",
            _ms(lambda: _search(Algorithm.A2, 40), rounds),
            10,
            "ms",
            note="binGroup2: minutes",
        ),
        Bar(
            "search of D4 to 40",
            _ms(lambda: _search(Algorithm.D4, 40), rounds // 10),
            100,
            "ms",
            note="no bar asked for; a page waits for it",
        ),
    ]


def _search(algorithm: Algorithm, cap: int) -> None:
    if optimal_testing_configuration(algorithm, 0.01, _ACCURACY, Limits(cap)) is None:
        raise RuntimeError(f"no {algorithm} to {cap}")


def _ms(work: Callable[[], None], rounds: int) -> float:
    work()
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return median(taken) * _MS
