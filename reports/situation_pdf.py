"""The situation of a day on A4: six figures, four charts, and the tables behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table, TableStyle

from reports import fonts
from reports.charts import situation_charts
from reports.paper import (
    BODY,
    HEADING,
    MARGIN,
    NAME,
    SOFT,
    ChartOnPaper,
    document,
    table,
    text,
)
from reports.saying import Saying
from reports.situation import Situation, Stage
from reports.situation_words import item_word, not_final, plain, positivity, word
from reports.tokens import LIGHT
from reports.turnaround import TOTALS, Turnaround

_WIDTH: Final = 210 * mm - 2 * MARGIN
_MOST_AREAS: Final = 60
_ROOM: Final = 535.0  # points for three charts on the first page, below title and figures
_ROOM_OF_FOUR: Final = 515.0  # the fourth has a heading too
_SMALLEST: Final = 0.8  # of a chart's own size: its letters stay over 8 points
_SAID_OF: Final = {
    "stages": ("where", None),
    "areas": ("by_area", "interval"),
    "turnaround": ("turnaround", "dots"),
    "hours": ("through_day", None),
}


def situation_pdf(situation: Situation, saying: Saying) -> bytes:
    """The report. A day without tests is one page that says so."""
    title = f"{plain(saying, 'title')} {saying.day(situation.day)}"
    taken = saying.full_moment(situation.taken_at)
    story: list[Flowable] = [
        text(title, NAME),
        text(f"{situation.site} · {plain(saying, 'as_of')} {taken}", SOFT),
        Spacer(0, 8),
    ]
    if situation.empty:
        story += [text(plain(saying, "nobody"), HEADING)]
    else:
        story += [_figures(situation, saying), Spacer(0, 4), *_charts(situation, saying)]
    story += _tables(situation, saying)

    def stamp(canvas: Canvas, page: int, pages: int) -> None:
        canvas.setFont(fonts.REGULAR, 7.5)
        canvas.setFillColor(HexColor(LIGHT["soft"]))
        canvas.drawString(MARGIN, 9 * mm, f"{situation.site} · {title} · {taken}")
        said = plain(saying, "page") % (page, pages)
        canvas.drawRightString(210 * mm - MARGIN, 9 * mm, said)

    return document(story, title=title, language=saying.tongue, stamp=stamp)


def _figures(situation: Situation, saying: Saying) -> Table:
    stages = {line.stage: line.swabs for line in situation.stages}
    late = sum(line.late for line in situation.stages)
    figures = [
        (plain(saying, "swabs"), saying.number(situation.swabs)),
        (plain(saying, "done"), saying.number(stages[Stage.DONE])),
        (plain(saying, "positive"), saying.number(situation.positive)),
        (plain(saying, "share"), positivity(saying, situation)),
        (plain(saying, "late"), saying.number(late)),
        *(
            (word(saying, line.segment), saying.lasting(line.median_min))
            for line in _widest_total(situation)
        ),
    ]
    made = Table(
        [[name for name, _ in figures], [said for _, said in figures]],
        colWidths=[_WIDTH / len(figures)] * len(figures),
        hAlign="LEFT",
    )
    made.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, 0), fonts.REGULAR, 7.5),
                ("FONT", (0, 1), (-1, 1), fonts.BOLD, 14),
                ("TEXTCOLOR", (0, 0), (-1, 0), HexColor(LIGHT["soft"])),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, 0), 1),
                ("TOPPADDING", (0, 1), (-1, 1), 0),
                ("BOTTOMPADDING", (0, 1), (-1, 1), 6),
                ("LINEBELOW", (0, 1), (-1, 1), 0.6, HexColor(LIGHT["line"])),
            ]
        )
    )
    return made


def _widest_total(situation: Situation) -> Sequence[Turnaround]:
    """The median from swab to result of the way most people went."""
    totals = [line for line in situation.turnaround if line.segment is TOTALS[0]]
    return sorted(totals, key=lambda line: -line.swabs)[:1]


def _charts(situation: Situation, saying: Saying) -> Sequence[Flowable]:
    """Each with its heading: all on the first page where they are few lines, else all but the
    turnaround, which then stands with its table."""
    parts: list[Flowable] = []
    drawn = situation_charts(situation, saying)
    tall = {name: ChartOnPaper(svg).height for name, svg in drawn.items()}
    of_three = sum(height for name, height in tall.items() if name != "turnaround")
    together = sum(tall.values()) * _SMALLEST <= _ROOM_OF_FOUR
    room, of = (_ROOM_OF_FOUR, sum(tall.values())) if together else (_ROOM, of_three)
    scale = max(_SMALLEST, min(1.0, room / of)) if of else 1.0
    for name, svg in drawn.items():
        heading, note = _SAID_OF[name]
        said: list[Flowable] = [text(plain(saying, heading), HEADING)]
        if note:
            said.append(text(plain(saying, note), SOFT))
        said += [Spacer(0, 3), ChartOnPaper(svg, scale)]
        totals = _turnaround_table(situation, saying) if name == "turnaround" else None
        if totals is not None and together:
            parts.append(KeepTogether(said))
            said = [text(plain(saying, "turnaround"), HEADING), totals]
        elif totals is not None:
            said += [Spacer(0, 6), totals]
        parts.append(KeepTogether(said))
    return parts


def _tables(situation: Situation, saying: Saying) -> Sequence[Flowable]:
    parts: list[Flowable] = []
    for heading, note, made in (
        ("by_area", not_final(saying, situation), _area_table(situation, saying)),
        ("open_pools", plain(saying, "open_now"), _pool_table(situation, saying)),
        ("overdue", None, _overdue_table(situation, saying)),
        ("kits", None, _kit_table(situation, saying)),
    ):
        if made is None:
            continue
        parts.append(text(plain(saying, heading), HEADING))
        if note:
            parts.append(text(note, SOFT))
        parts.append(made)
        if heading == "by_area" and len(situation.areas) > _MOST_AREAS:
            left = saying.number(len(situation.areas) - _MOST_AREAS)
            parts.append(text(plain(saying, "others") % left, BODY))
    return parts


def _turnaround_table(situation: Situation, saying: Saying) -> Table | None:
    totals = [line for line in situation.turnaround if line.segment in TOTALS]
    head = [plain(saying, key) for key in ("segment", "way", "swabs", "median", "p90")]
    rows = [
        (
            word(saying, line.segment),
            word(saying, line.way),
            saying.number(line.swabs),
            saying.lasting(line.median_min),
            saying.lasting(line.p90_min),
        )
        for line in totals
    ]
    widths = [55 * mm, 55 * mm, 22 * mm, 24 * mm, 24 * mm]
    return table(head, rows, widths, numbers=(2, 3, 4)) if rows else None


def _area_table(situation: Situation, saying: Saying) -> Table | None:
    keys = ("area", "province", "swabs", "known", "positive", "share", "interval_short")
    rows = [
        (
            text(line.area or plain(saying, "nowhere")),
            text(line.province),
            saying.number(line.swabs),
            saying.number(line.known),
            saying.number(line.positive),
            saying.share(line.share),
            f"{saying.share(line.low)} – {saying.share(line.high)}" if line.known else "–",
        )
        for line in situation.areas[:_MOST_AREAS]
    ]
    widths = [46 * mm, 32 * mm, 20 * mm, 22 * mm, 18 * mm, 19 * mm, 25 * mm]
    head = [plain(saying, key) for key in keys]
    return table(head, rows, widths, numbers=(2, 3, 4, 5, 6)) if rows else None


def _pool_table(situation: Situation, saying: Saying) -> Table | None:
    head = [plain(saying, key) for key in ("waits_for", "pools", "people", "oldest")]
    rows = [
        (
            word(saying, line.awaits),
            saying.number(line.pools),
            saying.number(line.people),
            saying.moment(line.oldest_at),
        )
        for line in situation.open_pools
    ]
    widths = [70 * mm, 25 * mm, 25 * mm, 40 * mm]
    return table(head, rows, widths, numbers=(1, 2, 3)) if rows else None


def _overdue_table(situation: Situation, saying: Saying) -> Table | None:
    head = [plain(saying, key) for key in ("what", "waiting", "late", "oldest")]
    rows = [
        (
            text(item_word(saying, line.item)),
            saying.number(line.waiting),
            saying.number(line.late),
            saying.moment(line.oldest_at),
        )
        for line in situation.waiting
        if line.late
    ]
    widths = [70 * mm, 25 * mm, 25 * mm, 40 * mm]
    return table(head, rows, widths, numbers=(1, 2, 3)) if rows else None


def _kit_table(situation: Situation, saying: Saying) -> Table | None:
    keys = ("kit", "lot", "tests", "positive", "invalid", "confirmed", "refuted")
    rows = [
        (
            text(line.kit),
            text(line.lot),
            *map(
                saying.number,
                (line.tests, line.positive, line.invalid, line.confirmed, line.refuted),
            ),
        )
        for line in situation.kits
    ]
    widths = [44 * mm, 26 * mm, 18 * mm, 18 * mm, 22 * mm, 27 * mm, 27 * mm]
    head = [plain(saying, key) for key in keys]
    return table(head, rows, widths, numbers=(2, 3, 4, 5, 6)) if rows else None
