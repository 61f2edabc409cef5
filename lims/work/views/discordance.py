"""Tubes that disagree with what is in them, for the reviewer and the contamination check (S4, S8).

A positive pool of negatives, a person detected and then not, and a negative
pool that holds a positive person. What a reviewer has closed is not listed.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

POSITIVE_OF_NEGATIVES = "detected, and everyone in it is negative"
NEGATIVE_OF_POSITIVE = "not detected, and somebody in it is positive"


@dataclass(frozen=True, slots=True)
class Discordance:
    """One tube, the runs that measured it, and how many people are in it."""

    tube_id: UUID
    barcode: str
    kind: str
    why: str
    people: int
    plates: tuple[str, ...]
    since: datetime


def discordances(session: Session, *, site_id: UUID) -> list[Discordance]:
    """Every open disagreement, oldest first."""
    rows = session.execute(_DISCORDANT, {"site": site_id})
    return [
        Discordance(
            row.id,
            row.barcode,
            row.kind,
            POSITIVE_OF_NEGATIVES if row.detected else NEGATIVE_OF_POSITIVE,
            row.people,
            tuple(row.plates),
            row.since,
        )
        for row in rows
    ]


# Found from the few findings that are positive or discordant, never from all pools. Of nested
# tubes that were detected only the innermost disagrees, as in domain/pooling/coverage.py.
_DISCORDANT = text("""
WITH about AS (
    SELECT ts.tube_id, f.outcome, f.created_at
    FROM finding f JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
    WHERE f.site_id = :site AND f.current AND f.outcome IN ('positive', 'discordant')
), tubes AS (
    SELECT a.tube_id, bool_or(a.outcome = 'positive') AS positive,
           bool_and(a.outcome = 'discordant') AS discordant, count(*) AS said,
           max(a.created_at) AS since
    FROM about a GROUP BY a.tube_id
), read AS (
    SELECT u.*, t.barcode, t.kind,
           (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = t.id) AS people,
           EXISTS (SELECT FROM result r WHERE r.tube_id = t.id AND r.current AND NOT r.held
                   AND r.outcome = 'detected') AS detected,
           (SELECT r.outcome FROM result r JOIN test_order o ON o.id = r.order_id
            WHERE r.tube_id = t.id AND r.current AND NOT r.held AND r.outcome <> 'invalid'
            ORDER BY o.round DESC LIMIT 1) AS last
    FROM tubes u JOIN tube t ON t.id = u.tube_id
    WHERE NOT EXISTS (SELECT FROM review_decision d WHERE d.tube_id = t.id)
), disputed AS (
    SELECT * FROM read WHERE discordant AND said = people AND detected
)
SELECT d.tube_id AS id, d.barcode, d.kind, d.people, d.since, d.detected,
       ARRAY(SELECT DISTINCT n.plate FROM result r JOIN run n ON n.id = r.run_id
             WHERE r.tube_id = d.tube_id AND r.current ORDER BY n.plate) AS plates
FROM read d
WHERE (d.detected AND d.tube_id IN (SELECT tube_id FROM disputed) AND NOT EXISTS (
           SELECT FROM disputed i WHERE i.people < d.people AND EXISTS (
               SELECT FROM tube_specimen x JOIN tube_specimen y USING (specimen_id)
               WHERE x.tube_id = i.tube_id AND y.tube_id = d.tube_id)))
   OR (NOT d.detected AND d.positive AND d.kind = 'lab_pool' AND d.last = 'not_detected')
ORDER BY d.since, d.tube_id
""")
