"""One laboratory pool on its way through the code that decides: what is known, and what is asked.

``conclude`` is asked after each run, as the laboratory asks it; what it wants is queued, what it
wants to be pipetted is pipetted. Only who is infected and what a tube shows are made up, by whoever
measures.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from uuid import UUID

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import Outcome
from lims.domain.pooling.calls import SILENT, Call, calls
from lims.domain.pooling.choice import Choice
from lims.domain.pooling.conclude import Policy, conclude
from lims.domain.pooling.evidence import (
    TOP_PRIORITY,
    USUAL_PRIORITY,
    Composition,
    Conclusion,
    Evidence,
    OrderFacts,
    TubeFacts,
)
from lims.domain.pooling.strategies import STRATEGIES

Choosing = Callable[[Call, int], Choice]
"""How a pool is resolved, from its own answer and the number of its tubes."""


@dataclass(frozen=True, slots=True)
class Change:
    """Of the queue: tests to add, each with its priority, and tubes that nothing asks for now."""

    add: tuple[tuple[UUID, int], ...] = ()
    drop: tuple[UUID, ...] = ()


class Labels:
    """Ids that count up over a whole day."""

    def __init__(self) -> None:
        self._last = 0

    def mint(self) -> UUID:
        """The next one."""
        self._last += 1
        return UUID(int=self._last)


class PoolUnderWay:
    """``people``: its specimens, in pipetting order; ``tubes``: theirs, the pool, and the sub-pools
    made so far."""

    def __init__(self, labels: Labels, members: int) -> None:
        self._labels = labels
        self.people = tuple(labels.mint() for _ in range(members))
        singles = [
            TubeFacts(labels.mint(), TubeKind.INDIVIDUAL, frozenset({one})) for one in self.people
        ]
        sources = tuple(tube.id for tube in singles)
        held = frozenset(self.people)
        self.master = TubeFacts(labels.mint(), TubeKind.LAB_POOL, held, sources)
        self.tubes = {tube.id: tube for tube in (*singles, self.master)}
        self.choice: Choice | None = None
        self._orders: dict[UUID, OrderFacts] = {}
        self._evidence: list[Evidence] = []
        self._open: dict[UUID, UUID] = {}
        self._order(self.master.id, 1, OrderReason.PRIMARY, USUAL_PRIORITY)

    def branched(self) -> "PoolUnderWay":
        """The same, to go on with apart from this one."""
        other = copy(self)
        other._labels = copy(self._labels)
        other.tubes = dict(self.tubes)
        other._orders, other._open = dict(self._orders), dict(self._open)
        other._evidence = list(self._evidence)
        return other

    @property
    def queued(self) -> tuple[UUID, ...]:
        """Tubes whose test is wanted, in the order in which that was said."""
        return tuple(self._open)

    @property
    def said(self) -> Call:
        """Of the pool itself."""
        return calls(self._evidence).get(self.master.id, SILENT)

    def plate(self, tube: UUID) -> None:
        """It goes into a machine."""
        order = self._orders[self._open[tube]]
        self._orders[order.id] = replace(order, state=OrderState.PLATED)

    def answer(self, tube: UUID, outcome: Outcome, ct_cycles: float | None = None) -> None:
        """What its well showed."""
        order = self._orders[self._open.pop(tube)]
        self._orders[order.id] = replace(order, state=OrderState.RESULTED)
        self._evidence.append(
            Evidence(
                self._labels.mint(), tube, order.round, outcome, ct_cycles, ct_cycles is not None
            )
        )

    def void(self, tube: UUID) -> None:
        """Its run failed: that is no evidence."""
        order = self._orders[self._open.pop(tube)]
        self._orders[order.id] = replace(order, state=OrderState.VOID)

    def concluded(self, choosing: Choosing | None) -> Conclusion:
        """What all of it says now; how it is resolved is chosen when that is open, unless nobody
        chooses."""
        conclusion = self._conclude()
        if conclusion.unchosen and choosing is not None:
            self.choice = choosing(self.said, len(self.master.sources))
            conclusion = self._conclude()
        return conclusion

    def follow(self, conclusion: Conclusion) -> Change:
        """Queue and pipette what it wants."""
        drop = [self._orders[order].tube_id for order in conclusion.unwanted]
        for order in conclusion.unwanted:
            self._orders[order] = replace(self._orders[order], state=OrderState.CANCELLED)
            self._open.pop(self._orders[order].tube_id)
        add = []
        for wanted in conclusion.wanted:
            self._order(wanted.tube_id, wanted.round, wanted.why, wanted.priority)
            add.append((wanted.tube_id, wanted.priority))
        for wish in conclusion.sub_pools:
            if wish.tube_id is None:
                add.append((self._prepare(wish.sources), TOP_PRIORITY))
        return Change(tuple(add), tuple(drop))

    def _conclude(self) -> Conclusion:
        chosen = {self.master.id: STRATEGIES[self.choice.strategy]} if self.choice else {}
        facts = {self.master.id: self.choice.facts} if self.choice else {}
        return conclude(
            Composition(self.tubes),
            self._evidence,
            self._orders.values(),
            policy=Policy(chosen, facts=facts),
        )

    def _prepare(self, sources: tuple[UUID, ...]) -> UUID:
        held = frozenset(one for source in sources for one in self.tubes[source].specimens)
        made = TubeFacts(
            self._labels.mint(), TubeKind.LAB_POOL, held, sources, master=self.master.id
        )
        self.tubes[made.id] = made
        self._order(made.id, 1, OrderReason.RESOLVE, TOP_PRIORITY)
        return made.id

    def _order(self, tube: UUID, nth: int, why: OrderReason, priority: int) -> None:
        order = OrderFacts(self._labels.mint(), tube, nth, OrderState.QUEUED, why, priority)
        self._orders[order.id] = order
        self._open[tube] = order.id
