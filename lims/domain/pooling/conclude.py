"""The heart: what the evidence says of each person, and what to test next.

A pure function of the evidence, so that late, repeated, corrected and
out-of-order input all end in the same conclusion (house.md, "The heart").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from lims.domain.lifecycle import TubeKind
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.calls import SILENT, Call, attempts_of, calls
from lims.domain.pooling.coverage import Coverage
from lims.domain.pooling.dorfman import Dorfman, Strategy
from lims.domain.pooling.evidence import (
    MOST_INVALIDS,
    Alert,
    AlertKind,
    Composition,
    Conclusion,
    Decision,
    Evidence,
    FindingDraft,
    OrderFacts,
    TubeFacts,
)
from lims.domain.pooling.wishes import Wishes

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
    closed = frozenset(d.tube_id for d in decisions if d.kind == DISCORDANCE_CLOSED)
    reading = _Reading(composition, calls(evidence), closed, policy or Policy())
    for pool in composition.pools():
        reading.open_pool(pool)
    for specimen in reading.coverage.specimens:
        reading.find(specimen)
    for tube in composition.tubes.values():
        reading.read_leaf(tube)
        reading.raise_alerts(tube)
    wishes = Wishes(composition, reading.known, attempts_of(orders), reading.coverage)
    wished = wishes.of(reading.resolving)
    return Conclusion(
        findings=reading.findings,
        wanted=wished.wanted,
        unwanted=wished.unwanted,
        recollections=reading.recollections,
        alerts=tuple(sorted(reading.alerts, key=lambda a: (a.kind, a.tube_id))),
    )


class _Reading:
    """One pass over one component; what it gathers becomes the Conclusion."""

    def __init__(
        self,
        composition: Composition,
        known: Mapping[UUID, Call],
        closed: frozenset[UUID],
        policy: Policy,
    ) -> None:
        self.composition = composition
        self.known = known
        self.closed = closed
        self.policy = policy
        self.coverage = Coverage(composition, known, closed)
        self.findings: dict[UUID, FindingDraft] = {}
        self.recollections: dict[UUID, str] = {}
        self.alerts: list[Alert] = []
        self.resolving: dict[UUID, str | None] = {}
        self.pooled = {s for tube in composition.pools() for s in tube.sources}

    def open_pool(self, pool: TubeFacts) -> None:
        """A pool that cannot clear its sources hands the question down to them, one level.

        ``resolving`` holds every source in question, with the reason where the
        strategy wants it tested now.
        """
        because = self._unable(pool)
        if because is None:
            return
        tubes = self.composition.tubes
        open_sources = [s for s in pool.sources if not self.coverage.all_cleared(tubes[s])]
        self.resolving.update(dict.fromkeys(open_sources, None))
        for tube in self.policy.strategy.next_tubes(pool, self.composition, self.known):
            if tube in self.resolving:
                self.resolving[tube] = because

    def find(self, specimen: UUID) -> None:
        """The nearest tube that has an answer speaks for the specimen."""
        suspect = self.coverage.suspect(specimen)
        negative = self.coverage.cleared.get(specimen)
        disputed = self.coverage.disputed.get(specimen)
        if negative is not None and disputed is not None:
            self._say(specimen, FindingOutcome.DISCORDANT, negative, disputed)
        elif negative is not None:
            self._say(specimen, FindingOutcome.NEGATIVE, negative)
        elif suspect is not None and suspect.kind is TubeKind.INDIVIDUAL:
            self._say(specimen, self._own_word(suspect), suspect)
        elif suspect is not None:
            self._say(specimen, FindingOutcome.PRELIMINARY, suspect)

    def read_leaf(self, tube: TubeFacts) -> None:
        """A tube from people that will not tell: they are to be swabbed again (S3, S7)."""
        if tube.kind is TubeKind.LAB_POOL or self.coverage.all_cleared(tube):
            return
        call = self.known.get(tube.id, SILENT)
        if call.exhausted:
            self._recollect(tube, "tube invalid twice", call)
        elif call.outcome is None:
            if tube.rejected and tube.id not in self.pooled:
                self._recollect(tube, "tube rejected", call)
            elif tube.rejected and tube.id in self.resolving:
                self._recollect(tube, "tube rejected, its pool cannot clear it", call)
        elif tube.kind is TubeKind.FIELD_POOL:
            why = "field pool detected" if call.ever_detected else "field pool inconclusive"
            self.recollections.update(dict.fromkeys(tube.specimens, why))
        elif call.outcome is Outcome.INCONCLUSIVE and self._no_more_repeats(tube, call):
            self.recollections.update(dict.fromkeys(tube.specimens, "inconclusive"))

    def raise_alerts(self, tube: TubeFacts) -> None:
        """What the whole laboratory should hear of this tube."""
        call = self.known.get(tube.id, SILENT)
        if tube.kind is not TubeKind.INDIVIDUAL and call.ever_detected:
            self.alerts.append(Alert(AlertKind.POOL_POSITIVE, tube.id))
        if self.coverage.contradicted(tube) or tube in self.coverage.disputed.values():
            self.alerts.append(Alert(AlertKind.DISCORDANT, tube.id))

    def _unable(self, pool: TubeFacts) -> str | None:
        """Why the pool cannot clear its sources, or None while it may."""
        call = self.known.get(pool.id, SILENT)
        if self.coverage.is_suspect(pool):
            return "pool detected" if call.ever_detected else "pool inconclusive"
        if call.exhausted:
            return "pool invalid twice"
        in_question = pool.id not in self.pooled or pool.id in self.resolving
        if pool.rejected and call.outcome is None and in_question:
            return "pool rejected"
        return None

    def _own_word(self, tube: TubeFacts) -> FindingOutcome:
        call = self.known[tube.id]
        if call.outcome is Outcome.DETECTED:
            return FindingOutcome.POSITIVE
        if call.ever_detected and tube.id not in self.closed:
            return FindingOutcome.DISCORDANT
        return FindingOutcome.INCONCLUSIVE

    def _no_more_repeats(self, tube: TubeFacts, call: Call) -> bool:
        return tube.rejected or call.inconclusives >= MOST_INVALIDS

    def _recollect(self, tube: TubeFacts, why: str, call: Call) -> None:
        for specimen in tube.specimens:
            self.findings[specimen] = FindingDraft(FindingOutcome.RECOLLECT, call.evidence)
            self.recollections[specimen] = why

    def _say(self, specimen: UUID, outcome: FindingOutcome, *tubes: TubeFacts) -> None:
        said = [self.known[tube.id] for tube in tubes]
        evidence = tuple(dict.fromkeys(r for call in said for r in call.evidence))
        self.findings[specimen] = FindingDraft(outcome, evidence, said[0].ct_cycles)
