"""How many to a pool: what each size would cost in tests, hours and missed people, and which and
why.

Two-stage pooling (Dorfman 1943): a pool of n, and everybody of it again when it is detected, so
that tests a person are 1/n + P(detected). With dilution a larger pool is detected less often, which
looks like a saving; the size is therefore bound by the sensitivity it keeps (at least 85 % of what
single tests find: the positive agreement the FDA asks of a pooling validation, 24 August 2020), by
the site's validated and chosen sizes, and by a quarter of pools positive (`monitoring`).
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lims.domain.pooling.dilution import (
    SCREENING,
    STANDARD,
    LoadMix,
    PanelParameters,
    sensitivity,
)
from lims.domain.pooling.monitoring import RULES, Watch
from lims.domain.pooling.prevalence import Prevalence

LEAST_SENSITIVITY: Final = 0.85
POOL_SPECIFICITY, SINGLE_SPECIFICITY = 0.995, 0.998  # as the simulator's truth
LEAST_POOLS: Final = 20  # below it a window says too little to change anything
_WORTH: Final = 0.03  # of the tests: a change that spares less is not worth a word at the bench
_MOST_POSITIVE: Final = next(r.limit for r in RULES if r.watch is Watch.POOL_POSITIVITY)


class Because(StrEnum):
    """Why this size, or why not a larger one."""

    FEWEST_TESTS = "fewest_tests"
    KEPT = "kept"
    VALIDATED = "validated"
    SITE = "site"
    SENSITIVITY = "sensitivity"
    POSITIVITY = "positivity"
    ALONE = "alone"
    TOO_LITTLE = "too_little"


@dataclass(frozen=True, slots=True)
class Bench:
    """The laboratory's machines: how long a run takes with its set-up, and how many fit in it."""

    setup_hours: float = 0.75
    run_hours: float = 2.0
    machines: int = 4
    wells: int = 94

    @property
    def tests_per_hour(self) -> float:
        return self.machines * self.wells / self.run_hours


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a pool here. ``validated`` is the panel's size, None without a panel."""

    site: int
    validated: int | None = None
    least_sensitivity: float = LEAST_SENSITIVITY


@dataclass(frozen=True, slots=True)
class SizeExpected:
    """One size: tests a person, what it finds of what single tests find, whom it misses more.

    ``missed_per_10_000`` are the people a single test would have found. ``hours`` is from set-up to
    a person's answer on average, ``machine_hours_per_1000`` what the machines need for 1,000.
    """

    size: int
    tests_per_person: float
    sensitivity: float
    missed_per_10_000: float
    positivity: float
    hours: float
    machine_hours_per_1000: float


@dataclass(frozen=True, slots=True)
class Advice:
    """The size to use, why, and its neighbours. ``lowest`` and ``highest`` are the tests a person
    of that size at both ends of the prevalence's interval."""

    size: int
    because: Because
    now: SizeExpected
    advised: SizeExpected
    lowest: float
    highest: float
    others: tuple[SizeExpected, ...]

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return self.size != self.now.size


def advise_pool_size(
    current: int,
    prevalence: Prevalence,
    limits: Limits,
    *,
    bench: Bench = Bench(),
    mix: LoadMix = SCREENING,
    parameters: PanelParameters = STANDARD,
) -> Advice:
    """The size with the fewest tests among those that miss little and that the site may use.

    The current one is kept while another would spare less than 3 % of the tests, or while fewer
    than 20 pools have answered; it is not kept when it may not be used.
    """
    most = max(1, min(limits.site, limits.validated or limits.site))

    def expected(size: int, share: float | None = None) -> SizeExpected:
        p = prevalence.estimate if share is None else share
        return expected_of(size, p, bench=bench, mix=mix, parameters=parameters)

    known = {size: expected(size) for size in range(1, max(most, current, 20) + 1)}
    size, because = _chosen(current, prevalence, limits, most, known)
    shown = sorted({1, 5, 8, 10, 16, 20, size, current} & {*range(1, most + 1), size, current})
    return Advice(
        size=size,
        because=because,
        now=known[current],
        advised=known[size],
        lowest=expected(size, prevalence.low).tests_per_person,
        highest=expected(size, prevalence.high).tests_per_person,
        others=tuple(known[one] for one in shown),
    )


def _chosen(
    current: int,
    prevalence: Prevalence,
    limits: Limits,
    most: int,
    known: dict[int, SizeExpected],
) -> tuple[int, Because]:
    if prevalence.pools < LEAST_POOLS and current <= most:
        return current, Because.TOO_LITTLE
    fit = [
        one
        for one in known.values()
        if 2 <= one.size <= most and one.sensitivity >= limits.least_sensitivity
    ]
    dry = [one for one in fit if one.positivity <= _MOST_POSITIVE and one.tests_per_person < 1]
    if not dry:
        return 1, _why_alone(fit, limits, most)
    best = min(dry, key=lambda one: (one.tests_per_person, one.size))
    here = known[current]
    if here in dry and here.tests_per_person <= best.tests_per_person * (1 + _WORTH):
        return current, Because.KEPT if current != best.size else Because.FEWEST_TESTS
    return best.size, _why_not_more(best, known, limits, most)


def _why_alone(fit: list[SizeExpected], limits: Limits, most: int) -> Because:
    if most < 2:
        return Because.VALIDATED if (limits.validated or 2) < 2 else Because.SITE
    if not fit:
        return Because.SENSITIVITY
    return Because.ALONE


def _why_not_more(
    best: SizeExpected, known: dict[int, SizeExpected], limits: Limits, most: int
) -> Because:
    """What the next size would run into; nothing where it would only cost more tests."""
    if best.size == most:
        if known.get(most + 1) and known[most + 1].tests_per_person >= best.tests_per_person:
            return Because.FEWEST_TESTS
        return Because.VALIDATED if limits.validated == most else Because.SITE
    larger = known[best.size + 1]
    if larger.tests_per_person >= best.tests_per_person:
        return Because.FEWEST_TESTS
    if larger.sensitivity < limits.least_sensitivity:
        return Because.SENSITIVITY
    return Because.POSITIVITY


def expected_of(
    size: int,
    prevalence: float,
    *,
    bench: Bench = Bench(),
    mix: LoadMix = SCREENING,
    parameters: PanelParameters = STANDARD,
) -> SizeExpected:
    """What pools of this size would cost where people carry it independently."""
    alone = sensitivity(1, mix=mix, parameters=parameters)
    round_hours = bench.setup_hours + bench.run_hours
    if size == 1:
        tests, found = 1.0, 1.0
        positivity = prevalence * alone + (1 - prevalence) * (1 - SINGLE_SPECIFICITY)
        hours = round_hours
    else:
        clean = (1 - prevalence) ** size
        seen = _detected(size, sure=0, prevalence=prevalence, mix=mix, parameters=parameters)
        positivity = seen + clean * (1 - POOL_SPECIFICITY)
        tests = 1 / size + positivity
        found = _detected(size, sure=1, prevalence=prevalence, mix=mix, parameters=parameters)
        found = min(found / alone, 1.0)
        hours = round_hours * (1 + positivity)
    return SizeExpected(
        size=size,
        tests_per_person=tests,
        sensitivity=found,
        missed_per_10_000=10_000 * prevalence * alone * (1 - found),
        positivity=positivity,
        hours=hours,
        machine_hours_per_1000=1000 * tests / bench.tests_per_hour * bench.machines,
    )


def _detected(
    size: int, *, sure: int, prevalence: float, mix: LoadMix, parameters: PanelParameters
) -> float:
    """The chance that a pool of ``size`` is detected, ``sure`` of whose people carry it.

    More carriers than eight are counted as eight: the ninth changes nothing a test could see.
    """
    total, others = 0.0, size - sure
    for more in range(others + 1):
        carriers = min(sure + more, 8)
        if carriers == 0:
            continue
        chance = math.comb(others, more) * prevalence**more * (1 - prevalence) ** (others - more)
        if chance < 1e-12 and more > others * prevalence:
            break
        total += chance * sensitivity(size, positives=carriers, mix=mix, parameters=parameters)
    return total
