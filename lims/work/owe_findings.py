"""Owe other systems what has become of swabs: the difference to what each was told before.

One statement for any number of swabs, in the transaction that changed their findings. It looks at
what stands now and at what each destination was told last, so that calling it again owes nothing,
and any verb may call it with the swabs that it touched.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.exchange import WANT_FINDINGS

CHANNEL: Final = "outbound_owed"

# Whether the person `p` lives in the unit `w`, or `w` is none.
LIVES_THERE: Final = """(w.code IS NULL OR EXISTS (
        SELECT FROM area a LEFT JOIN area up ON up.scheme = a.scheme AND up.code = a.parent_code
        WHERE a.scheme = p.area_scheme AND a.code = p.area_code
          AND ((a.code = w.code AND a.name_key = w.name_key
                AND a.parent_code IS NOT DISTINCT FROM w.parent_code)
            OR (up.code = w.code AND up.name_key = w.name_key AND w.parent_code IS NULL))))"""

# A final word goes to the destinations of where its person lives (a unit is the same one in two
# schemes when code, name and parent's code are); whoever was told hears what follows, wherever that
# is now. P only takes a final word back; W goes when the swab was another person's.
_OWE = text(f"""
WITH swab AS (
    SELECT s.id, s.person_id, f.id AS finding_id, f.outcome, f.status, f.ct_cycles
    FROM specimen s LEFT JOIN finding f ON f.specimen_id = s.id AND f.current
    WHERE s.id = ANY(:specimens)
), wanting AS (
    SELECT d.id, u.code, u.name_key, u.parent_code
    FROM destination d
    LEFT JOIN area u ON u.scheme = d.area_scheme AND u.code = d.area_code
    WHERE d.stopped_at IS NULL AND d.site_id = :site AND d.kind = ANY(:kinds)
), told AS (
    SELECT DISTINCT ON (o.subject_id, o.destination_id) o.subject_id, o.destination_id,
           o.sequence, o.says, g.id AS finding_id, g.person_id, g.outcome, g.ct_cycles
    FROM outbound o JOIN wanting w ON w.id = o.destination_id
    JOIN finding g ON g.id = o.finding_id
    WHERE o.subject_id = ANY(:specimens)
    ORDER BY o.subject_id, o.destination_id, o.sequence DESC
), living AS (
    SELECT s.id, w.id AS destination_id
    FROM swab s JOIN person p ON p.id = s.person_id
    JOIN wanting w ON {LIVES_THERE}
    UNION SELECT subject_id, destination_id FROM told
), news AS (
    SELECT t.subject_id, t.destination_id, 1 AS place, t.finding_id,
           CASE WHEN t.person_id <> s.person_id THEN 'W' ELSE 'X' END AS says
    FROM told t JOIN swab s ON s.id = t.subject_id
    WHERE t.says NOT IN ('W', 'X') AND (t.person_id <> s.person_id OR s.finding_id IS NULL)
    UNION ALL
    SELECT s.id, l.destination_id, 2, s.finding_id, s.status
    FROM living l JOIN swab s ON s.id = l.id AND s.finding_id IS NOT NULL
    LEFT JOIN told t ON t.subject_id = s.id AND t.destination_id = l.destination_id
    WHERE CASE WHEN t.says IS NULL OR t.says IN ('W', 'X') OR t.person_id <> s.person_id
               THEN s.status IN ('F', 'C')
               ELSE s.status <> t.says OR s.outcome <> t.outcome
                    OR s.ct_cycles IS DISTINCT FROM t.ct_cycles END
), owed AS (
    INSERT INTO outbound (id, site_id, destination_id, kind, subject_id, sequence, says,
                          finding_id, state, attempts, next_attempt_at, created_at)
    SELECT mint_uuid7(:now), :site, n.destination_id, 'finding', n.subject_id,
           coalesce(t.sequence, 0) + row_number() OVER (
               PARTITION BY n.subject_id, n.destination_id ORDER BY n.place),
           n.says, n.finding_id, 'owed', 0, :now, :now
    FROM news n
    LEFT JOIN told t ON t.subject_id = n.subject_id AND t.destination_id = n.destination_id
    RETURNING id
), rung AS (
    SELECT pg_notify(:channel, '') FROM (SELECT FROM owed LIMIT 1) one
)
SELECT (SELECT count(*) FROM owed), (SELECT count(*) FROM rung)
""")  # noqa: S608 - put together from constants of this file


def owe_findings(
    session: Session, specimens: Sequence[UUID], *, site_id: UUID, now: datetime
) -> int:
    """How many rows are owed for these swabs that were not before; nothing without a destination.

    The caller holds the swabs' tubes, so that nobody numbers the same swab's words at once.
    """
    if not specimens:
        return 0
    session.flush()
    owed: int = session.execute(
        _OWE,
        {
            "specimens": list(specimens),
            "site": site_id,
            "kinds": sorted(WANT_FINDINGS),
            "channel": CHANNEL,
            "now": now,
        },
    ).scalar_one()
    return owed
