"""The F0 of a day, all that are open, or what is new since a list, as one team may read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, Outcome
from lims.domain.rapid_test import Exposure
from lims.domain.registration import AreaRef
from lims.domain.triage import Colour, Illness, Signs
from lims.work.identity_stamp import VERIFIED
from lims.work.matched import shown_word
from lims.work.told import first_id
from lims.work.views.board import Scope
from reports.positive_list import SECTION_OF, LabDetail, Line, News


@dataclass(frozen=True, slots=True)
class Positive:
    """One line of the list and the case behind it."""

    case_id: UUID
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases: opened or changed `between` two moments, or told of in `told_between`; else all
    that are open. `area`, a commune or a province, is where somebody lives or works; `among`, those
    of a zone.
    """

    between: tuple[datetime, datetime] | None = None
    told_between: tuple[datetime, datetime] | None = None
    area: AreaRef | None = None
    among: Collection[UUID] | None = None


# The notices are the permission, as on the board: a team lists what it was told of.
_TOLD: Final = """SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
          WHERE n.case_id = c.id AND (:everything OR b.team_id = :team)"""
_CASES: Final = f"""
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
    LEFT JOIN campaign o ON o.id = s.campaign_id
    LEFT JOIN rapid_test q ON q.specimen_id = s.id
    LEFT JOIN strip z ON z.id = s.id
    LEFT JOIN roster y ON y.id = z.roster_id
    LEFT JOIN case_triage g ON g.case_id = c.id AND g.current
    {{said}}
    WHERE c.site_id = :site
      AND (:everything OR EXISTS ({_TOLD}))
"""
_OF_A_DAY: Final = """
      AND (c.opened_at >= :start AND c.opened_at < :end
           OR c.changed_at >= :start AND c.changed_at < :end)
"""
_NEWLY_TOLD: Final = """
      AND c.id IN (SELECT n.case_id FROM notice n JOIN subscription b ON b.id = n.subscription_id
                   WHERE n.id >= :first AND n.id < :last AND n.site_id = :site
                     AND (:everything OR b.team_id = :team))
"""
_OPEN: Final = " AND c.state IN ('presumptive', 'confirmed')"
_OF_AN_AREA: Final = """
      AND (home.scheme = :scheme AND :code IN (home.code, home.parent_code)
           OR job.scheme = :scheme AND :code IN (job.code, job.parent_code))
"""
_COLUMNS: Final = """
    SELECT c.id, c.state, c.basis, c.opened_at, p.name, p.birth_year, p.sex, p.phone,
           coalesce(p.address, h.address) AS address, home.full_name AS area,
           province.name AS province, job.full_name AS work_area, h.label AS household,
           CASE WHEN h.id IS NULL THEN 1 ELSE
               (SELECT count(*) FROM person q WHERE q.household_id = h.id) END AS people,
           s.collected_at, t.name AS team, k.claimed_at,
           coalesce(f.released_at, f.created_at) AS answered_at,
           coalesce(y.place, y.name) AS place, o.name AS campaign,
           coalesce({verified}, false) AS verified,
           coalesce(q.exposure, 'none') AS exposure, g.signs, g.onset_on, g.colour,
           {news}, {laboratory}
"""
_NEWS: Final = f"""
    CASE WHEN EXISTS ({_TOLD} AND n.id < :first) THEN 'changed' ELSE 'new' END AS news
"""
_LABORATORY: Final = """
    p.national_id, f.ct_cycles, said.barcode, said.pooled, said.assay_code, said.targets,
    said.call, said.called, said.closed_system, g.illnesses, g.doses, g.spo2_percent,
    (SELECT l.lot FROM kit_lot l WHERE l.id = q.kit_lot_id) AS kit_lot,
    (SELECT array_agg(u.barcode ORDER BY u.created_at, u.id)
     FROM tube_specimen m JOIN tube u ON u.id = m.tube_id
     WHERE m.specimen_id = s.id AND u.kind <> 'individual') AS pools"""
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
    wanted: Wanted,
    *,
    site_id: UUID,
    for_laboratory: bool = False,
) -> list[Positive]:
    """By commune, household and name.

    What only the laboratory reads is not asked of the database for anybody else.
    """
    values: dict[str, Any] = {
        "site": site_id,
        "everything": scope.everything,
        "team": scope.team_id,
    }
    narrowed = ""
    if wanted.told_between is not None:
        narrowed += _NEWLY_TOLD
        values |= dict(zip(("first", "last"), map(first_id, wanted.told_between), strict=True))
    elif wanted.between is not None:
        narrowed += _OF_A_DAY
        values |= dict(zip(("start", "end"), wanted.between, strict=True))
    else:
        narrowed += _OPEN
    if wanted.area is not None:
        narrowed += _OF_AN_AREA
        values |= {"scheme": wanted.area.scheme, "code": wanted.area.code}
    if wanted.among is not None:
        narrowed += " AND c.id = ANY(:among)"
        values |= {"among": list(wanted.among)}
    columns = _COLUMNS.format(
        verified=VERIFIED,
        news=_NEWS if wanted.told_between is not None else "NULL AS news",
        laboratory=_LABORATORY if for_laboratory else "NULL AS national_id",
    )
    query = columns + _CASES.format(said=_SAID if for_laboratory else "") + narrowed + _ORDER
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
        answered_at=row.answered_at,
        place=row.place,
        campaign=row.campaign,
        exposure=Exposure(row.exposure),
        signs=Signs(row.signs) if row.signs else None,
        onset_on=row.onset_on,
        colour=Colour(row.colour) if row.colour else None,
        news=News(row.news) if row.news else None,
        verified=row.verified,
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
        pools=tuple(row.pools or ()),
        illnesses=None if row.illnesses is None else tuple(map(Illness, row.illnesses)),
        doses=row.doses,
        spo2_percent=row.spo2_percent,
    )
