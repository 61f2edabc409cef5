"""Receive a tube at the laboratory door: it is here, and it is known what to do with it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TUBE_MOVES, OrderReason, TubeKind, TubeState, move
from lims.domain.pooling.evidence import USUAL_PRIORITY
from lims.tables import Campaign, TestOrder, Tube
from lims.work.audit import record
from lims.work.tubes import scanned


class NextStep(StrEnum):
    """Where the technician puts the tube down."""

    POOL = "pool"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Received:
    """The receipt of one scan."""

    tube_id: UUID
    barcode: str
    kind: TubeKind
    next_step: NextStep
    received_at: datetime
    replayed: bool


def receive(session: Session, scan: str, *, by: str, now: datetime) -> Received:
    """Receive a scanned tube. Scanning it again answers the same and changes nothing.

    An individual tube of a pooling campaign waits for its pool; any other is
    queued for a run. Raises the refusals of ``scanned``, and IllegalMove for a
    rejected or discarded tube.
    """
    tube = scanned(session, scan)
    if tube.state == TubeState.RECEIVED:
        return _receipt(session, tube, replayed=True)
    move(TUBE_MOVES, TubeState(tube.state), TubeState.RECEIVED, what=f"tube {tube.barcode}")
    tube.state = TubeState.RECEIVED
    tube.received_at = now
    tube.received_by = by
    receipt = _receipt(session, tube, replayed=False)
    if receipt.next_step is NextStep.RUN:
        queue_first_test(session, tube, now=now)
    record(
        session,
        site_id=tube.site_id,
        actor=by,
        verb="receive",
        subject=tube.barcode,
        now=now,
    )
    return receipt


def queue_first_test(
    session: Session,
    tube: Tube,
    *,
    now: datetime,
    why: OrderReason = OrderReason.PRIMARY,
    priority: int = USUAL_PRIORITY,
) -> None:
    """Want the tube's first test, unless it is wanted already."""
    known = select(TestOrder.id).where(TestOrder.tube_id == tube.id).limit(1)
    if session.execute(known).first() is None:
        session.add(
            TestOrder(
                site_id=tube.site_id,
                tube_id=tube.id,
                assay_code=tube.assay_code,
                why=why,
                priority=priority,
                created_at=now,
            )
        )


def _receipt(session: Session, tube: Tube, *, replayed: bool) -> Received:
    kind = TubeKind(tube.kind)
    return Received(
        tube_id=tube.id,
        barcode=tube.barcode,
        kind=kind,
        next_step=NextStep.POOL if _awaits_pool(session, tube) else NextStep.RUN,
        received_at=tube.received_at or tube.created_at,
        replayed=replayed,
    )


def _awaits_pool(session: Session, tube: Tube) -> bool:
    if tube.kind != TubeKind.INDIVIDUAL or tube.campaign_id is None:
        return False
    if session.execute(select(TestOrder.id).where(TestOrder.tube_id == tube.id).limit(1)).first():
        return False
    campaign = session.get_one(Campaign, tube.campaign_id)
    return campaign.pool_size > 1
