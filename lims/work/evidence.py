"""Read, and lock, everything the laboratory knows of some tubes and their pools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.conclude import Policy, conclude
from lims.domain.pooling.evidence import (
    Composition,
    Conclusion,
    Decision,
    DrawsLeft,
    Evidence,
    OrderFacts,
    TubeFacts,
)
from lims.domain.pooling.strategies import STRATEGIES

_REACH = text("""
WITH RECURSIVE reach(id) AS (
    SELECT g.id FROM unnest(cast(:ids AS uuid[])) g(id)
    UNION
    SELECT n.id FROM reach r CROSS JOIN LATERAL (
        SELECT source_id AS id FROM tube_source WHERE pool_id = r.id
        UNION ALL
        SELECT pool_id FROM tube_source WHERE source_id = r.id
        UNION ALL
        SELECT id FROM tube WHERE master_id = r.id
        UNION ALL
        SELECT master_id FROM tube WHERE id = r.id AND master_id IS NOT NULL
    ) n
)
SELECT t.id FROM tube t WHERE t.id IN (SELECT id FROM reach) ORDER BY t.id FOR NO KEY UPDATE
""")

_SEEN = frozenset({Outcome.DETECTED, Outcome.INCONCLUSIVE})
"""What a machine may also have said without a cycle number."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """How a pool is resolved, and the row that says so."""

    id: UUID
    strategy: StrategyName
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What ``conclude`` takes, for one or several components at once."""

    composition: Composition
    evidence: tuple[Evidence, ...]
    orders: tuple[OrderFacts, ...]
    decisions: tuple[Decision, ...]
    choices: Mapping[UUID, Chosen] = field(default_factory=dict)

    def conclude(self) -> Conclusion:
        """What all of it says."""
        chosen = {pool: STRATEGIES[choice.strategy] for pool, choice in self.choices.items()}
        facts = {pool: choice.facts for pool, choice in self.choices.items()}
        return conclude(
            self.composition,
            self.evidence,
            self.orders,
            self.decisions,
            Policy(chosen, facts=facts),
        )

    def resolving(self, pool: UUID) -> bool:
        """Somebody in the pool is neither cleared nor found yet."""
        found = self.conclude().findings
        ended = {FindingOutcome.NEGATIVE, FindingOutcome.POSITIVE}
        tube = self.composition.tubes[pool]
        return any(s not in found or found[s].outcome not in ended for s in tube.specimens)

    @property
    def specimens(self) -> tuple[UUID, ...]:
        """Every specimen the component holds, in id order, so that locks never cross."""
        return tuple(sorted({s for t in self.composition.tubes.values() for s in t.specimens}))


def lock_components(session: Session, tubes: Sequence[UUID]) -> list[UUID]:
    """Lock the tubes, their pools, and those pools' other sources; in id order.

    Whoever concludes about a component holds it whole, so two results about
    one pool can never both decide on half the evidence.
    NO KEY UPDATE: two messages that have both just inserted results, and so
    share the tubes' keys, wait for one another here instead of deadlocking.
    """
    return list(session.execute(_REACH, {"ids": list(tubes)}).scalars())


def read_known(session: Session, tubes: Sequence[UUID]) -> Known:
    """Read composition and evidence of locked tubes. A held or superseded result is no evidence."""
    ids = {"ids": list(tubes)}
    return Known(
        composition=_composition(session, ids),
        evidence=tuple(
            Evidence(
                result_id=r.id,
                tube_id=r.tube_id,
                round=r.round,
                outcome=Outcome(r.outcome),
                ct_cycles=r.ct_cycles,
                amplified=r.ct_cycles is not None or r.outcome in _SEEN,
            )
            for r in session.execute(_RESULTS, ids)
        ),
        orders=tuple(
            OrderFacts(
                r.id,
                r.tube_id,
                r.round,
                OrderState(r.state),
                OrderReason(r.why),
                r.priority,
                r.because,
            )
            for r in session.execute(_ORDERS, ids)
        ),
        decisions=tuple(Decision(r.tube_id, r.kind) for r in session.execute(_DECISIONS, ids)),
        choices={
            r.pool_id: Chosen(r.id, StrategyName(r.strategy), r.facts)
            for r in session.execute(_CHOICES, ids)
        },
    )


_RESULTS = text("""
SELECT r.id, r.tube_id, o.round, r.outcome, r.ct_cycles
FROM result r JOIN test_order o ON o.id = r.order_id
WHERE r.tube_id = ANY(:ids) AND r.current AND NOT r.held AND r.status <> 'X'
""")

_ORDERS = text(
    "SELECT id, tube_id, round, state, why, priority, because FROM test_order"
    " WHERE tube_id = ANY(:ids)"
)

_DECISIONS = text("SELECT tube_id, kind FROM review_decision WHERE tube_id = ANY(:ids)")


_CHOICES = text(
    "SELECT id, pool_id, strategy, facts FROM pool_resolution WHERE pool_id = ANY(:ids) AND current"
)


_TUBES = text("""
SELECT t.id, t.kind, t.state, t.master_id, s.pool_draw_ul, s.test_draw_ul,
       CASE WHEN t.volume_ul IS NOT NULL THEN t.volume_ul - tube_drawn_ul(t.id, s.test_draw_ul) END
         AS left_ul
FROM tube t JOIN site s ON s.id = t.site_id WHERE t.id = ANY(:ids)
""")


def _composition(session: Session, ids: dict[str, list[UUID]]) -> Composition:
    specimens: dict[UUID, set[UUID]] = {}
    for row in session.execute(
        text("SELECT tube_id, specimen_id FROM tube_specimen WHERE tube_id = ANY(:ids)"), ids
    ):
        specimens.setdefault(row.tube_id, set()).add(row.specimen_id)
    sources: dict[UUID, list[UUID]] = {}
    for row in session.execute(
        text(
            "SELECT pool_id, source_id, position FROM tube_source WHERE pool_id = ANY(:ids)"
            " UNION ALL SELECT p.tube_id, s.source_id, s.place FROM sub_pool p"
            " JOIN sub_pool_source s ON s.sub_pool_id = p.id WHERE p.tube_id = ANY(:ids)"
            " ORDER BY pool_id, position"
        ),
        ids,
    ):
        sources.setdefault(row.pool_id, []).append(row.source_id)
    tubes = session.execute(_TUBES, ids)
    return Composition(
        {
            row.id: TubeFacts(
                id=row.id,
                kind=TubeKind(row.kind),
                specimens=frozenset(specimens.get(row.id, ())),
                sources=tuple(sources.get(row.id, ())),
                rejected=row.state == "rejected",
                master=row.master_id,
                draws_left=None
                if row.left_ul is None
                else DrawsLeft(max(0, row.left_ul), row.pool_draw_ul, row.test_draw_ul),
            )
            for row in tubes
        }
    )
