"""What a tracing team's board shows: its cases and four figures.

A team sees what it has been told, and nothing else: the notices are the permission. So the board,
the API and the count in the navigation agree, and a ward never reads another ward's people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis

PAGE: Final = 80
# A correction that was read stays in sight so long, for the next shift.
_CORRECTED_STAYS: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose board it is: one team's, or (operators) everybody's. No team sees nothing."""

    everything: bool
    team_id: UUID | None = None


class Standing(StrEnum):
    """What a case asks of the team; the board's groups, in this order."""

    NEW = "new"
    CORRECTED = "corrected"
    HELD = "held"
    READ = "read"


class Order(StrEnum):
    """Within a group: what came last, or what has waited longest."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the board is asked for."""

    area: str | None = None
    team_id: UUID | None = None
    order: Order = Order.NEWEST
    page: int = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """The four cards. `oldest_at` is that of the unclaimed."""

    unclaimed: int
    oldest_at: datetime | None
    claimed_today: int
    presumptive: int


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as the board shows it: no Ct, no number of an identity paper."""

    case_id: UUID
    standing: Standing
    state: CaseState
    basis: Basis
    name: str
    birth_year: int | None
    sex: str | None
    phone: str | None
    address: str | None
    area: str | None
    work_area: str | None
    household: str | None
    household_people: int
    household_cases: int
    collected_at: datetime
    opened_at: datetime
    changed_at: datetime
    team_id: UUID | None
    team: str | None
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a filter: an area's code or a team's id, and how people call it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Board:
    """One page of the board."""

    figures: Figures
    rows: Sequence[CaseRow]
    more: bool


_SEEN_BY = """
    (:everything OR EXISTS (
        SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
        WHERE n.case_id = c.id AND b.team_id = :team))
    AND (CAST(:asked_team AS uuid) IS NULL OR EXISTS (
        SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
        WHERE n.case_id = c.id AND b.team_id = :asked_team))
    AND (CAST(:area AS text) IS NULL OR p.area_code = :area OR p.work_area_code = :area)"""

_UNREAD = """
    EXISTS (SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
            WHERE n.case_id = c.id AND n.kind = 'case.corrected' AND n.fetched_at IS NULL
              AND (:everything OR b.team_id = :team))"""

_ROWS = text(
    f"""
    WITH shown AS (
        SELECT c.*, k.team_id, k.claimed_at,
               CASE WHEN c.state IN ('presumptive', 'confirmed')
                    THEN CASE WHEN k.id IS NULL THEN 'new' ELSE 'held' END
                    WHEN {_UNREAD} THEN 'corrected' ELSE 'read' END AS standing
        FROM f0_case c
        JOIN person p ON p.id = c.person_id
        LEFT JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL
        WHERE c.site_id = :site AND c.state <> 'closed' AND {_SEEN_BY}
          AND (CAST(:case AS uuid) IS NULL OR c.id = :case))
    SELECT c.id AS case_id, c.standing, c.state, c.basis, c.opened_at, c.changed_at, c.team_id,
           c.claimed_at, t.name AS team, p.name, p.birth_year, p.sex, p.phone, p.address,
           home.full_name AS area, job.full_name AS work_area, h.label AS household,
           s.collected_at,
           (SELECT count(*) FROM person q WHERE q.household_id = h.id) AS household_people,
           (SELECT count(*) FROM f0_case o JOIN person q ON q.id = o.person_id
            WHERE q.household_id = h.id AND o.state IN ('presumptive', 'confirmed')
           ) AS household_cases
    FROM shown c
    JOIN person p ON p.id = c.person_id
    JOIN finding f ON f.id = c.finding_id
    JOIN specimen s ON s.id = f.specimen_id
    LEFT JOIN team t ON t.id = c.team_id
    LEFT JOIN household h ON h.id = p.household_id
    LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
    LEFT JOIN area job ON job.scheme = p.work_area_scheme AND job.code = p.work_area_code
    WHERE c.standing <> 'read' OR c.changed_at > :corrected_since OR CAST(:case AS uuid) IS NOT NULL
    ORDER BY array_position(ARRAY['new', 'corrected', 'held', 'read'], c.standing),
             CASE WHEN :oldest THEN c.opened_at END, c.opened_at DESC, c.id
    LIMIT :limit OFFSET :skip
    """  # noqa: S608 - put together from constants of this file
)

_FIGURES = text(
    f"""
    SELECT count(*) FILTER (WHERE k.id IS NULL) AS unclaimed,
           min(c.opened_at) FILTER (WHERE k.id IS NULL) AS oldest_at,
           count(*) FILTER (WHERE k.claimed_at >= :day_start) AS claimed_today,
           count(*) FILTER (WHERE c.state = 'presumptive') AS presumptive
    FROM f0_case c
    JOIN person p ON p.id = c.person_id
    LEFT JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL
    WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed') AND {_SEEN_BY}
    """  # noqa: S608 - put together from constants of this file
)

_AREAS = text(
    """
    SELECT DISTINCT w.code AS value, w.full_name AS label
    FROM f0_case c JOIN person p ON p.id = c.person_id
    JOIN area w ON w.scheme = p.area_scheme AND w.code = p.area_code
    WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
      AND (:everything OR EXISTS (
          SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
          WHERE n.case_id = c.id AND b.team_id = :team))
    ORDER BY label
    """
)


def board(
    session: Session,
    scope: Scope,
    asked: Asked,
    *,
    site_id: UUID,
    now: datetime,
    day_start: datetime,
) -> Board:
    """The figures and one page of cases. `day_start` is the site's midnight."""
    values = _values(scope, asked, site_id, now)
    skip = (max(asked.page, 1) - 1) * PAGE
    found = session.execute(_ROWS, {**values, "limit": PAGE + 1, "skip": skip}).all()
    return Board(
        figures=figures(session, scope, asked, site_id=site_id, day_start=day_start),
        rows=[_row(row) for row in found[:PAGE]],
        more=len(found) > PAGE,
    )


def figures(
    session: Session, scope: Scope, asked: Asked, *, site_id: UUID, day_start: datetime
) -> Figures:
    """The four cards alone, for the live page."""
    values = _values(scope, asked, site_id, day_start) | {"day_start": day_start}
    row = session.execute(_FIGURES, values).one()
    return Figures(row.unclaimed, row.oldest_at, row.claimed_today, row.presumptive)


def case_row(
    session: Session, scope: Scope, asked: Asked, case_id: UUID, *, site_id: UUID, now: datetime
) -> CaseRow | None:
    """One case as a row, or None when this board does not show it."""
    values = _values(scope, asked, site_id, now) | {"case": case_id, "limit": 1, "skip": 0}
    row = session.execute(_ROWS, values).one_or_none()
    return None if row is None else _row(row)


def areas(session: Session, scope: Scope, *, site_id: UUID) -> Sequence[Choice]:
    """The wards with open cases, for the filter."""
    values = {"site": site_id, "everything": scope.everything, "team": scope.team_id}
    return [Choice(row.value, row.label) for row in session.execute(_AREAS, values)]


def teams(session: Session, *, site_id: UUID) -> Sequence[Choice]:
    """Every team of the site, for an operator's filter."""
    found = session.execute(
        text("SELECT id, name FROM team WHERE site_id = :site ORDER BY name"), {"site": site_id}
    )
    return [Choice(str(row.id), row.name) for row in found]


def _values(scope: Scope, asked: Asked, site_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "site": site_id,
        "everything": scope.everything,
        "team": scope.team_id,
        "asked_team": asked.team_id,
        "area": asked.area,
        "case": None,
        "oldest": asked.order is Order.OLDEST,
        "corrected_since": now - _CORRECTED_STAYS,
    }


def _row(row: Row[Any]) -> CaseRow:
    return CaseRow(
        case_id=row.case_id,
        standing=Standing(row.standing),
        state=CaseState(row.state),
        basis=Basis(row.basis),
        name=row.name,
        birth_year=row.birth_year,
        sex=row.sex,
        phone=row.phone,
        address=row.address,
        area=row.area,
        work_area=row.work_area,
        household=row.household,
        household_people=row.household_people,
        household_cases=row.household_cases,
        collected_at=row.collected_at,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        team_id=row.team_id,
        team=row.team,
        claimed_at=row.claimed_at,
    )
