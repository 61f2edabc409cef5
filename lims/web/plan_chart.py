"""Expected tests a person against prevalence: each algorithm at its best, drawn by the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.bound import entropy
from lims.domain.pooling.designs.configuration import Algorithm
from lims.domain.pooling.designs.optimal import Limits, optimal_testing_configuration
from lims.domain.pooling.planning import Circumstances, Plan
from lims.web.language import gettext as _
from lims.web.language import num

_AT: Final = (0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
_TICKS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_LEFT: Final = 34.0
_RIGHT: Final = 430.0
_TOP: Final = 14.0
_BOTTOM: Final = 196.0
_LEGEND_AT: Final = _BOTTOM + 16
_TALLEST: Final = 1.0
_QUICK_POOL: Final = 40  # D4 of larger pools is reckoned in the table alone
_LATE_LABEL: Final = _RIGHT - 90  # beyond it a label stands left of its dot


@dataclass(frozen=True)
class Line:
    """A polyline; ``chosen`` is the algorithm of the recommendation."""

    algorithm: str
    points: str
    chosen: bool


@dataclass(frozen=True)
class Mark:
    """A tick and its word, or the dot of the recommendation."""

    x: float
    y: float
    said: str
    left: bool = False


@dataclass(frozen=True)
class Chart:
    """SVG coordinates: x to the right (prevalence, logarithmic), y down (fewer tests)."""

    lines: tuple[Line, ...]
    bound: str
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    dot: Mark | None


def drawn(circumstances: Circumstances, chosen: Plan) -> Chart:
    """The lines of every algorithm within the limits, and where the asked prevalence lies."""
    curves = _curves(circumstances.accuracy, circumstances.limits)
    lines = [Line(name, _points(curve), name == chosen.algorithm) for name, curve in curves]
    return Chart(
        lines=tuple(sorted(lines, key=lambda line: line.chosen)),  # the chosen one on top
        bound=_points([(p, entropy(p)) for p in _AT]),
        across=tuple(Mark(_x(p), _LEGEND_AT, _("%(n)s%%", n=num(p * 100))) for p in _TICKS),
        up=tuple(Mark(_LEFT, _y(share), num(share, 1)) for share in (0.0, 0.5, 1.0)),
        dot=_dot(circumstances, chosen),
    )


@lru_cache(maxsize=32)
def _curves(
    accuracy: Accuracy, limits: Limits
) -> Sequence[tuple[str, Sequence[tuple[float, float]]]]:
    """(prevalence, tests a person) of each algorithm; the same for everybody who asks alike."""
    found = []
    for algorithm in Algorithm:
        if algorithm is Algorithm.D4 and not _quick(accuracy, limits):
            continue
        curve = []
        for p in _AT:
            choice = optimal_testing_configuration(algorithm, p, accuracy, limits)
            if choice is not None:
                curve.append((p, choice.characteristics.expected_tests_per_person))
        if curve:
            found.append((algorithm.value, curve))
    return found


def _quick(accuracy: Accuracy, limits: Limits) -> bool:
    return limits.max_pool <= _QUICK_POOL and limits.min_pse <= accuracy.kept(4)


def _dot(circumstances: Circumstances, chosen: Plan) -> Mark | None:
    p, tests = circumstances.probabilities, chosen.expected_tests_per_person
    if not isinstance(p, float) or not _AT[0] <= p <= _AT[-1] or tests > _TALLEST:
        return None
    said = f"{chosen.algorithm} · {num(tests, 3)}"
    return Mark(_x(p), _y(tests), said, left=_x(p) > _LATE_LABEL)


def _points(curve: Sequence[tuple[float, float]]) -> str:
    """What lies above the picture is left out: a line ends where it costs more than it saves."""
    return " ".join(f"{_x(p)},{_y(tests)}" for p, tests in curve if tests <= _TALLEST)


def _x(p: float) -> float:
    share = log(p / _AT[0]) / log(_AT[-1] / _AT[0])
    return round(_LEFT + share * (_RIGHT - _LEFT), 1)


def _y(tests: float) -> float:
    return round(_BOTTOM - tests / _TALLEST * (_BOTTOM - _TOP), 1)
