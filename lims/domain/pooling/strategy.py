"""The question that a strategy is asked of one pool, and the form of its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from lims.domain.pooling.calls import SILENT, Call
from lims.domain.pooling.coverage import Coverage
from lims.domain.pooling.evidence import Composition, Evidence, TubeFacts


@dataclass(frozen=True)
class SubPool:
    """Draws wanted from some of a pool's tubes into one new tube.

    ``position`` is what the bench calls it ("row 2"); one of a name is wanted at a time.
    """

    stage: int
    position: str
    sources: tuple[UUID, ...]


@dataclass(frozen=True)
class Next:
    """What would tell more, the most telling first.

    ``tubes``: sources to test alone. ``sub_pools``: every sub-pool whose answer is still wanted,
    prepared or not. ``named``: sources that are presumptive, each with the tubes that say so;
    what a detected row and column have in common is named without being listed here. ``doubted``:
    sources that only a sub-pool was negative of, while what else was measured says otherwise beyond
    what its errors explain: they are not cleared, and in question still.
    """

    tubes: tuple[UUID, ...] = ()
    sub_pools: tuple[SubPool, ...] = ()
    named: Mapping[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    doubted: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Question:
    """One pool that cannot clear its sources, with all that is known of its component.

    ``open_sources``: those in question, in pipetting order. They may have answers of their own.
    ``evidence``: every attempt behind ``known``, in the same order whenever it came. ``facts``: the
    numbers stored with the choice of the strategy (a prior, say), never those of this moment.
    """

    pool: TubeFacts
    composition: Composition
    known: Mapping[UUID, Call]
    coverage: Coverage
    open_sources: tuple[UUID, ...]
    evidence: tuple[Evidence, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def testable(self, source: UUID) -> bool:
        """It is on the rack and has no answer of its own."""
        return source not in self.known and not self.composition.tubes[source].rejected

    def drawable(self, line: tuple[UUID, ...]) -> tuple[UUID, ...]:
        """What a new sub-pool of this line would be made from."""
        return tuple(
            s for s in line if not self.composition.tubes[s].rejected and not self.short(s)
        )

    def short(self, source: UUID) -> bool:
        """So little is left that it goes to the tube's own test, which matters most (S10)."""
        left = self.composition.tubes[source].draws_left
        return left is not None and not left.drawable

    def spent(self, source: UUID) -> bool:
        """Nothing is left for a test of its own: to ask for it opens a recollection."""
        return self.composition.tubes[source].tests_left == 0

    def only_alone(self) -> list[UUID]:
        """Those in question that no sub-pool can draw from, nor has drawn from."""
        made = {s for tube in self.composition.sub_pools(self.pool.id) for s in tube.sources}
        return [s for s in self.open_sources if self.short(s) and s not in made]

    def askable(self, line: tuple[UUID, ...]) -> tuple[UUID, ...]:
        """Those in question that a sub-pool of this line can say something of."""
        made = self.prepared(line)
        drawn = self.drawable(line) if made is None else made.sources
        return tuple(s for s in drawn if s in self.open_sources)

    def prepared(self, line: tuple[UUID, ...]) -> TubeFacts | None:
        """The tube already made for a line, even if one of its sources was rejected since.

        One that was rejected itself before it had an answer has to be made again.
        """
        drawable = set(self.drawable(line))
        made = (
            tube
            for tube in self.composition.sub_pools(self.pool.id)
            if drawable <= set(tube.sources) <= set(line)
            and (tube.id in self.known or not tube.rejected)
        )
        return min(made, key=lambda tube: tube.id, default=None)

    def call(self, tube: TubeFacts) -> Call:
        """What the tube has said so far."""
        return self.known.get(tube.id, SILENT)


class Strategy(Protocol):
    """What to measure next to resolve one pool: a pure function of the evidence."""

    @property
    def name(self) -> str:
        """With its version; shown beside what it decides."""
        ...

    def next(self, question: Question) -> Next:
        """What to measure now; nothing when the pool is resolved, or only waits."""
        ...
