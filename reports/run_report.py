"""The run report: the plate as it was measured, its controls, what was found and what was done.

The record of one run for the file: everything an auditor asks of it stands on it, down to the
digests of the analyser's messages, by which the bytes are found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reportlab.lib.units import mm

from lims.domain import barcodes
from reports import fonts, pen, plate_drawing
from reports.page import FLOOR, INNER, MARGIN, TOP, Heading, Sheets
from reports.pen import Both, Language, Pen
from reports.plate_drawing import LOOKS, Look, WellLook, WellOnPaper
from reports.written import moment, number

TITLE: Final = Both("Báo cáo lượt chạy", "Run report")
_FACTS: Final = (
    Both("Xét nghiệm", "Assay"),
    Both("Máy", "Analyser"),
    Both("Bộ kít", "Kit"),
    Both("Xếp đĩa", "Laid out"),
    Both("Nhận kết quả", "Measured"),
    Both("Đánh giá", "Judged"),
)
_ATTENTION: Final = Both("Dương tính, nghi ngờ, không hợp lệ", "Positive, weak and invalid wells")
_NONE: Final = Both("Không có giếng nào.", "None.")
_COLUMNS: Final = (
    Both("Giếng", "Well"),
    Both("Ống", "Tube"),
    Both("Kết quả", "Outcome"),
    Both("Ct", "Ct"),
    Both("Đã xử trí", "What was done"),
)
_RELEASED: Final = Both("Người trả kết quả", "Released by")
_MACHINE: Final = Both("Máy tự trả, quy tắc {rule}", "The machine, by rule {rule}")
_PEOPLE: Final = Both("{n} người · {when}", "{n} people · {when}")
_MESSAGES: Final = Both("Dấu vân (SHA-256) của bản tin máy", "SHA-256 of the analyser's messages")


class Verdict(StrEnum):
    """How the run stands."""

    VALID = "valid"
    HELD = "held"
    INVALID = "invalid"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Attention:
    """A well that is not simply negative, and what the laboratory did about it."""

    position: str
    look: WellLook
    barcode: str
    holds: Both
    ct_cycles: float | None
    done: Both
    called: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Who released how many results of this run, and when the last of them.

    `by` is a person's name, or the rule where the machine released them by it.
    """

    by: str
    people: int
    at: datetime
    by_rule: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything on one report; times on the site's wall clock."""

    laboratory: str
    plate: str
    assay: str
    instrument: str | None
    kit: str | None
    created_at: datetime
    created_by: str
    measured_at: datetime | None
    judged_at: datetime | None
    verdict: Verdict
    verdict_why: Both | None
    wells: tuple[WellOnPaper, ...]
    attention: tuple[Attention, ...]
    releases: tuple[Release, ...]
    digests: tuple[str, ...]
    issued_at: datetime
    language: Language = "vi"


_VERDICTS: Final = {
    Verdict.VALID: Look(Both("Chứng đạt", "Controls passed"), "", pen.NEGATIVE, pen.NEGATIVE_SOFT),
    Verdict.HELD: Look(
        Both("Giữ lại chờ duyệt", "Held for a reviewer"), "", pen.DOUBT, pen.DOUBT_SOFT
    ),
    Verdict.INVALID: Look(
        Both("Lượt chạy không hợp lệ", "Run invalid"), "", pen.POSITIVE, pen.POSITIVE_SOFT
    ),
    Verdict.OPEN: Look(Both("Chưa đánh giá", "Not judged yet"), "", pen.INVALID, pen.INVALID_SOFT),
}
_LINE: Final = 6.6


def run_pdf(report: RunReport) -> bytes:
    """The report on A4: the plate on the first page, the wells that matter after it."""
    fonts.register()
    language = report.language
    heading = Heading(TITLE, report.plate, report.laboratory, report.issued_at, language)
    first = plate_drawing.below(report.wells)
    rows_first = max(0, int((FLOOR - first - 12) // _LINE))
    rows_next = int((FLOOR - TOP - 12) // _LINE)
    later = max(0, len(report.attention) - rows_first)
    tail_mm = 14.0 + 5 * len(report.releases) + 4 * len(report.digests)
    used = (
        first + 12 + _LINE * max(1, len(report.attention))
        if not later
        else TOP + 12 + _LINE * (later % rows_next or rows_next)
    )
    own_page = used + tail_mm > FLOOR
    pages = 1 + -(-later // rows_next) + own_page
    sheets = Sheets(heading, pages=pages)
    page = sheets.begin()
    _facts(page, report)
    plate_drawing.draw(page, report.wells, language)
    y = _attention(page, report.attention[:rows_first], first, language)
    for start in range(rows_first, len(report.attention), rows_next):
        page = sheets.begin()
        y = _attention(page, report.attention[start : start + rows_next], TOP, language)
    if own_page:
        page, y = sheets.begin(), TOP
    _tail(page, report, y + 4)
    return sheets.done()


def _facts(page: Pen, report: RunReport) -> None:
    language, wide = report.language, INNER / 6
    laid_out = f"{moment(report.created_at, language)}"
    values = (
        report.assay,
        report.instrument or "—",
        report.kit or "—",
        laid_out,
        moment(report.measured_at, language),
        moment(report.judged_at, language),
    )
    for column, (label, value) in enumerate(zip(_FACTS, values, strict=True)):
        x = MARGIN + column * wide
        page.text(x, 33, label.first(language), 7.5, colour=pen.SOFT)
        page.text(
            x, 37.4, fonts.fitted(value, fonts.MEDIUM, 8.5, (wide - 2) * mm), 8.5, font=fonts.MEDIUM
        )
    page.text(
        MARGIN + 3 * wide,
        41,
        fonts.fitted(report.created_by, fonts.REGULAR, 7.5, wide * mm),
        7.5,
        colour=pen.SOFT,
    )
    look = _VERDICTS[report.verdict]
    page.box(MARGIN, 44, INNER, 11, look.soft, round_mm=1.5)
    said = page.text(
        MARGIN + 4, 50.9, look.word.first(language), 12, font=fonts.BOLD, colour=look.ink
    )
    if report.verdict_why:
        room = INNER - said - 12
        why = fonts.fitted(report.verdict_why.first(language), fonts.REGULAR, 9, room * mm)
        page.text(MARGIN + 8 + said, 50.9, why, 9)


_AT: Final = (0.0, 12.0, 86.0, 114.0, 127.0)


def _attention(page: Pen, lines: Sequence[Attention], y: float, language: Language) -> float:
    wide = page.text(MARGIN, y + 3, _ATTENTION.first(language), 10, font=fonts.BOLD)
    page.text(MARGIN + wide + 2, y + 3, _ATTENTION.second(language), 7.5, colour=pen.SOFT)
    if not lines:
        page.text(MARGIN, y + 9, _NONE.first(language), 9, colour=pen.SOFT)
        return y + 12
    for x, column in zip(_AT, _COLUMNS, strict=True):
        page.text(MARGIN + x, y + 8.4, column.first(language), 7.5, colour=pen.SOFT)
    page.rule(MARGIN, y + 10, INNER)
    y += 10
    for line in lines:
        base, look = y + 4.4, LOOKS[line.look]
        ink = pen.POSITIVE if line.look is WellLook.POSITIVE else look.ink
        page.text(MARGIN + _AT[0], base, line.position, 9, font=fonts.MEDIUM)
        wide = page.text(MARGIN + _AT[1], base, barcodes.shown(line.barcode), 9, font=fonts.MEDIUM)
        begin = _AT[1] + wide + 2
        room = _AT[2] - begin - 2
        holds = fonts.fitted(line.holds.first(language), fonts.REGULAR, 7, room * mm)
        page.text(MARGIN + begin, base, holds, 7, colour=pen.SOFT)
        said = f"{look.sign} {look.word.first(language)}".strip()
        page.text(MARGIN + _AT[2], base, said, 9, font=fonts.BOLD, colour=ink)
        if line.ct_cycles is not None:
            page.text(
                MARGIN + _AT[4] - 4, base, number(line.ct_cycles, language, 1), 9, align="right"
            )
        elif line.called:
            word = fonts.fitted(line.called, fonts.REGULAR, 7, 11 * mm)
            page.text(MARGIN + _AT[4] - 4, base, word, 7, align="right")
        done = fonts.fitted(line.done.first(language), fonts.REGULAR, 8, (INNER - _AT[4]) * mm)
        page.text(MARGIN + _AT[4], base, done, 8)
        y += _LINE
        page.rule(MARGIN, y, INNER, colour=pen.HAIR)
    return y


def _tail(page: Pen, report: RunReport, y: float) -> None:
    language = report.language
    half = INNER / 2
    page.text(MARGIN, y + 3, _RELEASED.first(language), 9, font=fonts.BOLD)
    below = y + 3
    for release in report.releases:
        below += 5
        by = _MACHINE.first(language).format(rule=release.by) if release.by_rule else release.by
        page.text(
            MARGIN,
            below,
            fonts.fitted(by, fonts.MEDIUM, 8.5, (half - 42) * mm),
            8.5,
            font=fonts.MEDIUM,
        )
        when = _PEOPLE.first(language).format(
            n=number(release.people, language), when=moment(release.at, language)
        )
        page.text(MARGIN + half - 4, below, when, 7.5, colour=pen.SOFT, align="right")
    if not report.releases:
        page.text(MARGIN, below + 5, "—", 8.5)
    page.text(MARGIN + half, y + 3, _MESSAGES.first(language), 9, font=fonts.BOLD)
    below = y + 3
    for digest in report.digests:
        below += 4
        page.text(MARGIN + half, below, digest, 5.9, colour=pen.SOFT)
