"""Nobody has claimed a case: tell the next ones, and the next, until somebody must have heard.

Steps of stories.md S21, over the recipients there are: the ward's other teams, its province, then
the national desk, whose list is called by telephone. Every step is a notice and an audit event.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.outcomes import NoticeKind
from lims.work import audit, live

ACTOR: Final = "deliverer"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a case may wait unclaimed before each step, since it was opened or given back."""

    ward: timedelta = timedelta(minutes=15)
    province: timedelta = timedelta(minutes=30)
    nation: timedelta = timedelta(minutes=45)


# The same ward in two schemes is found as lims/work/tell.py finds it.
_UNTOLD = """
    WITH waiting AS (
        SELECT c.id, c.sequence, c.state, c.basis,
               h.code AS home, h.name_key AS home_name, h.parent_code AS home_parent,
               w.code AS job, w.name_key AS job_name, w.parent_code AS job_parent,
               p.code AS province, p.name_key AS province_name,
               greatest(c.opened_at, (SELECT max(k.ended_at) FROM claim k
                                      WHERE k.case_id = c.id)) AS since
        FROM f0_case c
        JOIN person o ON o.id = c.person_id
        LEFT JOIN area h ON h.scheme = o.area_scheme AND h.code = o.area_code
        LEFT JOIN area w ON w.scheme = o.work_area_scheme AND w.code = o.work_area_code
        LEFT JOIN area p ON p.scheme = h.scheme AND p.code = h.parent_code
        WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
          AND c.opened_at <= :ward_late
          AND NOT EXISTS (SELECT FROM claim k WHERE k.case_id = c.id AND k.ended_at IS NULL)),
    listening AS (
        SELECT s.id, u.code, u.name_key, u.parent_code
        FROM subscription s
        LEFT JOIN area u ON u.scheme = s.area_scheme AND u.code = s.area_code
        WHERE s.disabled_at IS NULL AND s.site_id = :site)
    SELECT c.id AS case_id, c.sequence, c.state, c.basis, c.since, s.id AS subscription_id,
           CASE WHEN s.code IS NULL THEN 'nation'
                WHEN (s.code, s.name_key) = (c.province, c.province_name) THEN 'province'
                ELSE 'ward' END AS step
    FROM waiting c
    JOIN listening s
      ON (c.since <= :ward_late
          AND ((s.code, s.name_key) = (c.home, c.home_name)
               AND s.parent_code IS NOT DISTINCT FROM c.home_parent
            OR (s.code, s.name_key) = (c.job, c.job_name)
               AND s.parent_code IS NOT DISTINCT FROM c.job_parent))
      OR (c.since <= :province_late AND s.parent_code IS NULL
          AND (s.code, s.name_key) = (c.province, c.province_name))
      OR (c.since <= :nation_late AND s.code IS NULL)
    WHERE NOT EXISTS (SELECT FROM notice n
                      WHERE n.case_id = c.id AND n.subscription_id = s.id)
"""

# Of the cases somebody has still to hear of: one that a review or a claim is changing at this
# moment is left for the next look.
_LATE = text(
    f"""
    SELECT c.id FROM f0_case c
    WHERE c.id IN (SELECT case_id FROM ({_UNTOLD}) untold)
      AND c.state IN ('presumptive', 'confirmed')
    ORDER BY c.opened_at, c.id
    LIMIT :limit
    FOR NO KEY UPDATE OF c SKIP LOCKED
    """  # noqa: S608 - put together from constants of this file
)

# A statement of its own: what was committed before the lock was had is seen, a claim too.
_STEPS = text(
    f"SELECT * FROM ({_UNTOLD}) untold WHERE case_id = ANY(:cases)"  # noqa: S608 - constants
    " ORDER BY since, case_id, subscription_id"
)

_OWE = text(
    """
    INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts, state,
                        attempts, next_attempt_at, created_at)
    VALUES (:id, :site, :subscription, :kind, :case, :sequence, cast(:facts AS jsonb), 'owed',
            0, :now, :now)
    ON CONFLICT DO NOTHING RETURNING id
    """
)


def escalate(
    session: Session, now: datetime, *, site_id: UUID, patience: Patience, limit: int = 200
) -> int:
    """Owe the next step of at most `limit` cases that waited too long. How many notices that made.

    Whoever was told before is not told again, so running it twice, or on two deliverers at once,
    changes nothing. A case is locked before its recipients are chosen: what withdraws it at this
    moment either comes first, and nobody more is told, or finds everybody who was told.
    """
    at = {
        "site": site_id,
        "ward_late": now - patience.ward,
        "province_late": now - patience.province,
        "nation_late": now - patience.nation,
    }
    cases = session.execute(_LATE, at | {"limit": limit}).scalars().all()
    if not cases:
        return 0
    steps = session.execute(_STEPS, at | {"cases": list(cases)}).all()
    return sum(_tell(session, row, site_id, now) for row in steps)


def _tell(session: Session, row: Row[Any], site_id: UUID, now: datetime) -> bool:
    waited_min = int((now - row.since).total_seconds() // 60)
    facts = {"state": row.state, "basis": row.basis, "unclaimed_min": waited_min}
    made: Sequence[UUID] = (
        session.execute(
            _OWE,
            {
                "id": uuid7(),
                "site": site_id,
                "subscription": row.subscription_id,
                "kind": str(NoticeKind.CASE_OPENED),
                "case": row.case_id,
                "sequence": row.sequence,
                "facts": json.dumps(facts),
                "now": now,
            },
        )
        .scalars()
        .all()
    )
    if not made:
        return False
    audit.record(
        session,
        site_id=site_id,
        actor=ACTOR,
        verb="escalate",
        subject=str(row.case_id),
        now=now,
        step=row.step,
        unclaimed_min=waited_min,
        subscription_id=str(row.subscription_id),
    )
    live.ring(session, "case.escalated", case_id=row.case_id)
    return True
