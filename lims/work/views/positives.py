"""The F0 of a day, or all that are open, as one team may read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, Outcome
from lims.work.matched import shown_word
from lims.work.views.board import Scope
from reports.positive_list import SECTION_OF, LabDetail, Line


@dataclass(frozen=True, slots=True)
class Positive:
    """One line of the list and the case behind it."""

    case_id: UUID
    line: Line


# The notices are the permission, as on the board: a team lists what it was told of.
_CASES: Final = """
    FROM f0_case c
    JOIN person p ON p.id = c.person_id
    JOIN finding f ON f.id = c.finding_id
    JOIN specimen s ON s.id = f.specimen_id
    LEFT JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL
    LEFT JOIN team t ON t.id = k.team_id
    LEFT JOIN household h ON h.id = p.household_id
    LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
    LEFT JOIN area province ON province.scheme = home.scheme AND province.code = home.parent_code
    LEFT JOIN area job ON job.scheme = p.work_area_scheme AND job.code = p.work_area_code
    WHERE c.site_id = :site
      AND (:everything OR EXISTS (
          SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
          WHERE n.case_id = c.id AND b.team_id = :team))
"""
_OF_A_DAY: Final = """
      AND (c.opened_at >= :start AND c.opened_at < :end
           OR c.changed_at >= :start AND c.changed_at < :end)
"""
_OPEN: Final = " AND c.state IN ('presumptive', 'confirmed')"
_COLUMNS: Final = """
    SELECT c.id, c.state, c.basis, c.opened_at, p.name, p.birth_year, p.sex, p.phone,
           coalesce(p.address, h.address) AS address, home.full_name AS area,
           province.name AS province, job.full_name AS work_area, h.label AS household,
           CASE WHEN h.id IS NULL THEN 1 ELSE
               (SELECT count(*) FROM person q WHERE q.household_id = h.id) END AS people,
           s.collected_at, t.name AS team, k.claimed_at, {laboratory}
"""
_LABORATORY: Final = """
    p.national_id, f.ct_cycles, said.barcode, said.pooled, said.assay_code, said.targets,
    said.call, said.called, said.closed_system,
    (SELECT l.lot FROM rapid_test q JOIN kit_lot l ON l.id = q.kit_lot_id
     WHERE q.specimen_id = f.specimen_id) AS kit_lot"""
_SAID: Final = """
    LEFT JOIN LATERAL (
        SELECT u.barcode, u.assay_code, n.targets, n.call, n.called, n.closed_system,
               (SELECT count(*) FROM tube_specimen m WHERE m.tube_id = u.id) AS pooled
        FROM result r JOIN tube u ON u.id = r.tube_id JOIN measurement n ON n.id = r.measurement_id
        WHERE r.id = ANY(f.evidence)
        ORDER BY r.created_at DESC, r.id LIMIT 1) said ON true
"""
_ORDER: Final = " ORDER BY home.full_name, h.label, p.name_key, c.id"


def positives(
    session: Session,
    scope: Scope,
    *,
    site_id: UUID,
    between: tuple[datetime, datetime] | None,
    for_laboratory: bool = False,
) -> list[Positive]:
    """By commune, household and name. Without `between`, every case that is open now.

    What only the laboratory reads is not asked of the database for anybody else.
    """
    laboratory = _LABORATORY if for_laboratory else "NULL AS national_id"
    cases = _CASES.replace("WHERE c.site_id", _SAID + " WHERE c.site_id", 1)
    query = (
        _COLUMNS.format(laboratory=laboratory)
        + (cases if for_laboratory else _CASES)
        + (_OPEN if between is None else _OF_A_DAY)
        + _ORDER
    )
    start, end = between or (None, None)
    values: dict[str, Any] = {
        "site": site_id,
        "everything": scope.everything,
        "team": scope.team_id,
    }
    if between is not None:
        values |= {"start": start, "end": end}
    return [
        Positive(row.id, _line(row, for_laboratory=for_laboratory))
        for row in session.execute(text(query), values)
    ]


def _line(row: Row[Any], *, for_laboratory: bool) -> Line:
    return Line(
        code=f"F0-{row.id.hex[-6:].upper()}",
        section=SECTION_OF[CaseState(row.state)],
        basis=Basis(row.basis),
        name=row.name,
        birth_year=row.birth_year,
        sex=row.sex,
        phone=row.phone,
        address=row.address,
        area=row.area,
        province=row.province,
        work_area=row.work_area,
        household=row.household,
        household_people=row.people,
        collected_at=row.collected_at,
        found_at=row.opened_at,
        team=row.team,
        claimed_at=row.claimed_at,
        laboratory=_detail(row) if for_laboratory else None,
    )


def _detail(row: Row[Any]) -> LabDetail:
    return LabDetail(
        national_id=row.national_id,
        barcode=row.barcode,
        pooled=row.pooled or 1,
        ct_cycles=row.ct_cycles,
        called=shown_word(row, row.assay_code, Outcome.DETECTED),
        kit_lot=row.kit_lot,
    )
