"""Recall a run, a lot or an analyser's days: everything that rests on it is taken back at once.

Nothing is undone by hand. Its runs are invalid, its results superseded, its strips taken back, and
the same conclusion that every result ends in writes the difference: tests queued again where there
is volume, people to be swabbed again where there is none, cases withdrawn or rested on what is
left, and a correction owed to everyone who was told. A recall stands: what is said under it later
is taken back as it comes (recalled_since.py).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import RUN_MOVES, RunState, move
from lims.domain.recall import RecallKind, RecallRequest
from lims.domain.refusals import DifferentBody
from lims.domain.registration import digest
from lims.tables import Recall
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.measurements import given_reason
from lims.work.once import one_at_a_time
from lims.work.recall_scope import Covered, covered, subject_of
from lims.work.recall_strips import take_back_strips
from lims.work.review_run import SUPERSEDE, void_everything
from lims.work.unclear import settle_voided
from lims.work.views.recall_figures import RecallFigures, figures_of

_COLUMN = {
    RecallKind.RUN: "run_id",
    RecallKind.REAGENT_LOT: "reagent_lot_id",
    RecallKind.KIT_LOT: "kit_lot_id",
    RecallKind.INSTRUMENT: "instrument_id",
}


@dataclass(frozen=True, slots=True)
class Recalled:
    """The receipt: what depended on it when it was taken back."""

    recall_id: UUID
    subject: str
    figures: RecallFigures
    replayed: bool


def recall(
    session: Session, request: RecallRequest, *, site_id: UUID, by: str, now: datetime
) -> Recalled:
    """Take back all that still counts of it, in one transaction. The same request again changes
    nothing and answers the same; another recall of the same thing finds nothing left.

    Locks in the house's order: the lot or analyser, its runs, the tubes and their pools, the cases
    by person. Raises NotFound, InvalidBody (no reason), DifferentBody, NoDesk.
    """
    reason = given_reason(request.reason)
    one_at_a_time(session, request.recall_id)
    earlier = _earlier(session, request, site_id=site_id)
    if earlier is not None:
        return earlier
    subject = subject_of(session, request.scope, site_id=site_id, lock=True)
    found = covered(session, request.scope, site_id=site_id, lock=True)
    tubes = lock_components(session, _tubes(session, found))
    found = covered(session, request.scope, site_id=site_id)  # now that nothing of it moves
    figures = figures_of(session, found)
    kept = _keep(session, request, reason, figures, site_id=site_id, by=by, now=now)
    ended = take_back_runs(session, kept.id, found, f"recalled: {reason}", tubes=tubes, now=now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="recall",
        subject=str(kept.id),
        now=now,
        kind=str(request.scope.kind),
        of=subject,
        reason=reason,
        **asdict(figures),
    )
    session.flush()
    settle_voided(session, ended.tubes, site_id=site_id, now=now, by=by)
    strips = take_back_strips(session, kept.id, found.strips, site_id=site_id, by=by, now=now)
    keep_ended(session, kept.id, [*ended.findings, *strips])
    return Recalled(kept.id, subject, figures, replayed=False)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Tubes to be settled, and the findings that stood on them until now."""

    tubes: frozenset[UUID]
    findings: Sequence[UUID]


def take_back_runs(
    session: Session,
    recall_id: UUID,
    found: Covered,
    why: str,
    *,
    tubes: Sequence[UUID],
    now: datetime,
) -> TakenBack:
    """Invalidate the runs and supersede the results; the caller has locked them and settles."""
    stood = session.execute(_STOOD, {"tubes": list(tubes)}).scalars().all()
    values = {"runs": list(found.runs), "recall": recall_id, "why": why, "now": now}
    for row in session.execute(_RUN_STATES, values):
        move(RUN_MOVES, RunState(row.state), RunState.INVALID, what=f"run {row.plate}")
    session.execute(_INVALID, values)
    session.execute(_RECALLED_RUNS, values)
    touched = void_everything(session, found.runs, why, now=now)
    alone = {**values, "results": list(found.results)}
    touched |= set(session.execute(_VOID_ALONE, alone).scalars())
    touched |= set(session.execute(_SUPERSEDE, alone).scalars())
    return TakenBack(frozenset(touched), stood)


def keep_ended(session: Session, recall_id: UUID, findings: Sequence[UUID]) -> None:
    """Remember which of these findings the recall ended; a slip of one says so."""
    session.execute(_ENDED, {"recall": recall_id, "findings": list(findings)})


def _earlier(session: Session, request: RecallRequest, *, site_id: UUID) -> Recalled | None:
    """The receipt of the same request. Raises DifferentBody."""
    kept = session.scalars(
        select(Recall).where(Recall.id == request.recall_id, Recall.site_id == site_id)
    ).one_or_none()
    if kept is None:
        return None
    if kept.body_digest != _digest(request):
        raise DifferentBody(came="another recall under this id", where="recall_id")
    subject = subject_of(session, request.scope, site_id=site_id)
    return Recalled(kept.id, subject, RecallFigures(**kept.figures), replayed=True)


def _digest(request: RecallRequest) -> str:
    scope = request.scope
    return digest(
        [
            str(scope.kind),
            scope.subject_id,
            scope.from_at,
            scope.to_at,
            request.reason.strip(),
        ]
    )


def _keep(
    session: Session,
    request: RecallRequest,
    reason: str,
    figures: RecallFigures,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> Recall:
    scope = request.scope
    kept = Recall(
        id=request.recall_id,
        site_id=site_id,
        kind=scope.kind,
        from_at=scope.from_at,
        to_at=scope.to_at,
        reason=reason,
        body_digest=_digest(request),
        figures=asdict(figures),
        recalled_at=now,
        recalled_by=by,
        **{_COLUMN[scope.kind]: scope.subject_id},
    )
    session.add(kept)
    session.flush()
    return kept


def _tubes(session: Session, found: Covered) -> list[UUID]:
    about = {"runs": list(found.runs), "results": list(found.results)}
    return list(session.execute(_TUBES, about).scalars())


_TUBES = text("""
SELECT w.tube_id FROM well w WHERE w.run_id = ANY(:runs) AND w.tube_id IS NOT NULL
UNION SELECT r.tube_id FROM result r WHERE r.id = ANY(:results)
""")

_STOOD = text("""
SELECT DISTINCT f.id FROM tube_specimen ts
JOIN finding f ON f.specimen_id = ts.specimen_id AND f.current
WHERE ts.tube_id = ANY(:tubes)
""")

_RUN_STATES = text("SELECT DISTINCT ON (state) state, plate FROM run WHERE id = ANY(:runs)")

_INVALID = text("""
UPDATE run SET state = 'invalid', verdict_why = :why, judged_at = coalesce(judged_at, :now)
WHERE id = ANY(:runs)
""")

_RECALLED_RUNS = text("""
INSERT INTO recall_run (run_id, recall_id)
SELECT run_id, :recall FROM unnest(cast(:runs AS uuid[])) AS g(run_id)
""")

_VOID_ALONE = text("""
UPDATE test_order o SET state = 'void', because = :why, closed_at = :now
FROM result r
WHERE r.id = ANY(:results) AND r.current AND o.id = r.order_id AND o.state IN ('plated', 'resulted')
RETURNING o.tube_id
""")

_SUPERSEDE = text(SUPERSEDE.format(which="id = ANY(:results)"))

_ENDED = text("""
INSERT INTO recall_finding (finding_id, recall_id)
SELECT f.id, :recall FROM finding f WHERE f.id = ANY(:findings) AND NOT f.current
ON CONFLICT DO NOTHING
""")
