"""A plan: which design, what it costs, what it misses, and how long its people wait.

What the command line and the page of planning both say, as one value.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from lims.domain.pooling.bayes.error_model import ErrorModel
from lims.domain.pooling.designs.accuracy import ROUNDING, Accuracy
from lims.domain.pooling.designs.configuration import Algorithm, Cohort
from lims.domain.pooling.designs.hours import Clock
from lims.domain.pooling.designs.notation import read, written
from lims.domain.pooling.designs.optimal import (
    Choice,
    Limits,
    best_of_all,
    optimal_testing_configuration,
    weighed,
)
from lims.domain.pooling.outlook import Outlook, outlook
from lims.domain.pooling.simulated import simulated
from lims.domain.refusals import NoDesign, NotADesign, PoolAboveCap

_ADAPTIVE_STAGES: Final = 3  # few pools need a fourth; `lims plan simulate` says how many
_LARGEST_ADAPTIVE: Final = 32  # members
_PARTS: Final = (1.0, 0.8, 0.6, 0.45, 0.3)  # of the largest pool: the sizes that are tried
_SIMULATED_POOLS: Final = 4_000
_MOST_POSITIVES: Final = 1.0  # expected in a pool


class Asked(StrEnum):
    """What a plan may be asked for: one design, the cheapest of all, or the adaptive strategy."""

    D2 = "D2"
    D3 = "D3"
    D4 = "D4"
    A2 = "A2"
    A2M = "A2M"
    BEST = "best"
    BAYESIAN = "bayesian"


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer, its fields as `lims plan pools --json` names them."""

    algorithm: str
    configuration: str
    expected_tests_per_person: float
    pooling_sensitivity: float
    pooling_specificity: float
    pppv: float
    pnpv: float
    stages: int
    expected_hours: float


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who is tested and with what: one probability for everybody or one a person, the tests'
    accuracy, the limits, and how long a stage takes."""

    probabilities: float | Sequence[float]
    accuracy: Accuracy
    limits: Limits
    clock: Clock = field(default_factory=Clock)


def plan(asked: Asked, circumstances: Circumstances) -> Plan:
    """The best design of this kind, or of all. Raises NoDesign when none keeps to the limits."""
    if asked is Asked.BAYESIAN:
        return expected_of_the_adaptive_strategy(circumstances)
    if asked is Asked.BEST:
        every = compare(circumstances)
        if not every:
            raise NoDesign(came=asked.value)
        return every[0]
    its = circumstances
    found = optimal_testing_configuration(
        Algorithm(asked), its.probabilities, its.accuracy, its.limits
    )
    if found is None:
        raise NoDesign(came=asked.value)
    return _said(found, its.clock)


def compare(circumstances: Circumstances) -> Sequence[Plan]:
    """Every algorithm that keeps to the limits, the fewest expected tests first."""
    its = circumstances
    every = best_of_all(its.probabilities, its.accuracy, its.limits)
    return [_said(choice, its.clock) for choice in every]


def _meant(asked: Asked, configuration: str) -> Algorithm:
    """The algorithm that was named, else the one of fewest stages that the design may be of.

    A square alone, 12×12, may be an array or pools inside a pool: it wants a name. NotADesign."""
    if asked not in {Asked.BEST, Asked.BAYESIAN}:
        return Algorithm(asked)
    if asked is Asked.BAYESIAN or _square(configuration):
        raise NotADesign(
            came=configuration.strip()[:40],
            expected="one algorithm for a configuration that is given",
            todo="name D2, D3, D4, A2 or A2M",
        )
    for algorithm in (Algorithm.D2, Algorithm.D3):
        with suppress(NotADesign):
            read(configuration, algorithm)
            return algorithm
    return Algorithm.D4


def _square(configuration: str) -> bool:
    if ":" in configuration or not set(configuration) & set("xX*×"):
        return False
    with suppress(NotADesign):
        read(configuration, Algorithm.A2)
        return True
    return False


def fixed(
    asked: Asked, configuration: str, circumstances: Circumstances, *, largest: int | None = None
) -> Plan:
    """The design as written down, held to the limits; its pools to ``largest``, where that was
    said. Raises NotADesign, PoolAboveCap, NoDesign."""
    its, algorithm = circumstances, _meant(asked, configuration)
    design = read(configuration, algorithm)
    people = None if isinstance(its.probabilities, float) else len(its.probabilities)
    if people is None and isinstance(design, Cohort):
        raise NotADesign(
            came=configuration.strip()[:40],
            expected="one design where everybody's risk is the same",
            todo="give the list of risks too, or leave out the others",
        )
    if people not in (None, design.people):
        raise NotADesign(
            came=f"{design.people} ≠ {people}",
            expected="a design for as many people as the list has",
            todo="let the pools add up to the people of the list",
        )
    if largest is not None and design.largest_pool > largest:
        raise PoolAboveCap(came=f"{design.largest_pool}, at most {largest}", where="configuration")
    found = weighed(algorithm, design, its.probabilities, its.accuracy)
    sensitivity = found.characteristics.pooling_sensitivity
    if design.stages > its.limits.max_stages or sensitivity < its.limits.min_pse - ROUNDING:
        raise NoDesign(came=configuration.strip()[:40], where="configuration")
    return _said(found, its.clock)


def expected_of_the_adaptive_strategy(circumstances: Circumstances) -> Plan:
    """What Bayesian resolution comes to: it has no formula, so its own decisions are simulated, the
    same pools each time. Raises NotADesign for individual risks, NoDesign for limits that it does
    not keep."""
    its = circumstances
    if not isinstance(its.probabilities, float):
        raise NotADesign(
            came="--risk",
            expected="one prevalence: the adaptive strategy is simulated for people who are alike",
            todo="give --prevalence, or plan an informative design with --risk",
        )
    if its.limits.max_stages < _ADAPTIVE_STAGES:
        raise NoDesign(came=Asked.BAYESIAN.value)
    found = min(
        (adaptive(size, its.probabilities, its.accuracy) for size in adaptive_sizes(its)),
        key=lambda one: one.expected_tests_per_person.value,
    )
    sensitivity, specificity = found.pooling_sensitivity.value, found.pooling_specificity.value
    if sensitivity < its.limits.min_pse - ROUNDING:
        raise NoDesign(came=Asked.BAYESIAN.value)
    p = its.probabilities
    positive = p * sensitivity + (1 - p) * (1 - specificity)
    return Plan(
        algorithm=Asked.BAYESIAN.value,
        configuration=str(found.members),
        expected_tests_per_person=found.expected_tests_per_person.value,
        pooling_sensitivity=sensitivity,
        pooling_specificity=specificity,
        pppv=p * sensitivity / positive,
        pnpv=(1 - p) * specificity / (1 - positive),
        stages=_ADAPTIVE_STAGES,
        expected_hours=its.clock.expected_hours(_ADAPTIVE_STAGES),
    )


def adaptive_sizes(circumstances: Circumstances) -> list[int]:
    """Of pools that are worth simulating: where one positive or more is expected in each, the
    designs win, and every simulated decision takes long."""
    its = circumstances
    most = min(its.limits.max_pool, _LARGEST_ADAPTIVE)
    sizes = sorted({max(2, round(most * part)) for part in _PARTS})
    if not isinstance(its.probabilities, float):
        return sizes
    worth = [size for size in sizes if size * its.probabilities <= _MOST_POSITIVES]
    return worth or sizes[:1]


@lru_cache(maxsize=256)
def adaptive(size: int, prevalence: float, accuracy: Accuracy) -> Outlook:
    """What pools of one size come to: seconds the first time, nothing when it is asked again."""
    last = _ADAPTIVE_STAGES
    model = ErrorModel(
        accuracy.sensitivity(1), accuracy.sensitivity(last), accuracy.specificity(last)
    )
    return outlook(simulated(size, prevalence, _SIMULATED_POOLS, model=model), size)


def _said(choice: Choice, clock: Clock) -> Plan:
    its = choice.characteristics
    return Plan(
        algorithm=choice.algorithm.value,
        configuration=written(choice.design),
        expected_tests_per_person=its.expected_tests_per_person,
        pooling_sensitivity=its.pooling_sensitivity,
        pooling_specificity=its.pooling_specificity,
        pppv=its.pppv,
        pnpv=its.pnpv,
        stages=choice.stages,
        expected_hours=clock.expected_hours(choice.stages),
    )
