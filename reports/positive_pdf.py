"""The positive list on paper: A4 across, two lines a person, whose copy it is on every page.

Drawn line by line and not as one table: ten thousand people are three hundred pages, and a table
would be measured as a whole first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from lims.domain import barcodes
from reports import fonts, pen
from reports.positive_list import Line, PositiveList, Section
from reports.positive_words import (
    basis_words,
    colour_words,
    complete,
    illness_words,
    of_when,
    phone_words,
    plain,
    section_words,
    sex_words,
    taken,
    todo,
)
from reports.saying import Saying
from reports.tokens import LIGHT

_WIDTH, _HEIGHT = landscape(A4)
_SIDE: Final = 12 * mm
_TOP: Final = _HEIGHT - 12 * mm
_FLOOR: Final = 16 * mm
_ROW: Final = 25.0
_LEADING: Final = 1.17
_SMALLEST: Final = 5.5
_DOOR: Final = 8.0  # of an address too long for its column in the usual letters
_SMALL: Final = 6.5  # what is said under a name is rather broken than made smaller
_SECTION: Final = 32.0
_COLUMNS: Final = (  # heading, left edge in mm, width in mm
    ("case", 0, 20),
    ("person", 20, 58),
    ("phone", 78, 26),
    ("address", 104, 74),
    ("household", 178, 36),
    ("basis", 214, 30),
    ("team", 244, 29),
)


@dataclass(frozen=True, slots=True)
class _Head:
    section: Section
    many: int


def positive_pdf(listed: PositiveList, saying: Saying) -> bytes:
    """The list; without lines it is one page that says so. The same list gives the same bytes."""
    fonts.register()
    pages = list(_paged(listed, saying))
    out = BytesIO()
    canvas = Canvas(
        out,
        pagesize=(_WIDTH, _HEIGHT),
        invariant=1,
        initialFontName=fonts.REGULAR,  # type: ignore[arg-type] # a name; the stubs say a size
        lang="vi-VN" if saying.tongue == "vi" else "en",
    )
    canvas.setTitle(f"{plain(saying, 'title')} · {listed.team} · {of_when(listed, saying)}")
    canvas.setAuthor(listed.site)
    for number, rows in enumerate(pages, 1):
        _frame(canvas, listed, saying, number, len(pages))
        y = _TOP - 46
        for row in rows:
            if isinstance(row, _Head):
                _section(canvas, row, saying, y)
                y -= _SECTION
            else:
                _person(canvas, row, saying, y)
                y -= _height(row, saying)
        if not listed.lines:
            _say(canvas, plain(saying, "nobody"), 0, y - 10, 200, size=11)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _paged(listed: PositiveList, saying: Saying) -> Iterator[Sequence[_Head | Line]]:
    """A section's heading never stands alone at the foot, and is repeated on the next page."""
    room = _TOP - 46 - _FLOOR
    page: list[_Head | Line] = []
    left = room
    for section in Section:
        lines = listed.of(section)
        for place, line in enumerate(lines):
            needed = _height(line, saying) + (_SECTION if place == 0 else 0)
            if left < needed:
                yield page
                page, left = [], room
            if place == 0 or not page:
                page.append(_Head(section, len(lines)))
                left -= _SECTION
            page.append(line)
            left -= _height(line, saying)
    if page or not listed.lines:
        yield page


def _frame(canvas: Canvas, listed: PositiveList, saying: Saying, page: int, pages: int) -> None:
    who = taken(listed, saying)
    canvas.saveState()  # whose copy this is, under everything
    canvas.setFillColor(HexColor(LIGHT["hair"]))
    canvas.setFont(fonts.BOLD, 34)
    canvas.translate(_WIDTH / 2, _HEIGHT / 2)
    canvas.rotate(24)
    canvas.drawCentredString(0, 0, fonts.fitted(who, fonts.BOLD, 34, 260 * mm))
    canvas.restoreState()
    title = f"{plain(saying, 'title')} · {listed.team}"
    _title(canvas, title)
    _say(canvas, of_when(listed, saying), 203, _TOP - 14, 70, size=12, bold=True, right=True)
    _say(canvas, f"{listed.site} · {plain(saying, 'secret')}", 0, _TOP - 26, 273, soft=True)
    for key, left, width in _COLUMNS:
        _say(canvas, plain(saying, key), left, _TOP - 42, width, size=7.5, soft=True)
    _rule(canvas, _TOP - 45, LIGHT["edge"])
    destroy = plain(saying, "destroy") % saying.day(listed.destroy_by)
    foot = " · ".join(filter(None, (who, complete(listed, saying), destroy)))
    _say(canvas, foot, 0, 9 * mm, 200, size=7.5, soft=True)
    number = plain(saying, "page") % (page, pages)
    _say(canvas, number, 203, 9 * mm, 70, size=7.5, soft=True, right=True)


def _title(canvas: Canvas, title: str) -> None:
    """On one line, or a long team's name on two: never in letters too small for a heading."""
    if len(_lines(title, fonts.BOLD, 16, 200)) == 1:
        _say(canvas, title, 0, _TOP - 14, 200, size=16, bold=True)
        return
    first, *rest = _lines(title, fonts.BOLD, 11, 200)
    _say(canvas, first, 0, _TOP - 4, 200, size=11, bold=True)
    _say(canvas, " ".join(rest), 0, _TOP - 16, 200, size=11, bold=True)


@lru_cache(maxsize=1_000)  # teams are few and their cases many
def _lines(said: str, face: str, size: float, width_mm: float) -> Sequence[str]:
    return pen.lines(said, face, size, width_mm - 2)


def _team(line: Line, saying: Saying) -> tuple[float, Sequence[str]]:
    """The team's name, whole and in as many lines as it needs, and how large its letters are:
    somebody is to call it."""
    said, width = line.team or plain(saying, "unclaimed"), _COLUMNS[-1][2]
    usual = _lines(said, fonts.REGULAR, 9, width)
    return (9, usual) if len(usual) <= 2 else (7.5, _lines(said, fonts.REGULAR, 7.5, width))


def _height(line: Line, saying: Saying) -> float:
    """Of a person's row, in points; the usual two lines, more where the team's name takes them, or
    what is said of the person, or the address."""
    size, team = _team(line, saying)
    under = _LEADING * 7.5 * (len(_under_the_name(line, saying)) - 1)
    door = _LEADING * _DOOR * (len(_door(line)) - 1)
    return _ROW + max(_LEADING * size * (len(team) - 1), under, door)


def _door(line: Line) -> Sequence[str]:
    """The address: somebody is to find the door, so that a long one is broken, not made small."""
    said = line.address or "–"
    room = (_COLUMNS[3][2] - 2) * mm
    if pdfmetrics.stringWidth(said, fonts.REGULAR, _DOOR) <= room:
        return [said]
    return _lines(said, fonts.REGULAR, _DOOR, _COLUMNS[3][2])


def _section(canvas: Canvas, head: _Head, saying: Saying, y: float) -> None:
    said = f"{section_words(saying, head.section)} · {saying.number(head.many)}"
    _say(canvas, said, 0, y - 15, 273, size=10.5, bold=True)
    _say(canvas, todo(saying, head.section), 0, y - 26, 273, size=8.5)
    _rule(canvas, y - _SECTION + 2, LIGHT["edge"])


def _person(canvas: Canvas, line: Line, saying: Saying, y: float) -> None:
    home = " · ".join(filter(None, (line.area, line.province)))
    if line.work_area:
        home += f" · {plain(saying, 'work').lower()}: {line.work_area}"
    name, _rest = _broken(line.name)
    door = _door(line)
    under, *further = _under_the_name(line, saying)
    people = f" ({line.household_people})" if line.household_people > 1 else ""
    first = (
        line.code,
        name,
        phone_words(line),
        door[0],
        (line.household or "–") + people,
        basis_words(saying, line),
        "",
    )
    second = (
        colour_words(saying, line.colour) if line.colour else "",
        under,
        saying.pick("khởi phát ", "onset ") + f"{line.onset_on:%d/%m}" if line.onset_on else "",
        "" if len(door) > 1 else home,
        "",
        saying.moment(line.collected_at),
        "",
    )
    for place, (_, left, width) in enumerate(_COLUMNS):
        size = _DOOR if place == 3 and len(door) > 1 else 9
        _say(canvas, first[place], left, y - 10, width, size=size, bold=place == 1)
        _say(canvas, second[place], left, y - 20.5, width, size=7.5, soft=True)
    (_key, left, width), below = _COLUMNS[1], y - 20.5
    for part in further:
        below -= _LEADING * 7.5
        _say(canvas, part, left, below, width, size=7.5, soft=True)
    if len(door) > 1:
        (_key, left, width), below = _COLUMNS[3], y - 10
        for part in door[1:]:
            below -= _LEADING * _DOOR
            _say(canvas, part, left, below, width, size=_DOOR)
        _say(canvas, home, left, below - 10.5, width, size=7.5, soft=True)
    (_key, left, width), (size, team), below = _COLUMNS[-1], _team(line, saying), y - 10
    for part in team:
        _say(canvas, part, left, below, width, size=size)
        below -= _LEADING * size
    if line.claimed_at:
        _say(canvas, saying.moment(line.claimed_at), left, below, width, size=7.5, soft=True)
    _rule(canvas, y - _height(line, saying) + 1, LIGHT["line"])


def _broken(name: str) -> tuple[str, str]:
    """A name that is wider than its column goes on in the second line, at a word's end."""
    room = (_COLUMNS[1][2] - 2) * mm
    words = name.split(" ")
    kept = len(words)
    while kept > 1 and pdfmetrics.stringWidth(" ".join(words[:kept]), fonts.BOLD, 9) > room:
        kept -= 1
    return " ".join(words[:kept]), " ".join(words[kept:])


def _under_the_name(line: Line, saying: Saying) -> Sequence[str]:
    """What is said of a person, in one line; in more where even small letters would be cut."""
    parts = [part for part in (_broken(line.name)[1], *_identity(line, saying)) if part]
    said, room = " · ".join(parts), (_COLUMNS[1][2] - 2) * mm
    if pdfmetrics.stringWidth(said, fonts.REGULAR, _SMALL) <= room:
        return [said]
    made = [parts[0]]
    for part in parts[1:]:
        joined = f"{made[-1]} · {part}"
        if pdfmetrics.stringWidth(joined, fonts.REGULAR, 7.5) <= room:
            made[-1] = joined
        else:
            made.append(part)
    return made


def _identity(line: Line, saying: Saying) -> Sequence[str]:
    """Who it is; the laboratory's own copy adds the number, the tube and the Ct."""
    born, detail = (str(line.birth_year or ""), sex_words(saying, line)), line.laboratory
    if detail is None:
        return born
    ct = detail.called
    if detail.ct_cycles is not None:
        ct = f"Ct {saying.number(detail.ct_cycles, 1)}"
    tube = barcodes.shown(detail.barcode) if detail.barcode else ""
    said = (*born, detail.national_id or "", tube, ct or "", illness_words(saying, line))
    doses = saying.pick("%s mũi", "doses: %s") % detail.doses if detail.doses is not None else ""
    return (*said, doses)


def _say(
    canvas: Canvas,
    said: str,
    left_mm: float,
    y: float,
    width_mm: float,
    *,
    size: float = 8.5,
    bold: bool = False,
    soft: bool = False,
    right: bool = False,
) -> None:
    if not said:
        return
    face = fonts.BOLD if bold else fonts.REGULAR
    room = (width_mm - 2) * mm
    wide = pdfmetrics.stringWidth(said, face, size)
    if wide > room:  # rather smaller than cut: this is somebody's name or door
        size = max(size * room / wide * 0.998, _SMALLEST)  # a hair less: to the point it is cut
        said = fonts.fitted(said, face, size, room)
    canvas.setFont(face, size)
    canvas.setFillColor(HexColor(LIGHT["soft" if soft else "ink"]))
    if right:
        canvas.drawRightString(_SIDE + (left_mm + width_mm) * mm, y, said)
    else:
        canvas.drawString(_SIDE + left_mm * mm, y, said)


def _rule(canvas: Canvas, y: float, colour: str) -> None:
    canvas.setStrokeColor(HexColor(colour))
    canvas.setLineWidth(0.4)
    canvas.line(_SIDE, y, _WIDTH - _SIDE, y)
