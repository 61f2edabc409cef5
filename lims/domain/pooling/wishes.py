"""Which tests are wanted now, and which queued ones nothing asks for any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import Outcome
from lims.domain.pooling.calls import SILENT, Call
from lims.domain.pooling.coverage import Coverage
from lims.domain.pooling.evidence import (
    MOST_INVALIDS,
    TOP_PRIORITY,
    Composition,
    OrderFacts,
    TubeFacts,
    WantedOrder,
)

RERUN_PRIORITY = 6  # before the day's new tubes, after re-tests of positive pools
_OPEN = frozenset({OrderState.QUEUED, OrderState.PLATED})
_ASKED_FOR = frozenset({OrderReason.PRIMARY, OrderReason.CONFIRM})
_ANSWERED = frozenset({Outcome.DETECTED, Outcome.NOT_DETECTED})


@dataclass(frozen=True)
class Wished:
    """The difference to the queue. ``spent``: tubes that another test is wanted of, and that have
    no volume left for it (S10)."""

    wanted: tuple[WantedOrder, ...]
    unwanted: tuple[UUID, ...]
    spent: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class _Wish:
    why: OrderReason
    priority: int
    because: str


class Wishes:
    """Weighs, for every tube of one component, whether another test would tell more."""

    def __init__(
        self,
        composition: Composition,
        known: Mapping[UUID, Call],
        attempts: Mapping[UUID, tuple[OrderFacts, ...]],
        coverage: Coverage,
        asked: frozenset[UUID] = frozenset(),
    ) -> None:
        """``asked``: the prepared sub-pools whose answer is still wanted."""
        self._tubes = composition.tubes
        self._known = known
        self._attempts = attempts
        self._coverage = coverage
        self._asked = asked
        self._pooled = {s for tube in composition.pools() for s in tube.sources}
        self._rechecked = self._to_recheck()

    def of(self, resolving: Mapping[UUID, str | None]) -> Wished:
        """``resolving``: the sources in question, with the reason where one is to be tested now;
        tests are wanted in its order."""
        unwanted: list[UUID] = []
        wanted: list[WantedOrder] = []
        spent: list[UUID] = []
        for tube in sorted(self._tubes.values(), key=lambda t: t.id):
            needed = self._needed(tube, resolving)
            attempts = self._attempts.get(tube.id, ())
            pointless = {
                o.id
                for o in attempts
                if o.state is OrderState.QUEUED
                and self._pointless(o, tube, resolving, needed=needed)
            }
            unwanted.extend(sorted(pointless))
            if tube.rejected or any(o.state in _OPEN and o.id not in pointless for o in attempts):
                continue
            wish = self._wish(tube, resolving.get(tube.id), needed=needed)
            if wish is None:
                continue
            if tube.tests_left == 0:
                spent.append(tube.id)
                continue
            nth = attempts[-1].round + 1 if attempts else 1
            because = f"{wish.because}; last draw" if tube.tests_left == 1 else wish.because
            wanted.append(WantedOrder(tube.id, nth, wish.why, wish.priority, because))
        rank = {tube: n for n, tube in enumerate(resolving)}
        wanted.sort(key=lambda order: rank.get(order.tube_id, len(rank)))
        return Wished(tuple(wanted), tuple(unwanted), tuple(spent))

    def _wish(self, tube: TubeFacts, because: str | None, *, needed: bool) -> _Wish | None:
        if tube.id in self._rechecked:
            return _Wish(OrderReason.DISCORDANT, TOP_PRIORITY, "positive pool of negatives")
        if not needed:
            return None
        again = self._again(tube) or self._taken_up(tube)
        if again is None and because is not None:
            return _Wish(OrderReason.RESOLVE, TOP_PRIORITY, because)
        return again

    def _again(self, tube: TubeFacts) -> _Wish | None:
        """An attempt that gave no answer is repeated; one whose run was bad is run again."""
        call = self._known.get(tube.id, SILENT)
        attempts = self._attempts.get(tube.id, ())
        if call.outcome is None and attempts and attempts[-1].state is OrderState.VOID:
            last = attempts[-1]
            said = f"run again: {last.because}" if last.because else "run again"
            return _Wish(OrderReason.RERUN, max(last.priority, RERUN_PRIORITY), said)
        if call.outcome is None and 0 < call.invalids < MOST_INVALIDS:
            return _Wish(OrderReason.REPEAT, TOP_PRIORITY, "invalid: repeat")
        if self._worth_repeating(tube, call):
            return _Wish(OrderReason.REPEAT, TOP_PRIORITY, "inconclusive: repeat")
        return None

    def _taken_up(self, tube: TubeFacts) -> _Wish | None:
        """A prepared sub-pool whose test was called off when its pool was resolved another way, and
        which is asked for again."""
        attempts = self._attempts.get(tube.id, ())
        if tube.id not in self._asked or tube.id in self._known or not attempts:
            return None
        if attempts[-1].state is not OrderState.CANCELLED:
            return None
        return _Wish(OrderReason.RESOLVE, TOP_PRIORITY, "sub-pool asked for again")

    def _worth_repeating(self, tube: TubeFacts, call: Call) -> bool:
        """An inconclusive pool is resolved instead; an inconclusive field pool is re-swabbed."""
        return (
            tube.kind is TubeKind.INDIVIDUAL
            and call.outcome is Outcome.INCONCLUSIVE
            and call.inconclusives < MOST_INVALIDS
        )

    def _needed(self, tube: TubeFacts, resolving: Mapping[UUID, str | None]) -> bool:
        """Somebody asks: it is in no pool, or its pool cannot tell, or it was ordered itself."""
        if tube.master is not None:
            return tube.id in self._asked
        if tube.id in self._pooled and tube.id not in resolving:
            asked = any(
                o.why in _ASKED_FOR and o.state is not OrderState.CANCELLED
                for o in self._attempts.get(tube.id, ())
            )
            return asked and not self._coverage.all_cleared(tube)
        return True

    def _pointless(
        self,
        order: OrderFacts,
        tube: TubeFacts,
        resolving: Mapping[UUID, str | None],
        *,
        needed: bool,
    ) -> bool:
        if tube.rejected:
            return True
        if order.why in _ASKED_FOR:
            return False
        if order.why is OrderReason.DISCORDANT:
            return tube.id not in self._rechecked
        answered = self._known.get(tube.id, SILENT).outcome in _ANSWERED
        return answered or not needed or self._put_off(order, tube, resolving)

    def _put_off(
        self, order: OrderFacts, tube: TubeFacts, resolving: Mapping[UUID, str | None]
    ) -> bool:
        """Its pool is resolved another way now: sub-pools first, and nobody else asked for it."""
        return (
            order.why is OrderReason.RESOLVE
            and tube.master is None
            and tube.id in self._pooled
            and tube.id not in self._known
            and resolving.get(tube.id) is None
        )

    def _to_recheck(self) -> set[UUID]:
        """A disputed tube and its strongest suspects, each once (S4).

        A disputed sub-pool only once its tubes have been tested alone, which tells more.
        """
        found: set[UUID] = set()
        for disputed in set(self._coverage.disputed.values()):
            if disputed.master is not None and not self._coverage.settled_alone(disputed):
                continue
            amplified = (
                t
                for t in self._coverage.inside(disputed)
                if self._known.get(t.id, SILENT).amplified
            )
            found.update(t.id for t in (disputed, *amplified) if not self._rechecked_before(t))
        return found

    def _rechecked_before(self, tube: TubeFacts) -> bool:
        return any(
            o.why is OrderReason.DISCORDANT and o.state is OrderState.RESULTED
            for o in self._attempts.get(tube.id, ())
        )
