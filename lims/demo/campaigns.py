"""The campaigns of a day: how many tubes to a pool, how a positive one is resolved, whose swabs.

The demonstration's commune is swabbed quarter by quarter, each quarter under a campaign of its own,
so that every strategy has a positive pool to resolve. The truth is seeded to that end, never a
result: in each quarter somebody who is tested in a pool carries so much virus that the pool shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from lims.demo.truth import Commune, Household, Route, Villager
from lims.domain.pooling.choice import Resolution
from lims.domain.pooling.grid import SMALLEST

SHOWS_IN_ANY_POOL: Final = (
    27.0  # cycles undiluted: 31.3 among twenty, found 99,999 times of 100,000
)
_SEEDED_CT: Final = (19.0, 26.0)
_FEWEST_TUBES: Final = 2


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """One campaign as it is opened. ``quarter`` follows the commune's name in the campaign's."""

    quarter: str
    pool_size: int
    resolution: Resolution

    @property
    def fewest_tubes(self) -> int:
        """With fewer in a pool there is nothing to split (or no pool at all)."""
        return _FEWEST_TUBES if self.resolution is Resolution.DORFMAN else SMALLEST


BY_EVERY_STRATEGY: Final = (
    CampaignPlan("khu 1 (mở từng ống)", 10, Resolution.DORFMAN),
    CampaignPlan("khu 2 (theo nhóm)", 16, Resolution.HIERARCHICAL),
    CampaignPlan("khu 3 (lưới hàng × cột)", 20, Resolution.GRID),
    CampaignPlan("khu 4 (theo xác suất)", 20, Resolution.BAYESIAN),
)


def share_out(commune: Commune, plans: Sequence[CampaignPlan]) -> Commune:
    """The same people, every household under one campaign.

    Those with a tube each are shared by the campaigns' pool sizes. Where they are too few for each
    campaign to fill a pool that can be split, other households get a tube each instead.
    """
    given: dict[int, Household] = {}
    tubes = [0] * len(plans)

    def give(household: Household, to: int) -> None:
        given[household.number] = replace(household, campaign=to)
        if household.route is Route.ALONE:
            tubes[to] += len(household.villagers)

    for household in commune.households:
        if household.route is Route.ALONE:
            give(household, _least_filled(tubes, plans))
        else:
            give(household, household.number % len(plans))
    for household in reversed(commune.households):
        short = [n for n, plan in enumerate(plans) if tubes[n] < plan.fewest_tubes]
        if not short:
            break
        if household.route is not Route.ALONE:
            give(replace(household, route=Route.ALONE), short[0])
    return replace(commune, households=tuple(given[h.number] for h in commune.households))


def with_a_strong_one_each(commune: Commune, plans: Sequence[CampaignPlan]) -> Commune:
    """The same commune, in each campaign at least one person in a pool whom no dilution hides.

    A commune without any infection stays without.
    """
    if not commune.infected:
        return commune
    chosen: dict[int, float] = {}
    for nth in range(len(plans)):
        rng = Random(f"a strong one {commune.seed} {nth}")
        pooled = [
            villager
            for household in commune.households
            if household.campaign == nth and household.route is Route.ALONE
            for villager in household.villagers
        ]
        if pooled and not any(_shows(villager) for villager in pooled):
            chosen[rng.choice(pooled).number] = rng.uniform(*_SEEDED_CT)
    households = (
        replace(
            household,
            villagers=tuple(
                replace(v, ct_cycles=chosen.get(v.number, v.ct_cycles)) for v in household.villagers
            ),
        )
        for household in commune.households
    )
    return replace(commune, households=tuple(households))


def _least_filled(tubes: Sequence[int], plans: Sequence[CampaignPlan]) -> int:
    return min(range(len(plans)), key=lambda n: (tubes[n] / plans[n].pool_size, n))


def _shows(villager: Villager) -> bool:
    return villager.ct_cycles is not None and villager.ct_cycles <= SHOWS_IN_ANY_POOL
