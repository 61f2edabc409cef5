"""The situation of a day, as a value: what became of its swabs. Counted by `reports.day_count`.

Every figure but two is about the swabs taken on the day, as they stand at `taken_at`; each swab is
at exactly one stage, so the stages add up to the swabs. Open pools are all that are open at that
moment, whatever day they are of, because somebody has to finish them; what is overdue likewise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from reports.turnaround import Turnaround


class Form(StrEnum):
    """What a situation can be asked for as, by the ending of the file's name."""

    PDF = "pdf"
    XLSX = "xlsx"
    JSON = "json"


class Stage(StrEnum):
    """Where a swab is, in the tube's order; in the last two nobody has to act: the person of a swab
    that was `SWABBED_AGAIN` is known by the other swab."""

    ON_THE_WAY = "on_the_way"
    TO_POOL = "to_pool"
    TO_PLATE = "to_plate"
    RUNNING = "running"
    HELD = "held"
    RESOLVING = "resolving"
    TO_REVIEW = "to_review"
    SWAB_AGAIN = "swab_again"
    REJECTED = "rejected"
    SWABBED_AGAIN = "swabbed_again"
    DONE = "done"


ENDED: Final = frozenset({Stage.SWABBED_AGAIN, Stage.DONE})


class Awaits(StrEnum):
    """What an open pool waits for."""

    RECEPTION = "reception"
    POOLING = "pooling"
    PLATE = "plate"
    ANALYSER = "analyser"
    REVIEW = "review"
    MEMBERS = "members"
    RESWAB = "reswab"


FEW: Final = 20
"""Under so many answers a percentage says more than anybody knows: only the count is said."""


@dataclass(frozen=True, slots=True)
class StageLine:
    """How many swabs of the day are at a stage, since when the first is, how many too long."""

    stage: Stage
    swabs: int
    oldest_at: datetime | None
    late: int


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One commune of residence. `known` swabs have an answer; the share is of those.

    `low` and `high` are Wilson's 95 % interval: three swabs prove nothing.
    """

    scheme: str
    code: str
    area: str
    province: str
    swabs: int
    known: int
    positive: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class HourLine:
    """One hour of the site's day: swabs taken, received, answered in it."""

    hour: int
    collected: int
    received: int
    answered: int


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One open pool. `unsolved` of its `people` have no final word."""

    barcode: str
    kind: str
    people: int
    unsolved: int
    since: datetime
    awaits: Awaits


@dataclass(frozen=True, slots=True)
class PoolSummary:
    """Open pools by what they wait for."""

    awaits: Awaits
    pools: int
    people: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class KitLine:
    """One lot of rapid tests: what was read, and what PCR then said of its positives."""

    kit: str
    lot: str
    tests: int
    positive: int
    invalid: int
    confirmed: int
    refuted: int


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One kind of thing that waits at the whole site; `item` as lims.work.views.stages says it."""

    item: str
    waiting: int
    late: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Situation:
    """The day, ready to be said: no frame, no id, nobody's name.

    `not_final` of the `known` answers wait for their last word: the communes count them already.
    """

    site: str
    day: date
    timezone: str
    taken_at: datetime
    swabs: int
    positive: int
    negative: int
    stages: Sequence[StageLine]
    areas: Sequence[AreaLine]
    hours: Sequence[HourLine]
    turnaround: Sequence[Turnaround]
    open_pools: Sequence[PoolSummary]
    oldest_pools: Sequence[PoolLine]
    kits: Sequence[KitLine]
    waiting: Sequence[WaitingLine] = field(default_factory=tuple)
    not_final: int = 0

    @property
    def empty(self) -> bool:
        """Nobody was tested: there is nothing to draw."""
        return self.swabs == 0 and not self.kits

    @property
    def known(self) -> int:
        """Swabs that have an answer."""
        return sum(line.known for line in self.areas)

    @property
    def share(self) -> float | None:
        """Positive of those with an answer."""
        return self.positive / self.known if self.known else None
