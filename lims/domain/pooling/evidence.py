"""The values that resolution reasons about: tubes, what was measured, what is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import FindingOutcome, Outcome

TOP_PRIORITY = 9
USUAL_PRIORITY = 5
MOST_INVALIDS = 2


@dataclass(frozen=True)
class TubeFacts:
    """A tube and the set of specimens it is about, through every level of pooling."""

    id: UUID
    kind: TubeKind
    specimens: frozenset[UUID]
    sources: tuple[UUID, ...] = ()
    rejected: bool = False


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
    """Everything the evidence implies. The same evidence always implies the same."""

    findings: Mapping[UUID, FindingDraft] = field(default_factory=dict)
    wanted: tuple[WantedOrder, ...] = ()
    unwanted: tuple[UUID, ...] = ()
    recollections: Mapping[UUID, str] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
