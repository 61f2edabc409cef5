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


_UNTOLD = text(
    """
    WITH waiting AS (
        SELECT c.id, c.sequence, c.state, c.basis, p.area_scheme, p.area_code,
               p.work_area_scheme, p.work_area_code, w.parent_code,
               greatest(c.opened_at, (SELECT max(k.ended_at) FROM claim k
                                      WHERE k.case_id = c.id)) AS since
        FROM f0_case c
        JOIN person p ON p.id = c.person_id
        LEFT JOIN area w ON w.scheme = p.area_scheme AND w.code = p.area_code
        WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
          AND c.opened_at <= :ward_late
          AND NOT EXISTS (SELECT FROM claim k WHERE k.case_id = c.id AND k.ended_at IS NULL))
    SELECT c.id AS case_id, c.sequence, c.state, c.basis, c.since, s.id AS subscription_id,
           CASE WHEN s.area_code IS NULL THEN 'nation'
                WHEN s.area_code = c.parent_code THEN 'province' ELSE 'ward' END AS step
    FROM waiting c
    JOIN subscription s ON s.disabled_at IS NULL AND s.site_id = :site
     AND ((c.since <= :ward_late
           AND (s.area_scheme, s.area_code) IN ((c.area_scheme, c.area_code),
                                                (c.work_area_scheme, c.work_area_code)))
       OR (c.since <= :province_late
           AND s.area_scheme = c.area_scheme AND s.area_code = c.parent_code)
       OR (c.since <= :nation_late AND s.area_code IS NULL))
    WHERE NOT EXISTS (SELECT FROM notice n
                      WHERE n.case_id = c.id AND n.subscription_id = s.id)
    ORDER BY c.since, c.id, s.id
    LIMIT :limit
    """
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
    """Owe the next step for every case that has waited too long. How many notices that made.

    Whoever was told before is not told again, so running it twice, or on two deliverers at once,
    changes nothing.
    """
    late = session.execute(
        _UNTOLD,
        {
            "site": site_id,
            "ward_late": now - patience.ward,
            "province_late": now - patience.province,
            "nation_late": now - patience.nation,
            "limit": limit,
        },
    ).all()
    return sum(_tell(session, row, site_id, now) for row in late)


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
