"""Prepare a sub-pool: draws from some of a positive pool's tubes into a tube with a new label."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.lifecycle import OrderReason, OrderState, SubPoolState, TubeKind, TubeState
from lims.domain.pooling.evidence import TOP_PRIORITY
from lims.domain.refusals import DifferentBody, NotFound, SubPoolMade, SubPoolNotWanted
from lims.domain.registration import digest
from lims.tables import SubPool, TestOrder, Tube
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.once import one_at_a_time
from lims.work.pool import refuse_empty, refuse_taken


@dataclass(frozen=True, slots=True)
class PrepareRequest:
    """A sub-pool that was pipetted: the tube's id minted by the client, and its label."""

    tube_id: UUID
    sub_pool_id: UUID
    barcode: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The receipt of a sub-pool. ``sources`` are its tubes in pipetting order."""

    tube_id: UUID
    sub_pool_id: UUID
    barcode: str
    master: str
    position: str
    sources: tuple[str, ...]
    replayed: bool


def prepare(
    session: Session, request: PrepareRequest, *, site_id: UUID, by: str, now: datetime
) -> Prepared:
    """Keep the tube and queue its test before everything else. Again, it answers the same.

    Raises NotFound, DifferentBody, BarcodeTaken, NoVolumeLeft, SubPoolMade (under another
    label), and SubPoolNotWanted when a result came meanwhile and nothing asks for it any more.
    """
    said = digest([str(request.sub_pool_id), request.barcode])
    one_at_a_time(session, request.tube_id)
    earlier = session.get(Tube, request.tube_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came=f"another tube under {request.tube_id}", where="tube_id")
        return _receipt(session, request, replayed=True)
    wanted = _locked(session, request.sub_pool_id, site_id)
    refuse_taken(session, request.barcode)
    refuse_empty(session, list(session.scalars(_SOURCES, {"id": wanted.id})))
    master = session.get_one(Tube, wanted.master_id)
    tube = Tube(
        id=request.tube_id,
        site_id=site_id,
        barcode=request.barcode,
        kind=TubeKind.LAB_POOL,
        state=TubeState.RECEIVED,
        campaign_id=master.campaign_id,
        assay_code=master.assay_code,
        capacity=master.capacity,
        created_at=now,
        created_by=by,
        received_at=now,
        received_by=by,
        body_digest=said,
        master_id=master.id,
    )
    session.add(tube)
    session.flush()
    session.execute(_HELD, {"tube": tube.id, "sub_pool": wanted.id})
    wanted.state, wanted.tube_id = SubPoolState.PREPARED, tube.id
    wanted.ended_at, wanted.ended_by = now, by
    session.add(_order(tube, wanted.position, master.barcode, now))
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="prepare",
        subject=tube.barcode,
        now=now,
        pool=master.barcode,
        position=wanted.position,
    )
    session.flush()
    return _receipt(session, request, replayed=False)


def _locked(session: Session, sub_pool_id: UUID, site_id: UUID) -> SubPool:
    """The wanted sub-pool, its pool held as whoever concludes about it does."""
    wanted = session.get(SubPool, sub_pool_id)
    if wanted is None or wanted.site_id != site_id:
        raise NotFound(came=str(sub_pool_id), where="sub_pool_id")
    lock_components(session, [wanted.master_id])
    session.refresh(wanted)
    match SubPoolState(wanted.state):
        case SubPoolState.WANTED:
            return wanted
        case SubPoolState.PREPARED:
            label = session.get_one(Tube, wanted.tube_id).barcode
            raise SubPoolMade(came=barcodes.shown(label), where=wanted.position)
        case SubPoolState.CANCELLED:
            raise SubPoolNotWanted(where=wanted.position)


def _order(tube: Tube, position: str, master: str, now: datetime) -> TestOrder:
    return TestOrder(
        id=uuid7(),
        site_id=tube.site_id,
        tube_id=tube.id,
        assay_code=tube.assay_code,
        round=1,
        priority=TOP_PRIORITY,
        why=OrderReason.RESOLVE,
        because=f"{position} of pool {master}",
        state=OrderState.QUEUED,
        created_at=now,
    )


_SOURCES = text("SELECT source_id FROM sub_pool_source WHERE sub_pool_id = :id")

_HELD = text("""
INSERT INTO tube_specimen (tube_id, specimen_id)
SELECT :tube, ts.specimen_id FROM sub_pool_source s
JOIN tube_specimen ts ON ts.tube_id = s.source_id WHERE s.sub_pool_id = :sub_pool
""")

_SAID = text("""
SELECT m.barcode AS master, p.position,
       array(SELECT t.barcode FROM sub_pool_source s JOIN tube t ON t.id = s.source_id
             WHERE s.sub_pool_id = p.id ORDER BY s.place) AS sources
FROM sub_pool p JOIN tube m ON m.id = p.master_id WHERE p.id = :id
""")


def _receipt(session: Session, request: PrepareRequest, *, replayed: bool) -> Prepared:
    row = session.execute(_SAID, {"id": request.sub_pool_id}).one()
    return Prepared(
        tube_id=request.tube_id,
        sub_pool_id=request.sub_pool_id,
        barcode=request.barcode,
        master=row.master,
        position=row.position,
        sources=tuple(row.sources),
        replayed=replayed,
    )
