"""Say which lots a run was made with: when the plate is laid out, when it arrives, or later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import RunState
from lims.domain.recall import ReagentKind
from lims.domain.refusals import InvalidBody, UnknownRun
from lims.tables import Run
from lims.work.audit import record
from lims.work.recalled_since import take_back_run

LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class LotOfRun:
    """One lot, as the run's page shows it."""

    lot_id: UUID
    kind: ReagentKind
    lot: str


def say_lot(
    session: Session,
    run_id: UUID,
    kind: ReagentKind,
    lot: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> LotOfRun:
    """Keep that the run was made with this lot; again changes nothing.

    A lot that was recalled takes the run with it at once. Raises UnknownRun, InvalidBody.
    """
    said = " ".join(lot.upper().split())
    if not 1 <= len(said) <= LONGEST:
        raise InvalidBody(
            errors=[{"pointer": "#/lot", "detail": "the lot's characters, 1 to 60 of them"}],
            where="lot",
            came=lot[:LONGEST],
        )
    about = {"site": site_id, "kind": str(kind), "lot": said, "by": by, "now": now, "run": run_id}
    session.execute(_REGISTER, about)
    # The lot before the run, as a recall takes them.
    lot_id = session.execute(_LOT, about).scalar_one()
    run = session.scalars(
        select(Run)
        .where(Run.id == run_id, Run.site_id == site_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if run is None:
        raise UnknownRun(came=str(run_id), where="run_id")
    fresh = session.execute(_SAY, {**about, "id": lot_id}).first() is not None
    if fresh:
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="say_lot",
            subject=run.plate,
            now=now,
            kind=str(kind),
            lot=said,
        )
        session.flush()
        recalled = session.execute(_RECALLED, {"id": lot_id}).first()
        if recalled is not None and run.state != RunState.INVALID:
            take_back_run(session, recalled.id, run_id, site_id=site_id, now=now)
    return LotOfRun(lot_id, kind, said)


def lots_of_plate(session: Session, plate: str, *, site_id: UUID) -> Sequence[LotOfRun]:
    """The lots that the run of this plate was made with, extraction before PCR."""
    rows = session.execute(_LOTS, {"plate": plate, "site": site_id})
    return [LotOfRun(row.id, ReagentKind(row.kind), row.lot) for row in rows]


_REGISTER = text("""
INSERT INTO reagent_lot (id, site_id, kind, lot, registered_at, registered_by)
VALUES (mint_uuid7(:now), :site, :kind, :lot, :now, :by) ON CONFLICT DO NOTHING
""")

_LOT = text("""
SELECT id FROM reagent_lot WHERE site_id = :site AND kind = :kind AND lot = :lot FOR KEY SHARE
""")

_SAY = text("""
INSERT INTO run_lot (run_id, lot_id, said_at, said_by) VALUES (:run, :id, :now, :by)
ON CONFLICT DO NOTHING RETURNING run_id
""")

_RECALLED = text("""
SELECT id FROM recall WHERE reagent_lot_id = :id ORDER BY recalled_at LIMIT 1
""")

_LOTS = text("""
SELECT l.id, l.kind, l.lot FROM run r
JOIN run_lot g ON g.run_id = r.id JOIN reagent_lot l ON l.id = g.lot_id
WHERE r.plate = :plate AND r.site_id = :site
ORDER BY array_position(ARRAY['extraction', 'pcr'], l.kind), l.lot
""")
