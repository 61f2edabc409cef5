"""Take back rapid tests of a lot or a reader that is not to be believed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.outcomes import FindingOutcome
from lims.domain.verification import Hold
from lims.work.cases import follow_findings
from lims.work.findings import Change
from lims.work.owe_findings import owe_findings

RULE: Final = "recall/1"
"""What judged a finding that only says that nothing is known."""

WHY: Final = "rapid test recalled"


def take_back_strips(
    session: Session,
    recall_id: UUID,
    swabs: Sequence[UUID],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
    said: bool = True,
) -> list[UUID]:
    """These rapid tests say nothing any more: their people are to be swabbed again, unless the PCR
    swab of a positive is there already, and cases that stood on them follow.

    A final word is replaced by a correction (status C) in the name of whoever recalled it; one that
    was not ``said``, since its lot was recalled before it was read, never was final, so that nobody
    is sent a correction of what they were not told. Returns the findings that ended. Raises NoDesk.
    """
    if not swabs:
        return []
    values = {
        "recall": recall_id,
        "swabs": list(swabs),
        "site": site_id,
        "by": by,
        "now": now,
        "rule": RULE,
        "why": WHY,
        "hold": str(Hold.RESWAB),
        "said": said,
    }
    session.execute(_STRIPS, values)
    ended = session.execute(_END, values).all()
    ids = [row.id for row in ended]
    session.execute(_INSTEAD, {**values, "ended": ids})
    session.execute(_RECOLLECT, {**values, "ended": ids})
    changes = [
        Change(
            specimen_id=row.specimen_id,
            person_id=row.person_id,
            finding_id=None,
            before=FindingOutcome(row.outcome),
            after=FindingOutcome.RECOLLECT,
        )
        for row in ended
    ]
    follow_findings(session, changes, site_id=site_id, now=now)
    owe_findings(session, [row.specimen_id for row in ended], site_id=site_id, now=now)
    return ids


_STRIPS = text("""
INSERT INTO recall_strip (rapid_test_id, recall_id)
SELECT id, :recall FROM rapid_test WHERE specimen_id = ANY(:swabs)
""")

_END = text("""
WITH locked AS (
    SELECT id FROM finding WHERE specimen_id = ANY(:swabs) AND current
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE finding f SET current = false,
    status = CASE WHEN :said THEN f.status ELSE 'P' END,
    holds = CASE WHEN :said OR f.status = 'P' THEN f.holds ELSE ARRAY[cast(:hold AS text)] END,
    released_at = CASE WHEN :said THEN f.released_at END,
    released_by = CASE WHEN :said THEN f.released_by END
FROM locked WHERE f.id = locked.id
RETURNING f.id, f.specimen_id, f.person_id, f.outcome
""")

_INSTEAD = text("""
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence, holds,
                     current, supersedes_id, created_at, released_at, released_by)
SELECT mint_uuid7(:now), :site, specimen_id, person_id, 'recollect',
       CASE WHEN released_at IS NULL THEN 'P' ELSE 'C' END, :rule, '{}',
       ARRAY[cast(:hold AS text)], true, id, :now,
       CASE WHEN released_at IS NOT NULL THEN cast(:now AS timestamptz) END,
       CASE WHEN released_at IS NOT NULL THEN cast(:by AS text) END
FROM finding WHERE id = ANY(:ended) ORDER BY specimen_id
""")

_RECOLLECT = text("""
INSERT INTO recollection (id, site_id, specimen_id, person_id, why, state, created_at)
SELECT mint_uuid7(:now), :site, s.id, s.person_id, :why, 'open', :now
FROM finding f JOIN specimen s ON s.id = f.specimen_id
WHERE f.id = ANY(:ended) AND NOT EXISTS (
    SELECT FROM rapid_test r JOIN tube_specimen ts ON ts.specimen_id = r.pcr_specimen_id
    JOIN tube t ON t.id = ts.tube_id AND t.state IN ('collected', 'received')
    WHERE r.specimen_id = s.id)
ORDER BY s.id ON CONFLICT (specimen_id) DO NOTHING
""")
