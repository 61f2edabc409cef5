"""Fill a planned plate well by well: put a tube in, take it out, move it, fill up from the queue.

Each verb names the state it wants, so that doing it again changes nothing. Once the analyser has
spoken of the plate nobody changes it: what was pipetted is what was measured.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain import barcodes
from lims.domain.lifecycle import OrderState, RunState, TubeState
from lims.domain.plates import PlateSize, parse_well, wells
from lims.domain.refusals import (
    IllegalMove,
    MixedAssay,
    NotFound,
    PlateFull,
    QueueEmpty,
    TubeHasNoTest,
    TubeRejected,
    UnknownRun,
    WellTaken,
)
from lims.tables import Run, TestOrder, Tube, Well
from lims.work.audit import record
from lims.work.plate import fill, from_queue, from_scans
from lims.work.tubes import scanned

SPECIMEN = "specimen"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a tube stands on its plate now; ``position`` None when it was taken off."""

    plate: str
    barcode: str
    position: str | None
    replayed: bool


def put_in(
    session: Session,
    plate: str,
    scan: str,
    at: str | None,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> Placed:
    """Put the scanned tube into this well, or into the next free one.

    Raises UnknownRun, IllegalMove (the plate is measured, the tube not
    received), the refusals of ``scanned``, NotAWell, WellTaken (a control or
    another tube there, or the tube on another plate), PlateFull, TubeRejected,
    MixedAssay, TubeHasNoTest (nothing waits for it).
    """
    run = _planned(session, plate, site_id)
    tube = scanned(session, scan)
    stands = _well_of(session, tube.id, run.id)
    if stands is not None:
        wanted = stands.position if at is None else parse_well(at, PlateSize(run.format))
        if wanted == stands.position:
            return Placed(run.plate, tube.barcode, stands.position, replayed=True)
        raise WellTaken(
            expected="a tube in one well",
            came=f"{barcodes.shown(tube.barcode)} is in {stands.position}",
            where="wells",
            todo="move it, or scan the tube that belongs here",
        )
    position = _free(session, run, at)
    _refuse_unfit(session, run, tube)
    places = from_scans(session, [(position, tube.barcode)], assay=run.assay_code)
    fill(session, run.id, PlateSize(run.format), places)
    _note(session, run, tube.barcode, "put_in_well", by=by, now=now, well=position)
    return Placed(run.plate, tube.barcode, position, replayed=False)


def take_out(
    session: Session, plate: str, scan: str, *, site_id: UUID, by: str, now: datetime
) -> Placed:
    """Take the tube off the plate; its test waits in the queue again, where it was.

    Raises UnknownRun, IllegalMove (the plate is measured) and the refusals of ``scanned``.
    """
    run = _planned(session, plate, site_id)
    tube = scanned(session, scan)
    stands = _well_of(session, tube.id, run.id)
    if stands is None:
        return Placed(run.plate, tube.barcode, None, replayed=True)
    order = session.get_one(TestOrder, stands.order_id, with_for_update=True)
    session.delete(stands)
    order.state = OrderState.QUEUED
    _note(session, run, tube.barcode, "take_out_of_well", by=by, now=now, well=stands.position)
    session.flush()
    return Placed(run.plate, tube.barcode, None, replayed=False)


def move_to(
    session: Session, plate: str, scan: str, to: str, *, site_id: UUID, by: str, now: datetime
) -> Placed:
    """Move a tube to a free well of its plate.

    Raises UnknownRun, IllegalMove (the plate is measured), NotAWell, WellTaken, NotFound (the tube
    is not on this plate) and the refusals of ``scanned``.
    """
    run = _planned(session, plate, site_id)
    tube = scanned(session, scan)
    stands = _well_of(session, tube.id, run.id)
    if stands is None:
        raise NotFound(
            expected="a tube that stands on this plate",
            came=barcodes.shown(tube.barcode),
            where=f"plate {run.plate}",
            todo="scan it into a well first",
        )
    before = stands.position
    if parse_well(to, PlateSize(run.format)) == before:
        return Placed(run.plate, tube.barcode, before, replayed=True)
    position = _free(session, run, to)
    stands.position = position
    _note(session, run, tube.barcode, "move_well", by=by, now=now, well=position, before=before)
    session.flush()
    return Placed(run.plate, tube.barcode, position, replayed=False)


def fill_up(session: Session, plate: str, *, site_id: UUID, by: str, now: datetime) -> int:
    """Fill the wells that are free from the queue, priority first, then age; how many it took.

    Raises UnknownRun, IllegalMove (the plate is measured), PlateFull, QueueEmpty.
    """
    run = _planned(session, plate, site_id)
    free = _free_wells(session, run)
    if not free:
        raise PlateFull(came=f"plate {run.plate}", where="wells")
    places = from_queue(session, free, site_id=site_id, assay=run.assay_code)
    if not places:
        raise QueueEmpty(came="an empty queue", where=f"queue of {run.assay_code}")
    fill(session, run.id, PlateSize(run.format), places)
    _note(session, run, run.plate, "fill_up", by=by, now=now, samples=len(places))
    return len(places)


def _planned(session: Session, plate: str, site_id: UUID) -> Run:
    """The run, locked against a message about it. Raises UnknownRun, IllegalMove."""
    run = session.scalars(
        select(Run)
        .where(Run.plate == plate, Run.site_id == site_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if run is None:
        raise UnknownRun(came=plate[:40], where="runs", todo="check the plate's barcode")
    if run.state != RunState.PLANNED:
        raise IllegalMove(
            source=run.state,
            target="filled",
            allowed=[RunState.PLANNED],
            where=f"run {run.plate}",
        )
    return run


def _well_of(session: Session, tube_id: UUID, run_id: UUID) -> Well | None:
    return session.scalars(
        select(Well).where(Well.run_id == run_id, Well.tube_id == tube_id)
    ).one_or_none()


def _free_wells(session: Session, run: Run) -> list[str]:
    """In filling order."""
    taken = set(session.scalars(select(Well.position).where(Well.run_id == run.id)))
    return [well for well in wells(PlateSize(run.format)) if well not in taken]


def _free(session: Session, run: Run, at: str | None) -> str:
    free = _free_wells(session, run)
    if at is None:
        if not free:
            raise PlateFull(came=f"plate {run.plate}", where="wells")
        return free[0]
    position = parse_well(at, PlateSize(run.format))
    if position not in free:
        stands = session.get_one(Well, (run.id, position))
        if stands.role != SPECIMEN:
            raise WellTaken(came=f"{position} is a control's well", where="wells")
        raise WellTaken(came=f"{position} holds another tube", where="wells")
    return position


def _refuse_unfit(session: Session, run: Run, tube: Tube) -> None:
    """Said while the tube is in the hand: what it waits for, when it is not this plate."""
    shown = barcodes.shown(tube.barcode)
    if tube.state == TubeState.REJECTED:
        raise TubeRejected(came=f"{shown}: {tube.reject_reason}", where="barcode")
    if tube.state != TubeState.RECEIVED:
        raise IllegalMove(
            source=tube.state,
            target="plated",
            allowed=[TubeState.RECEIVED],
            where=f"tube {shown}",
        )
    if tube.assay_code != run.assay_code:
        raise MixedAssay(came=f"{shown} for {tube.assay_code}", where="wells")
    stands = session.execute(_STANDS, {"tube": tube.id, "assay": run.assay_code}).one()
    if stands.plate is not None:
        raise WellTaken(
            expected="a tube that is on no plate now",
            came=f"{shown} is on plate {stands.plate}, {stands.position}",
            where="barcode",
            todo="take it out of the other plate first, or leave it there",
        )
    if stands.queued:
        return
    if stands.pool is not None:
        raise TubeHasNoTest(
            came=f"{shown} is in pool {barcodes.shown(stands.pool)}",
            where="barcode",
            todo="plate its pool; the tube is tested alone only if the pool asks for it",
        )
    if tube.awaits_pool:
        raise TubeHasNoTest(
            came=shown, where="barcode", todo="it waits for a pool: put it on the pooling rack"
        )
    raise TubeHasNoTest(
        came=shown, where="barcode", todo="its test is answered; look at its page for what it said"
    )


_STANDS = text("""
SELECT (SELECT p.barcode FROM tube_source s JOIN tube p ON p.id = s.pool_id
        WHERE s.source_id = :tube) AS pool,
       EXISTS (SELECT FROM test_order o WHERE o.tube_id = :tube AND o.assay_code = :assay
               AND o.state = 'queued') AS queued,
       on_plate.plate, on_plate.position
FROM (SELECT) nothing LEFT JOIN LATERAL (
    SELECT r.plate, w.position FROM well w JOIN run r ON r.id = w.run_id
    JOIN test_order o ON o.id = w.order_id AND o.state = 'plated'
    WHERE w.tube_id = :tube LIMIT 1
) on_plate ON true
""")


def _note(
    session: Session,
    run: Run,
    subject: str,
    verb: str,
    *,
    by: str,
    now: datetime,
    **detail: str | int,
) -> None:
    record(
        session,
        site_id=run.site_id,
        actor=by,
        verb=verb,
        subject=subject,
        now=now,
        plate=run.plate,
        **detail,
    )
