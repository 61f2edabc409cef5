"""Endpoints of the laboratory bench: receive, reject, pool, lay out, and what waits."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lims.api import problems
from lims.api.door import Answer, Ask, Crowd, Door
from lims.domain.interpretation import rule_in_force
from lims.domain.lifecycle import SubPoolState, TubeState
from lims.domain.pooling.choice import Because, StrategyName
from lims.doors.bodies import (
    PoolBody,
    ReceptionBody,
    RejectionBody,
    RunBody,
    SubPoolBody,
    VolumeBody,
)
from lims.work.plate import lay_out
from lims.work.pool import Pooled, make_pool
from lims.work.prepare import Prepared, prepare
from lims.work.receive import Received
from lims.work.receive_rack import receive_rack
from lims.work.reject import reject
from lims.work.run_layout import Layout, read_layout
from lims.work.tokens import Scope
from lims.work.tubes import scanned
from lims.work.views.sub_pool_view import ToPrepare, resolution, to_prepare
from lims.work.views.sub_pool_view import sub_pools as stored_sub_pools
from lims.work.volume import Volume, say_volume
from lims.work.waiting import Queue, Rack, Reswab, awaiting_pool, open_recollections, queue


@dataclass(frozen=True, slots=True)
class ReceptionRow:
    """One scan's outcome: the receipt, or the problem."""

    scan: str
    receipt: Received | None
    problem: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Reception:
    """All scans, in scan order."""

    received: int
    refused: int
    rows: list[ReceptionRow]


@dataclass(frozen=True, slots=True)
class Rejected:
    """The receipt of a rejection."""

    tube_id: UUID
    barcode: str
    reason: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class SubPoolAsked:
    """A new tube to make from these tubes, in this order; ``barcode`` once it is made."""

    sub_pool_id: UUID
    position: str
    state: SubPoolState
    barcode: str | None
    sources: list[str]
    volume_ul: int


@dataclass(frozen=True, slots=True)
class SubPools:
    """How a pool is resolved and what is to be pipetted; no strategy before it had to be."""

    pool: str
    strategy: StrategyName | None
    because: Because | None
    sub_pools: list[SubPoolAsked]


@dataclass(frozen=True, slots=True)
class Preparing:
    """Pools of which sub-pools are still to be pipetted, the longest wait first; the oldest 50."""

    pools: list[ToPrepare]


def declare(door: Door) -> None:
    """Open the bench's endpoints."""
    door.opens(
        "POST",
        "/receptions",
        scope=Scope.RECEIVE,
        body=ReceptionBody,
        answers=Reception,
        crowd=Crowd.BENCHES,
    )(receive_tubes)
    door.opens(
        "POST",
        "/rejections",
        scope=Scope.RECEIVE,
        body=RejectionBody,
        answers=Rejected,
        crowd=Crowd.BENCHES,
    )(reject_tube)
    door.opens(
        "POST", "/pools", scope=Scope.POOL, body=PoolBody, answers=Pooled, crowd=Crowd.BENCHES
    )(pool)
    door.opens("GET", "/pools/<barcode>/sub-pools", scope=Scope.POOL, answers=SubPools)(sub_pools)
    door.opens("GET", "/sub-pools", scope=Scope.POOL, answers=Preparing)(preparing)
    door.opens(
        "POST",
        "/sub-pools",
        scope=Scope.POOL,
        body=SubPoolBody,
        answers=Prepared,
        crowd=Crowd.BENCHES,
    )(sub_pool)
    door.opens(
        "POST",
        "/volumes",
        scope=Scope.RECEIVE,
        body=VolumeBody,
        answers=Volume,
        crowd=Crowd.BENCHES,
    )(volume)
    door.opens("GET", "/racks/awaiting-pool", scope=Scope.POOL, answers=Rack)(rack)
    door.opens("POST", "/runs", scope=Scope.RUN, body=RunBody, answers=Layout)(run)
    door.opens("GET", "/runs/<uuid:run_id>", scope=Scope.RUN, answers=Layout)(run_layout)
    door.opens("GET", "/queues/<assay>", scope=Scope.RUN, answers=Queue)(test_queue)
    door.opens("GET", "/recollections", scope=Scope.REGISTER, answers=list[Reswab])(recollections)


def receive_tubes(ask: Ask[ReceptionBody]) -> Answer:
    """Receive scanned tubes; each scan has its own outcome."""
    outcomes = receive_rack(
        ask.session, ask.body.barcodes, site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    rows = [
        ReceptionRow(o.scan, o.receipt, problems.problem(o.refusal) if o.refusal else None)
        for o in outcomes
    ]
    fresh = any(row.receipt is not None and not row.receipt.replayed for row in rows)
    refused = sum(row.problem is not None for row in rows)
    return Answer(Reception(len(rows) - refused, refused, rows), created=fresh)


def reject_tube(ask: Ask[RejectionBody]) -> Answer:
    """Reject a tube with a reason; its people are cleared by their pool or swabbed again."""
    before = TubeState(scanned(ask.session, ask.body.barcode).state)
    tube = reject(ask.session, ask.body.barcode, ask.body.reason, by=ask.by, now=ask.now)
    replayed = before is TubeState.REJECTED
    receipt = Rejected(tube.id, tube.barcode, tube.reject_reason or "", replayed)
    return Answer(receipt, created=not replayed)


def pool(ask: Ask[PoolBody]) -> Answer:
    """Make a laboratory pool from scanned tubes and queue its test."""
    receipt = make_pool(
        ask.session, ask.body.value(), site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(receipt, created=not receipt.replayed)


def sub_pools(ask: Ask[None], barcode: str) -> Answer:
    """How a positive pool is resolved, and the sub-pools that are wanted or prepared for it."""
    tube = scanned(ask.session, barcode, lock=False)
    line = resolution(ask.session, tube.id)
    return Answer(
        SubPools(
            pool=tube.barcode,
            strategy=line.strategy if line else None,
            because=line.because if line else None,
            sub_pools=[
                SubPoolAsked(
                    sub_pool_id=one.id,
                    position=one.position,
                    state=one.state,
                    barcode=one.barcode,
                    sources=[draw.barcode for draw in one.draws],
                    volume_ul=one.draws[0].volume_ul,
                )
                for one in stored_sub_pools(ask.session, tube.id)
            ],
        )
    )


def preparing(ask: Ask[None]) -> Answer:
    """The positive pools that wait for somebody, or a liquid handler, to prepare sub-pools."""
    return Answer(Preparing(list(to_prepare(ask.session, site_id=ask.holder.site_id))))


def sub_pool(ask: Ask[SubPoolBody]) -> Answer:
    """Keep a sub-pool that was pipetted and queue its test before everything else."""
    receipt = prepare(
        ask.session, ask.body.value(), site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(receipt, created=not receipt.replayed)


def volume(ask: Ask[VolumeBody]) -> Answer:
    """Say how much a tube held when it came; tests are planned within what is left of it."""
    receipt = say_volume(
        ask.session,
        ask.body.barcode,
        ask.body.volume_ul,
        site_id=ask.holder.site_id,
        by=ask.by,
        now=ask.now,
    )
    return Answer(receipt, created=not receipt.replayed)


def rack(ask: Ask[None]) -> Answer:
    """The received tubes that wait for a pool, oldest first."""
    return Answer(awaiting_pool(ask.session, site_id=ask.holder.site_id))


def run(ask: Ask[RunBody]) -> Answer:
    """Lay out a 96- or 384-well run from the queue, or exactly as given."""
    layout, replayed = lay_out(
        ask.session, ask.body.value(), site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(layout, created=not replayed)


def run_layout(ask: Ask[None], run_id: UUID) -> Answer:
    """The layout of one run, for the analyser's worklist."""
    return Answer(read_layout(ask.session, run_id))


def test_queue(ask: Ask[None], assay: str) -> Answer:
    """How many tests wait for a run, by priority, and since when."""
    rule_in_force(assay)  # a mistyped assay is no empty queue
    return Answer(queue(ask.session, assay, site_id=ask.holder.site_id))


def recollections(ask: Ask[None]) -> Answer:
    """The people to be swabbed again, by household."""
    return Answer(open_recollections(ask.session, site_id=ask.holder.site_id))
