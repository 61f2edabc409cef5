"""What is said after a recall and under it: taken back as it comes, so that order does not matter.

A plate whose lot is told late, a message of an analyser's recalled days that a gateway kept, a
strip of a recalled lot that was dropped before: each ends as if it had come before the recall.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import RunState, Standing
from lims.tables import Recall
from lims.work.evidence import lock_components
from lims.work.judge_run import Judged
from lims.work.matched import Matched
from lims.work.recall import keep_ended, take_back_runs
from lims.work.recall_scope import Covered
from lims.work.recall_strips import take_back_strips
from lims.work.results import Written
from lims.work.unclear import settle_voided


def take_back_run(
    session: Session, recall_id: UUID, run_id: UUID, *, site_id: UUID, now: datetime
) -> None:
    """One more run of a recall that stands; the caller has locked it."""
    recall = session.get_one(Recall, recall_id)
    found, tubes = _of_run(session, run_id)
    locked = lock_components(session, tubes)
    ended = take_back_runs(session, recall_id, found, _why(recall), tubes=locked, now=now)
    settle_voided(session, ended.tubes, site_id=site_id, now=now, by=recall.recalled_by)
    keep_ended(session, recall_id, ended.findings)


def strips_since(
    session: Session,
    kit_lot_id: UUID,
    swabs: Sequence[UUID],
    *,
    site_id: UUID,
    now: datetime,
) -> bool:
    """Whether these new rapid tests are of a recalled lot, and so were taken back at once.

    Their rows hold the lot: a recall either has seen them, or is seen here.
    """
    recall = session.execute(_OF_LOT, {"lot": kit_lot_id}).first()
    if recall is None:
        return False
    ended = take_back_strips(
        session, recall.id, swabs, site_id=site_id, by=recall.recalled_by, now=now, said=False
    )
    keep_ended(session, recall.id, ended)
    return True


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message says once the recalls of its analyser are counted in.

    ``freed``: tubes that earlier results of its runs had answered; ``stood``: the findings on them.
    """

    states: Mapping[UUID, Judged]
    spoken: Sequence[Matched]
    freed: frozenset[UUID] = frozenset()
    recall_id: UUID | None = None
    stood: tuple[UUID, ...] = ()

    def with_freed(self, written: Written) -> Written:
        """What was written, and the tubes that have no answer any more."""
        return replace(written, other_tubes=tuple(sorted({*written.other_tubes, *self.freed})))

    def keep(self, session: Session) -> None:
        """After settling: remember which findings ended by the recall."""
        if self.recall_id is not None and self.stood:
            keep_ended(session, self.recall_id, self.stood)


def hear_recalled(
    session: Session,
    states: Mapping[UUID, Judged],
    spoken: Sequence[Matched],
    instrument_id: UUID,
    *,
    captured_at: datetime,
    site_id: UUID,
    now: datetime,
) -> Heard:
    """A message that the analyser sent in days which are recalled judges no run and answers no
    test; its values are kept to be read. The analyser is locked by whoever takes the message."""
    about = {"instrument": instrument_id, "at": captured_at}
    recall = session.execute(_OF_INSTRUMENT, about).first()
    if recall is None:
        return Heard(states, spoken)
    kept = session.get_one(Recall, recall.id)
    found: dict[UUID, Judged] = dict(states)
    freed: set[UUID] = set()
    stood: list[UUID] = []
    for run_id, judged in states.items():
        if judged.state is RunState.INVALID:
            continue
        of_run, tubes = _of_run(session, run_id)
        locked = lock_components(session, tubes)
        ended = take_back_runs(session, recall.id, of_run, _why(kept), tubes=locked, now=now)
        freed |= ended.tubes
        stood.extend(ended.findings)
        found[run_id] = replace(judged, state=RunState.INVALID, why=_why(kept))
    alone = [one for one in spoken if one.run_id is None and one.standing is Standing.MATCHED]
    strips = [one for one in alone if one.strip_id is not None]
    cartridges = {one.measurement_id for one in alone if one.strip_id is None}
    session.execute(_DISMISS, {"measurements": list(cartridges), "why": _why(kept)})
    if strips:
        swabs = sorted({one.strip_id for one in strips if one.strip_id is not None})
        ended_strips = take_back_strips(
            session, recall.id, swabs, site_id=site_id, by=kept.recalled_by, now=now
        )
        keep_ended(session, recall.id, ended_strips)
    left = [one for one in spoken if one.measurement_id not in cartridges]
    return Heard(found, left, frozenset(freed), recall.id, tuple(stood))


def take_back_held(
    session: Session,
    runs: Iterable[UUID],
    instrument_id: UUID,
    *,
    captured_at: datetime,
    site_id: UUID,
    now: datetime,
) -> None:
    """Half a plate, sent in days that are recalled: nobody waits for the other half."""
    about = {"instrument": instrument_id, "at": captured_at}
    recall = session.execute(_OF_INSTRUMENT, about).first()
    if recall is None:
        return
    for row in session.execute(_OPEN, {"runs": sorted(runs)}).all():
        take_back_run(session, recall.id, row.id, site_id=site_id, now=now)


def _of_run(session: Session, run_id: UUID) -> tuple[Covered, list[UUID]]:
    results = session.execute(_RESULTS, {"run": run_id}).scalars().all()
    tubes = session.execute(_TUBES, {"run": run_id}).scalars().all()
    return Covered(runs=(run_id,), results=tuple(results)), list(tubes)


def _why(recall: Recall) -> str:
    return f"recalled: {recall.reason}"


_RESULTS = text("SELECT id FROM result WHERE run_id = :run AND current ORDER BY id")

_TUBES = text("""
SELECT tube_id FROM well WHERE run_id = :run AND tube_id IS NOT NULL
UNION SELECT tube_id FROM result WHERE run_id = :run AND current
""")

_OPEN = text("SELECT id FROM run WHERE id = ANY(:runs) AND state <> 'invalid' ORDER BY id")

_OF_LOT = text("""
SELECT id, recalled_by FROM recall WHERE kit_lot_id = :lot ORDER BY recalled_at LIMIT 1
""")

_OF_INSTRUMENT = text("""
SELECT id FROM recall WHERE instrument_id = :instrument AND from_at <= :at
   AND (to_at IS NULL OR :at < to_at) ORDER BY recalled_at LIMIT 1
""")

_DISMISS = text("""
UPDATE measurement SET standing = 'dismissed', why = :why WHERE id = ANY(:measurements)
""")
