"""Pools told as they might happen, each resolved by the code that decides in the laboratory.

``conclude`` is asked after every run, with the strategy and the facts that a campaign's pool is
given; what it wants is pipetted and measured in the next. What is counted is what the design tables
count (tests a person, sensitivity of the whole procedure) and what an epidemic asks (who is named
after one more run). Nothing here knows the truth but the one who draws it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.adaptive import FIRST_LINES, planned
from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel, Role
from lims.domain.pooling.bayes.states import refuse_impossible
from lims.domain.pooling.bench_limits import WELLS_OF_A_RUN, BenchLimits, within
from lims.domain.pooling.calls import Call
from lims.domain.pooling.choice import Choice, PoolAtHand, Resolution, StrategyName, choose
from lims.domain.pooling.evidence import Conclusion
from lims.domain.pooling.measured import LARGEST, RULE
from lims.domain.pooling.prior import expected
from lims.domain.pooling.under_way import Labels, PoolUnderWay

USUAL_BENCH: Final = BenchLimits(wells=WELLS_OF_A_RUN, sub_pool_draws=32, run_draws=400)
"""As a laboratory begins with (*Laboratory policy*)."""

_MOST_RUNS: Final = 24  # none has been seen to need half of them
_MOST_KEPT: Final = 5_000  # decisions, some 10 kB each; 5,000 pools of 20 take a tenth of them


class Truth(Protocol):
    """Who of one pool is infected, and what a tube shows."""

    @property
    def infected(self) -> NDArray[np.bool_]: ...

    def detected(self, role: Role, members: tuple[int, ...], tube: UUID) -> bool: ...


@dataclass(frozen=True, slots=True)
class Resolved:
    """One pool's way. ``runs``: after the master's. ``named_in``, ``confirmed_in``: of each
    infected member who was, after how many of them she first was presumptive or confirmed."""

    infected: int
    found: int
    false_positives: int
    tests: int
    runs: int
    detected: bool
    named_in: tuple[int, ...]
    confirmed_in: tuple[int, ...]
    discordant: bool


@dataclass(slots=True)
class Errors:
    """A truth whose tubes err independently, as the error model says: what the design tables of the
    literature assume. Attempts at one tube share its eluate."""

    infected: NDArray[np.bool_]
    chance: np.random.Generator
    model: ErrorModel = USUAL
    _holding: dict[UUID, bool] = field(default_factory=dict)

    def detected(self, role: Role, members: tuple[int, ...], tube: UUID) -> bool:
        """One attempt."""
        its = self.model.eluate(role)
        if tube not in self._holding:
            positive = self.infected[list(members)].any()
            likely = its.holds_of_positive if positive else its.holds_of_negative
            self._holding[tube] = bool(self.chance.random() < likely)
        likely = its.seen_holding if self._holding[tube] else its.seen_empty
        return bool(self.chance.random() < likely)


@dataclass(frozen=True, slots=True)
class Asked:
    """A tube in the next run."""

    role: Role
    members: tuple[int, ...]
    tube: UUID


@dataclass(frozen=True, slots=True)
class Decided:
    """Where a pool stands after some runs. ``confirmed`` are ``named`` too."""

    pool: PoolUnderWay
    asked: tuple[Asked, ...]
    named: frozenset[int]
    confirmed: frozenset[int]
    discordant: bool


History = tuple[tuple[bool, ...], ...]
"""What the tubes of each run showed, in the order in which they were asked."""


class Decisions:
    """The laboratory's decisions about one kind of pool, each made once: what follows the same
    answers is the same."""

    def __init__(
        self,
        strategy: StrategyName,
        members: int,
        prevalence: float,
        bench: BenchLimits = USUAL_BENCH,
    ) -> None:
        refuse_impossible([prevalence] * max(1, members))
        self._strategy, self._prevalence, self._bench = strategy, prevalence, bench
        begun = PoolUnderWay(Labels(), members)
        self.first = Asked(Role.MASTER, tuple(range(members)), begun.master.id)
        self._begun = Decided(begun, (self.first,), frozenset(), frozenset(), discordant=False)
        self._made: dict[History, Decided] = {}

    def after(self, before: Decided | None, history: History) -> Decided:
        """What follows the last run of ``history``; ``before``: what was decided before that run,
        None before the pool's own."""
        known = self._made.get(history)
        if known is not None:
            return known
        before = before or self._begun
        pool = before.pool.branched()
        for one, detected in zip(before.asked, history[-1], strict=True):
            pool.answer(one.tube, Outcome.DETECTED if detected else Outcome.NOT_DETECTED)
        made = self._decided(pool)
        if len(self._made) < _MOST_KEPT:
            self._made[history] = made
        return made

    def _decided(self, pool: PoolUnderWay) -> Decided:
        conclusion = pool.concluded(self._choose)
        pool.follow(conclusion)
        place = {person: n for n, person in enumerate(pool.people)}
        sources = {tube: n for n, tube in enumerate(pool.master.sources)}
        asked = []
        for tube in pool.queued[: self._bench.wells]:
            if tube in sources:
                asked.append(Asked(Role.ALONE, (sources[tube],), tube))
                continue
            role = Role.MASTER if tube == pool.master.id else Role.SUB_POOL
            held = tuple(sorted(place[one] for one in pool.tubes[tube].specimens))
            asked.append(Asked(role, held, tube))
        found = _found(conclusion, place)
        positive = found[FindingOutcome.POSITIVE]
        return Decided(
            pool,
            tuple(asked),
            named=positive | found[FindingOutcome.PRESUMPTIVE],
            confirmed=positive,
            discordant=bool(found[FindingOutcome.DISCORDANT]),
        )

    def _choose(self, said: Call, sources: int) -> Choice:
        """As the laboratory does for a campaign that asks for this strategy."""
        choice = choose(
            PoolAtHand(
                asked=Resolution(self._strategy),
                sources=sources,
                single_tubes=True,
                outcome=said.outcome,
                ct_cycles=said.ct_cycles,
                wells_free=0,
            )
        )
        return as_stored(choice, sources, self._prevalence, self._bench)


def as_stored(choice: Choice, sources: int, prevalence: float, bench: BenchLimits) -> Choice:
    """With the facts by which a laboratory carries it out that knows no more than this."""
    choice = within(choice, sources, bench)
    if choice.strategy is not StrategyName.BAYESIAN:
        return choice
    facts: dict[str, Any] = {
        **choice.facts,
        "rule": RULE,
        "prevalence": expected(prevalence),
        **bench.facts(),
    }
    if sources <= LARGEST:
        facts[FIRST_LINES] = planned(facts, sources)
    return Choice(choice.strategy, choice.because, facts)


def _found(conclusion: Conclusion, place: dict[UUID, int]) -> dict[FindingOutcome, frozenset[int]]:
    return {
        outcome: frozenset(
            place[one] for one, draft in conclusion.findings.items() if draft.outcome is outcome
        )
        for outcome in FindingOutcome
    }


def resolve(truth: Truth, decisions: Decisions) -> Resolved:
    """One pool from its own test to the last of its members."""
    infected = frozenset(int(one) for one in np.flatnonzero(truth.infected))
    first = decisions.first
    detected = truth.detected(first.role, first.members, first.tube)
    history: History = ((detected,),)
    tests, runs = 1, 0
    named: dict[int, int] = {}
    confirmed: dict[int, int] = {}
    decided = decisions.after(None, history)
    while True:
        for member in decided.named & infected:
            named.setdefault(member, runs)
        for member in decided.confirmed & infected:
            confirmed.setdefault(member, runs)
        if not decided.asked or runs == _MOST_RUNS:
            break
        shown = tuple(truth.detected(one.role, one.members, one.tube) for one in decided.asked)
        history = (*history, shown)
        tests += len(shown)
        runs += 1
        decided = decisions.after(decided, history)
    return Resolved(
        infected=len(infected),
        found=len(decided.confirmed & infected),
        false_positives=len(decided.confirmed - infected),
        tests=tests,
        runs=runs,
        detected=detected,
        named_in=tuple(named.values()),
        confirmed_in=tuple(confirmed.values()),
        discordant=decided.discordant,
    )


def simulated(
    members: int,
    prevalence: float,
    pools: int,
    *,
    strategy: StrategyName = StrategyName.BAYESIAN,
    bench: BenchLimits = USUAL_BENCH,
    model: ErrorModel = USUAL,
    seed: int = 0,
) -> Iterator[Resolved]:
    """Pools of alike members whose tubes err independently, one after another. The same people come
    to every strategy. ``model``: of what happens; the deciding code knows its own. Raises
    ValueError."""
    people, chance = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    decisions = Decisions(strategy, members, prevalence, bench)
    for _ in range(pools):
        yield resolve(Errors(people.random(members) < prevalence, chance, model), decisions)
