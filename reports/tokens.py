"""The colours of the house on paper and in charts: the tokens of lims/web/static/look.css.

A test holds the two equal. A chart is drawn once, in the light ones; `themed` says them otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

LIGHT: Final[Mapping[str, str]] = {
    "paper": "#f6f5f1",
    "sheet": "#ffffff",
    "ink": "#1d2125",
    "soft": "#5c646c",
    "line": "#dcd9d1",
    "hair": "#ebe8e1",
    "edge": "#868078",
    "accent": "#0b5f6b",
    "pos": "#b3261e",
}
DARK: Final[Mapping[str, str]] = {
    "paper": "#15181b",
    "sheet": "#1d2125",
    "ink": "#e9e7e1",
    "soft": "#a2a9b0",
    "line": "#3a4147",
    "hair": "#2a2f34",
    "edge": "#7c848c",
    "accent": "#5cc3d1",
    "pos": "#ff8a80",
}
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}\b")
_FACE: Final = re.compile(r' font-family="[^"]*"')
_SIZE: Final = re.compile(r'<svg(?: (?:xmlns(?::xlink)?|version|class|width|height)="[^"]*")+')
_NAMES: Final = {colour: name for name, colour in LIGHT.items()}


def as_variables(svg: str) -> str:
    """For a page: `var(--ink)` for the ink, so that the page's own theme colours the drawing, and
    the page's own typeface. Its size is the page's to say; the view box keeps its shape."""
    coloured = _COLOUR.sub(lambda found: _variable(found[0]), svg)
    return _SIZE.sub("<svg", _FACE.sub("", coloured), count=1)


def themed(svg: str, theme: Mapping[str, str]) -> str:
    """For a file: the same drawing in the colours of another theme."""
    return _COLOUR.sub(
        lambda found: theme[_NAMES[found[0]]] if found[0] in _NAMES else found[0], svg
    )


def _variable(colour: str) -> str:
    return f"var(--{_NAMES[colour]})" if colour in _NAMES else colour
