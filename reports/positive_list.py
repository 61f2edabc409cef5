"""The positive list of a team: who is an F0, where they are, and what to do about each.

Two masks, and the writer cannot forget one: a community team's line has no Ct, no number of an
identity paper and no other laboratory detail, because the value itself has none (`TeamLine`);
only the laboratory's own list carries `LabDetail`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis


class Section(StrEnum):
    """The list's parts, in this order: who to act on, and who was on an earlier list in error."""

    CONFIRMED = "confirmed"
    PRESUMPTIVE = "presumptive"
    NO_LONGER = "no_longer"


SECTION_OF = {
    CaseState.CONFIRMED: Section.CONFIRMED,
    CaseState.PRESUMPTIVE: Section.PRESUMPTIVE,
    CaseState.NOT_CONFIRMED: Section.NO_LONGER,
    CaseState.WITHDRAWN: Section.NO_LONGER,
    CaseState.CLOSED: Section.NO_LONGER,
}


@dataclass(frozen=True, slots=True)
class LabDetail:
    """What only the laboratory reads. `called`: the machine's own word, where no Ct came."""

    national_id: str | None
    barcode: str | None
    pooled: int
    ct_cycles: float | None
    kit_lot: str | None
    called: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One F0. `code` is what two people say on the telephone."""

    code: str
    section: Section
    basis: Basis
    name: str
    birth_year: int | None
    sex: str | None
    phone: str | None
    address: str | None
    area: str | None
    province: str | None
    work_area: str | None
    household: str | None
    household_people: int
    collected_at: datetime
    found_at: datetime
    team: str | None
    claimed_at: datetime | None
    laboratory: LabDetail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositiveList:
    """The lines and everything that stands on each page: whose list, of which day, who took it.

    `day` is none for every open case. `destroy_by` is printed: a list of people is not kept.
    """

    site: str
    team: str
    day: date | None
    made_at: datetime
    made_by: str
    destroy_by: date
    lines: Sequence[Line]

    @property
    def for_laboratory(self) -> bool:
        return any(line.laboratory for line in self.lines)

    def of(self, section: Section) -> Sequence[Line]:
        return [line for line in self.lines if line.section is section]
