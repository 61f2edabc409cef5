"""Clear everybody in tubes that are simply negative, in one statement.

The great mass of a testing day: a plate of 94 ten-swab pools clears 940 people
here, and where other systems are told of results a second one owes them
those. Property tests hold this equal to ``conclude`` and to the verification rule on the same
evidence: whoever would be held goes the long way, with everybody of their tube.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.verification import verification_rule_in_force
from lims.work.owe_findings import owe_findings

_CLEAR = text("""
WITH simple AS (
    SELECT r.id AS result_id, r.tube_id
    FROM result r
    JOIN tube t ON t.id = r.tube_id AND t.state = 'received' AND t.master_id IS NULL
    JOIN test_order o ON o.id = r.order_id AND o.why <> 'confirm'
    WHERE r.tube_id = ANY(:tubes) AND r.current AND NOT r.held AND r.outcome = 'not_detected'
      AND NOT EXISTS (SELECT FROM result r2 WHERE r2.tube_id = r.tube_id AND r2.id <> r.id)
      AND NOT EXISTS (SELECT FROM tube_source s WHERE s.source_id = r.tube_id)
      AND NOT EXISTS (SELECT FROM tube_source s JOIN test_order o2 ON o2.tube_id = s.source_id
                      WHERE s.pool_id = r.tube_id AND o2.state <> 'cancelled')
      AND NOT EXISTS (SELECT FROM pool_resolution p WHERE p.pool_id = r.tube_id)
      AND NOT EXISTS (SELECT FROM tube_specimen ts JOIN recollection rc
                      ON rc.done_specimen_id = ts.specimen_id WHERE ts.tube_id = r.tube_id)
      AND NOT EXISTS (SELECT FROM tube_specimen ts JOIN finding f
                      ON f.specimen_id = ts.specimen_id AND f.current
                      WHERE ts.tube_id = r.tube_id)
      AND NOT EXISTS (SELECT FROM tube_specimen ts
                      JOIN specimen s ON s.id = ts.specimen_id
                      JOIN finding f ON f.person_id = s.person_id AND f.current
                       AND f.outcome = 'positive' AND f.specimen_id <> s.id
                      JOIN specimen s2 ON s2.id = f.specimen_id
                       AND s2.collected_at BETWEEN s.collected_at - :too_soon
                                               AND s.collected_at + :too_soon
                      WHERE ts.tube_id = r.tube_id)
      AND NOT EXISTS (SELECT FROM tube_specimen ts
                      JOIN specimen s ON s.id = ts.specimen_id
                      JOIN f0_case c ON c.person_id = s.person_id
                       AND c.state IN ('presumptive', 'confirmed')
                      WHERE ts.tube_id = r.tube_id)
      AND ((SELECT NOT identity_holds FROM site WHERE id = :site_id) OR NOT EXISTS (
           SELECT FROM tube_specimen ts
           JOIN specimen s ON s.id = ts.specimen_id
           JOIN person p ON p.id = s.person_id AND p.identity_conflict IS NOT NULL
           WHERE ts.tube_id = r.tube_id))
), cleared AS (
    INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence,
                         current, created_at, released_at, released_by)
    SELECT mint_uuid7(:now), :site_id, s.id, s.person_id, 'negative', 'F', :rule,
           ARRAY[simple.result_id], true, :now, :now, :rule
    FROM simple
    JOIN tube_specimen ts ON ts.tube_id = simple.tube_id
    JOIN specimen s ON s.id = ts.specimen_id
    ORDER BY s.id
    RETURNING specimen_id
)
SELECT array_agg(tube_id) AS tubes,
       CASE WHEN EXISTS (SELECT FROM destination WHERE site_id = :site_id AND stopped_at IS NULL)
            THEN (SELECT array_agg(specimen_id) FROM cleared) END AS told_of
FROM simple
""")


def clear_negatives(
    session: Session, tubes: Sequence[UUID], *, site_id: UUID, now: datetime
) -> set[UUID]:
    """Write the negative findings of every tube whose story is one clean negative.

    Returns the tubes that were so simple. The others have a past (a pool that
    was positive, an earlier attempt, an asked-for confirmation, somebody whom the
    verification rule may hold, somebody whose case it may end) and need ``settle``.
    """
    if not tubes:
        return set()
    rule = verification_rule_in_force()
    values = {
        "tubes": list(tubes),
        "site_id": site_id,
        "now": now,
        "rule": rule.name,
        "too_soon": timedelta(days=rule.negative_too_soon_days),
    }
    done = session.execute(_CLEAR, values).one()
    owe_findings(session, done.told_of or (), site_id=site_id, now=now)
    return set(done.tubes or ())
