"""The values that resolution reasons about: tubes, what was measured, what is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import FindingOutcome, Outcome

TOP_PRIORITY = 9
USUAL_PRIORITY = 5
MOST_INVALIDS = 2


@dataclass(frozen=True, slots=True)
class DrawsLeft:
    """What is left in a tube of known volume, in µl, and what a draw of either kind takes."""

    left_ul: int
    pool_draw_ul: int
    test_draw_ul: int

    @property
    def tests(self) -> int:
        """How many tests of its own it still gives."""
        return self.left_ul // self.test_draw_ul

    @property
    def drawable(self) -> bool:
        """Enough for one more sub-pool and then still a test of its own, which matters more."""
        return self.left_ul >= self.pool_draw_ul + self.test_draw_ul

    @property
    def parted_and_alone(self) -> bool:
        """Enough for a row, a column and a test of its own."""
        return self.left_ul >= 2 * self.pool_draw_ul + self.test_draw_ul


@dataclass(frozen=True)
class TubeFacts:
    """A tube and the set of specimens it is about, through every level of pooling.

    ``master``: the pool whose people this one was made to part; its sources are some of that one's.
    ``draws_left``: None while nobody has said how much is in it.
    """

    id: UUID
    kind: TubeKind
    specimens: frozenset[UUID]
    sources: tuple[UUID, ...] = ()
    rejected: bool = False
    master: UUID | None = None
    draws_left: DrawsLeft | None = None

    @property
    def tests_left(self) -> int | None:
        """How many tests of its own it still gives; None: as many as are asked for."""
        return None if self.draws_left is None else self.draws_left.tests


@dataclass(frozen=True)
class Evidence:
    """One current, valid result. Superseded ones and those of invalid runs never get here."""

    result_id: UUID
    tube_id: UUID
    round: int
    outcome: Outcome
    ct_cycles: float | None = None
    amplified: bool = False


@dataclass(frozen=True)
class OrderFacts:
    """A test that was wanted, and what became of it."""

    id: UUID
    tube_id: UUID
    round: int
    state: OrderState
    why: OrderReason
    priority: int = USUAL_PRIORITY
    because: str | None = None


@dataclass(frozen=True)
class Decision:
    """A reviewer's word on a tube; it is evidence like any other, and outranks the machine's."""

    tube_id: UUID
    kind: str


@dataclass(frozen=True)
class Composition:
    """One component: tubes that share specimens, keyed by tube id."""

    tubes: Mapping[UUID, TubeFacts]

    def pools(self) -> tuple[TubeFacts, ...]:
        """Laboratory pools, largest first, so that a parent is read before its sub-pools."""
        pools = (t for t in self.tubes.values() if t.kind is TubeKind.LAB_POOL)
        return tuple(sorted(pools, key=lambda t: (-len(t.specimens), t.id)))

    def sub_pools(self, master: UUID) -> tuple[TubeFacts, ...]:
        """The tubes prepared to resolve this pool, in id order."""
        return self._by_master.get(master, ())

    @cached_property
    def _by_master(self) -> Mapping[UUID, tuple[TubeFacts, ...]]:
        """Put together once: a recall concludes about ten thousand tubes."""
        made: dict[UUID, list[TubeFacts]] = {}
        for tube in sorted(self.tubes.values(), key=lambda t: t.id):
            if tube.master is not None:
                made.setdefault(tube.master, []).append(tube)
        return {master: tuple(tubes) for master, tubes in made.items()}


@dataclass(frozen=True)
class FindingDraft:
    """What the evidence says of one specimen, and which results say so."""

    outcome: FindingOutcome
    evidence: tuple[UUID, ...]
    ct_cycles: float | None = None


@dataclass(frozen=True)
class WantedOrder:
    """A test to queue."""

    tube_id: UUID
    round: int
    why: OrderReason
    priority: int
    because: str


@dataclass(frozen=True)
class WantedSubPool:
    """A tube to prepare from some of a pool's sources, or one prepared that still must answer."""

    master_id: UUID
    stage: int
    position: str
    sources: tuple[UUID, ...]
    tube_id: UUID | None = None


class AlertKind(StrEnum):
    """What the whole laboratory should hear of."""

    POOL_POSITIVE = "pool_positive"
    DISCORDANT = "discordant"


@dataclass(frozen=True)
class Alert:
    """Something about a tube that is more than the sum of its findings."""

    kind: AlertKind
    tube_id: UUID


@dataclass(frozen=True)
class Conclusion:
    """Everything the evidence implies. The same evidence always implies the same.

    ``unchosen``: pools that cannot clear their people and for which nobody has chosen how they are
    resolved; until then each source is tested alone.
    """

    findings: Mapping[UUID, FindingDraft] = field(default_factory=dict)
    wanted: tuple[WantedOrder, ...] = ()
    unwanted: tuple[UUID, ...] = ()
    recollections: Mapping[UUID, str] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    sub_pools: tuple[WantedSubPool, ...] = ()
    unchosen: tuple[UUID, ...] = ()
