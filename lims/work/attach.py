"""Attach an unmatched measurement to the tube it is really about (S13)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from instruments.measurement import Role
from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.antigen import is_antigen
from lims.domain.interpretation import assay_named
from lims.domain.lifecycle import OrderReason, OrderState, RunState, Standing, TubeState
from lims.domain.refusals import IllegalMove, MixedAssay, TubeRejected, UnknownRun, WellTaken
from lims.tables import Measurement, Result, TestOrder, Tube
from lims.work.attach_reading import attach_reading
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.matched import Matched, stored_call, stored_readings
from lims.work.measurements import Locked, locked_measurement, refuse_unless
from lims.work.own_word import refuse_unbelieved
from lims.work.results import write_results
from lims.work.settle_run import settle_measured
from lims.work.tubes import scanned

_JUDGED = frozenset({RunState.VALID, RunState.HELD, RunState.INVALID})


@dataclass(frozen=True, slots=True)
class Attached:
    """What came of it. No ``outcome`` when the run's verdict lets the measurement say nothing."""

    measurement_id: UUID
    barcode: str
    outcome: str | None
    held: bool
    replayed: bool


def attach(
    session: Session, measurement_id: UUID, scan: str, *, by: str, now: datetime
) -> Attached:
    """Give the measurement to a tube, with exactly the effect it would have had in its run.

    It answers the tube's waiting test, or an added one when nothing waits. In
    an invalid run it says nothing and the tube stays wanted. Raises NotFound,
    the refusals of ``scanned``, IllegalMove (not unmatched, a control, tube not
    received, run not judged), UnknownRun (a plate nobody laid out: no controls
    speak for it), MixedAssay, TubeRejected, WellTaken (its test is on a plate), DriverDiffers (its
    word counts for nothing yet). A reader's antigen goes to the strip of the person whose tube or
    number was scanned: NoOpenStrip.
    """
    locked = locked_measurement(session, measurement_id)
    measurement = locked.measurement
    if measurement.run_text is None and is_antigen(measurement.assay_text):
        read = attach_reading(session, measurement, scan, by=by, now=now)
        return Attached(
            measurement.id, barcodes.normalise(scan), read.outcome, False, read.replayed
        )
    tube = scanned(session, scan, lock=False)
    if measurement.standing == Standing.MATCHED and measurement.tube_id == tube.id:
        return _attached(session, measurement, tube, replayed=True)
    refuse_unless(measurement, Standing.UNMATCHED)
    _refuse_unfit(locked)
    refuse_unbelieved(session, measurement)
    lock_components(session, [tube.id])
    session.refresh(tube)
    _refuse_tube(measurement, tube)
    order = _order(session, tube, by=by, now=now)
    measurement.standing = Standing.MATCHED
    measurement.why = f"attached by {by}"
    measurement.tube_id = tube.id
    measurement.order_id = order.id
    session.flush()
    _let_it_speak(session, locked, tube, order, now=now)
    attached = _attached(session, measurement, tube, replayed=False)
    record(
        session,
        site_id=tube.site_id,
        actor=by,
        verb="attach",
        subject=tube.barcode,
        now=now,
        measurement_id=str(measurement.id),
        said=measurement.specimen_text,
        plate=measurement.run_text,
        well=measurement.well,
        outcome=attached.outcome,
    )
    session.flush()
    return attached


def _refuse_unfit(locked: Locked) -> None:
    measurement, run = locked.measurement, locked.run
    if measurement.role != Role.SPECIMEN:
        raise IllegalMove(
            source=measurement.role, target="attached", allowed=["dismissed"], where="measurement"
        )
    if run is None and measurement.run_text is not None:
        raise UnknownRun(
            came=f"plate {measurement.run_text}",
            where="measurement",
            todo="dismiss it and test the tube again: no controls speak for that plate",
        )
    if run is not None and RunState(run.state) not in _JUDGED:
        raise IllegalMove(
            source=run.state, target="attached", allowed=sorted(_JUDGED), where=f"run {run.plate}"
        )


def _refuse_tube(measurement: Measurement, tube: Tube) -> None:
    shown = barcodes.shown(tube.barcode)
    if assay_named(measurement.assay_text) != tube.assay_code:
        raise MixedAssay(
            came=f"{measurement.assay_text} for {shown}, a tube of {tube.assay_code}",
            where="measurement",
        )
    if tube.state == TubeState.REJECTED:
        raise TubeRejected(came=f"{shown}: {tube.reject_reason}", where="barcode")
    if tube.state != TubeState.RECEIVED:
        raise IllegalMove(
            source=tube.state,
            target="attached",
            allowed=[TubeState.RECEIVED],
            where=f"tube {shown}",
        )


def _order(session: Session, tube: Tube, *, by: str, now: datetime) -> TestOrder:
    """The test that the measurement answers: the one that waits, or one more."""
    waiting = session.scalars(
        select(TestOrder).where(
            TestOrder.tube_id == tube.id,
            TestOrder.assay_code == tube.assay_code,
            TestOrder.state.in_((OrderState.QUEUED, OrderState.PLATED)),
        )
    ).one_or_none()
    if waiting is not None and waiting.state == OrderState.PLATED:
        raise WellTaken(
            expected="a tube that is on no plate now",
            came=f"{barcodes.shown(tube.barcode)}, which is being tested",
            where="barcode",
            todo="wait for its plate, then attach or dismiss",
        )
    if waiting is not None:
        return waiting
    rounds = select(func.coalesce(func.max(TestOrder.round), 0)).where(
        TestOrder.tube_id == tube.id, TestOrder.assay_code == tube.assay_code
    )
    order = TestOrder(
        id=uuid7(),
        site_id=tube.site_id,
        tube_id=tube.id,
        assay_code=tube.assay_code,
        round=session.scalars(rounds).one() + 1,
        why=OrderReason.PRIMARY,
        because=f"measurement attached by {by}",
        state=OrderState.PLATED,
        created_at=now,
    )
    session.add(order)
    session.flush()
    return order


def _let_it_speak(
    session: Session, locked: Locked, tube: Tube, order: TestOrder, *, now: datetime
) -> None:
    measurement, judged = locked.measurement, locked.judged
    matched = Matched(
        measurement_id=measurement.id,
        standing=Standing.MATCHED,
        role=Role.SPECIMEN,
        readings=stored_readings(measurement.targets),
        error=measurement.error,
        own=stored_call(measurement.call, measurement.called, closed=measurement.closed_system),
        run_id=measurement.run_id,
        well=measurement.well,
        order_id=order.id,
        tube_id=tube.id,
        assay=tube.assay_code,
    )
    runs = {} if judged is None else {judged.run_id: judged}
    written = write_results(session, [matched], runs, site_id=tube.site_id, now=now)
    settle_measured(session, written, site_id=tube.site_id, now=now)


def _attached(
    session: Session, measurement: Measurement, tube: Tube, *, replayed: bool
) -> Attached:
    result = session.scalars(
        select(Result).where(Result.measurement_id == measurement.id, Result.current)
    ).one_or_none()
    return Attached(
        measurement_id=measurement.id,
        barcode=tube.barcode,
        outcome=result.outcome if result else None,
        held=result.held if result else False,
        replayed=replayed,
    )
