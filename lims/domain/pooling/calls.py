"""What all the attempts at one tube add up to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from lims.domain.outcomes import Outcome
from lims.domain.pooling.evidence import MOST_INVALIDS, Evidence, OrderFacts


@dataclass(frozen=True)
class Call:
    """The standing answer of one tube: its last conclusive attempt, else how it failed."""

    outcome: Outcome | None
    evidence: tuple[UUID, ...]
    ct_cycles: float | None
    invalids: int
    inconclusives: int
    negatives: int
    detections: int
    ever_detected: bool
    amplified: bool

    @property
    def exhausted(self) -> bool:
        """Two invalid attempts: this tube will not tell (S5)."""
        return self.outcome is None and self.invalids >= MOST_INVALIDS


SILENT = Call(None, (), None, 0, 0, 0, 0, ever_detected=False, amplified=False)


def call(attempts: Iterable[Evidence]) -> Call:
    """Add up the attempts of one tube, by round, in any order of arrival.

    A conclusive round outranks an earlier one; an invalid round is not
    evidence. A tube once detected and then not stays *ever detected*: the
    disagreement is for a reviewer, not for the arithmetic, and every
    conclusive attempt is named as evidence of it.
    """
    ordered = sorted(set(attempts), key=lambda e: (e.round, e.result_id))
    conclusive = [e for e in ordered if e.outcome is not Outcome.INVALID]
    if not conclusive:
        evidence = tuple(e.result_id for e in ordered)
        return Call(
            None, evidence, None, len(ordered), 0, 0, 0, ever_detected=False, amplified=False
        )
    last = conclusive[-1]
    ever_detected = any(e.outcome is Outcome.DETECTED for e in conclusive)
    disputed = ever_detected and last.outcome is not Outcome.DETECTED
    return Call(
        outcome=last.outcome,
        evidence=tuple(e.result_id for e in conclusive) if disputed else (last.result_id,),
        ct_cycles=last.ct_cycles,
        invalids=sum(e.outcome is Outcome.INVALID for e in ordered),
        inconclusives=sum(e.outcome is Outcome.INCONCLUSIVE for e in ordered),
        negatives=sum(e.outcome is Outcome.NOT_DETECTED for e in ordered),
        detections=sum(e.outcome is Outcome.DETECTED for e in conclusive),
        ever_detected=ever_detected,
        amplified=any(e.amplified for e in ordered),
    )


def calls(evidence: Iterable[Evidence]) -> Mapping[UUID, Call]:
    """The call of every tube that has been measured."""
    by_tube: dict[UUID, list[Evidence]] = {}
    for item in evidence:
        by_tube.setdefault(item.tube_id, []).append(item)
    return {tube: call(items) for tube, items in by_tube.items()}


def attempts_of(orders: Iterable[OrderFacts]) -> Mapping[UUID, tuple[OrderFacts, ...]]:
    """Every order of each tube, by round."""
    by_tube: dict[UUID, list[OrderFacts]] = {}
    for order in orders:
        by_tube.setdefault(order.tube_id, []).append(order)
    return {t: tuple(sorted(o, key=lambda order: order.round)) for t, o in by_tube.items()}
