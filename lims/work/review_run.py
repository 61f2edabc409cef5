"""A reviewer's word on a whole run: what was held may count, or nothing of it does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import RUN_MOVES, RunState, move
from lims.domain.refusals import IllegalMove, UnknownRun
from lims.tables import Run
from lims.work.audit import record
from lims.work.measurements import given_reason
from lims.work.unclear import settle_voided


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The run as it stands, and how many results the word was about."""

    run_id: UUID
    plate: str
    state: RunState
    results: int
    replayed: bool


def release_held_run(session: Session, run_id: UUID, *, by: str, now: datetime) -> Reviewed:
    """Let the held results of a run count although its controls were late (S11).

    Its negatives stay void: they were queued again when it was judged. Again
    changes nothing. Raises UnknownRun; IllegalMove for an invalid run, which
    nobody can release, and for one that is not judged.
    """
    run = _locked_run(session, run_id)
    if run.state == RunState.VALID:
        return Reviewed(run.id, run.plate, RunState.VALID, 0, replayed=True)
    if run.state == RunState.MEASURING:
        raise IllegalMove(
            source=run.state,
            target="released",
            allowed=[RunState.INVALID],
            where=f"run {run.plate}, not judged yet",
        )
    run.state = move(RUN_MOVES, RunState(run.state), RunState.VALID, what=f"run {run.plate}")
    run.verdict_why = f"{run.verdict_why}; released by {by}"
    session.flush()
    tubes = session.execute(
        text(
            "UPDATE result SET held = false WHERE run_id = :run AND current AND held"
            " RETURNING tube_id"
        ),
        {"run": run.id},
    )
    return _settled(session, run, tubes.scalars(), "release_held_run", by=by, now=now)


def invalidate_run(
    session: Session, run_id: UUID, reason: str, *, by: str, now: datetime
) -> Reviewed:
    """Withdraw everything a run said; its tubes are wanted again and lost cases are withdrawn.

    Also ends a run whose analyser never came back (S12), and a plate that was
    never measured. The measurements stay to be read. Again changes nothing.
    Raises UnknownRun, InvalidBody (no reason).
    """
    said = given_reason(reason)
    run = _locked_run(session, run_id)
    if run.state == RunState.INVALID:
        return Reviewed(run.id, run.plate, RunState.INVALID, 0, replayed=True)
    run.state = move(RUN_MOVES, RunState(run.state), RunState.INVALID, what=f"run {run.plate}")
    run.verdict_why = f"invalidated by {by}: {said}"
    run.judged_at = run.judged_at or now
    session.flush()
    tubes = void_everything(session, [run.id], said, now=now)
    return _settled(session, run, tubes, "invalidate_run", by=by, now=now, reason=said)


def void_everything(
    session: Session, runs: Sequence[UUID], why: str, *, now: datetime
) -> set[UUID]:
    """Nothing of invalid runs counts: their tests are void; the tubes that it concerns.

    What had counted is superseded by a result of status C that says why; what was held, and so told
    to nobody, ends.
    """
    values = {"runs": list(runs), "why": why, "now": now}
    tubes = set(session.execute(_VOID_TESTS, values).scalars())
    tubes |= set(session.execute(_SUPERSEDE, values).scalars())
    session.execute(_SET_ASIDE, values)
    return tubes


def abandon_run(session: Session, run_id: UUID, reason: str, *, by: str, now: datetime) -> Reviewed:
    """Give up a plate that was laid out and not measured: its tubes are queued again.

    The bench may do it, for nothing was said that a reviewer would have to
    weigh. Again changes nothing. Raises UnknownRun, InvalidBody (no reason),
    IllegalMove once the analyser has spoken of it.
    """
    given_reason(reason)
    run = _locked_run(session, run_id)
    if run.measured_at is not None:
        raise IllegalMove(
            source=run.state,
            target="abandoned",
            allowed=sorted(RUN_MOVES[RunState(run.state)]),
            where=f"run {run.plate}, measured: a reviewer's to end",
        )
    return invalidate_run(session, run_id, reason, by=by, now=now)


_VOID_TESTS = text("""
UPDATE test_order o SET state = 'void', because = :why, closed_at = :now
WHERE o.state IN ('plated', 'resulted')
  AND (o.id IN (SELECT w.order_id FROM well w WHERE w.run_id = ANY(:runs))
       OR o.id IN (SELECT r.order_id FROM result r WHERE r.run_id = ANY(:runs) AND r.current))
RETURNING o.tube_id
""")

SUPERSEDE = """
WITH was AS (
    SELECT id, held FROM result WHERE {which} AND current FOR NO KEY UPDATE
), ended AS (
    UPDATE result r SET status = 'X', current = false, held = false
    FROM was WHERE r.id = was.id
    RETURNING r.id, r.site_id, r.order_id, r.tube_id, r.run_id, r.measurement_id, r.rule, was.held
), corrected AS (
    INSERT INTO result (id, site_id, order_id, tube_id, run_id, measurement_id, outcome, rule, why,
                        status, current, held, supersedes_id, created_at)
    SELECT mint_uuid7(:now), site_id, order_id, tube_id, run_id, measurement_id, 'invalid', rule,
           :why, 'C', false, false, id, :now
    FROM ended WHERE NOT held ORDER BY id
)
SELECT tube_id FROM ended
"""
"""No evidence any more, and a correction (HL7 table 0085: C) in its place."""

_SUPERSEDE = text(SUPERSEDE.format(which="run_id = ANY(:runs)"))

_SET_ASIDE = text("""
UPDATE measurement SET standing = 'dismissed', why = 'its run was invalidated: ' || :why
WHERE run_id = ANY(:runs) AND standing = 'held'
""")


def _locked_run(session: Session, run_id: UUID) -> Run:
    run = session.scalars(
        select(Run)
        .where(Run.id == run_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if run is None:
        raise UnknownRun(came=str(run_id), where="run_id")
    return run


def _settled(
    session: Session,
    run: Run,
    touched: Iterable[UUID],
    verb: str,
    *,
    by: str,
    now: datetime,
    **detail: str,
) -> Reviewed:
    tubes = list(touched)
    record(
        session,
        site_id=run.site_id,
        actor=by,
        verb=verb,
        subject=run.plate,
        now=now,
        results=len(tubes),
        **detail,
    )
    session.flush()
    settle_voided(session, set(tubes), site_id=run.site_id, now=now, by=by)
    return Reviewed(run.id, run.plate, RunState(run.state), len(tubes), replayed=False)
