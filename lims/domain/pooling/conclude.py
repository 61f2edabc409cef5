"""The heart: what the evidence says of each person, and what to test next.

A pure function of the evidence, so that late, repeated, corrected and
out-of-order input all end in the same conclusion (house.md, "The heart").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from lims.domain.lifecycle import TubeKind
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.calls import SILENT, Call, attempts_of, calls
from lims.domain.pooling.coverage import Coverage
from lims.domain.pooling.dorfman import Dorfman
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
    WantedSubPool,
)
from lims.domain.pooling.strategy import Question, Strategy
from lims.domain.pooling.wishes import Wishes

NO_VOLUME = "no volume left"
DISCORDANCE_CLOSED = "discordance_closed"


@dataclass(frozen=True)
class Policy:
    """How each positive pool is resolved: what was chosen for it, else every source alone.

    ``facts``: the numbers that were stored with the choice.
    """

    chosen: Mapping[UUID, Strategy] = field(default_factory=lambda: MappingProxyType({}))
    otherwise: Strategy = field(default_factory=Dorfman)
    facts: Mapping[UUID, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))


def conclude(
    composition: Composition,
    evidence: Iterable[Evidence],
    orders: Iterable[OrderFacts] = (),
    decisions: Iterable[Decision] = (),
    policy: Policy | None = None,
) -> Conclusion:
    """Conclude one component from all that is known of it. Depends on no order of arrival."""
    closed = frozenset(d.tube_id for d in decisions if d.kind == DISCORDANCE_CLOSED)
    attempts = tuple(sorted(set(evidence), key=lambda e: (e.tube_id, e.round, e.result_id)))
    reading = _Reading(composition, attempts, closed, policy or Policy())
    for pool in composition.pools():
        reading.open_pool(pool)
    for specimen in reading.coverage.specimens:
        reading.find(specimen)
    for tube in composition.tubes.values():
        reading.read_leaf(tube)
        reading.raise_alerts(tube)
    asked = frozenset(wish.tube_id for wish in reading.sub_pools if wish.tube_id is not None)
    wishes = Wishes(composition, reading.known, attempts_of(orders), reading.coverage, asked)
    wished = wishes.of(reading.resolving)
    for spent in wished.spent:
        reading.read_spent(composition.tubes[spent])
    return Conclusion(
        findings=reading.findings,
        wanted=wished.wanted,
        unwanted=wished.unwanted,
        recollections=reading.recollections,
        alerts=tuple(sorted(reading.alerts, key=lambda a: (a.kind, a.tube_id))),
        sub_pools=tuple(reading.sub_pools),
        unchosen=tuple(reading.unchosen),
    )


class _Reading:
    """One pass over one component; what it gathers becomes the Conclusion."""

    def __init__(
        self,
        composition: Composition,
        evidence: tuple[Evidence, ...],
        closed: frozenset[UUID],
        policy: Policy,
    ) -> None:
        self.composition = composition
        self.evidence = evidence
        self.known = calls(evidence)
        self.closed = closed
        self.policy = policy
        self.coverage = Coverage(composition, self.known, closed)
        self.findings: dict[UUID, FindingDraft] = {}
        self.recollections: dict[UUID, str] = {}
        self.alerts: list[Alert] = []
        self.resolving: dict[UUID, str | None] = {}
        self.sub_pools: list[WantedSubPool] = []
        self.unchosen: list[UUID] = []
        self.named = dict(self.coverage.named())
        self.doubted: set[UUID] = set()
        self.pooled = {s for tube in composition.pools() for s in tube.sources}

    def open_pool(self, pool: TubeFacts) -> None:
        """A pool that cannot clear its sources hands the question down to them, one level.

        ``resolving`` holds every source in question, with the reason where the
        strategy wants it tested now. A sub-pool hands nothing down: its master's strategy does.
        """
        if pool.master is not None:
            return
        because = self._unable(pool) or self._divided(pool)
        if because is None:
            return
        tubes = self.composition.tubes
        open_sources = tuple(s for s in pool.sources if self.coverage.in_question(tubes[s]))
        self.resolving.update(dict.fromkeys(open_sources, None))
        if pool.id not in self.policy.chosen:
            self.unchosen.append(pool.id)
        strategy = self.policy.chosen.get(pool.id, self.policy.otherwise)
        question = Question(
            pool=pool,
            composition=self.composition,
            known=self.known,
            coverage=self.coverage,
            open_sources=open_sources,
            evidence=self.evidence,
            facts=self.policy.facts.get(pool.id, {}),
        )
        following = strategy.next(question)
        for source in following.doubted:
            self.resolving.setdefault(source, None)
            self.doubted.update(tubes[source].specimens)
        for tube in following.tubes:
            if tube in self.resolving:
                del self.resolving[tube]  # so that the order of the answer is kept
                self.resolving[tube] = because
        for wish in following.sub_pools:
            made = question.prepared(wish.sources)
            self.sub_pools.append(
                WantedSubPool(
                    pool.id,
                    wish.stage,
                    wish.position,
                    wish.sources,
                    made.id if made is not None else None,
                )
            )
        for source, by in following.named.items():
            for specimen in tubes[source].specimens:
                self.named.setdefault(specimen, tuple(tubes[one] for one in by))

    def find(self, specimen: UUID) -> None:
        """The nearest tube that has an answer speaks for the specimen."""
        suspect = self.coverage.suspect(specimen)
        negative = self.coverage.cleared.get(specimen)
        disputed = self.coverage.disputed.get(specimen)
        if negative is not None and disputed is not None:
            self._say(specimen, FindingOutcome.DISCORDANT, negative, disputed)
        elif negative is not None and not self._in_doubt(specimen, negative):
            self._say(specimen, FindingOutcome.NEGATIVE, negative)
        elif self._is_named(specimen, suspect):
            self._say(specimen, FindingOutcome.PRESUMPTIVE, *self.named[specimen])
        elif suspect is not None and suspect.kind is TubeKind.INDIVIDUAL:
            self._say(specimen, self._own_word(suspect), suspect)
        elif suspect is not None:
            self._say(specimen, FindingOutcome.PRELIMINARY, suspect)

    def read_leaf(self, tube: TubeFacts) -> None:
        """A tube from people that will not tell: they are to be swabbed again (S3, S7)."""
        if tube.kind is TubeKind.LAB_POOL or self._settled(tube):
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

    def read_spent(self, tube: TubeFacts) -> None:
        """Another test would tell more, and there is nothing left to test (S10)."""
        call = self.known.get(tube.id, SILENT)
        if self._settled(tube):
            return
        if call.outcome is None:
            self._recollect(tube, NO_VOLUME, call)
        else:
            self.recollections.update(dict.fromkeys(tube.specimens, NO_VOLUME))

    def raise_alerts(self, tube: TubeFacts) -> None:
        """What the whole laboratory should hear of this tube."""
        call = self.known.get(tube.id, SILENT)
        whole = tube.kind is not TubeKind.INDIVIDUAL and tube.master is None
        if whole and call.ever_detected:
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

    def _divided(self, pool: TubeFacts) -> str | None:
        """A pool that clears its sources while a sub-pool of it says otherwise (S8)."""
        parts = self.composition.sub_pools(pool.id)
        return "sub-pool detected" if any(map(self.coverage.is_suspect, parts)) else None

    def _in_doubt(self, specimen: UUID, negative: TubeFacts) -> bool:
        """A sub-pool's word, against which the rest of the evidence speaks."""
        told = specimen in self.doubted and self.coverage.suspect(specimen) is not None
        return told and negative.master is not None

    def _settled(self, tube: TubeFacts) -> bool:
        """Nothing can be learnt from testing this tube."""
        return self.coverage.all_cleared(tube) and tube.specimens.isdisjoint(self.doubted)

    def _is_named(self, specimen: UUID, suspect: TubeFacts | None) -> bool:
        """An own test that has found it, once or now, says more; one that could not tell does not
        take the name back."""
        if specimen not in self.named:
            return False
        own = self.known.get(suspect.id, SILENT) if suspect is not None else SILENT
        alone = suspect is not None and suspect.kind is TubeKind.INDIVIDUAL
        return not (alone and own.ever_detected)

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
        """Who is named stays so: the new swab is to confirm it."""
        for specimen in tube.specimens:
            self.recollections[specimen] = why
            if specimen not in self.named:
                self.findings[specimen] = FindingDraft(FindingOutcome.RECOLLECT, call.evidence)

    def _say(self, specimen: UUID, outcome: FindingOutcome, *tubes: TubeFacts) -> None:
        said = [self.known[tube.id] for tube in tubes]
        evidence = tuple(dict.fromkeys(r for call in said for r in call.evidence))
        self.findings[specimen] = FindingDraft(outcome, evidence, said[0].ct_cycles)
