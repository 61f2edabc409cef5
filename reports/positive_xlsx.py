"""The positive list as a workbook: numbers of people stay text, a name is never a formula."""

from __future__ import annotations

from collections.abc import Sequence

from reports.positive_list import Line, PositiveList, Section
from reports.positive_words import (
    basis_words,
    of_when,
    phone_words,
    plain,
    section_words,
    sex_words,
    taken,
    todo,
)
from reports.saying import Saying
from reports.workbook import About, Cell, Sheet, workbook

_TEAM = (
    ("case", 12),
    ("section", 20),
    ("name", 26),
    ("birth_year", 9),
    ("sex", 7),
    ("phone", 14),
    ("address", 34),
    ("area", 24),
    ("province", 18),
    ("work", 24),
    ("household", 20),
    ("household_people", 10),
    ("basis", 12),
    ("collected", 16),
    ("found", 16),
    ("team", 22),
    ("todo", 50),
)
_LABORATORY = (("national_id", 16), ("barcode", 14), ("pooled", 10), ("ct", 8), ("lot", 12))


def positive_xlsx(listed: PositiveList, saying: Saying) -> bytes:
    """One sheet; who took it and when stands on it and under every printed page."""
    columns = [*_TEAM, *(_LABORATORY if listed.for_laboratory else ())]
    title = f"{plain(saying, 'title')} · {listed.team} · {of_when(listed, saying)}"
    destroy = plain(saying, "destroy") % saying.day(listed.destroy_by)
    who = f"{listed.site} · {taken(listed, saying)} · {destroy}"
    sheet = Sheet(
        plain(saying, "title"),
        [plain(saying, key) for key, _ in columns],
        [
            _row(line, saying, laboratory=listed.for_laboratory)
            for section in Section
            for line in listed.of(section)
        ],
        [width for _, width in columns],
        above=(title, who, plain(saying, "secret")),
        wide=True,
    )
    return workbook([sheet], About(title, listed.site, listed.made_at, foot=who))


def _row(line: Line, saying: Saying, *, laboratory: bool) -> Sequence[Cell]:
    cells: list[Cell] = [
        line.code,
        section_words(saying, line.section),
        line.name,
        None if line.birth_year is None else str(line.birth_year),
        sex_words(saying, line),
        phone_words(line),
        line.address,
        line.area,
        line.province,
        line.work_area,
        line.household,
        line.household_people,
        basis_words(saying, line),
        saying.moment(line.collected_at),
        saying.moment(line.found_at),
        line.team or plain(saying, "unclaimed"),
        todo(saying, line.section),
    ]
    if not laboratory:
        return cells
    detail = line.laboratory
    if detail is None:
        return [*cells, None, None, None, None, None]
    ct = detail.called if detail.ct_cycles is None else round(detail.ct_cycles, 1)
    return [*cells, detail.national_id, detail.barcode, detail.pooled, ct, detail.kit_lot]
