"""The positive control of the last runs as a line: Levey-Jennings, drawn by the server."""

from dataclasses import dataclass
from typing import Final

from lims.work.views.run_list import Drift

_WIDTH: Final = 320.0
_LEFT: Final = 6.0
_TOP: Final = 20.0
_BOTTOM: Final = 74.0


@dataclass(frozen=True)
class Dot:
    """One run; ``here`` is the run of the page, ``out`` lies beyond two standard deviations."""

    x: float
    y: float
    plate: str
    ct_cycles: float
    here: bool
    out: bool


@dataclass(frozen=True)
class Chart:
    """SVG coordinates: x to the right, y down (later cycles are higher)."""

    points: str
    dots: tuple[Dot, ...]
    low_y: float
    mean_y: float
    high_y: float
    last: float
    low: float
    high: float


def drawn(drift: Drift, plate: str) -> Chart:
    """The last runs from left to right; the outer lines are two standard deviations."""
    values = [ct for _, ct in drift.points]
    bottom, top = min(drift.low, *values), max(drift.high, *values)
    scale = (_BOTTOM - _TOP) / max(top - bottom, 0.1)
    step = (_WIDTH - 2 * _LEFT) / max(len(values) - 1, 1)

    def height(ct: float) -> float:
        return round(_BOTTOM - (ct - bottom) * scale, 1)

    dots = tuple(
        Dot(
            x=round(_LEFT + number * step, 1),
            y=height(ct),
            plate=name,
            ct_cycles=ct,
            here=name == plate,
            out=not drift.low <= ct <= drift.high,
        )
        for number, (name, ct) in enumerate(drift.points)
    )
    return Chart(
        points=" ".join(f"{dot.x},{dot.y}" for dot in dots),
        dots=dots,
        low_y=height(drift.low),
        mean_y=height((drift.low + drift.high) / 2),
        high_y=height(drift.high),
        last=values[-1],
        low=drift.low,
        high=drift.high,
    )
