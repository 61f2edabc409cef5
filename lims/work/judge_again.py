"""Judge a held run again when a control that was missing comes after all (S11, S12).

Passed now: what was held counts, and its other wells answer the tests that were queued for them
in the meantime, as a late well does. Contaminated now: nothing of it counts. Once a tube is on
another plate that plate answers. A run that a reviewer has decided is left as decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.measurement import Role
from lims.domain.lifecycle import RunState, Standing
from lims.work.evidence import lock_components
from lims.work.judge_run import Judged, judgement_of, keep_judgement
from lims.work.matched import Matched, stored_call, stored_readings
from lims.work.results import Written
from lims.work.review_run import void_everything


@dataclass(frozen=True, slots=True)
class JudgedAgain:
    """The runs that a late control freed, their wells that speak now, and tubes no longer held."""

    states: Mapping[UUID, Judged]
    speaking: tuple[Matched, ...]
    freed: tuple[UUID, ...]

    def with_freed(self, written: Written) -> Written:
        """What was written, and the tubes whose results are held no more."""
        return replace(written, other_tubes=tuple(sorted({*written.other_tubes, *self.freed})))


def judge_again(
    session: Session,
    states: Mapping[UUID, Judged],
    instrument_id: UUID,
    *,
    site_id: UUID,
    now: datetime,
) -> JudgedAgain:
    """Judge those of these runs that are held; what has not changed stays held."""
    found: dict[UUID, Judged] = dict(states)
    freed: set[UUID] = set()
    passed: list[UUID] = []
    for run_id, was in states.items():
        if was.state is not RunState.HELD or was.fresh:
            continue
        judgement = judgement_of(session, run_id)
        if judgement.why == was.why:
            continue
        stands = keep_judgement(session, was, judgement, instrument_id, site_id=site_id, now=now)
        found[run_id] = stands
        if stands.state is RunState.VALID:
            passed.append(run_id)
        elif stands.state is RunState.INVALID:
            freed |= void_everything(session, [run_id], stands.why, now=now)
    speaking = _speaking(session, passed) if passed else ()
    if passed:
        freed |= set(session.execute(_FREE, {"runs": passed}).scalars())
    return JudgedAgain(found, speaking, tuple(sorted(freed)))


_FREE = text("""
UPDATE result SET held = false WHERE run_id = ANY(:runs) AND current AND held RETURNING tube_id
""")

# Wells whose value was read and did not count, with the test that waits in their place.
_VOID = text("""
SELECT DISTINCT w.tube_id FROM well w
JOIN test_order o ON o.id = w.order_id AND o.state = 'void'
WHERE w.run_id = ANY(:runs)
""")

_SPEAK = text("""
UPDATE measurement m SET order_id = n.id
FROM (
    SELECT w.run_id, w.position, q.id FROM well w
    JOIN test_order o ON o.id = w.order_id AND o.state = 'void'
    JOIN test_order q ON q.tube_id = w.tube_id AND q.assay_code = o.assay_code
     AND q.state = 'queued'
    WHERE w.run_id = ANY(:runs)
    ORDER BY q.id FOR UPDATE OF q SKIP LOCKED
) n, run r
WHERE m.run_id = n.run_id AND m.well = n.position AND m.standing = 'matched' AND r.id = m.run_id
RETURNING m.id, m.targets, m.error, m.call, m.called, m.closed_system, m.run_id, m.well,
          m.order_id, m.tube_id, r.assay_code
""")


def _speaking(session: Session, runs: list[UUID]) -> tuple[Matched, ...]:
    """Locks the tubes' components first, as whoever concludes about them does."""
    about = {"runs": runs}
    lock_components(session, list(session.execute(_VOID, about).scalars()))
    return tuple(
        Matched(
            measurement_id=row.id,
            standing=Standing.MATCHED,
            role=Role.SPECIMEN,
            readings=stored_readings(row.targets),
            error=row.error,
            own=stored_call(row.call, row.called, closed=row.closed_system),
            run_id=row.run_id,
            well=row.well,
            order_id=row.order_id,
            tube_id=row.tube_id,
            assay=row.assay_code,
        )
        for row in session.execute(_SPEAK, about)
    )
