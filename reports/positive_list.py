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
from lims.domain.rapid_test import Exposure
from lims.domain.triage import Colour, Illness, Signs


class Section(StrEnum):
    """The list's parts, in this order: who to act on, who was on an earlier list in error, and
    whose isolation has ended."""

    CONFIRMED = "confirmed"
    PRESUMPTIVE = "presumptive"
    NO_LONGER = "no_longer"
    ENDED = "ended"


SECTION_OF = {
    CaseState.CONFIRMED: Section.CONFIRMED,
    CaseState.PRESUMPTIVE: Section.PRESUMPTIVE,
    CaseState.NOT_CONFIRMED: Section.NO_LONGER,
    CaseState.WITHDRAWN: Section.NO_LONGER,
    CaseState.CLOSED: Section.ENDED,
}


@dataclass(frozen=True, slots=True)
class LabDetail:
    """What only the laboratory reads. `called`: the machine's own word, where no Ct came; `pools`:
    every tube of several people that holds the swab; `illnesses` none: nobody has asked."""

    national_id: str | None
    barcode: str | None
    pooled: int
    ct_cycles: float | None
    kit_lot: str | None
    called: str | None = None
    pools: Sequence[str] = ()
    illnesses: Sequence[Illness] | None = None
    doses: int | None = None
    spo2_percent: int | None = None


class News(StrEnum):
    """Why a case is on a list of what is new since the last one."""

    NEW = "new"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One F0. `code` is what two people say on the telephone; `campaign` the order under which the
    swab was taken, `place` where, as far as it was written down. `verified`: a population database
    has their card number under this name and birth."""

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
    answered_at: datetime | None = None
    place: str | None = None
    campaign: str | None = None
    exposure: Exposure = Exposure.NONE
    signs: Signs | None = None
    onset_on: date | None = None
    colour: Colour | None = None
    news: News | None = None
    verified: bool = False
    laboratory: LabDetail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositiveList:
    """The lines and everything that stands on each page: whose list, of which day, who took it.

    `day` (to `last_day`) is none for every open case, and for what is new `since` an earlier list.
    A progressive list is whole up to `complete_until`; what is told later comes with the next.
    `destroy_by` is printed: a list of people is not kept.
    """

    site: str
    team: str
    day: date | None
    made_at: datetime
    made_by: str
    destroy_by: date
    lines: Sequence[Line]
    last_day: date | None = None
    area: str | None = None
    since: datetime | None = None
    complete_until: datetime | None = None

    @property
    def for_laboratory(self) -> bool:
        return any(line.laboratory for line in self.lines)

    def of(self, section: Section) -> Sequence[Line]:
        return [line for line in self.lines if line.section is section]
