"""The result slip: one specimen of one person, what is known of it, and how to check the paper.

Half an A4 sheet (A5 landscape), Vietnamese and English; two to a sheet for a class or a campaign.
The value holds everything that is drawn, times on the site's wall clock included, so that the same
value is the same bytes for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from reportlab.lib.units import mm

from lims.domain import barcodes, slip_codes
from lims.domain.outcomes import FindingOutcome
from lims.domain.refusals import Malformed
from reports import fonts, pen
from reports import slip_words as words
from reports.pen import Both, Language, Pen
from reports.poured import PouredCanvas
from reports.symbols import code_128, qr
from reports.written import moment

WIDTH, HEIGHT = 210.0, 148.5  # millimetres: half of A4
_MARGIN, _RIGHT, _COLUMN = 12.0, 150.0, 48.0  # left edge and width of the column of symbols
_LEFT: Final = _RIGHT - _MARGIN - 6.0  # width of the words


class Derived(StrEnum):
    """On which evidence the word rests."""

    OWN_TEST = "own_test"
    LAB_POOL = "lab_pool"
    FIELD_POOL = "field_pool"


class Paper(StrEnum):
    """One slip a page, or two one above the other to be cut apart."""

    A5 = "a5"
    A4 = "a4"


@dataclass(frozen=True, slots=True)
class Replaced:
    """What this slip takes the place of; `slip_at` is when the earlier slip was issued, if any."""

    outcome: FindingOutcome
    released_at: datetime
    slip_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Everything on one slip; raises Malformed for an outcome that is no final word.

    Times are aware and on the site's wall clock. `released_by` is a person's name, or None where
    `rule` released it. `id_last4` is all that paper says of a card number.
    """

    code: str
    verify_url: str
    laboratory: str
    area: str | None
    name: str
    birth_year: int | None
    sex: str | None
    id_last4: str | None
    barcode: str | None
    material: str
    collected_at: datetime
    received_at: datetime | None
    released_at: datetime
    outcome: FindingOutcome
    assay: str
    instrument: str | None
    kit_lot: str | None
    derived: Derived
    pool_people: int
    released_by: str | None
    rule: str
    replaces: Replaced | None
    issued_at: datetime
    language: Language = "vi"

    def __post_init__(self) -> None:
        if self.outcome not in words.LOOKS:
            raise Malformed(expected="a final word", came=str(self.outcome), where="slip")


def slip_pdf(slip: Slip) -> bytes:
    """One slip on a page of its own."""
    return b"".join(slip_pages([slip], count=1, paper=Paper.A5))


def slip_pages(
    slips: Iterable[Slip], *, count: int, paper: Paper, title: str = ""
) -> Iterator[bytes]:
    """One PDF of many slips, piece by piece as its pages fill; `count` is how many will come."""
    fonts.register()
    rows = 2 if paper is Paper.A4 else 1
    size = (WIDTH * mm, HEIGHT * rows * mm)
    canvas = PouredCanvas(
        page_size=size,
        title=f"{words.TITLE.vi} · {words.TITLE.en}" + (f": {title}" if title else ""),
        author="Thần Tốc",
    )
    for place, slip in enumerate(slips):
        row = place % rows
        if place and row == 0:
            canvas.showPage()
            yield canvas.poured()
        _draw(Pen(canvas, 0, size[1] - row * HEIGHT * mm), slip, f"{place + 1}/{max(count, 1)}")
        if row:
            _cut_line(Pen(canvas, 0, HEIGHT * mm))
    canvas.showPage()
    yield canvas.rest()


def _cut_line(page: Pen) -> None:
    page.canvas.setDash([2, 3])
    page.rule(0, 0, WIDTH, colour=pen.LINE, weight_pt=0.5)
    page.canvas.setDash([])


def _draw(page: Pen, slip: Slip, place: str) -> None:
    _symbols(page, slip)
    y = _heading(page, slip)
    if slip.replaces is not None:
        y = _replaces(page, slip, slip.replaces, y)
    air = 0.0 if slip.replaces else 2.4  # a corrected slip has more to say
    y = _person(page, slip, y + air)
    y = _outcome(page, slip, y + air)
    _facts(page, slip, y + air)
    _foot(page, slip, place)


def _heading(page: Pen, slip: Slip) -> float:
    language = slip.language
    y = page.paragraph(_MARGIN, 14.5, _LEFT, slip.laboratory, 10, font=fonts.MEDIUM)
    if slip.area:
        page.text(
            _MARGIN, y, fonts.fitted(slip.area, fonts.REGULAR, 8, _LEFT * mm), 8, colour=pen.SOFT
        )
        y += pen.leading(8)
    y += 4.8
    wide = page.text(
        _MARGIN, y, words.TITLE.first(language), 18, font=fonts.BOLD, colour=pen.ACCENT
    )
    page.text(_MARGIN + wide + 3, y, words.TITLE.second(language), 9.5, colour=pen.SOFT)
    page.rule(_MARGIN, y + 3.4, _LEFT, colour=pen.ACCENT, weight_pt=1.2)
    return y + 3.4


def _replaces(page: Pen, slip: Slip, old: Replaced, y: float) -> float:
    said = {language: _replacement(slip, old, language) for language in ("vi", "en")}
    first, second = said[slip.language], said["en" if slip.language == "vi" else "vi"]
    inner = _LEFT - 17
    height = 3.0 + 4.6
    for text, size in ((first, 8.5), (second, 7)):
        height += len(pen.lines(text, fonts.REGULAR, size, inner)) * pen.leading(size)
    page.box(_MARGIN, y + 2.4, _LEFT, height, pen.CHANGED_SOFT, round_mm=1.5)
    page.text(_MARGIN + 7, y + 9.2, "≠", 20, font=fonts.BOLD, colour=pen.CHANGED, align="centre")
    below = y + 2.4 + 5.2
    wide = page.text(
        _MARGIN + 14,
        below,
        words.CORRECTED.first(slip.language),
        10.5,
        font=fonts.BOLD,
        colour=pen.CHANGED,
    )
    page.text(
        _MARGIN + 16 + wide, below, words.CORRECTED.second(slip.language), 8, colour=pen.CHANGED
    )
    below = page.paragraph(_MARGIN + 14, below + 4.3, inner, first, 8.5)
    page.paragraph(_MARGIN + 14, below - 0.4, inner, second, 7, colour=pen.SOFT)
    return y + 2.4 + height


def _replacement(slip: Slip, old: Replaced, language: Language) -> str:
    before, after = words.LOOKS[old.outcome].word, words.LOOKS[slip.outcome].word
    what = words.REPLACES_SLIP if old.slip_at else words.REPLACES_RESULT
    change = words.UNCHANGED if old.outcome is slip.outcome else words.CHANGED
    when = moment(old.slip_at or old.released_at, language)
    return " ".join(
        (
            what.first(language).format(when=when),
            change.first(language).format(
                before=before.first(language).lower(), after=after.first(language).lower()
            ),
        )
    )


def _person(page: Pen, slip: Slip, y: float) -> float:
    size = next(
        (s for s in (16, 14, 12) if len(pen.lines(slip.name, fonts.BOLD, s, _LEFT)) == 1), 11
    )
    y = page.paragraph(_MARGIN, y + 4 + size * 0.3, _LEFT, slip.name, size, font=fonts.BOLD)
    facts = [
        (words.BORN, str(slip.birth_year or "—")),
        *([(words.SEXES[slip.sex], "")] if slip.sex in words.SEXES else []),
        *([(words.CARD, f"•••• •••• {slip.id_last4}")] if slip.id_last4 else []),
    ]
    x = _MARGIN
    for label, value in facts:
        x += page.text(x, y, label.first(slip.language), 9.5) + 1
        x += page.text(x, y, label.second(slip.language), 7, colour=pen.SOFT) + 1
        if value:
            x += page.text(x, y, value, 9.5, font=fonts.MEDIUM)
        x += 4
    return y


def _outcome(page: Pen, slip: Slip, y: float) -> float:
    look, top, height = words.LOOKS[slip.outcome], y + 3.4, 22.0
    page.box(_MARGIN, top, _LEFT, height, look.soft, round_mm=2)
    page.disc(_MARGIN + 12.5, top + height / 2, 7, look.ink)
    page.text(
        _MARGIN + 12.5,
        top + height / 2 + 3.2,
        look.sign,
        26,
        font=fonts.BOLD,
        colour=pen.SHEET,
        align="centre",
    )
    x, language = _MARGIN + 24, slip.language
    wide = page.text(x, top + 11, look.word.first(language), 23, font=fonts.BOLD, colour=look.ink)
    page.text(x + wide + 3, top + 11, look.word.second(language), 11, colour=look.ink)
    what = words.WHAT.get(slip.material, words.WHAT["swab"])
    first, second = (
        look.meaning.first(language).format(what=what.first(language)),
        look.meaning.second(language).format(what=what.second(language)),
    )
    wide = page.text(x, top + 17.6, first, 9)
    page.text(x + wide + 2.5, top + 17.6, second, 7.5, colour=pen.SOFT)
    return top + height


def _facts(page: Pen, slip: Slip, y: float) -> None:
    language, wide = slip.language, _LEFT / 3
    top = y + 6.2
    for column, (label, at) in enumerate(
        (
            (words.COLLECTED, slip.collected_at),
            (words.RECEIVED, slip.received_at),
            (words.RESULTED, slip.released_at),
        )
    ):
        x = _MARGIN + column * wide
        _label(page, x, top, label, language)
        page.text(x, top + 4.4, moment(at, language), 9.5, font=fonts.MEDIUM)
    _label(page, _MARGIN, top + 10.4, words.METHOD, language)
    method = _method(slip)
    page.paragraph(_MARGIN, top + 14.6, wide - 3, method.first(language), 8.5)
    _label(page, _MARGIN + wide, top + 10.4, words.DERIVED, language)
    derived = _derived(slip)
    below = page.paragraph(_MARGIN + wide, top + 14.6, 2 * wide, derived.first(language), 8.5)
    page.paragraph(
        _MARGIN + wide, below - 0.3, 2 * wide, derived.second(language), 7, colour=pen.SOFT
    )


def _label(page: Pen, x: float, y: float, label: Both, language: Language) -> None:
    wide = page.text(x, y, label.first(language), 7.5, colour=pen.SOFT)
    page.text(x + wide + 1.2, y, label.second(language), 6.5, colour=pen.SOFT)


def _method(slip: Slip) -> Both:
    if slip.material == "antigen":
        lot = slip.kit_lot
        more = Both(f" · {words.KIT.vi}", f" · {words.KIT.en}") if lot else Both("", "")
        kind = words.ANTIGEN
        return Both(*((k + m.format(lot=lot)) for k, m in ((kind.vi, more.vi), (kind.en, more.en))))
    rest = " · ".join(part for part in (_assay(slip), slip.instrument) if part)
    return Both(f"{words.PCR.vi} · {rest}", f"{words.PCR.en} · {rest}")


def _assay(slip: Slip) -> str:
    return words.ASSAYS.get(slip.assay, slip.assay)


def _derived(slip: Slip) -> Both:
    match slip.derived:
        case Derived.LAB_POOL:
            said = words.LAB_POOL
        case Derived.FIELD_POOL:
            said = words.FIELD_POOL
        case Derived.OWN_TEST:
            said = words.OWN_RAPID_TEST if slip.material == "antigen" else words.OWN_TEST
    people = slip.pool_people
    return Both(said.vi.format(people=people), said.en.format(people=people))


def _symbols(page: Pen, slip: Slip) -> None:
    language, centre = slip.language, _RIGHT + _COLUMN / 2
    qr(page, slip.verify_url, x=_RIGHT + 2, y=9, side=_COLUMN - 4)
    page.text(centre, 57, words.SCAN.first(language), 9, font=fonts.MEDIUM, align="centre")
    page.text(centre, 60.8, words.SCAN.second(language), 7, colour=pen.SOFT, align="centre")
    parts = urlsplit(slip.verify_url)
    where = f"{parts.netloc}{parts.path.rpartition('/')[0]}"
    page.centred(centre, 66, _COLUMN, where, 7.5, colour=pen.ACCENT)
    shown = slip_codes.shown(slip.code).split("-")
    page.text(centre, 73, " ".join(shown[:3]), 10, font=fonts.MEDIUM, align="centre")
    page.text(centre, 77.6, " ".join(shown[3:]), 10, font=fonts.MEDIUM, align="centre")
    if slip.barcode:
        page.rule(_RIGHT, 83, _COLUMN, colour=pen.HAIR)
        _label(page, _RIGHT, 88, words.SPECIMEN, language)
        page.text(_RIGHT + _COLUMN, 88, words.SWAB.first(language), 7.5, align="right")
        code_128(page, slip.barcode, x=_RIGHT, y=91, width=_COLUMN, height=13)
        shown_barcode = (
            barcodes.shown(slip.barcode) if barcodes.is_valid(slip.barcode) else slip.barcode
        )
        page.text(centre, 108.6, shown_barcode, 9.5, font=fonts.MEDIUM, align="centre")


def _foot(page: Pen, slip: Slip, place: str) -> None:
    language, y = slip.language, HEIGHT - 16
    page.rule(_MARGIN, y, WIDTH - 2 * _MARGIN, colour=pen.LINE)
    by = Both(*(each.format(rule=slip.rule) for each in (words.AUTOMATIC.vi, words.AUTOMATIC.en)))
    _label(page, _MARGIN, y + 4.4, words.SIGNED, language)
    signed = slip.released_by or by.first(language)
    page.text(
        _MARGIN, y + 8.6, fonts.fitted(signed, fonts.MEDIUM, 8.5, 84 * mm), 8.5, font=fonts.MEDIUM
    )
    x = _MARGIN + 2 * _LEFT / 3
    _label(page, x, y + 4.4, words.STATUS, language)
    status = words.CORRECTED if slip.replaces else words.FINAL
    wide = page.text(x, y + 8.6, status.first(language), 8.5, font=fonts.MEDIUM)
    page.text(x + wide + 1.2, y + 8.6, status.second(language), 7, colour=pen.SOFT)
    _label(page, _RIGHT, y + 4.4, words.ISSUED, language)
    page.text(_RIGHT, y + 8.6, moment(slip.issued_at, language), 8.5, font=fonts.MEDIUM)
    page.text(WIDTH - _MARGIN, y + 8.6, place, 7.5, colour=pen.SOFT, align="right")
