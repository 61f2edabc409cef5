"""The heart: what the evidence says of each person, and what to test next.

A pure function of the evidence, so that late, repeated, corrected and
out-of-order input all end in the same conclusion (house.md, "The heart").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.calls import SILENT, Call, attempts_of, calls
from lims.domain.pooling.dorfman import Dorfman, Strategy
from lims.domain.pooling.evidence import (
    MOST_INVALIDS,
    TOP_PRIORITY,
    Alert,
    AlertKind,
    Composition,
    Conclusion,
    Decision,
    Evidence,
    FindingDraft,
    OrderFacts,
    TubeFacts,
    WantedOrder,
)

OPEN = frozenset({OrderState.QUEUED, OrderState.PLATED})
DISCORDANCE_CLOSED = "discordance_closed"


@dataclass(frozen=True)
class Policy:
    """What the site has chosen: how positive pools are resolved."""

    strategy: Strategy = field(default_factory=Dorfman)


def conclude(
    composition: Composition,
    evidence: Iterable[Evidence],
    orders: Iterable[OrderFacts] = (),
    decisions: Iterable[Decision] = (),
    policy: Policy | None = None,
) -> Conclusion:
    """Conclude one component from all that is known of it. Depends on no order of arrival."""
    reading = _Reading(
        composition, calls(evidence), attempts_of(orders), frozenset(decisions), policy or Policy()
    )
    for pool in composition.pools():
        reading.read_pool(pool)
    for tube in composition.tubes.values():
        reading.read_leaf(tube)
        reading.follow_up(tube)
    return reading.conclusion()


class _Reading:
    """One pass over one component; what it gathers becomes the Conclusion."""

    def __init__(
        self,
        composition: Composition,
        known: Mapping[UUID, Call],
        attempts: Mapping[UUID, tuple[OrderFacts, ...]],
        decisions: frozenset[Decision],
        policy: Policy,
    ) -> None:
        self.composition = composition
        self.known = known
        self.attempts = attempts
        self.decisions = decisions
        self.policy = policy
        self.findings: dict[UUID, FindingDraft] = {}
        self.wanted: dict[UUID, WantedOrder] = {}
        self.recollections: dict[UUID, str] = {}
        self.alerts: list[Alert] = []
        self.resolving: set[UUID] = set()
        self.discordant: set[UUID] = set()
        self.pooled = {s for tube in composition.pools() for s in tube.sources}

    def read_pool(self, pool: TubeFacts) -> None:
        """A laboratory pool speaks for those of its members who have no answer of their own."""
        call = self.known.get(pool.id, SILENT)
        if call.exhausted:
            self._resolve(pool, "pool invalid twice")
        elif call.outcome is Outcome.NOT_DETECTED and not call.ever_detected:
            self._say(pool.specimens, FindingOutcome.NEGATIVE, call)
            if any(self._detected(source) for source in pool.sources):
                self.alerts.append(Alert(AlertKind.DISCORDANT, pool.id))
        elif call.outcome is not None:
            if call.ever_detected:
                self.alerts.append(Alert(AlertKind.POOL_POSITIVE, pool.id))
            self._say(pool.specimens, FindingOutcome.PRELIMINARY, call)
            self._resolve(pool, "pool detected" if call.ever_detected else "pool inconclusive")
            self._weigh_discordance(pool, call)

    def read_leaf(self, tube: TubeFacts) -> None:
        """A tube that came from people: its own answer outranks any pool's."""
        if tube.kind is TubeKind.LAB_POOL:
            return
        call = self.known.get(tube.id, SILENT)
        if call.exhausted:
            self._recollect(tube, "tube invalid twice", call)
        elif call.outcome is None:
            self._read_unanswered(tube, call)
        elif tube.kind is TubeKind.FIELD_POOL:
            self._read_field_pool(tube, call)
        else:
            self._read_individual(tube, call)

    def follow_up(self, tube: TubeFacts) -> None:
        """An attempt that gave no answer is repeated; one whose run was bad is run again."""
        attempts = self.attempts.get(tube.id, ())
        if tube.rejected or any(order.state in OPEN for order in attempts):
            return
        call = self.known.get(tube.id, SILENT)
        if call.outcome is None and 0 < call.invalids < MOST_INVALIDS:
            self._want(tube.id, OrderReason.REPEAT, TOP_PRIORITY, "invalid: repeat")
        elif call.outcome is Outcome.INCONCLUSIVE and call.inconclusives < MOST_INVALIDS:
            if tube.kind is TubeKind.INDIVIDUAL:
                self._want(tube.id, OrderReason.REPEAT, TOP_PRIORITY, "inconclusive: repeat")
        elif attempts and attempts[-1].state is OrderState.VOID and call.outcome is None:
            last = attempts[-1]
            self._want(tube.id, OrderReason.RERUN, max(last.priority, 6), "run gave no evidence")

    def conclusion(self) -> Conclusion:
        """Everything gathered, with the queued tests that nothing asks for any more."""
        unwanted = tuple(
            order.id
            for attempts in self.attempts.values()
            for order in attempts
            if order.state is OrderState.QUEUED and self._pointless(order)
        )
        return Conclusion(
            findings=self.findings,
            wanted=tuple(self.wanted[tube] for tube in sorted(self.wanted)),
            unwanted=tuple(sorted(unwanted)),
            recollections=self.recollections,
            alerts=tuple(self.alerts),
        )

    def _read_unanswered(self, tube: TubeFacts, call: Call) -> None:
        if not tube.rejected:
            return
        if tube.id not in self.pooled:
            self._recollect(tube, "tube rejected", call)
        elif tube.id in self.resolving:
            self._recollect(tube, "tube rejected, its pool cannot clear it", call)

    def _read_field_pool(self, tube: TubeFacts, call: Call) -> None:
        if call.outcome is Outcome.NOT_DETECTED and not call.ever_detected:
            self._say(tube.specimens, FindingOutcome.NEGATIVE, call)
            return
        if call.ever_detected:
            self.alerts.append(Alert(AlertKind.POOL_POSITIVE, tube.id))
        self._say(tube.specimens, FindingOutcome.PRELIMINARY, call)
        for specimen in tube.specimens:
            self.recollections[specimen] = "field pool detected"

    def _read_individual(self, tube: TubeFacts, call: Call) -> None:
        match call.outcome:
            case Outcome.DETECTED:
                said = FindingOutcome.POSITIVE
            case Outcome.NOT_DETECTED if call.ever_detected or tube.id in self.discordant:
                said = FindingOutcome.DISCORDANT
            case Outcome.NOT_DETECTED:
                said = FindingOutcome.NEGATIVE
            case _:
                said = FindingOutcome.INCONCLUSIVE
        if said is FindingOutcome.DISCORDANT and self._closed(tube.id):
            said = FindingOutcome.NEGATIVE
        self._say(tube.specimens, said, call)

    def _resolve(self, pool: TubeFacts, because: str) -> None:
        self.resolving.update(pool.sources)
        for tube in self.policy.strategy.next_tubes(pool, self.composition, self.known):
            if not any(o.state in OPEN for o in self.attempts.get(tube, ())):
                self._want(tube, OrderReason.RESOLVE, TOP_PRIORITY, because)

    def _weigh_discordance(self, pool: TubeFacts, call: Call) -> None:
        """S4: a positive pool of negatives is a state of its own, never auto-negative."""
        answers = [self.known.get(source, SILENT) for source in pool.sources]
        if not call.ever_detected or self._closed(pool.id):
            return
        if any(answer.outcome is not Outcome.NOT_DETECTED for answer in answers):
            return
        self.alerts.append(Alert(AlertKind.DISCORDANT, pool.id))
        self.discordant.update(pool.sources)
        suspects = (s for s, a in zip(pool.sources, answers, strict=True) if a.amplified)
        for tube in (pool.id, *suspects):
            if len(self.attempts.get(tube, ())) < MOST_INVALIDS + (tube != pool.id):
                self._want(tube, OrderReason.DISCORDANT, TOP_PRIORITY, "pool + members −")

    def _recollect(self, tube: TubeFacts, why: str, call: Call) -> None:
        for specimen in tube.specimens:
            if tube.id in self.pooled and tube.id not in self.resolving and self._cleared(specimen):
                continue
            self.findings[specimen] = FindingDraft(FindingOutcome.RECOLLECT, call.evidence)
            self.recollections[specimen] = why

    def _say(self, specimens: Iterable[UUID], outcome: FindingOutcome, call: Call) -> None:
        draft = FindingDraft(outcome, call.evidence, call.ct_cycles)
        self.findings.update(dict.fromkeys(specimens, draft))

    def _want(self, tube: UUID, why: OrderReason, priority: int, because: str) -> None:
        attempts = self.attempts.get(tube, ())
        if any(order.state in OPEN for order in attempts):
            return
        nth = attempts[-1].round + 1 if attempts else 1
        self.wanted.setdefault(tube, WantedOrder(tube, nth, why, priority, because))

    def _pointless(self, order: OrderFacts) -> bool:
        tube = self.composition.tubes[order.tube_id]
        if tube.rejected:
            return True
        return order.why is OrderReason.RESOLVE and order.tube_id not in self.resolving

    def _detected(self, tube: UUID) -> bool:
        return self.known.get(tube, SILENT).ever_detected

    def _cleared(self, specimen: UUID) -> bool:
        draft = self.findings.get(specimen)
        return draft is not None and draft.outcome is FindingOutcome.NEGATIVE

    def _closed(self, tube: UUID) -> bool:
        return Decision(tube, DISCORDANCE_CLOSED) in self.decisions
