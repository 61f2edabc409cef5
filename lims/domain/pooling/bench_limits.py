"""What the bench can do in its next run, as stored with the choice of how a pool is parted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lims.domain.pooling.bayes.next_tests import Limits
from lims.domain.pooling.choice import Because, Choice, StrategyName
from lims.domain.pooling.grid import lines_of
from lims.domain.pooling.hierarchical import groups_of

WELLS_OF_A_RUN: Final = 94
"""A 96-well plate without its two controls."""

FEWEST_WELLS: Final = 8
"""That part a pool. With fewer left its tests wait for the run after, which is empty."""


@dataclass(frozen=True, slots=True)
class BenchLimits:
    """``wells``: that the next run has for this pool. ``sub_pool_draws``: into one sub-pool at
    most, by the pipetting and by the validated cap. ``run_draws``: into all sub-pools of the run.
    """

    wells: int
    sub_pool_draws: int
    run_draws: int

    def facts(self) -> dict[str, int]:
        """As they are stored."""
        return {
            "wells": self.wells,
            "sub_pool_draws": self.sub_pool_draws,
            "run_draws": self.run_draws,
        }


def room(of: int, taken: int, fewest: int) -> int:
    """What is left of a run's wells or draws; all of the run after where that is too little."""
    return of - taken if of - taken >= fewest else of


def limits_of(facts: Mapping[str, Any], members: int, runs: int) -> Limits:
    """For the next batch of a pool of so many. Pools of before they were stored have none."""
    usual = Limits(runs=runs)
    return replace(
        usual,
        wells=min(int(facts.get("wells", usual.wells)), max(members, FEWEST_WELLS)),
        largest=int(facts.get("sub_pool_draws", usual.largest)),
        transfers=int(facts.get("run_draws", usual.transfers)),
    )


def within(choice: Choice, tubes: int, bench: BenchLimits) -> Choice:
    """The same choice, or every tube alone where the rows or groups are more than the bench can
    draw. Sub-pools by probability are planned within the limits."""
    match choice.strategy:
        case StrategyName.GRID:
            lines = lines_of(tuple(range(tubes)))
        case StrategyName.HIERARCHICAL:
            lines = groups_of(tuple(range(tubes)))
        case StrategyName.DORFMAN | StrategyName.BAYESIAN:
            return choice
    drawn = [len(line) for _, line in lines]
    if max(drawn) <= bench.sub_pool_draws and sum(drawn) <= bench.run_draws:
        return choice
    facts = {**choice.facts, "tubes": tubes, "draws": sum(drawn), **bench.facts()}
    return Choice(StrategyName.DORFMAN, Because.PIPETTING, facts)
