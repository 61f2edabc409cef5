"""Judge a run by its controls once they are all in; until then its wells are held."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.controls import ControlReading, Judgement, Verdict, judge
from lims.domain.interpretation import rule_in_force
from lims.domain.lifecycle import RUN_MOVES, RunState, move
from lims.work.audit import record
from lims.work.matched import stored_call, stored_readings

STATE_OF = {
    Verdict.PASSED: RunState.VALID,
    Verdict.CONTAMINATED: RunState.INVALID,
    Verdict.INSENSITIVE: RunState.HELD,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A run as it stands now. ``fresh`` when it was judged by this very message."""

    run_id: UUID
    plate: str
    state: RunState
    why: str
    fresh: bool


def judge_runs(
    session: Session,
    runs: Iterable[UUID],
    instrument_id: UUID,
    *,
    site_id: UUID,
    now: datetime,
) -> Mapping[UUID, Judged]:
    """Judge each run that can be judged; the others stay *measuring*, their wells held."""
    return {run: _judge(session, run, instrument_id, site_id, now) for run in sorted(runs)}


def hold_runs(
    session: Session, runs: Iterable[UUID], instrument_id: UUID, *, now: datetime
) -> None:
    """An incomplete message has begun these runs; what it said waits for the rest (S12)."""
    for run_id in sorted(runs):
        state = session.execute(
            text("SELECT state FROM run WHERE id = :run"), {"run": run_id}
        ).scalar_one()
        if state in {RunState.PLANNED, RunState.MEASURING}:
            _hold(session, run_id, instrument_id, now)


def _judge(
    session: Session, run_id: UUID, instrument_id: UUID, site_id: UUID, now: datetime
) -> Judged:
    run = session.execute(
        text("SELECT plate, assay_code, state, verdict_why FROM run WHERE id = :run"),
        {"run": run_id},
    ).one()
    state = RunState(run.state)
    if state not in {RunState.PLANNED, RunState.MEASURING}:
        return Judged(run_id, run.plate, state, run.verdict_why or "", fresh=False)
    if state is RunState.PLANNED:
        state = move(RUN_MOVES, state, RunState.MEASURING, what=f"run {run.plate}")
    controls, wells_missing = _read(session, run_id)
    if wells_missing and any(c.readings is None for c in controls):
        _hold(session, run_id, instrument_id, now)
        return Judged(run_id, run.plate, state, "waiting for the rest of the plate", fresh=False)
    judgement = judge(rule_in_force(run.assay_code), controls)
    judged = Judged(run_id, run.plate, state, judgement.why, fresh=True)
    return keep_judgement(session, judged, judgement, instrument_id, site_id=site_id, now=now)


def judgement_of(session: Session, run_id: UUID) -> Judgement:
    """What the run's controls say as they stand now."""
    assay = session.execute(
        text("SELECT assay_code FROM run WHERE id = :run"), {"run": run_id}
    ).scalar_one()
    controls, _ = _read(session, run_id)
    return judge(rule_in_force(assay), controls)


def keep_judgement(
    session: Session,
    was: Judged,
    judgement: Judgement,
    instrument_id: UUID,
    *,
    site_id: UUID,
    now: datetime,
) -> Judged:
    """Write the verdict on a run in this state, and who gave it; the run as it stands then.

    A run that stays held keeps its state. Raises IllegalMove.
    """
    state = STATE_OF[judgement.verdict]
    if state is not was.state:
        state = move(RUN_MOVES, was.state, state, what=f"run {was.plate}")
    _write(session, was.run_id, instrument_id, state=state, judgement=judgement, now=now)
    record(
        session,
        site_id=site_id,
        actor="interpretation",
        verb="judge_run",
        subject=was.plate,
        now=now,
        verdict=str(judgement.verdict),
        why=judgement.why,
    )
    return replace(was, state=state, why=judgement.why)


def _read(session: Session, run_id: UUID) -> tuple[list[ControlReading], bool]:
    rows = session.execute(
        text(
            "SELECT w.position, w.role, m.targets, m.error, m.call, m.called, m.closed_system,"
            " m.id AS measured FROM well w"
            " LEFT JOIN measurement m ON m.run_id = w.run_id AND m.well = w.position"
            " AND m.standing IN ('matched', 'control')"
            " WHERE w.run_id = :run ORDER BY w.position"
        ),
        {"run": run_id},
    ).all()
    controls = [
        ControlReading(
            well=row.position,
            role=row.role,
            readings=None if row.measured is None else stored_readings(row.targets),
            error=row.error,
            own=stored_call(row.call, row.called, closed=bool(row.closed_system)),
        )
        for row in rows
        if row.role != "specimen"
    ]
    return controls, any(row.measured is None for row in rows if row.role == "specimen")


def _hold(session: Session, run_id: UUID, instrument_id: UUID, now: datetime) -> None:
    session.execute(
        text(
            "UPDATE run SET state = 'measuring', instrument_id = :instrument,"
            " measured_at = coalesce(measured_at, :now) WHERE id = :run"
        ),
        {"run": run_id, "instrument": instrument_id, "now": now},
    )
    session.execute(
        text(
            "UPDATE measurement SET standing = 'held', why = 'waiting for the rest of the plate'"
            " WHERE run_id = :run AND standing IN ('matched', 'control')"
        ),
        {"run": run_id},
    )


def _write(
    session: Session,
    run_id: UUID,
    instrument_id: UUID,
    *,
    state: RunState,
    judgement: Judgement,
    now: datetime,
) -> None:
    session.execute(
        text(
            "UPDATE run SET state = :state, verdict = :verdict, verdict_why = :why,"
            " instrument_id = :instrument, measured_at = coalesce(measured_at, :now),"
            " judged_at = :now WHERE id = :run"
        ),
        {
            "run": run_id,
            "state": str(state),
            "verdict": str(judgement.verdict),
            "why": judgement.why,
            "instrument": instrument_id,
            "now": now,
        },
    )
