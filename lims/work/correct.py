"""Accept the second value that an analyser sent for one test (S14)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from instruments.measurement import Role
from lims.db.ids import uuid7
from lims.domain.interpretation import Interpretation, rule_in_force
from lims.domain.lifecycle import ORDER_MOVES, OrderState, ResultStatus, RunState, Standing, move
from lims.domain.outcomes import Outcome
from lims.domain.refusals import IllegalMove
from lims.domain.well_reading import interpret
from lims.tables import Measurement, Result, Run, TestOrder, Tube
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.matched import stored_call, stored_readings
from lims.work.measurements import Locked, locked_measurement, refuse_unless
from lims.work.settle import settle

_WAITS_FOR_REVIEW = frozenset({Outcome.DETECTED, Outcome.INCONCLUSIVE})

_ACCEPTED = "correction accepted"


@dataclass(frozen=True, slots=True)
class Corrected:
    """Both words. ``outcome`` is None when the run's verdict lets the new value say nothing."""

    measurement_id: UUID
    barcode: str
    was: str | None
    outcome: str | None
    replayed: bool


def accept_correction(
    session: Session, measurement_id: UUID, *, by: str, now: datetime
) -> Corrected:
    """Let the new value replace the old one: a new result (status C) supersedes, and all follows.

    Accepting it again changes nothing. In a run not judged yet the new value
    takes the held one's place. Raises NotFound, and IllegalMove for anything
    but a waiting correction, for a control (invalidate the run instead), in an
    invalid run, and for a test that was voided and queued again.
    """
    locked = locked_measurement(session, measurement_id)
    measurement, run = locked.measurement, locked.run
    tube = session.get_one(Tube, measurement.tube_id) if measurement.tube_id else None
    if measurement.standing == Standing.MATCHED and tube is not None:
        return _replay(session, measurement, tube)
    refuse_unless(measurement, Standing.CORRECTION)
    if measurement.strip_id is not None:
        raise IllegalMove(
            source="correction of a rapid test",
            target="accepted",
            allowed=["dismissed"],
            where="rapid_tests",
            todo="dismiss it, and test the person again with a new strip or by PCR",
        )
    if measurement.role != Role.SPECIMEN or tube is None or measurement.order_id is None:
        raise IllegalMove(
            source=f"correction of a {measurement.role}",
            target="accepted",
            allowed=["dismissed"],
            where=f"well {measurement.well}",
        )
    lock_components(session, [tube.id])
    if run is not None and RunState(run.state) in {RunState.PLANNED, RunState.MEASURING}:
        _replace_said(session, measurement, Standing.HELD)
        corrected = Corrected(measurement.id, tube.barcode, None, None, replayed=False)
    else:
        corrected = _supersede(session, locked, measurement.order_id, tube, now=now)
        settle(session, [tube.id], site_id=tube.site_id, now=now, signed=by)
    record(
        session,
        site_id=tube.site_id,
        actor=by,
        verb="accept_correction",
        subject=tube.barcode,
        now=now,
        measurement_id=str(measurement.id),
        was=corrected.was,
        outcome=corrected.outcome,
    )
    session.flush()
    return corrected


def _supersede(
    session: Session, locked: Locked, order_id: UUID, tube: Tube, *, now: datetime
) -> Corrected:
    measurement, run = locked.measurement, locked.run
    if run is not None and run.state == RunState.INVALID:
        raise IllegalMove(
            source=f"correction in an {run.state} run",
            target="accepted",
            allowed=["dismissed"],
            where=f"run {run.plate}",
        )
    order = session.get_one(TestOrder, order_id, populate_existing=True)
    old = session.scalars(
        select(Result).where(Result.order_id == order.id, Result.current)
    ).one_or_none()
    if old is None:
        raise IllegalMove(
            source=f"correction of a test that is {order.state}",
            target="accepted",
            allowed=["dismissed"],
            where=f"tube {tube.barcode}",
        )
    said = interpret(
        rule_in_force(order.assay_code),
        stored_readings(measurement.targets),
        error=measurement.error,
        own=stored_call(measurement.call, measurement.called, closed=measurement.closed_system),
    )
    old.current = old.held = False
    _replace_said(session, measurement, Standing.MATCHED)
    counts = _counts(run, said)
    if counts:
        session.add(_result(measurement, order, old, said, run, now=now))
    else:
        order.state = move(
            ORDER_MOVES, OrderState(order.state), OrderState.VOID, what=f"test of {tube.barcode}"
        )
        order.because = run.verdict_why if run else None
        order.closed_at = now
    session.flush()
    outcome = str(said.outcome) if counts else None
    return Corrected(measurement.id, tube.barcode, old.outcome, outcome, replayed=False)


def _counts(run: Run | None, said: Interpretation) -> bool:
    """In a run held for its positive control only what may be a positive says anything."""
    return run is None or run.state == RunState.VALID or said.outcome in _WAITS_FOR_REVIEW


def _result(
    measurement: Measurement,
    order: TestOrder,
    old: Result,
    said: Interpretation,
    run: Run | None,
    *,
    now: datetime,
) -> Result:
    return Result(
        id=uuid7(),
        site_id=order.site_id,
        order_id=order.id,
        tube_id=order.tube_id,
        run_id=measurement.run_id,
        measurement_id=measurement.id,
        outcome=said.outcome,
        ct_cycles=said.ct_cycles,
        rule=said.rule,
        why=said.why,
        status=ResultStatus.CORRECTED,
        held=run is not None and run.state == RunState.HELD,
        supersedes_id=old.id,
        created_at=now,
    )


def _replace_said(session: Session, measurement: Measurement, standing: Standing) -> None:
    """The earlier value of this test stands aside; both stay readable."""
    session.execute(
        text(
            "UPDATE measurement SET standing = 'dismissed', why = 'another value was accepted'"
            " WHERE order_id = :order AND id <> :id AND standing IN ('matched', 'held')"
        ),
        {"order": measurement.order_id, "id": measurement.id},
    )
    measurement.standing = standing
    measurement.why = _ACCEPTED
    session.flush()


def _replay(session: Session, measurement: Measurement, tube: Tube) -> Corrected:
    """What accepting it answered. Raises IllegalMove when it never was a correction."""
    if measurement.why != _ACCEPTED:
        refuse_unless(measurement, Standing.CORRECTION)
    new = session.scalars(  # a reviewer may have corrected it since
        select(Result).where(Result.measurement_id == measurement.id).order_by(Result.id).limit(1)
    ).one_or_none()
    old = session.get(Result, new.supersedes_id) if new and new.supersedes_id else None
    return Corrected(
        measurement.id,
        tube.barcode,
        was=old.outcome if old else None,
        outcome=new.outcome if new else None,
        replayed=True,
    )
