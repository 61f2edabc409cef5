"""A chart's SVG as strokes and letters of a PDF: sharp at any size, and its words can be searched.

This reads what Vega writes, not SVG at large: nested groups with a translation, straight paths and
whole circles, lines, rectangles, text. Anything else is a NotDrawn, so that a chart cannot lose a
mark in print without a test noticing.

Source: SVG 1.1 (W3C, 2011), chapters 7 to 10; Vega 6, vega-scenegraph, SVGStringRenderer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas

from reports import fonts

_SPACE: Final = "{http://www.w3.org/2000/svg}"
_STEP: Final = re.compile(r"([MLHVhvlZz])([^A-Za-z]*)")
_NUMBER: Final = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
_CIRCLE: Final = re.compile(
    r"^M(?P<r>[\d.]+),0A(?P=r),(?P=r),0,1,1,-(?P=r),0A(?P=r),(?P=r),0,1,1,(?P=r),0$"
)
_ROTATED: Final = "rotate"
_INHERITED: Final = ("fill", "stroke", "stroke-width")


class NotDrawn(Exception):
    """The drawing has something this cannot draw; the message says what."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, and how large it is in its own units (PDF points at scale 1)."""

    root: ElementTree.Element
    width: float
    height: float

    @classmethod
    def of(cls, svg: str) -> Drawing:
        """Raises NotDrawn for what is not an SVG with a size."""
        root = ElementTree.fromstring(svg)  # noqa: S314 - our own chart, drawn a moment ago
        if root.tag != _SPACE + "svg":
            raise NotDrawn(f"expected <svg>, came {root.tag}")
        return cls(root, float(root.attrib["width"]), float(root.attrib["height"]))

    def draw_on(self, canvas: Canvas, x: float, y: float, *, width: float) -> None:
        """With its lower left corner at (x, y), as wide as `width`."""
        fonts.register()
        scale = width / self.width
        canvas.saveState()
        canvas.translate(x, y + self.height * scale)
        canvas.scale(scale, -scale)  # SVG counts downwards
        for child in self.root:
            _draw(canvas, child, {"fill": "#000000", "stroke": "none", "stroke-width": "1"})
        canvas.restoreState()


def _draw(canvas: Canvas, element: ElementTree.Element, above: Mapping[str, str]) -> None:
    if element.get("display") == "none":
        return
    look = {**above, **{k: v for k, v in element.attrib.items() if k in _INHERITED}}
    canvas.saveState()
    _translate(canvas, element.get("transform", ""))
    match element.tag.removeprefix(_SPACE):
        case "g":
            for child in element:
                _draw(canvas, child, look)
        case "path":
            _path(canvas, element.get("d", ""), look)
        case "line":
            ends = [float(element.get(name, "0")) for name in ("x1", "y1", "x2", "y2")]
            if _pen(canvas, look)[1]:
                canvas.line(*ends)
        case "rect":
            fill, stroke = _pen(canvas, look)
            x, y, width, height = (
                float(element.get(name, "0")) for name in ("x", "y", "width", "height")
            )
            if fill or stroke:
                canvas.rect(x, y, width, height, fill=fill, stroke=stroke)
        case "text":
            _text(canvas, element, look)
        case other:
            raise NotDrawn(f"<{other}>")
    canvas.restoreState()


def _translate(canvas: Canvas, transform: str) -> None:
    if not transform:
        return
    if not transform.startswith("translate(") or _ROTATED in transform:
        raise NotDrawn(transform)
    x, y = (float(number) for number in _NUMBER.findall(transform))
    canvas.translate(x, y)


def _pen(canvas: Canvas, look: Mapping[str, str]) -> tuple[int, int]:
    """Sets the colours; whether to fill and whether to stroke, as reportlab wants them."""
    fill, stroke = look["fill"], look["stroke"]
    filled = fill not in ("none", "transparent")
    stroked = stroke not in ("none", "transparent")
    if filled:
        canvas.setFillColor(_colour(fill))
    if stroked:
        canvas.setStrokeColor(_colour(stroke))
        canvas.setLineWidth(float(look["stroke-width"]))
    return int(filled), int(stroked)


def _colour(said: str) -> Color:
    return HexColor(said)


def _path(canvas: Canvas, d: str, look: Mapping[str, str]) -> None:
    fill, stroke = _pen(canvas, look)
    if not d or not (fill or stroke):
        return
    if circle := _CIRCLE.match(d):
        canvas.circle(0, 0, float(circle["r"]), fill=fill, stroke=stroke)
        return
    if "".join(a + b for a, b in _STEP.findall(d)) != d:
        raise NotDrawn(f"path {d[:40]}")
    path, x, y = canvas.beginPath(), 0.0, 0.0
    for step, rest in _STEP.findall(d):
        if step in "Zz":
            path.close()
            continue
        x, y = _moved(step, [float(number) for number in _NUMBER.findall(rest)], x, y)
        if step == "M":
            path.moveTo(x, y)
        else:
            path.lineTo(x, y)
    canvas.drawPath(path, fill=fill, stroke=stroke)


def _moved(step: str, numbers: list[float], x: float, y: float) -> tuple[float, float]:
    """Where a step ends that begins at (x, y)."""
    match step, numbers:
        case (("M" | "L"), [to_x, to_y]):
            ends = to_x, to_y
        case "l", [by_x, by_y]:
            ends = x + by_x, y + by_y
        case "h", [by_x]:
            ends = x + by_x, y
        case "H", [to_x]:
            ends = to_x, y
        case "v", [by_y]:
            ends = x, y + by_y
        case "V", [to_y]:
            ends = x, to_y
        case _:
            raise NotDrawn(f"path step {step} {numbers}")
    return ends


def _text(canvas: Canvas, element: ElementTree.Element, look: Mapping[str, str]) -> None:
    said = "".join(element.itertext())
    size = float(element.get("font-size", "11px").removesuffix("px"))
    face = fonts.BOLD if element.get("font-weight") in ("bold", "700") else fonts.REGULAR
    canvas.setFillColor(_colour(look["fill"]))
    canvas.setFont(face, size)
    canvas.scale(1, -1)
    draw = {"middle": canvas.drawCentredString, "end": canvas.drawRightString}.get(
        element.get("text-anchor", "start"), canvas.drawString
    )
    draw(0, 0, said)
