"""Take an import back: whoever was registered by it and has not been touched since, at once.

What a tube has lived through cannot be taken back by undoing a list: one that was received, or
wanted for a test, stays, and the answer says how many and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import IMPORT_MOVES, ImportState, move
from lims.domain.refusals import InvalidBody
from lims.sheets.columns import fingerprint
from lims.tables import ImportFault, ImportMapping
from lims.work.audit import record
from lims.work.imports.chunk import forget_file
from lims.work.imports.jobs import locked_job
from lims.work.imports.outline import Outline

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Undone:
    """How many were taken back, and how many stay, by the reason."""

    taken_back: int
    kept: Mapping[str, int]
    replayed: bool


def undo(
    session: Session, job_id: UUID, reason: str, *, site_id: UUID, by: str, now: datetime
) -> Undone:
    """Delete what the import registered and forget its columns, so that the list may come again.

    A running import stops at its last chunk. Undoing again answers the same. Raises NotFound, and
    InvalidBody without a reason.
    """
    job = locked_job(session, job_id, site_id=site_id)
    if job.state == ImportState.UNDONE:
        return Undone(job.rows_undone, job.rows_kept or {}, replayed=True)
    reason = reason.strip()
    if not 0 < len(reason) <= _LONGEST_REASON:
        fault = {"pointer": "#/reason", "detail": "why the list is taken back"}
        raise InvalidBody(errors=[fault], where="reason")
    values = {"job": job_id, "site": site_id, "now": now, "by": by, "reason": reason}
    kept, taken_back = _take_back(session, values)
    outline = Outline.of(job.outline) if job.outline else None
    if outline and outline.headings:
        words = outline.headings.words
        session.execute(
            delete(ImportMapping).where(
                ImportMapping.site_id == site_id,
                ImportMapping.fingerprint == fingerprint(words),
            )
        )
    session.execute(delete(ImportFault).where(ImportFault.job_id == job_id))
    forget_file(session, job_id)
    job.state = move(IMPORT_MOVES, ImportState(job.state), ImportState.UNDONE, what="import")
    job.undone_at, job.undone_by, job.undo_reason = now, by, reason
    job.rows_undone, job.rows_kept = taken_back, dict(kept)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="import-undone",
        subject=str(job_id),
        now=now,
        reason=reason,
        taken_back=taken_back,
        kept=dict(kept),
    )
    session.flush()
    return Undone(taken_back, kept, replayed=False)


def _take_back(session: Session, values: dict[str, object]) -> tuple[dict[str, int], int]:
    before: int = session.execute(_COUNT, values).scalar_one()
    session.execute(_LOCK, values)
    session.execute(_FRESH)
    session.execute(_SORT, values)
    kept = {row.why: row.people for row in session.execute(_KEPT)}
    for statement in _TAKE_BACK:
        session.execute(statement, values)
    return kept, before - sum(kept.values())


# Tubes first and in their order, as reception locks them; what was received meanwhile is seen so.
_LOCK: Final = text("""
SELECT t.id FROM specimen s
JOIN tube_specimen ts ON ts.specimen_id = s.id JOIN tube t ON t.id = ts.tube_id
WHERE s.import_job_id = :job ORDER BY t.id FOR UPDATE OF t
""")
_FRESH: Final = text("DROP TABLE IF EXISTS pg_temp.sorted")
_SORT: Final = text("""
CREATE TEMPORARY TABLE sorted ON COMMIT DROP AS
SELECT s.id AS specimen_id, s.person_id, s.registered_at, t.id AS tube_id, t.barcode,
       CASE WHEN t.kind <> 'individual'
              OR EXISTS (SELECT FROM tube_source p WHERE p.source_id = t.id) THEN 'pooled'
            WHEN t.state <> 'collected' THEN t.state
            WHEN EXISTS (SELECT FROM test_order o WHERE o.tube_id = t.id)
              OR EXISTS (SELECT FROM measurement m WHERE m.tube_id = t.id)
              OR EXISTS (SELECT FROM finding f WHERE f.specimen_id = s.id)
              OR EXISTS (SELECT FROM rapid_test r WHERE r.specimen_id = s.id) THEN 'tested'
            WHEN EXISTS (SELECT FROM recollection r WHERE r.specimen_id = s.id)
            THEN 'swabbed_again'
            WHEN EXISTS (SELECT FROM card_doubt d
                          WHERE d.specimen_id = s.id AND d.decided_at IS NOT NULL)
            THEN 'identity_decided'
       END AS why
  FROM specimen s
  JOIN tube_specimen ts ON ts.specimen_id = s.id JOIN tube t ON t.id = ts.tube_id
 WHERE s.import_job_id = :job
""")
_KEPT: Final = text("""
SELECT why, count(*) AS people FROM (
    SELECT specimen_id, max(why) AS why FROM sorted GROUP BY specimen_id
) each_one WHERE why IS NOT NULL GROUP BY why
""")
_TAKE_BACK: Final = tuple(
    map(
        text,
        (
            # one that any of its tubes keeps stays whole
            """
            DELETE FROM sorted WHERE specimen_id IN
                (SELECT specimen_id FROM sorted WHERE why IS NOT NULL)
            """,
            "CREATE UNIQUE INDEX ON sorted (specimen_id)",
            "ANALYZE sorted",
            """
            INSERT INTO audit_event (id, site_id, at, actor, verb, subject, detail)
            SELECT mint_uuid7(:now), :site, :now, :by, 'unregister', barcode,
                   jsonb_build_object('import', cast(:job AS text), 'specimen_id', specimen_id)
              FROM sorted
            """,
            """
            UPDATE recollection r SET state = 'open', done_specimen_id = NULL, ended_at = NULL
              FROM sorted WHERE r.done_specimen_id = sorted.specimen_id
            """,
            """
            WITH gone AS (
                DELETE FROM card_doubt d USING sorted
                 WHERE d.specimen_id = sorted.specimen_id RETURNING d.id, d.person_id
            )
            UPDATE person SET identity_conflict = NULL
             WHERE id IN (SELECT person_id FROM gone)
               AND NOT EXISTS (SELECT FROM card_doubt d
                                WHERE d.person_id = person.id AND d.decided_at IS NULL
                                  AND d.id NOT IN (SELECT id FROM gone))
            """,
            """
            DELETE FROM tube_specimen ts USING sorted
             WHERE ts.tube_id = sorted.tube_id AND ts.specimen_id = sorted.specimen_id
            """,
            "DELETE FROM tube USING sorted WHERE tube.id = sorted.tube_id",
            "DELETE FROM specimen USING sorted WHERE specimen.id = sorted.specimen_id",
            # people whom nobody but this list knew
            """
            DELETE FROM person p USING sorted
             WHERE p.id = sorted.person_id AND p.created_at = sorted.registered_at
               AND NOT EXISTS (SELECT FROM specimen s WHERE s.person_id = p.id)
               AND NOT EXISTS (SELECT FROM card_doubt d
                                WHERE d.person_id = p.id OR d.became_id = p.id)
               AND NOT EXISTS (SELECT FROM recollection r WHERE r.person_id = p.id)
               AND NOT EXISTS (SELECT FROM taken_back b WHERE b.person_id = p.id)
               AND p.merged_into_id IS NULL
               AND NOT EXISTS (SELECT FROM person_merge m
                                WHERE m.kept_id = p.id OR m.merged_id = p.id)
               AND NOT EXISTS (SELECT FROM finding f WHERE f.person_id = p.id)
               AND NOT EXISTS (SELECT FROM f0_case c WHERE c.person_id = p.id)
            """,
        ),
    )
)
_COUNT: Final = text("SELECT count(*) FROM specimen WHERE import_job_id = :job")
