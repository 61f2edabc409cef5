"""Let findings go that were held for an identity conflict which is open no longer (S16)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import ResultStatus
from lims.work.cases import end_by_final
from lims.work.owe_findings import owe_findings

# The other criteria of the rule were judged when the finding was written; what is left of the
# reasons decides. A word after a final one of the same swab is a correction.
_LET_GO = text("""
UPDATE finding f SET holds = array_remove(f.holds, 'identity_conflict'),
    status = CASE WHEN g.held THEN 'P' WHEN g.told THEN 'C' ELSE 'F' END,
    released_at = CASE WHEN g.held THEN NULL ELSE cast(:now AS timestamptz) END,
    released_by = CASE WHEN g.held THEN NULL ELSE f.rule END
FROM (
    SELECT w.id, cardinality(array_remove(w.holds, 'identity_conflict')) > 0 AS held,
           EXISTS (SELECT FROM finding b WHERE b.specimen_id = w.specimen_id
                   AND b.status IN ('F', 'C')) AS told
    FROM finding w JOIN person p ON p.id = w.person_id JOIN site ON site.id = w.site_id
    WHERE w.current AND w.status = 'P' AND 'identity_conflict' = ANY(w.holds)
      AND (p.identity_conflict IS NULL OR NOT site.identity_holds)
      AND (w.person_id = :person OR cast(:person AS uuid) IS NULL)
      AND (w.site_id = :site OR cast(:site AS uuid) IS NULL)
    ORDER BY w.id FOR NO KEY UPDATE OF w
) g WHERE g.id = f.id
RETURNING f.site_id, f.specimen_id, f.status
""")


def release_unflagged(
    session: Session, *, now: datetime, person_id: UUID | None = None, site_id: UUID | None = None
) -> None:
    """Release what waited for nothing else; the rest keeps its other reasons.

    A negative that a rapid positive had asked for closes its case now (S19). Raises NoDesk.
    """
    released: dict[UUID, list[UUID]] = {}
    for row in session.execute(_LET_GO, {"person": person_id, "site": site_id, "now": now}):
        if row.status != ResultStatus.PRELIMINARY:
            released.setdefault(row.site_id, []).append(row.specimen_id)
    for site, specimens in released.items():
        end_by_final(session, specimens, site_id=site, now=now)
        owe_findings(session, specimens, site_id=site, now=now)
