"""Take back everybody in tubes that were simply negative, in one statement: the mirror of clear.py.

Nearly everybody whom a recall touches was cleared by a pool that did nothing else. A property test
holds this equal to ``conclude`` on the same evidence; whoever has a past goes the long way.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.pooling.wishes import RERUN_PRIORITY
from lims.work.evidence import lock_components
from lims.work.owe_findings import owe_findings
from lims.work.settle import settle


def settle_voided(
    session: Session, tubes: Collection[UUID], *, site_id: UUID, now: datetime, by: str
) -> None:
    """Everything that follows when tests were void and results ended, under one lock on all the
    pools that they touch; in the name of the reviewer whose act it is."""
    if not tubes:
        return
    session.flush()
    lock_components(session, sorted(tubes))
    values = {
        "tubes": sorted(tubes),
        "site": site_id,
        "now": now,
        "rerun": RERUN_PRIORITY,
    }
    unclear = set(session.execute(_UNCLEAR, values).scalars())
    told_of = session.execute(_SWABS, {"tubes": list(unclear)}).scalars().all()
    owe_findings(session, told_of, site_id=site_id, now=now)
    rest = [tube for tube in sorted(tubes) if tube not in unclear]
    settle(session, rest, site_id=site_id, now=now, signed=by)


_SWABS = text(
    "SELECT specimen_id FROM tube_specimen WHERE tube_id = ANY(:tubes) ORDER BY specimen_id"
)

_UNCLEAR = text("""
WITH plain AS (
    SELECT o.tube_id, o.round, o.priority, o.because, o.assay_code
    FROM tube t JOIN test_order o ON o.tube_id = t.id AND o.state = 'void'
    WHERE t.id = ANY(:tubes) AND t.state = 'received' AND t.master_id IS NULL
      AND t.volume_ul IS NULL
      AND NOT EXISTS (SELECT FROM test_order o2 WHERE o2.tube_id = t.id AND o2.id <> o.id)
      AND NOT EXISTS (SELECT FROM result r WHERE r.tube_id = t.id
                      AND (r.current OR r.outcome NOT IN ('not_detected', 'invalid')))
      AND NOT EXISTS (SELECT FROM tube_source s WHERE s.source_id = t.id)
      AND NOT EXISTS (SELECT FROM tube_source s JOIN test_order o2 ON o2.tube_id = s.source_id
                      WHERE s.pool_id = t.id)
      AND NOT EXISTS (SELECT FROM pool_resolution p WHERE p.pool_id = t.id)
      AND NOT EXISTS (SELECT FROM alert_member a WHERE a.pool_id = t.id)
      AND NOT EXISTS (SELECT FROM review_decision d WHERE d.tube_id = t.id)
), simple AS (
    SELECT p.* FROM plain p
    WHERE NOT EXISTS (
        SELECT FROM tube_specimen ts
        JOIN specimen s ON s.id = ts.specimen_id
        LEFT JOIN finding f ON f.specimen_id = s.id AND f.current
        WHERE ts.tube_id = p.tube_id AND (
            f.outcome IS DISTINCT FROM 'negative'
            OR EXISTS (SELECT FROM f0_case c WHERE c.person_id = s.person_id)
            OR EXISTS (SELECT FROM recollection rc WHERE rc.specimen_id = s.id)
            OR EXISTS (SELECT FROM recollection rc WHERE rc.done_specimen_id = s.id)))
), ended AS (
    UPDATE finding f SET current = false
    FROM simple JOIN tube_specimen ts ON ts.tube_id = simple.tube_id
    WHERE f.specimen_id = ts.specimen_id AND f.current
), again AS (
    INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, because, state,
                            created_at)
    SELECT mint_uuid7(:now), :site, tube_id, assay_code, round + 1, greatest(priority, :rerun),
           'rerun', CASE WHEN because <> '' THEN 'run again: ' || because ELSE 'run again' END,
           'queued', :now
    FROM simple ORDER BY tube_id
)
SELECT tube_id FROM simple
""")
