"""How a positive pool is resolved, and what is to be pipetted for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import SubPoolState
from lims.domain.pooling.choice import Because, StrategyName


@dataclass(frozen=True, slots=True)
class ResolutionLine:
    """The choice in force of one pool; ``facts`` are the numbers it was chosen by."""

    strategy: StrategyName
    because: Because
    said: str | None
    facts: Mapping[str, Any]
    chosen_by: str
    chosen_at: datetime


@dataclass(frozen=True, slots=True)
class Draw:
    """One transfer. ``rack`` and ``rack_position``: where its tube was received, if in a rack."""

    place: int
    pool_place: int
    barcode: str
    rack: str | None
    rack_position: str | None
    volume_ul: int


@dataclass(frozen=True, slots=True)
class SubPoolLine:
    """A sub-pool that is wanted or prepared, with its draws in pipetting order."""

    id: UUID
    stage: int
    position: str
    state: SubPoolState
    barcode: str | None
    wanted_at: datetime
    outcome: str | None
    ct_cycles: float | None
    order_state: str | None
    plate: str | None
    draws: tuple[Draw, ...]


@dataclass(frozen=True, slots=True)
class ToPrepare:
    """A pool whose sub-pools somebody has to pipette."""

    barcode: str
    sub_pools: int
    since: datetime


def resolution(session: Session, pool_id: UUID) -> ResolutionLine | None:
    """The choice in force; None before the pool had to be resolved."""
    row = session.execute(_RESOLUTION, {"pool": pool_id}).one_or_none()
    if row is None:
        return None
    return ResolutionLine(
        StrategyName(row.strategy),
        Because(row.because),
        row.said,
        row.facts,
        row.chosen_by,
        row.chosen_at,
    )


def sub_pools(session: Session, pool_id: UUID) -> tuple[SubPoolLine, ...]:
    """Those that are wanted or prepared, in the order of the bench."""
    rows = session.execute(_SUB_POOLS, {"pool": pool_id}).all()
    draws: dict[UUID, list[Draw]] = {row.id: [] for row in rows}
    for draw in session.execute(_DRAWS, {"sub_pools": list(draws)}):
        draws[draw.sub_pool_id].append(Draw(*draw[1:]))
    return tuple(
        SubPoolLine(
            id=row.id,
            stage=row.stage,
            position=row.position,
            state=SubPoolState(row.state),
            barcode=row.barcode,
            wanted_at=row.wanted_at,
            outcome=row.outcome,
            ct_cycles=row.ct_cycles,
            order_state=row.order_state,
            plate=row.plate,
            draws=tuple(draws[row.id]),
        )
        for row in rows
    )


def to_prepare(session: Session, *, site_id: UUID, most: int = 50) -> tuple[ToPrepare, ...]:
    """Pools with sub-pools that nobody has pipetted yet, the longest wait first."""
    rows = session.execute(_TO_PREPARE, {"site": site_id, "most": most})
    return tuple(ToPrepare(**row._mapping) for row in rows)


_RESOLUTION = text("""
SELECT strategy, because, said, facts, chosen_by, chosen_at FROM pool_resolution
WHERE pool_id = :pool AND current
""")

_SUB_POOLS = text("""
SELECT p.id, p.stage, p.position, p.state, t.barcode, p.wanted_at, r.outcome, r.ct_cycles,
       o.state AS order_state, run.plate
FROM sub_pool p
LEFT JOIN tube t ON t.id = p.tube_id
LEFT JOIN LATERAL (
    SELECT outcome, ct_cycles FROM result
    WHERE tube_id = p.tube_id AND current ORDER BY created_at DESC, id DESC LIMIT 1
) r ON true
LEFT JOIN LATERAL (
    SELECT id, state FROM test_order WHERE tube_id = p.tube_id ORDER BY round DESC LIMIT 1
) o ON true
LEFT JOIN well w ON w.order_id = o.id
LEFT JOIN run ON run.id = w.run_id
WHERE p.master_id = :pool AND p.state <> 'cancelled'
  AND (t.state IS DISTINCT FROM 'rejected' OR r.outcome IS NOT NULL)
ORDER BY p.stage, CASE split_part(p.position, ' ', 1) WHEN 'row' THEN 1 ELSE 2 END,
         p.position, p.wanted_at
""")

_DRAWS = text("""
SELECT s.sub_pool_id, s.place, m.position, t.barcode, k.sender AS rack,
       k.position AS rack_position, s.volume_ul
FROM sub_pool_source s
JOIN tube t ON t.id = s.source_id
JOIN tube_source m ON m.pool_id = s.master_id AND m.source_id = s.source_id
LEFT JOIN LATERAL (
    SELECT r.sender, rt.position FROM rack_tube rt JOIN rack r ON r.id = rt.rack_id
    WHERE rt.tube_id = s.source_id AND rt.scanned_at IS NOT NULL
    ORDER BY rt.scanned_at DESC LIMIT 1
) k ON true
WHERE s.sub_pool_id = ANY(:sub_pools) ORDER BY s.sub_pool_id, s.place
""")

_TO_PREPARE = text("""
SELECT t.barcode, count(*) AS sub_pools, min(p.wanted_at) AS since
FROM sub_pool p JOIN tube t ON t.id = p.master_id
WHERE p.site_id = :site AND p.state = 'wanted'
GROUP BY t.barcode ORDER BY min(p.wanted_at), t.barcode LIMIT :most
""")
