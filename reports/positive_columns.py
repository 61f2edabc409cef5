"""The columns of an F0 line (domain.md), once for every file a program opens: workbook and CSV.

What only the laboratory reads stands in columns of its own, which a team's file does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from reports.positive_list import LabDetail, Line, PositiveList, Section
from reports.positive_words import (
    basis_words,
    colour_words,
    illness_words,
    news_words,
    phone_words,
    plain,
    reason_words,
    section_words,
    sex_words,
    signs_words,
    todo,
)
from reports.saying import Saying
from reports.workbook import Cell

Said = Callable[[Line, Saying], Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """Its heading (a key of positive_words), how wide it is in letters, and what stands in it."""

    key: str
    width: int
    said: Said


def _of_the_laboratory(said: Callable[[LabDetail], Cell]) -> Said:
    return lambda line, _: said(line.laboratory) if line.laboratory else None


def _ct(detail: LabDetail) -> Cell:
    return detail.called if detail.ct_cycles is None else round(detail.ct_cycles, 1)


def _answered(line: Line, saying: Saying) -> Cell:
    return saying.local(line.answered_at) if line.answered_at else None


_TEAM: Final = (
    Column("case", 12, lambda line, _: line.code),
    Column("section", 20, lambda line, saying: section_words(saying, line.section)),
    Column("name", 26, lambda line, _: line.name),
    Column("birth_year", 9, lambda line, _: str(line.birth_year) if line.birth_year else None),
    Column("sex", 7, lambda line, saying: sex_words(saying, line)),
    Column("phone", 14, lambda line, _: phone_words(line)),
    Column("address", 34, lambda line, _: line.address),
    Column("area", 24, lambda line, _: line.area),
    Column("province", 18, lambda line, _: line.province),
    Column("work", 24, lambda line, _: line.work_area),
    Column("household", 20, lambda line, _: line.household),
    Column("household_people", 10, lambda line, _: line.household_people),
    Column("basis", 12, lambda line, saying: basis_words(saying, line)),
    Column("colour", 14, lambda line, saying: colour_words(saying, line.colour)),
    Column("signs", 11, lambda line, saying: signs_words(saying, line)),
    Column("onset", 12, lambda line, _: line.onset_on),
    Column("reason", 26, lambda line, saying: reason_words(saying, line)),
    Column("collected", 16, lambda line, saying: saying.local(line.collected_at)),
    Column("place", 24, lambda line, _: line.place),
    Column("answered", 16, _answered),
    Column("found", 16, lambda line, saying: saying.local(line.found_at)),
    Column("team", 22, lambda line, saying: line.team or plain(saying, "unclaimed")),
    Column(
        "claimed",
        16,
        lambda line, saying: saying.local(line.claimed_at) if line.claimed_at else None,
    ),
    Column("verified", 9, lambda line, _: "✓" if line.verified else None),
    Column("todo", 50, lambda line, saying: todo(saying, line.section)),
)
_NEWS: Final = Column("news", 14, lambda line, saying: news_words(saying, line))
_LABORATORY: Final = (
    Column("national_id", 16, _of_the_laboratory(lambda detail: detail.national_id)),
    Column("barcode", 14, _of_the_laboratory(lambda detail: detail.barcode)),
    Column("pooled", 10, _of_the_laboratory(lambda detail: detail.pooled)),
    Column("pools", 24, _of_the_laboratory(lambda detail: ", ".join(detail.pools) or None)),
    Column("ct", 8, _of_the_laboratory(_ct)),
    Column("lot", 12, _of_the_laboratory(lambda detail: detail.kit_lot)),
    Column("illnesses", 24, lambda line, saying: illness_words(saying, line)),
    Column("doses", 9, _of_the_laboratory(lambda detail: detail.doses)),
    Column("spo2", 9, _of_the_laboratory(lambda detail: detail.spo2_percent)),
)


def columns(listed: PositiveList) -> Sequence[Column]:
    """Those of this list: of the laboratory's own copy, and of what is new, some more."""
    made_by = Column("laboratory", 24, lambda _line, _saying: listed.site)
    news = (_NEWS,) if listed.since is not None else ()
    return (*news, *_TEAM, made_by, *(_LABORATORY if listed.for_laboratory else ()))


def in_order(listed: PositiveList) -> Sequence[Line]:
    """Section by section, whom to act on first."""
    return [line for section in Section for line in listed.of(section)]
