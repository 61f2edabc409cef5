"""What is known of a pool when its way is chosen: its people, and what the bench can do next.

It is stored with the choice and is evidence from then on; what becomes known later (another
prevalence, a household found out, a busier bench) changes no pool that is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.pooling.adaptive import FIRST_LINES, planned
from lims.domain.pooling.bench_limits import (
    FEWEST_WELLS,
    WELLS_OF_A_RUN,
    BenchLimits,
    room,
    within,
)
from lims.domain.pooling.choice import Because, Choice, StrategyName
from lims.domain.pooling.evidence import TOP_PRIORITY
from lims.domain.pooling.grid import lines_of
from lims.domain.pooling.hierarchical import groups_of
from lims.domain.pooling.measured import LARGEST, RULE
from lims.domain.pooling.prior import expected, numbered
from lims.work.evidence import Known
from lims.work.prevalence_known import KnownOfCampaign, PrevalenceKnown, prevalence_known
from lims.work.validation_panel import most_to_a_pool


@dataclass(slots=True)
class _Bench:
    """The next run as it fills up, pool by pool."""

    wells_taken: int
    draws_taken: int
    sub_pool_draws: int
    run_draws: int

    def limits(self, tubes: int, validated: int) -> BenchLimits:
        return BenchLimits(
            wells=room(WELLS_OF_A_RUN, self.wells_taken, FEWEST_WELLS),
            sub_pool_draws=min(self.sub_pool_draws, validated),
            run_draws=room(self.run_draws, self.draws_taken, min(2 * tubes, self.run_draws)),
        )

    def takes(self, lines: Sequence[Sequence[object]]) -> None:
        self.wells_taken += len(lines)
        self.draws_taken += sum(len(line) for line in lines if len(line) > 1)


@dataclass(frozen=True, slots=True)
class _Members:
    """``homes``: of each source, in pipetting order. ``area``: of all of them, None of several."""

    campaign_id: UUID | None
    assay: str
    homes: tuple[UUID | None, ...]
    area: str | None


class Gathered:
    """What is asked of the database for some pools at once, each thing once."""

    def __init__(
        self, session: Session, pools: Sequence[UUID], site_id: UUID, now: datetime
    ) -> None:
        self._session, self._pools, self._site_id, self._now = session, pools, site_id, now
        row = session.execute(
            _BENCH,
            {"site": site_id, "pools": list(pools), "top": TOP_PRIORITY, "most": WELLS_OF_A_RUN},
        ).one()
        self.bench = _Bench(
            row.orders + row.sub_pools, row.draws, row.sub_pool_draws, row.run_draws
        )
        self._attack_rate = row.secondary_attack_percent / 100
        self._members = _members(session, pools)
        self._validated: dict[str, int] = {}
        self._prevalence: dict[UUID, KnownOfCampaign] = {}

    def limits(self, pool: UUID, tubes: int) -> BenchLimits:
        assay = self._members[pool].assay
        if assay not in self._validated:
            most = most_to_a_pool(self._session, site_id=self._site_id, assay=assay)
            self._validated[assay] = most
        return self.bench.limits(tubes, self._validated[assay])

    def risk(self, pool: UUID) -> float | None:
        """How many of its people carry it, as it is planned with; None where nothing is known."""
        found = self._found(self._members[pool])
        return None if found is None else expected(found.found.estimate)

    def people(self, pool: UUID) -> dict[str, Any]:
        """Without a word where nothing is known: then it is as usual."""
        members = self._members[pool]
        facts: dict[str, Any] = {}
        found = self._found(members)
        if found is not None:
            facts["prevalence"] = expected(found.found.estimate)
            facts["prevalence_of"] = found.whence
            facts["prevalence_pools"] = found.found.pools
        households = numbered(members.homes)
        if households:
            facts["households"] = households
            facts["secondary_attack_rate"] = self._attack_rate
        return facts

    def _found(self, members: _Members) -> PrevalenceKnown | None:
        campaign = members.campaign_id
        if campaign is None:
            return None
        if campaign not in self._prevalence:
            self._prevalence[campaign] = prevalence_known(
                self._session,
                campaign,
                but=list(self._pools),
                site_id=self._site_id,
                now=self._now,
            )
        return self._prevalence[campaign].of(members.area)


def with_facts(
    session: Session,
    known: Known,
    choices: Mapping[UUID, Choice],
    *,
    site_id: UUID,
    now: datetime,
    gathered: Gathered | None = None,
) -> dict[UUID, Choice]:
    """The same choices with the numbers that they are carried out by; every tube alone where the
    bench cannot draw what the rule chose. What a person chose stays. ``gathered``: of these pools,
    where somebody has looked already."""
    told = dict(choices)
    parted = [pool for pool, one in choices.items() if one.strategy is not StrategyName.DORFMAN]
    if not parted:
        return told
    gathered = gathered or Gathered(session, parted, site_id, now)
    for pool in parted:
        tubes = len(known.composition.tubes[pool].sources)
        limits = gathered.limits(pool, tubes)
        choice = choices[pool]
        if choice.because is not Because.PERSON:
            choice = within(choice, tubes, limits)
        if choice.strategy is StrategyName.BAYESIAN:
            facts = {**choice.facts, "rule": RULE, **limits.facts(), **gathered.people(pool)}
            if tubes <= LARGEST:
                facts[FIRST_LINES] = planned(facts, tubes)
            choice = replace(choice, facts=facts)
        gathered.bench.takes(_first_lines(choice, tubes))
        told[pool] = choice
    return told


def _first_lines(choice: Choice, tubes: int) -> Sequence[Sequence[object]]:
    """That the choice puts into the next run."""
    places = tuple(range(tubes))
    if choice.strategy is StrategyName.HIERARCHICAL:
        return [group for _, group in groups_of(places)]
    if choice.strategy is StrategyName.GRID or (
        choice.strategy is StrategyName.BAYESIAN and tubes > LARGEST
    ):
        return [line for _, line in lines_of(places)]
    if choice.strategy is StrategyName.BAYESIAN:
        return planned(choice.facts, tubes)
    return [(place,) for place in places]


def _members(session: Session, pools: Sequence[UUID]) -> dict[UUID, _Members]:
    rows: dict[UUID, list[Any]] = {pool: [] for pool in pools}
    for row in session.execute(_PEOPLE, {"pools": list(pools)}):
        rows[row.pool_id].append(row)
    told = {}
    for pool, people in rows.items():
        homes = {row.source_id: row.household_id for row in people}
        areas = {row.area for row in people}
        told[pool] = _Members(
            campaign_id=people[0].campaign_id,
            assay=people[0].assay_code,
            homes=tuple(homes.values()),
            area=areas.pop() if len(areas) == 1 else None,
        )
    return told


# Tests of positive pools go before everything else: what they take of the next run, no other can.
_BENCH: Final = text("""
SELECT s.sub_pool_draws, s.run_draws, s.secondary_attack_percent,
       (SELECT count(*) FROM (SELECT FROM test_order WHERE site_id = :site AND state = 'queued'
                              AND priority >= :top LIMIT :most) q) AS orders,
       (SELECT count(*) FROM sub_pool p WHERE p.site_id = :site AND p.state = 'wanted'
        AND p.master_id <> ALL(:pools)) AS sub_pools,
       (SELECT count(*) FROM sub_pool p JOIN sub_pool_source d ON d.sub_pool_id = p.id
        WHERE p.site_id = :site AND p.state = 'wanted' AND p.master_id <> ALL(:pools)) AS draws
FROM site s WHERE s.id = :site
""")

_PEOPLE: Final = text("""
SELECT ts.pool_id, ts.source_id, pool.campaign_id, pool.assay_code, p.household_id,
       p.area_scheme || ' ' || p.area_code AS area
FROM tube_source ts
JOIN tube pool ON pool.id = ts.pool_id
JOIN tube_specimen held ON held.tube_id = ts.source_id
JOIN specimen s ON s.id = held.specimen_id
JOIN person p ON p.id = s.person_id
WHERE ts.pool_id = ANY(:pools) ORDER BY ts.pool_id, ts.position, s.id
""")
