"""Where the open cases are: for a filter, and for the map of tiles."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.areas import SCHEME
from lims.work.views.board import Scope


@dataclass(frozen=True, slots=True)
class CasePlace:
    """A commune with the open cases of its people, and how many of them nobody holds."""

    scheme: str
    code: str
    name: str
    province_code: str | None
    province: str | None
    cases: int
    unclaimed: int


# By where people live: each case once.
_PLACES = text(
    """
    SELECT w.scheme, w.code, w.full_name AS name, u.code AS province_code,
           u.full_name AS province, count(*) AS cases,
           count(*) FILTER (WHERE k.id IS NULL) AS unclaimed
    FROM f0_case c
    JOIN person p ON p.id = c.person_id
    JOIN area w ON w.scheme = p.area_scheme AND w.code = p.area_code
    LEFT JOIN area u ON u.scheme = w.scheme AND u.code = w.parent_code
    LEFT JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL
    WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
      AND (:everything OR EXISTS (
          SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
          WHERE n.case_id = c.id AND b.team_id = :team))
    GROUP BY w.scheme, w.code, w.full_name, u.code, u.full_name
    ORDER BY province, name, w.code
    """
)


def province_names(session: Session) -> dict[str, str]:
    """Of the present scheme, by code."""
    found = session.execute(
        text("SELECT code, full_name FROM area WHERE scheme = :scheme AND level = 'province'"),
        {"scheme": SCHEME},
    )
    return {row.code: row.full_name for row in found}


def case_places(session: Session, scope: Scope, *, site_id: UUID) -> list[CasePlace]:
    """Communes with an open case, as this team was told of them."""
    values = {"site": site_id, "everything": scope.everything, "team": scope.team_id}
    return [
        CasePlace(
            row.scheme,
            row.code,
            row.name,
            row.province_code,
            row.province,
            row.cases,
            row.unclaimed,
        )
        for row in session.execute(_PLACES, values)
    ]
