"""A plate on paper, 96 or 384 wells: sign or Ct in each, controls square, what is empty a dot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reportlab.lib.colors import Color

from reports import fonts, pen
from reports.page import INNER, MARGIN
from reports.pen import Both, Language, Pen
from reports.written import number

_CONTROLS: Final = Both("Chứng", "Controls")
_NOT_AMPLIFIED: Final = Both("không khuếch đại", "no amplification")
_NOT_MEASURED: Final = Both("chưa đo", "not measured")


class WellLook(StrEnum):
    """How a well is drawn."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"
    WAITING = "waiting"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class WellOnPaper:
    """One position. `face` is the control's short name; `failed` of a control, `held` of a tube.

    `called`: the machine's own word, where no cycle number came.
    """

    position: str
    look: WellLook
    face: str
    ct_cycles: float | None
    measured: bool
    failed: bool = False
    held: bool = False
    called: str | None = None


Wells = Sequence[WellOnPaper]


@dataclass(frozen=True, slots=True)
class Look:
    """Word, sign and colours."""

    word: Both
    sign: str
    ink: Color
    soft: Color


LOOKS: Final = {
    WellLook.NEGATIVE: Look(Both("âm tính", "negative"), "\u2212", pen.NEGATIVE, pen.NEGATIVE_SOFT),
    WellLook.POSITIVE: Look(Both("dương tính", "positive"), "+", pen.SHEET, pen.POSITIVE),
    WellLook.INCONCLUSIVE: Look(Both("nghi ngờ", "weak"), "?", pen.DOUBT, pen.DOUBT_SOFT),
    WellLook.INVALID: Look(Both("không hợp lệ", "invalid"), "?", pen.INVALID, pen.INVALID_SOFT),
    WellLook.WAITING: Look(Both("chưa có", "no result"), "", pen.SOFT, pen.SHEET),
    WellLook.CONTROL: Look(Both("chứng", "control"), "", pen.ACCENT, pen.ACCENT_SOFT),
}


def _size(wells: Wells) -> tuple[int, int]:
    """Rows and columns of the plate these positions are on: 8 × 12 or 16 × 24."""
    small = all(well.position[0] <= "H" and int(well.position[1:]) <= 12 for well in wells)
    return (8, 12) if small else (16, 24)


def _plate_box(wells: Wells) -> tuple[int, int, float]:
    rows, columns = _size(wells)
    return rows, columns, (INNER - 8) / columns * (0.84 if columns == 12 else 1.0)


def below(wells: Wells) -> float:
    """Where the page goes on under the plate of these wells, its legend included."""
    rows, _, step = _plate_box(wells)
    return 60 + 6 + rows * step + (12 if rows == 8 else 16)


def draw(page: Pen, wells: Wells, language: Language) -> None:
    """The plate, how many wells of each kind, and its controls in words."""
    rows, columns, step = _plate_box(wells)
    left, top = MARGIN + 6, 66.0
    small = 7.5 if columns == 12 else 5.5
    for column in range(columns):
        page.text(
            left + (column + 0.5) * step,
            63.5,
            str(column + 1),
            small,
            colour=pen.SOFT,
            align="centre",
        )
    by_position = {well.position: well for well in wells}
    for row in range(rows):
        letter, middle = chr(65 + row), top + (row + 0.5) * step
        page.text(MARGIN + 2, middle + small * 0.12, letter, small, colour=pen.SOFT, align="centre")
        for column in range(columns):
            well = by_position.get(f"{letter}{column + 1:02d}")
            _well(page, well, (left + (column + 0.5) * step, middle), step, language)
    _legend(page, wells, top + rows * step + 5, language)
    if columns == 12:
        _controls(page, wells, left + columns * step + 5, language)
    else:
        _controls_line(page, wells, top + rows * step + 10, language)


def _well(
    page: Pen, well: WellOnPaper | None, at: tuple[float, float], step: float, language: Language
) -> None:
    (x, y), radius = at, step * 0.44
    if well is None:
        page.disc(x, y, radius * 0.25, pen.HAIR)
        return
    look = LOOKS[well.look]
    big = step > 9
    size = (9 if big else 4.6) if well.look is not WellLook.CONTROL else (7.5 if big else 3.8)
    if well.look is WellLook.CONTROL:
        fill, ink = (pen.POSITIVE, pen.SHEET) if well.failed else (look.soft, look.ink)
        page.box(x - radius, y - radius, 2 * radius, 2 * radius, fill, round_mm=radius * 0.25)
        page.text(x, y + size * 0.125, well.face, size, font=fonts.BOLD, colour=ink, align="centre")
        return
    waits = well.look is WellLook.WAITING or well.held
    edge = pen.SOFT if waits else look.ink if well.look is WellLook.INCONCLUSIVE else None
    page.disc(x, y, radius, look.soft, edge=edge, dashed=waits)
    shown = look.sign
    if well.ct_cycles is not None and well.look in {WellLook.POSITIVE, WellLook.INCONCLUSIVE}:
        shown = number(well.ct_cycles, language, 1 if big else 0)
    page.text(x, y + size * 0.125, shown, size, font=fonts.MEDIUM, colour=look.ink, align="centre")


def _legend(page: Pen, wells: Wells, y: float, language: Language) -> None:
    x = MARGIN + 6
    for look, drawn in LOOKS.items():
        if look is WellLook.CONTROL:
            continue
        count = sum(well.look is look for well in wells)
        if not count:
            continue
        edge = pen.SOFT if look is WellLook.WAITING else None
        page.disc(x + 1.6, y - 1.1, 1.6, drawn.soft, edge=edge, dashed=edge is not None)
        x += 4.6
        x += page.text(x, y, number(count, language), 9, font=fonts.BOLD) + 1
        x += page.text(x, y, drawn.word.first(language), 9) + 1
        x += page.text(x, y, drawn.word.second(language), 7, colour=pen.SOFT) + 5


def _controls(page: Pen, wells: Wells, x: float, language: Language) -> None:
    y = 68.0
    page.text(x, y, _CONTROLS.first(language), 9, font=fonts.BOLD)
    for well in (well for well in wells if well.look is WellLook.CONTROL):
        y += 7.4
        ink = pen.POSITIVE if well.failed else pen.INK
        page.text(x, y, f"{well.face} {well.position}", 8, font=fonts.MEDIUM, colour=ink)
        page.text(x, y + 3.2, _control_says(well, language), 6.8, colour=pen.SOFT)


def _controls_line(page: Pen, wells: Wells, y: float, language: Language) -> None:
    x = MARGIN + 6 + page.text(MARGIN + 6, y, _CONTROLS.first(language), 8, font=fonts.BOLD) + 3
    for well in (well for well in wells if well.look is WellLook.CONTROL):
        said = f"{well.face} {well.position}: {_control_says(well, language)}"
        if x > MARGIN + INNER - 30:
            page.text(x, y, "…", 8, colour=pen.SOFT)
            return
        x += page.text(x, y, said, 8, colour=pen.POSITIVE if well.failed else pen.INK) + 5


def _control_says(well: WellOnPaper, language: Language) -> str:
    if not well.measured:
        return _NOT_MEASURED.first(language)
    if well.ct_cycles is None:
        return well.called or _NOT_AMPLIFIED.first(language)
    return f"Ct {number(well.ct_cycles, language, 1)}"
