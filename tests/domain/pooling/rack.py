"""Racks of tubes as values, and a laboratory that measures whatever a conclusion wants."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.conclude import Policy, conclude
from lims.domain.pooling.evidence import (
    Composition,
    Conclusion,
    Decision,
    Evidence,
    OrderFacts,
    TubeFacts,
    WantedOrder,
)
from lims.domain.pooling.strategy import Strategy

Test = Callable[[TubeFacts, int], Outcome]


@dataclass
class Rack:
    """Tubes with what was measured and wanted of them. Ids count up, so that a test can read."""

    tubes: dict[UUID, TubeFacts] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    orders: list[OrderFacts] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    chosen: dict[UUID, Strategy] = field(default_factory=dict)
    facts: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    last: int = 0

    def mint(self) -> UUID:
        """The next id."""
        self.last += 1
        return UUID(int=self.last)

    def single(self, *, rejected: bool = False) -> TubeFacts:
        """One swab in one tube."""
        return self._add(TubeKind.INDIVIDUAL, frozenset({self.mint()}), rejected=rejected)

    def singles(self, count: int) -> list[TubeFacts]:
        """Several people's tubes."""
        return [self.single() for _ in range(count)]

    def field_pool(self, people: int) -> TubeFacts:
        """Several people's swabs in one tube."""
        return self._add(TubeKind.FIELD_POOL, frozenset(self.mint() for _ in range(people)))

    def pool(self, sources: Sequence[TubeFacts], *, rejected: bool = False) -> TubeFacts:
        """A tube made from these."""
        held = frozenset(s for tube in sources for s in tube.specimens)
        ids = tuple(tube.id for tube in sources)
        return self._add(TubeKind.LAB_POOL, held, sources=ids, rejected=rejected)

    def sub_pool(self, master: TubeFacts, sources: Sequence[UUID]) -> TubeFacts:
        """A tube made from some of a pool's tubes to part its people; its test is queued."""
        held = frozenset(s for source in sources for s in self.tubes[source].specimens)
        made = self._add(TubeKind.LAB_POOL, held, sources=tuple(sources), master=master.id)
        self.ordered(made, OrderState.QUEUED, OrderReason.RESOLVE)
        return made

    def prepare(self) -> list[TubeFacts]:
        """Every sub-pool that is wanted and not made yet."""
        wanted = [w for w in self.conclude().sub_pools if w.tube_id is None]
        return [self.sub_pool(self.tubes[w.master_id], w.sources) for w in wanted]

    def _add(
        self,
        kind: TubeKind,
        held: frozenset[UUID],
        *,
        sources: tuple[UUID, ...] = (),
        rejected: bool = False,
        master: UUID | None = None,
    ) -> TubeFacts:
        tube = TubeFacts(self.mint(), kind, held, sources, rejected, master)
        self.tubes[tube.id] = tube
        return tube

    def measured(
        self,
        tube: TubeFacts,
        outcome: Outcome,
        *,
        why: OrderReason = OrderReason.PRIMARY,
        amplified: bool = False,
        ct_cycles: float = 30.0,
    ) -> Evidence:
        """One more attempt at a tube, with its answer."""
        nth = 1 + sum(order.tube_id == tube.id for order in self.orders)
        self.orders.append(OrderFacts(self.mint(), tube.id, nth, OrderState.RESULTED, why))
        ct = ct_cycles if outcome is Outcome.DETECTED or amplified else None
        said = Evidence(self.mint(), tube.id, nth, outcome, ct, amplified=ct is not None)
        self.evidence.append(said)
        return said

    def ordered(
        self, tube: TubeFacts, state: OrderState, why: OrderReason = OrderReason.PRIMARY
    ) -> OrderFacts:
        """A test that has no answer."""
        nth = 1 + sum(order.tube_id == tube.id for order in self.orders)
        order = OrderFacts(self.mint(), tube.id, nth, state, why, because="NTC amplified")
        self.orders.append(order)
        return order

    def close(self, tube: TubeFacts) -> None:
        """A reviewer closes its discordance."""
        self.decisions.append(Decision(tube.id, "discordance_closed"))

    def policy(self) -> Policy:
        """How each pool is resolved, with what was stored of it."""
        return Policy(self.chosen, facts=self.facts)

    def conclude(self) -> Conclusion:
        """From everything on the rack."""
        return conclude(
            Composition(self.tubes),
            self.evidence,
            self.orders,
            self.decisions,
            self.policy(),
        )

    def outcomes(self) -> dict[UUID, FindingOutcome]:
        """What is found of each specimen."""
        return {s: draft.outcome for s, draft in self.conclude().findings.items()}

    def found(self, *tubes: TubeFacts) -> set[FindingOutcome | None]:
        """What is found of the people in these tubes."""
        outcomes = self.outcomes()
        return {outcomes.get(s) for tube in tubes for s in tube.specimens}

    def wanted(self) -> dict[UUID, WantedOrder]:
        """The tests to queue, by tube."""
        return {order.tube_id: order for order in self.conclude().wanted}

    def queue(self) -> None:
        """Write the difference to the queue, as the laboratory would."""
        conclusion = self.conclude()
        self.orders = [_cancelled(o) if o.id in conclusion.unwanted else o for o in self.orders]
        for wanted in conclusion.wanted:
            self.orders.append(
                OrderFacts(
                    self.mint(),
                    wanted.tube_id,
                    wanted.round,
                    OrderState.QUEUED,
                    wanted.why,
                    wanted.priority,
                )
            )

    def work_off(self, test: Test) -> None:
        """Measure everything that is queued."""
        orders, self.orders = self.orders, []
        for order in orders:
            if order.state is not OrderState.QUEUED:
                self.orders.append(order)
                continue
            outcome = test(self.tubes[order.tube_id], order.round)
            ct = 30.0 if outcome is Outcome.DETECTED else None
            self.orders.append(_resulted(order))
            self.evidence.append(
                Evidence(self.mint(), order.tube_id, order.round, outcome, ct, ct is not None)
            )

    def queued(self) -> list[OrderFacts]:
        """What waits to be measured."""
        return [o for o in self.orders if o.state is OrderState.QUEUED]


def people(tubes: Iterable[TubeFacts]) -> set[UUID]:
    """Everybody in these tubes."""
    return {s for tube in tubes for s in tube.specimens}


def _cancelled(order: OrderFacts) -> OrderFacts:
    return _as(order, OrderState.CANCELLED)


def _resulted(order: OrderFacts) -> OrderFacts:
    return _as(order, OrderState.RESULTED)


def _as(order: OrderFacts, state: OrderState) -> OrderFacts:
    return OrderFacts(order.id, order.tube_id, order.round, state, order.why, order.priority)
