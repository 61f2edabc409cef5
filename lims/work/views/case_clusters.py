"""Open cases and what they share, as one team was told of them: the clusters, and one by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.clusters import Cluster, Shared, Tie, clusters
from lims.domain.neighbourhood import building_of, house_of, lane_of
from lims.domain.zones import SWAB_TIES
from lims.work.tell import ZONES_OF
from lims.work.views.board import Scope


@dataclass(frozen=True, slots=True)
class Tied:
    """A case of a cluster, as it is listed there."""

    case_id: UUID
    name: str
    birth_year: int | None
    state: str
    address: str | None
    area: str | None
    opened_at: datetime
    team: str | None


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster with its people, the oldest case first."""

    cluster: Cluster
    people: Sequence[Tied]

    @property
    def newest_at(self) -> datetime:
        return max(one.opened_at for one in self.people)

    @property
    def unclaimed(self) -> int:
        return sum(one.team is None for one in self.people)

    @property
    def teams(self) -> Sequence[str]:
        return sorted({one.team for one in self.people if one.team})

    @property
    def areas(self) -> Sequence[str]:
        return sorted({one.area for one in self.people if one.area})


# A pool is shared by whoever is in it; of a field pool, they were swabbed side by side.
_OPEN = text("""
SELECT c.id, c.state, c.opened_at, p.name, p.birth_year, p.phone, p.household_id,
       h.label AS household, coalesce(p.address, h.address) AS address, p.area_scheme, p.area_code,
       w.full_name AS area, t.name AS team, f.specimen_id
FROM f0_case c
JOIN person p ON p.id = c.person_id
JOIN finding f ON f.id = c.finding_id
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area w ON w.scheme = p.area_scheme AND w.code = p.area_code
LEFT JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL
LEFT JOIN team t ON t.id = k.team_id
WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
  AND (:everything OR EXISTS (
      SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
      WHERE n.case_id = c.id AND b.team_id = :team))
""")
_POOLS = text("""
SELECT c.id, u.barcode, u.kind
FROM f0_case c
JOIN finding f ON f.id = c.finding_id
JOIN tube_specimen m ON m.specimen_id = f.specimen_id
JOIN tube u ON u.id = m.tube_id
WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed') AND u.kind <> 'individual'
  AND u.master_id IS NULL
""")
# A class or shift of one name is the same people on another day.
_ROSTERS = text("""
SELECT DISTINCT c.id, y.kind, y.name_key, y.name
FROM f0_case c
JOIN roster_member x ON x.person_id = c.person_id
JOIN roster y ON y.id = x.roster_id
WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
""")
# The zones that tracing teams are told by, so that a factory estate is one cluster for its team.
_ZONES = text(
    f"""
    WITH live AS (
        SELECT id, person_id FROM f0_case
        WHERE site_id = :site AND state IN ('presumptive', 'confirmed')),
    about AS (SELECT DISTINCT person_id AS id FROM live),
    belongs AS ({ZONES_OF})
    SELECT live.id, z.id AS zone_id, z.name
    FROM live JOIN belongs b ON b.id = live.person_id
    JOIN zone z ON z.id = b.zone_id AND z.closed_at IS NULL
    """  # noqa: S608 - put together from constants of these files
)


def case_clusters(
    session: Session, scope: Scope, ties: Collection[Tie], *, site_id: UUID, now: datetime
) -> list[ClusterRow]:
    """Every cluster of two open cases or more, the largest first."""
    values = {"site": site_id, "everything": scope.everything, "team": scope.team_id}
    rows = {row.id: row for row in session.execute(_OPEN, values)}
    beside: dict[UUID, list[Shared]] = {case: [] for case in rows}
    for row in session.execute(_POOLS, {"site": site_id}):
        if row.id in beside:
            tie = Tie.SWABBED_TOGETHER if row.kind == "field_pool" else Tie.LAB_POOL
            beside[row.id].append(Shared(tie, row.barcode, row.barcode))
    for row in session.execute(_ROSTERS, {"site": site_id}):
        if row.id in beside:
            tie = Tie.LANE if row.kind == "lane" else Tie.WORKPLACE
            beside[row.id].append(Shared(tie, f"{row.kind} {row.name_key}", row.name))
    about = {"site": site_id, "now": now, "swab_ties": SWAB_TIES}
    for row in session.execute(_ZONES, about):
        if row.id in beside:
            beside[row.id].append(Shared(Tie.ZONE, str(row.zone_id), row.name))
    shared = [(row.id, [*_at_home(row), *beside[row.id]]) for row in rows.values()]
    return [
        ClusterRow(one, [_tied(rows[case]) for case in one.cases]) for one in clusters(shared, ties)
    ]


def _at_home(row: Row[Any]) -> Iterator[Shared]:
    if row.household_id is not None:
        yield Shared(Tie.HOUSEHOLD, str(row.household_id), row.household)
    if row.phone is not None:  # its end tells it from others; the rest stands on each case's page
        yield Shared(Tie.PHONE, row.phone, f"…{row.phone[-3:]}")
    where = f"{row.area_scheme} {row.area_code} "
    if (house := house_of(row.address)) is not None:
        yield Shared(Tie.HOUSE, where + house.key, house.name)
    if (building := building_of(row.address)) is not None:
        yield Shared(Tie.BUILDING, where + building.key, building.name)
    if (lane := lane_of(row.address)) is not None:
        yield Shared(Tie.LANE, where + lane.key, lane.name)


def _tied(row: Row[Any]) -> Tied:
    return Tied(
        row.id,
        row.name,
        row.birth_year,
        row.state,
        row.address,
        row.area,
        row.opened_at,
        row.team,
    )
