"""The charts of the situation: Vega-Lite specifications by Altair, drawn by vl-convert.

Small multiples, labels beside the marks, no legend to look up and nothing that only colour says.
They are drawn in the light tokens (`tokens.as_variables` and `tokens.themed` say them otherwise)
and to the width of a column; the same situation gives the same bytes. Nothing is fetched: the
typeface is the package's, the data are in the specification.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import altair as alt
import vl_convert

from reports.saying import D3_LOCALE, Saying
from reports.situation import FEW, AreaLine, Situation, Stage
from reports.situation_words import plain, word
from reports.tokens import LIGHT
from reports.turnaround import OF_EVERYBODY, OF_F0, Way

WIDTH: Final = 500
NARROW: Final = 320
MOST_AREAS: Final = 10
_SELDOM: Final = frozenset({Stage.REJECTED, Stage.SWABBED_AGAIN})
_FACE: Final = "Roboto"
_ROW: Final = 18
_TALL_ROW: Final = 34  # the words above their mark
LABELS: Final = 166
_HOURLY: Final = 26
_SAID: Final = 128  # room at the right for what is said of each commune

Chart = alt.Chart | alt.LayerChart | alt.VConcatChart | alt.HConcatChart


def _data(rows: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    """In the specification itself: nothing is fetched."""
    return alt.InlineData(values=list(rows))


@cache
def _register() -> None:
    vl_convert.register_font_directory(str(files("font_roboto") / "files"))


def make_ready() -> None:
    """Start what draws, half a second that can pass while the figures are still being read."""
    _register()
    vl_convert.vegalite_to_svg({"data": {"values": [{}]}, "mark": "point"})


def svg(chart: Chart, saying: Saying) -> str:
    """The drawing as text with plain presentation attributes: no style, no script."""
    _register()
    return vl_convert.vegalite_to_svg(
        _dressed(chart).to_dict(), format_locale=dict(D3_LOCALE[saying.tongue])
    )


def situation_charts(situation: Situation, saying: Saying) -> Mapping[str, str]:
    """Every chart that has something to say, by name, in the order of the report."""
    makers: dict[str, tuple[bool, Callable[[Situation, Saying], Chart]]] = {
        "stages": (situation.swabs > 0, stages),
        "areas": (any(line.share is not None for line in situation.areas), areas),
        "hours": (situation.swabs > 0, hours),
        "turnaround": (bool(situation.turnaround), turnaround),
    }
    return {
        name: svg(make(situation, saying), saying) for name, (some, make) in makers.items() if some
    }


def narrow_charts(situation: Situation, saying: Saying) -> Mapping[str, str]:
    """Those whose words would be cut off on a telephone, drawn for its width."""
    if all(line.share is None for line in situation.areas):
        return {}
    return {"areas": svg(areas(situation, saying, narrow=True), saying)}


def stages(situation: Situation, saying: Saying) -> Chart:
    """How many of the day's swabs have no final result, by where they are; how many are late."""
    rows: list[dict[str, Any]] = [
        {
            "stage": word(saying, line.stage),
            "swabs": line.swabs,
            "late": line.late,
            "label": _counted(line.swabs, line.late, saying),
        }
        for line in situation.stages
        if line.stage is not Stage.DONE and (line.swabs or line.stage not in _SELDOM)
    ]
    base = alt.Chart(_data(rows)).encode(y=_names("stage", rows))
    longest = max((row["swabs"] for row in rows), default=0) or 1
    scale = alt.Scale(domain=[0, longest * 1.55], nice=False)
    x = alt.X("swabs:Q", axis=None, scale=scale)
    some = base.transform_filter("datum.swabs > 0")
    bars = some.mark_bar(height=11, color=LIGHT["accent"]).encode(x=x)
    late = (
        base.transform_filter("datum.late > 0")
        .mark_bar(height=11, color=LIGHT["pos"])
        .encode(x=alt.X("late:Q", axis=None, scale=scale))
    )
    labels = base.mark_text(align="left", dx=5, color=LIGHT["ink"]).encode(x=x, text="label:N")
    return _sized(bars + late + labels, len(rows))


def areas(situation: Situation, saying: Saying, *, narrow: bool = False) -> Chart:
    """Positivity of the communes with most positives: a dot, its interval, and both numbers.

    Where fewer than `FEW` have an answer the dot is a ring, the interval pale, and only the count
    is said: two of two is not "100 %". Narrow, the words stand above their mark.
    """
    rows = [
        {
            "area": line.area or plain(saying, "nowhere"),
            "share": line.share,
            "low": line.low,
            "high": line.high,
            "few": line.known < FEW,
            "label": _of_how_many(line, saying),
        }
        for line in situation.areas
        if line.share is not None
    ][:MOST_AREAS]
    named = _told_apart(rows, "area")
    width = NARROW if narrow else WIDTH - LABELS - _SAID
    down, row_height = (8, _TALL_ROW) if narrow else (0, _ROW)
    longest = min(1.0, max(row["high"] for row in named) * 1.05)
    base = alt.Chart(_data(named)).encode(y=_names("area", named, above=narrow))
    x = alt.Scale(domain=[0, longest], nice=False)
    percent = f"replace(datum.label, '%', '{saying.pick(' %', '%')}')"
    ticks = {"values": [0, 0.25, 0.5, 0.75, 1]} if longest == 1 else {"tickCount": 4}
    axis = alt.Axis(format="~%", labelExpr=percent, title=None, grid=True, **ticks)
    marks: list[alt.Chart] = []
    for few in (False, True):
        some = base.transform_filter(f"datum.few === {str(few).lower()}")
        colour = LIGHT["edge"] if few else LIGHT["accent"]
        marks += [
            some.mark_rule(color=colour, strokeWidth=1.5, yOffset=down).encode(
                x=alt.X("low:Q", scale=x, axis=axis), x2="high:Q"
            ),
            some.mark_point(
                filled=True,
                fill=LIGHT["sheet"] if few else colour,
                stroke=LIGHT["accent"],
                strokeWidth=1.5,
                size=40,
                opacity=1,
                yOffset=down,
            ).encode(x=alt.X("share:Q", scale=x)),
            some.mark_text(
                align="right", color=LIGHT["soft" if few else "ink"], yOffset=-down
            ).encode(x=alt.value(width + (0 if narrow else _SAID)), text="label:N"),
        ]
    if narrow:
        names = base.mark_text(
            align="left", color=LIGHT["ink"], yOffset=-down, limit=NARROW - _SAID - 6
        )
        marks.append(names.encode(x=alt.value(0), text="area:N"))
    return alt.LayerChart(layer=marks).properties(width=width, height=row_height * len(named))


def turnaround(situation: Situation, saying: Saying) -> Chart:
    """One column for each way of testing, one row for each segment, on one scale of time."""
    shown = [line for line in situation.turnaround if line.segment in (*OF_EVERYBODY, *OF_F0)]
    ways = [way for way in Way if any(line.way is way for line in shown)]
    segments = [s for s in (*OF_EVERYBODY, *OF_F0) if any(line.segment is s for line in shown)]
    order = [word(saying, segment) for segment in segments]
    longest_min = max(line.p90_min for line in shown) or 1.0
    unit_min, unit = _unit(longest_min, saying)
    longest = longest_min / unit_min
    columns: list[Chart] = []
    for way in ways:
        rows = [
            {
                "segment": word(saying, line.segment),
                "median": line.median_min / unit_min,
                "p90": line.p90_min / unit_min,
                "label": f"{saying.lasting(line.median_min)} · {saying.lasting(line.p90_min)}",
            }
            for line in shown
            if line.way is way
        ]
        columns.append(
            _way(word(saying, way), rows, order, longest, unit, named=not columns, of=len(ways))
        )
    return alt.hconcat(*columns, spacing=14)


def hours(situation: Situation, saying: Saying) -> Chart:
    """Swabbed, received, released, hour by hour, under one another on one scale."""
    tallest = max((max(h.collected, h.received, h.answered) for h in situation.hours), default=1)
    rows: list[Chart] = []
    for name in ("collected", "received", "answered"):
        values = [{"hour": line.hour, "many": getattr(line, name)} for line in situation.hours]
        top = max(values, key=lambda one: one["many"])
        total = sum(one["many"] for one in values)
        title = f"{plain(saying, name)}  {saying.number(total)}"
        rows.append(_hourly(title, values, top, max(tallest, 1), saying, last=name == "answered"))
    return alt.vconcat(*rows, spacing=8)


def _hourly(
    title: str,
    values: list[dict[str, int]],
    top: dict[str, int],
    tallest: int,
    saying: Saying,
    *,
    last: bool,
) -> Chart:
    ticks = alt.Axis(
        values=[0, 6, 12, 18],
        labelExpr="datum.value + ':00'",
        labelAngle=0,
        labels=last,
        ticks=False,
        title=None,
        grid=False,
        domainColor=LIGHT["line"],
        labelAlign="left",
        labelOffset=-4,
    )
    scale = alt.Scale(domain=list(range(24)), paddingInner=0.18, paddingOuter=0)
    x = alt.X("hour:O", axis=ticks, scale=scale)
    y = alt.Y("many:Q", axis=None, scale=alt.Scale(domain=[0, tallest * 1.3], nice=False))
    some = alt.Chart(_data(values)).transform_filter("datum.many > 0")
    bars = some.mark_bar(color=LIGHT["accent"]).encode(x=x, y=y)
    if top["many"] == 0:
        return _titled(bars.properties(width=WIDTH), title, _HOURLY)
    peak = {**top, "label": saying.number(top["many"])}
    label = (
        alt.Chart(_data([peak]))
        .mark_text(dy=-6, color=LIGHT["soft"], fontSize=10)
        .encode(x=x, y=y, text="label:N")
    )
    return _titled((bars + label).properties(width=WIDTH), title, _HOURLY)


def _unit(longest_min: float, saying: Saying) -> tuple[float, str]:
    """How many minutes the axis counts by, and its word: numbers on it stay short and whole."""
    if longest_min < 2:
        return 1 / 60, saying.pick("giây", "s")
    if longest_min < 2 * 60:
        return 1.0, saying.pick("phút", "min")
    if longest_min < 72 * 60:
        return 60.0, saying.pick("giờ", "h")
    return 24 * 60.0, saying.pick("ngày", "d")


def _way(
    title: str,
    rows: list[dict[str, Any]],
    order: list[str],
    longest: float,
    unit: str,
    *,
    named: bool,
    of: int,
) -> Chart:
    axis = _labels() if named else None
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y("segment:N", sort=order, axis=axis, scale=alt.Scale(domain=order))
    )
    scale = alt.Scale(domain=[0, longest * 1.08], nice=False)
    time_axis = alt.Axis(
        title=None,
        tickCount=2,
        labelExpr=f"datum.value ? datum.label + ' {unit}' : '0'",
        grid=True,
    )
    spans = base.mark_rule(color=LIGHT["edge"], strokeWidth=1.5, yOffset=6).encode(
        x=alt.X("median:Q", scale=scale, axis=time_axis), x2="p90:Q"
    )
    medians = base.mark_point(
        filled=True, size=44, color=LIGHT["accent"], opacity=1, yOffset=6
    ).encode(x=alt.X("median:Q", scale=scale))
    late = base.mark_point(
        filled=True,
        fill=LIGHT["sheet"],
        stroke=LIGHT["accent"],
        strokeWidth=1.5,
        size=36,
        opacity=1,
        yOffset=6,
    ).encode(x=alt.X("p90:Q", scale=scale))
    labels = base.mark_text(align="left", dy=-7, color=LIGHT["ink"], fontSize=9.5, x=2).encode(
        text="label:N"
    )
    width = (WIDTH - LABELS - 14 * (of - 1)) / of
    return _titled(
        (spans + late + medians + labels).properties(width=width), title, 30 * len(order)
    )


def _sized(chart: alt.LayerChart, rows: int) -> Chart:
    return chart.properties(width=WIDTH - LABELS, height=_ROW * rows)


def _titled(chart: Chart, title: str, height: int) -> Chart:
    heading = alt.TitleParams(
        title,
        anchor="start",
        frame="group",
        fontSize=11,
        fontWeight=700,
        color=LIGHT["ink"],
        offset=6,
    )
    return chart.properties(title=heading, height=height)


def _labels() -> alt.Axis:
    """The names at the left, as wide in every chart, so that charts stand in line."""
    return alt.Axis(
        title=None,
        labelLimit=LABELS - 10,
        ticks=False,
        domain=False,
        labelPadding=8,
        minExtent=LABELS,
        maxExtent=LABELS,
    )


def _names(column: str, rows: list[dict[str, Any]], *, above: bool = False) -> alt.Y:
    order = [row[column] for row in rows]
    return alt.Y(f"{column}:N", sort=order, axis=None if above else _labels())


def _told_apart(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Two communes of one name (in two provinces) are two rows: the second gets a mark."""
    seen: dict[str, int] = {}
    for row in rows:
        seen[row[column]] = seen.get(row[column], 0) + 1
        if seen[row[column]] > 1:
            row[column] += f" ({seen[row[column]]})"
    return rows


def _of_how_many(line: AreaLine, saying: Saying) -> str:
    counted = f"{saying.number(line.positive)}/{saying.number(line.known)}"
    if line.known < FEW:
        return f"{counted}  ·  {saying.pick('quá ít mẫu', 'too few')}"
    return f"{saying.share(line.share)}  ·  {counted}"


def _counted(many: int, late: int, saying: Saying) -> str:
    said = saying.number(many)
    if not late:
        return said
    overdue = saying.number(late) + saying.pick(" quá hạn", " late")
    return overdue if late == many else f"{said}  ·  {overdue}"


def _dressed(chart: Chart) -> Chart:
    """The house's look; without Vega's own ARIA, since a page describes the whole in a table."""
    dressed: Chart = (
        chart.configure(font=_FACE, background="transparent", aria=False, padding=2)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=LIGHT["ink"],
            labelFontSize=11,
            gridColor=LIGHT["hair"],
            domain=False,
            ticks=False,
            labelFont=_FACE,
        )
        .configure_axisX(labelColor=LIGHT["soft"], labelFontSize=10, labelPadding=4)
        .configure_text(font=_FACE, fontSize=11)
        .configure_bar(continuousBandSize=11)
    )
    return dressed
