"""The sheet of a team that goes out on foot: by commune, lane and door, big type, boxes to tick.

Read at arm's length in the rain, and written on: names in 13 points, the telephone in 14, and for
each person what was done. Only what a team needs at a door stands on it, also on the laboratory's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm

from lims.domain.identity import bare_household
from lims.domain.neighbourhood import Spot, building_of, by_door, lane_of
from reports import fonts, pen
from reports.page import FLOOR, HEIGHT, INNER, MARGIN, TOP, WIDTH
from reports.pen import Pen
from reports.positive_list import Line, PositiveList, Section
from reports.positive_words import (
    basis_words,
    colour_words,
    complete,
    of_when,
    phone_words,
    plain,
    section_words,
    sex_words,
    taken,
    todo,
)
from reports.poured import PouredCanvas
from reports.saying import Saying

TITLE: Final = ("Phiếu đi truy vết", "Sheet for a team on foot")
_DEEDS: Final = (
    ("Đã gặp", "Met"),
    ("Đã báo kết quả", "Told the result"),
    ("Đã cách ly", "Isolated"),
    ("Đã lập danh sách F1", "Contacts listed"),
    ("Vắng nhà", "Not at home"),
)
_CONTACTS: Final = ("Số F1:", "Contacts:")
_WHEN: Final = ("Giờ:", "Time:")
_NOTE: Final = ("Ghi chú:", "Note:")
_ELSEWHERE: Final = ("Chưa rõ địa bàn", "Place not known")
_NO_LANE: Final = ("Ngoài ngõ, mặt phố", "On the street")
_GONE_BY: Final = ("Người đi:", "Gone by:")
_HOUSEHOLD: Final = ("Hộ %s", "Household %s")
_PEOPLE: Final = ("%s người", "people: %s")
_AREA, _LANE, _DOOR, _FOOT = 13.0, 9.0, 9.0, FLOOR - 4
_NAME_WIDE: Final = 112.0


@dataclass(frozen=True, slots=True)
class _Block:
    """A line of the sheet and its height in millimetres: a commune, a lane, a door or a person."""

    height: float
    head: str = ""
    kind: str = "person"
    line: Line | None = None


def field_sheet(listed: PositiveList, saying: Saying) -> bytes:
    """The sheet on A4. Nobody to visit is one page that says so; the same list, the same bytes."""
    fonts.register()
    pages = list(_pages(listed, saying))
    title = f"{saying.pick(*TITLE)} · {listed.team} · {of_when(listed, saying)}"
    canvas = PouredCanvas(page_size=(WIDTH * mm, HEIGHT * mm), title=title, author=listed.site)
    for number, blocks in enumerate(pages or [[]], 1):
        if number > 1:
            canvas.showPage()
        page, y = Pen(canvas, 0, HEIGHT * mm), TOP - 5
        _watermark(canvas, taken(listed, saying))
        _frame(page, listed, saying, (number, max(1, len(pages))))
        if not blocks:
            page.text(MARGIN, TOP + 4, plain(saying, "nobody"), 13)
        for block in blocks:
            _draw(page, block, y, saying)
            y += block.height
    canvas.showPage()
    return canvas.rest()


def _pages(listed: PositiveList, saying: Saying) -> Iterator[Sequence[_Block]]:
    """A heading is never the last of a page, and a page begins with its commune and lane."""
    page, left, above = list[_Block](), 0.0, dict[str, _Block]()
    for waiting, block in _blocks(listed.lines, saying):
        above |= {one.kind: one for one in waiting}
        if any(one.kind == "area" for one in waiting):
            above = {one.kind: one for one in waiting}
        needed = sum(one.height for one in waiting) + block.height
        if needed > left:
            if page:
                yield page
            said = [above[kind] for kind in ("area", "lane", "door") if kind in above]
            page, left = [*said, block], _FOOT - TOP + 5 - sum(one.height for one in said)
            left -= block.height
            continue
        page += [*waiting, block]
        left -= needed
    if page:
        yield page


def _blocks(lines: Sequence[Line], saying: Saying) -> Iterator[tuple[list[_Block], _Block]]:
    for area, there in groupby(sorted(lines, key=_walked), key=_area):
        waiting = [_Block(_AREA, area or saying.pick(*_ELSEWHERE), "area")]
        for _key, lane in groupby(there, key=_lane_key):
            people = list(lane)
            spot = _lane(people[0])
            waiting.append(_Block(_LANE, spot.name if spot else saying.pick(*_NO_LANE), "lane"))
            for _door, inside in groupby(people, key=_door_key):
                household = list(inside)
                waiting.append(_Block(_DOOR, _door_words(household, saying), "door"))
                for line in household:
                    yield waiting, _Block(_height(line), line=line)
                    waiting = []


def _walked(line: Line) -> tuple[bool, str, str, tuple[int, str], str, str]:
    """Whose commune is not known comes last: somebody has to ring first."""
    where = _area(line)
    return (
        not where,
        where,
        _lane_key(line),
        by_door(line.address),
        line.household or "",
        line.name,
    )


def _area(line: Line) -> str:
    return " · ".join(filter(None, (line.area, line.province)))


def _lane(line: Line) -> Spot | None:
    return building_of(line.address) or lane_of(line.address)


def _lane_key(line: Line) -> str:
    spot = _lane(line)
    return spot.key if spot else ""


def _door_key(line: Line) -> tuple[str, str]:
    return (line.address or "", line.household or "")


def _door_words(household: Sequence[Line], saying: Saying) -> str:
    one = household[0]
    label = bare_household(one.household) if one.household else ""
    if label and (one.address or "").startswith(label):
        label = ""
    label = saying.pick(*_HOUSEHOLD) % label if label else ""
    people = saying.pick(*_PEOPLE) % one.household_people if one.household_people > 1 else ""
    return " · ".join(filter(None, (one.address or "—", label, people)))


def _height(line: Line) -> float:
    return 33.0 + (pen.leading(13) if len(_name(line)) > 1 else 0)


def _name(line: Line) -> Sequence[str]:
    return pen.lines(line.name, fonts.BOLD, 13, _NAME_WIDE)[:2]


def _watermark(canvas: PouredCanvas, who: str) -> None:
    canvas.saveState()  # whose copy this is, under everything
    canvas.setFillColor(HexColor(0xEFEDE8))
    canvas.setFont(fonts.BOLD, 30)
    canvas.translate(WIDTH / 2 * mm, HEIGHT / 2 * mm)
    canvas.rotate(52)
    canvas.drawCentredString(0, 0, fonts.fitted(who, fonts.BOLD, 30, 300 * mm))
    canvas.restoreState()


def _frame(page: Pen, listed: PositiveList, saying: Saying, numbered: tuple[int, int]) -> None:
    title = fonts.fitted(f"{saying.pick(*TITLE)} · {listed.team}", fonts.BOLD, 16, INNER * mm)
    page.text(MARGIN, 15, title, 16, font=fonts.BOLD)
    page.text(MARGIN, 21, of_when(listed, saying), 11, font=fonts.MEDIUM)
    wide = page.text(WIDTH - MARGIN - 58, 21, saying.pick(*_GONE_BY), 9, colour=pen.SOFT)
    page.rule(WIDTH - MARGIN - 56 + wide, 21.5, 56 - wide)
    secret = f"{listed.site} · {plain(saying, 'secret')}"
    page.text(MARGIN, 26, fonts.fitted(secret, fonts.REGULAR, 8, INNER * mm), 8, colour=pen.SOFT)
    page.rule(MARGIN, 28, INNER, colour=pen.INK, weight_pt=1)
    destroy = plain(saying, "destroy") % saying.day(listed.destroy_by)
    said = (taken(listed, saying), complete(listed, saying), destroy)
    foot = fonts.fitted(" · ".join(filter(None, said)), fonts.REGULAR, 8, (INNER - 26) * mm)
    page.rule(MARGIN, HEIGHT - 13, INNER, colour=pen.HAIR)
    page.text(MARGIN, HEIGHT - 9, foot, 8, colour=pen.SOFT)
    number = plain(saying, "page") % numbered
    page.text(WIDTH - MARGIN, HEIGHT - 9, number, 8, colour=pen.SOFT, align="right")


def _draw(page: Pen, block: _Block, y: float, saying: Saying) -> None:
    if block.line is not None:
        _person(page, block.line, y, saying)
        return
    face, size, indent = {
        "area": (fonts.BOLD, 15.0, 0.0),
        "lane": (fonts.BOLD, 12.5, 0.0),
        "door": (fonts.MEDIUM, 12.0, 2.5),
    }[block.kind]
    room = (INNER - 2 * indent) * mm
    if block.kind == "door":
        page.box(MARGIN, y + 1.2, INNER, 7, pen.ACCENT_SOFT, round_mm=1)
    while size > 8 and pen.lines(block.head, face, size, room / mm)[1:]:
        size -= 0.5
    said = fonts.fitted(block.head[:1].upper() + block.head[1:], face, size, room)
    page.text(MARGIN + indent, y + (9.0 if block.kind == "area" else 6.4), said, size, font=face)


def _person(page: Pen, line: Line, y: float, saying: Saying) -> None:
    below = y + 6.5
    for part in _name(line):
        page.text(MARGIN, below, part, 13, font=fonts.BOLD)
        below += pen.leading(13)
    page.text(WIDTH - MARGIN, y + 6.5, phone_words(line) or "—", 14, font=fonts.BOLD, align="right")
    page.text(WIDTH - MARGIN, y + 11.5, line.code, 9, colour=pen.SOFT, align="right")
    said = (
        str(line.birth_year or ""),
        sex_words(saying, line),
        basis_words(saying, line),
        saying.moment(line.collected_at),
        colour_words(saying, line.colour) if line.colour else "",
        plain(saying, "onset").lower() + f" {line.onset_on:%d/%m}" if line.onset_on else "",
    )
    page.text(MARGIN, below - 0.8, " · ".join(filter(None, said)), 10)
    ended = line.section in (Section.NO_LONGER, Section.ENDED)
    state = f"{section_words(saying, line.section)}. {todo(saying, line.section)}"
    colour = pen.CHANGED if ended else pen.INK
    for row in _one_line(state):
        page.text(MARGIN, below + 4.4, row, 9, font=fonts.MEDIUM, colour=colour)
    _boxes(page, below + 11.4, saying)
    page.rule(MARGIN, y + _height(line), INNER, colour=pen.LINE)


@lru_cache(maxsize=50)  # people are many, and what is to be done about them is little
def _one_line(said: str) -> Sequence[str]:
    return pen.lines(said, fonts.MEDIUM, 9, INNER)[:1]


def _boxes(page: Pen, y: float, saying: Saying) -> None:
    x = MARGIN
    for deed in _DEEDS:
        page.frame(x, y - 4.2, 5, 5, round_mm=0.6)
        x += 6.8 + page.text(x + 6.8, y - 0.2, saying.pick(*deed), 10) + 5.5
    y += 7.4
    wide = page.text(MARGIN, y, saying.pick(*_CONTACTS), 10, colour=pen.SOFT)
    page.rule(MARGIN + wide + 1, y + 0.6, 14)
    x = MARGIN + wide + 19
    wide = page.text(x, y, saying.pick(*_WHEN), 10, colour=pen.SOFT)
    page.rule(x + wide + 1, y + 0.6, 18)
    x += wide + 23
    wide = page.text(x, y, saying.pick(*_NOTE), 10, colour=pen.SOFT)
    page.rule(x + wide + 1, y + 0.6, WIDTH - MARGIN - x - wide - 1)
