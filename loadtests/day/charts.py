"""Line charts as inline SVG: no script, nothing loaded, light and dark by the page's own style."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from loadtests.day.timeline import Band

WIDTH, HEIGHT = 860.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 12.0, 26.0, 24.0
_STEPS: Final = (1, 2, 2.5, 5, 10)


def line_chart(
    title: str,
    unit: str,
    series: Mapping[str, Sequence[float | None]],
    until_h: float,
    *,
    bands: Sequence[Band] = (),
    limit: float | None = None,
) -> str:
    """One picture. The nth series has the class ``s<n>``; a gap stays a gap."""
    top = _ceiling(max([limit or 0, *(v for s in series.values() for v in s if v is not None), 1]))
    parts = [
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{escape(title)}">',
        *(_band(band, until_h) for band in bands),
        *(_rule(top * n / 4, top, unit if n == 4 else "") for n in range(5)),
        *(_hour(h, until_h) for h in range(0, int(until_h) + 1, max(1, int(until_h) // 10))),
    ]
    if limit is not None:
        y = _y(limit, top)
        parts.append(f'<path class="limit" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
    for nth, (name, values) in enumerate(series.items()):
        parts.append(f'<path class="s s{nth}" d="{_path(values, top)}"/>')
        x = LEFT + 8 + nth * 190
        parts.append(f'<rect class="k s{nth}" x="{x}" y="5" width="12" height="4"/>')
        parts.append(f'<text x="{x + 17}" y="12">{escape(name)}</text>')
    return "".join([*parts, "</svg>"])


def _path(values: Sequence[float | None], top: float) -> str:
    drawn, pen_up = [], True
    for n, value in enumerate(values):
        if value is None:
            pen_up = True
            continue
        x = LEFT + (WIDTH - LEFT - RIGHT) * (n + 0.5) / len(values)
        drawn.append(f"{'M' if pen_up else 'L'}{x:.1f} {_y(value, top):.1f}")
        pen_up = False
    return "".join(drawn)


def _band(band: Band, until_h: float) -> str:
    x0, x1 = _x(band.from_h, until_h), _x(band.to_h, until_h)
    return (
        f'<rect class="band" x="{x0:.1f}" y="{TOP}" width="{max(2.0, x1 - x0):.1f}"'
        f' height="{HEIGHT - TOP - BOTTOM}"><title>{escape(band.name)}</title></rect>'
    )


def _rule(value: float, top: float, unit: str) -> str:
    y = _y(value, top)
    said = f"{value:,.0f}" + (f" {unit}" if unit else "")
    return (
        f'<path class="rule" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{escape(said)}</text>'
    )


def _hour(hour: int, until_h: float) -> str:
    x = _x(hour, until_h)
    return f'<text class="mid" x="{x:.1f}" y="{HEIGHT - 6}">{hour} h</text>'


def _x(hour: float, until_h: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(max(hour / until_h, 0.0), 1.0)


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(value / top, 1.0))


def _ceiling(value: float) -> float:
    """The next round number: 1, 2, 2.5, 5 or 10 times a power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return next(step * power for step in _STEPS if step * power >= value)
