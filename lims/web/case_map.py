"""Where are the open cases? Provinces as tiles where they lie, communes as tiles by how many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template, request, url_for

from lims.domain.tile_map import COLUMNS, PLACES, ROWS, shade
from lims.web.access import current, needs
from lims.web.feed import scope_of
from lims.web.language import laboratory
from lims.work.access import Role
from lims.work.views.case_places import CasePlace, case_places, province_names

blueprint = Blueprint("case_map", __name__, url_prefix="/handoff/map")

_WIDE: Final = 100  # of a tile, in units of the drawing
_HIGH: Final = 58
_GAP: Final = 4
_LETTERS: Final = 12  # that a tile's width has room for
_KINDS: Final = ("Thành phố ", "Tỉnh ", "Phường ", "Xã ", "Đặc khu ")


@dataclass(frozen=True, slots=True)
class Tile:
    """One place: where its tile stands, how dark it is, and where a click leads."""

    name: str
    lines: Sequence[str]
    cases: int
    unclaimed: int
    shade: int
    x: int
    y: int
    href: str | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """The tiles and how large the drawing is."""

    tiles: Sequence[Tile]
    width: int
    height: int


@blueprint.get("")
@needs(Role.TRACER, Role.OPERATOR)
def page() -> str:
    """Every province; of the one that is chosen, or the only one there is, its communes."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        places = case_places(session, scope_of(current()), site_id=lab.site_id)
        named = province_names(session)
    provinces = {place.province_code or place.code for place in places}
    asked = request.args.get("province", "")
    chosen = asked if asked in provinces else None
    if chosen is None and len(provinces) == 1:
        (chosen,) = provinces
    inside = [place for place in places if chosen in (place.province_code, place.code)]
    return render_template(
        "handoff/map.html",
        drawing=_communes(inside) if chosen else _provinces(places, named),
        chosen=(inside[0].province or inside[0].name) if chosen else None,
        whole=len(provinces) > 1 and chosen is not None,
        cases=sum(place.cases for place in (inside if chosen else places)),
    )


def _provinces(places: Sequence[CasePlace], named: Mapping[str, str]) -> Drawing:
    cases, unclaimed = defaultdict[str, int](int), defaultdict[str, int](int)
    names = dict(named)
    for place in places:
        code = place.province_code or place.code
        cases[code] += place.cases
        unclaimed[code] += place.unclaimed
        names[code] = place.province or place.name
    most = max(cases.values(), default=0)
    elsewhere = sorted(set(cases) - set(PLACES))
    standing = {**PLACES, **{code: (n % COLUMNS, ROWS) for n, code in enumerate(elsewhere)}}
    tiles = [
        _tile(
            names.get(code, ""),
            (cases[code], unclaimed[code], most),
            at,
            url_for("case_map.page", province=code) if cases[code] else None,
        )
        for code, at in standing.items()
    ]
    return _drawing(tiles)


def _communes(places: Sequence[CasePlace]) -> Drawing:
    ordered = sorted(places, key=lambda place: (-place.cases, place.name))
    most = ordered[0].cases
    return _drawing(
        [
            _tile(
                place.name,
                (place.cases, place.unclaimed, most),
                (n % COLUMNS, n // COLUMNS),
                url_for("handoff.page", area=place.code),
            )
            for n, place in enumerate(ordered)
        ]
    )


def _tile(name: str, counted: tuple[int, int, int], at: tuple[int, int], href: str | None) -> Tile:
    cases, unclaimed, most = counted
    x, y = at[0] * (_WIDE + _GAP), at[1] * (_HIGH + _GAP)
    return Tile(name, _lines(name), cases, unclaimed, shade(cases, most), x, y, href)


def _lines(name: str) -> Sequence[str]:
    """At most two, without the word for the kind of unit; the whole name is the tile's title."""
    for kind in _KINDS:
        name = name.removeprefix(kind)
    lines = [""]
    for word in name.split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) <= _LETTERS or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    if len(lines) > 2:
        lines = [lines[0], lines[1][: _LETTERS - 1] + "…"]
    return lines


def _drawing(tiles: Sequence[Tile]) -> Drawing:
    width = max((tile.x for tile in tiles), default=0) + _WIDE
    height = max((tile.y for tile in tiles), default=0) + _HIGH
    return Drawing(tiles, width, height)
