"""The resolution clock of an open positive pool: due, expected, and what it waits for now.

A forecast, not a law: what is left to do, at the pace at which this laboratory lately did the same.
A pool is *named* when everybody in it is cleared or named, *confirmed* when each has the last word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from statistics import median
from typing import Final

from lims.domain.pooling.choice import StrategyName

_AT_LEAST_SEEN: Final = 3  # of a step, before its own median is believed
_SHORTEST_GAP: Final = timedelta(minutes=5)  # between two runs; closer ones were started together
_ASLEEP: Final = 4  # gaps without a run: the rhythm has stopped, and the next is nobody's guess
WELLS: Final = 94  # of a 96-well plate without its two controls


class WaitsFor(StrEnum):
    """What has to happen next, in the order of the bench."""

    PIPETTING = "pipetting"
    PLATE = "plate"
    RUN = "run"
    SWAB = "swab"
    REVIEWER = "reviewer"


class Owed(StrEnum):
    """Which of the two deadlines is the next."""

    NAMES = "names"
    LAST_WORDS = "last_words"


@dataclass(frozen=True, slots=True)
class Lately:
    """What ended lately in this laboratory, the newest last. ``runs``: when each was laid out."""

    runs: Sequence[datetime] = ()
    run_lengths: Sequence[timedelta] = ()
    pipettings: Sequence[timedelta] = ()
    words: Sequence[timedelta] = ()
    swabs: Sequence[timedelta] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long each step takes, and when the next run is expected to start.

    ``measured``: from recent runs; else from our guesses, until three have been seen.
    """

    next_run_at: datetime
    between_runs: timedelta = timedelta(minutes=60)
    run: timedelta = timedelta(minutes=110)
    pipetting: timedelta = timedelta(minutes=30)
    word: timedelta = timedelta(minutes=20)
    swab: timedelta = timedelta(hours=12)
    measured: bool = False

    def start(self, ready: datetime, ahead: int = 0) -> datetime:
        """When the run starts that takes a test which is ready then, behind so many others."""
        first = self.next_run_at
        if ready > first:
            first += ceil((ready - first) / self.between_runs) * self.between_runs
        return first + (ahead // WELLS) * self.between_runs


@dataclass(frozen=True, slots=True)
class Tests:
    """Tests of one kind that have no answer yet. ``ahead``: queued before the last of them;
    ``plated_at``: when the last plate that holds one was laid out."""

    __test__ = False  # pytest: this is a laboratory's test, not ours
    queued: int = 0
    ahead: int = 0
    plated: int = 0
    plated_at: datetime | None = None

    def end(self, pace: Pace, now: datetime) -> datetime | None:
        """When the last of them is answered; None when there is none."""
        ends = []
        if self.queued:
            ends.append(pace.start(now, self.ahead) + pace.run)
        if self.plated_at is not None:
            ends.append(max(now, self.plated_at + pace.run))
        return max(ends, default=None)


NONE: Final = Tests()


@dataclass(frozen=True, slots=True)
class Standing:
    """What one open pool still lacks.

    ``strategy``: None for swabs that share one tube, whose people are swabbed again. ``unknown``:
    people neither cleared nor named; ``named``: presumptive; ``to_review``: positive or
    contradicted, without a reviewer's last word. ``first_lines``: of the sub-pools without an
    answer some are of the first stage, so that whoever they point at is tested alone after them.
    """

    detected_at: datetime
    strategy: StrategyName | None
    unknown: int = 0
    named: int = 0
    to_review: int = 0
    review_since: datetime | None = None
    to_swab: int = 0
    swab_since: datetime | None = None
    to_pipette: int = 0
    sub_pools: Tests = NONE
    alone: Tests = NONE
    first_lines: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing it waits for: how many tubes or people."""

    what: WaitsFor
    many: int


@dataclass(frozen=True, slots=True)
class Limits:
    """From the pool's positive answer."""

    to_name: timedelta
    to_confirm: timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """``named_at``: None when nobody is left to be named."""

    name_by: datetime
    confirm_by: datetime
    named_at: datetime | None
    confirmed_at: datetime
    waits: tuple[Wait, ...]

    @property
    def owed(self) -> Owed:
        """What is due next."""
        return Owed.LAST_WORDS if self.named_at is None else Owed.NAMES

    @property
    def due_at(self) -> datetime:
        """The deadline of what is owed next."""
        return self.confirm_by if self.named_at is None else self.name_by

    @property
    def expected_at(self) -> datetime:
        """When what is owed next will be there."""
        return self.confirmed_at if self.named_at is None else self.named_at

    @property
    def lateness(self) -> timedelta:
        """By how much it will miss its deadline; below nought: to spare."""
        return self.expected_at - self.due_at


def pace_of(lately: Lately, now: datetime) -> Pace:
    """The middle (median) of what ended lately; our guess where too little has."""
    guess = Pace(now)
    gaps = [later - sooner for sooner, later in zip(lately.runs, lately.runs[1:], strict=False)]
    between = max(_SHORTEST_GAP, _middle(gaps, guess.between_runs))
    since = now - lately.runs[-1] if lately.runs else None
    awake = len(gaps) >= _AT_LEAST_SEEN and since is not None and since < _ASLEEP * between
    return Pace(
        next_run_at=max(now, lately.runs[-1] + between) if awake else now + between,
        between_runs=between,
        run=_middle(lately.run_lengths, guess.run),
        pipetting=_middle(lately.pipettings, guess.pipetting),
        word=_middle(lately.words, guess.word),
        swab=_middle(lately.swabs, guess.swab),
        measured=len(lately.run_lengths) >= _AT_LEAST_SEEN,
    )


def clock(pool: Standing, pace: Pace, limits: Limits, now: datetime) -> Clock:
    """Of one pool at this moment."""
    lines, alone = _lines_end(pool, pace, now), pool.alone.end(pace, now)
    answered = max((end for end in (lines, alone) if end is not None), default=now)
    if lines is not None and pool.first_lines:  # whoever they point at is tested alone
        answered = max(answered, pace.start(lines) + pace.run)
    if pool.to_swab:
        back = max(now, (pool.swab_since or now) + pace.swab)
        answered = max(answered, pace.start(back) + pace.run)
    only_a_word = lines is None and alone is None and not pool.to_swab
    asked = pool.review_since if only_a_word and pool.review_since else answered
    word = max(now, asked + pace.word)
    named = answered
    if only_a_word:
        named = word
    elif lines is not None and not pool.to_swab and _names(pool.strategy):
        named = max(lines, alone or lines)
    return Clock(
        name_by=pool.detected_at + limits.to_name,
        confirm_by=pool.detected_at + limits.to_confirm,
        named_at=named if pool.unknown else None,
        confirmed_at=word,
        waits=tuple(_waits(pool)),
    )


def _lines_end(pool: Standing, pace: Pace, now: datetime) -> datetime | None:
    ends = [pool.sub_pools.end(pace, now)]
    if pool.to_pipette:
        ends.append(pace.start(now + pace.pipetting) + pace.run)
    return max((end for end in ends if end is not None), default=None)


def _names(strategy: StrategyName | None) -> bool:
    """Whether its sub-pools cross, so that their answers point at people."""
    return strategy in {StrategyName.GRID, StrategyName.BAYESIAN}


def _waits(pool: Standing) -> list[Wait]:
    tests = (pool.sub_pools, pool.alone)
    found = [
        Wait(WaitsFor.PIPETTING, pool.to_pipette),
        Wait(WaitsFor.PLATE, sum(one.queued for one in tests)),
        Wait(WaitsFor.RUN, sum(one.plated for one in tests)),
        Wait(WaitsFor.SWAB, pool.to_swab),
        Wait(WaitsFor.REVIEWER, pool.to_review),
    ]
    waits = [wait for wait in found if wait.many]
    return waits or [Wait(WaitsFor.REVIEWER, pool.unknown + pool.named)]


def _middle(took: Sequence[timedelta], guess: timedelta) -> timedelta:
    if len(took) < _AT_LEAST_SEEN:
        return guess
    return timedelta(seconds=median(one.total_seconds() for one in took))
