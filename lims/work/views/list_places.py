"""What a list of F0 may be narrowed to: a team's areas and zones, and whose cases a zone has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.registration import AreaRef
from lims.domain.zones import SWAB_TIES
from lims.work.tell import ZONES_OF
from lims.work.views.board import Scope

# A team is told of an area, of its province or of the whole country; or a case that it was told of,
# by a zone or as a copy, lies there.
_IS_TOLD_OF = text("""
SELECT EXISTS (
    SELECT FROM subscription b JOIN area a ON a.scheme = :scheme AND a.code = :code
    WHERE b.team_id = :team AND b.disabled_at IS NULL
      AND (b.area_code IS NULL AND b.zone_id IS NULL
           OR b.area_scheme = a.scheme AND b.area_code IN (a.code, a.parent_code)))
OR EXISTS (
    SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
    JOIN f0_case c ON c.id = n.case_id
    JOIN person p ON p.id = c.person_id
    LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
    LEFT JOIN area job ON job.scheme = p.work_area_scheme AND job.code = p.work_area_code
    WHERE b.team_id = :team
      AND (home.scheme = :scheme AND :code IN (home.code, home.parent_code)
           OR job.scheme = :scheme AND :code IN (job.code, job.parent_code)))
""")

_ZONES = text("""
SELECT z.id, z.name FROM zone z
WHERE z.site_id = :site AND z.closed_at IS NULL
  AND (:everything OR EXISTS (
      SELECT FROM subscription b
      WHERE b.zone_id = z.id AND b.team_id = :team AND b.disabled_at IS NULL))
ORDER BY z.name_key
""")

# Who belongs to the zone now, and whose case was told to its teams: a case taken back after
# somebody moved away is on the next list still.
_CASES = text(
    f"""
    WITH about AS (SELECT DISTINCT person_id AS id FROM f0_case WHERE site_id = :site),
    belongs AS ({ZONES_OF})
    SELECT c.id FROM f0_case c JOIN belongs b ON b.id = c.person_id
    WHERE b.zone_id = :zone AND c.site_id = :site
    UNION
    SELECT n.case_id FROM notice n JOIN subscription b ON b.id = n.subscription_id
    WHERE b.zone_id = :zone AND n.case_id IS NOT NULL
    """  # noqa: S608 - put together from constants of these files
)


def is_told_of(session: Session, scope: Scope, area: AreaRef) -> bool:
    """Whether a list of this area, a commune or a province, is this reader's to take."""
    if scope.everything:
        return True
    asked = {"team": scope.team_id, "scheme": area.scheme, "code": area.code}
    return bool(session.execute(_IS_TOLD_OF, asked).scalar_one())


def list_zones(session: Session, scope: Scope, *, site_id: UUID) -> Sequence[tuple[UUID, str]]:
    """The open zones that the team is told of, by name; every one for who reads everything."""
    asked = {"site": site_id, "everything": scope.everything, "team": scope.team_id}
    return [(row.id, row.name) for row in session.execute(_ZONES, asked)]


def zone_cases(session: Session, zone_id: UUID, *, site_id: UUID, now: datetime) -> frozenset[UUID]:
    """The cases of a zone's people, and those its teams were told of."""
    asked = {"site": site_id, "zone": zone_id, "now": now, "swab_ties": SWAB_TIES}
    return frozenset(session.execute(_CASES, asked).scalars())
