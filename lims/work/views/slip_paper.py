"""Slips as they are drawn: from their rows to the values that `reports.slip` turns into paper."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.outcomes import FindingOutcome
from reports.slip import Derived, Replaced, Slip

_RULE: Final = re.compile(r"[a-z0-9-]+/[0-9]+")

_SLIPS = text("""
SELECT s.id, s.code, s.language, s.issued_at, f.outcome, f.released_at,
       f.released_by, u.name AS name_of_releaser, site.name AS laboratory,
       area.full_name AS area,
       p.name, p.birth_year, p.sex, p.national_id, sp.material, sp.collected_at,
       t.barcode, t.received_at, coalesce(t.assay_code, 'sars-cov-2') AS assay, lot.lot AS kit_lot,
       ev.kind AS evidence_kind, ev.people, ev.instrument,
       before.outcome AS before_outcome, before.released_at AS before_released_at,
       before.issued_at AS before_issued_at
FROM slip s
JOIN finding f ON f.id = s.finding_id
JOIN specimen sp ON sp.id = f.specimen_id
JOIN person p ON p.id = f.person_id
JOIN site ON site.id = s.site_id
LEFT JOIN area ON area.scheme = site.area_scheme AND area.code = site.area_code
LEFT JOIN user_account u ON 'user:' || u.login = f.released_by
LEFT JOIN rapid_test rt ON rt.specimen_id = sp.id
LEFT JOIN kit_lot lot ON lot.id = rt.kit_lot_id
LEFT JOIN LATERAL (
    SELECT t.barcode, t.received_at, t.assay_code FROM tube_specimen ts
    JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool' WHERE ts.specimen_id = sp.id LIMIT 1
) t ON true
LEFT JOIN LATERAL (
    SELECT tested.kind, i.name AS instrument,
           (SELECT count(*) FROM tube_specimen n WHERE n.tube_id = tested.id) AS people
    FROM result r
    JOIN tube tested ON tested.id = r.tube_id
    JOIN measurement m ON m.id = r.measurement_id
    JOIN instrument i ON i.id = m.instrument_id
    WHERE r.id = ANY(f.evidence) ORDER BY people, r.id LIMIT 1
) ev ON true
LEFT JOIN LATERAL (
    SELECT old.outcome, old.released_at,
           (SELECT max(was.issued_at) FROM finding of_it JOIN slip was ON was.finding_id = of_it.id
            WHERE of_it.person_id = f.person_id AND of_it.specimen_id = f.specimen_id
              AND of_it.released_at = old.released_at) AS issued_at
    FROM finding old
    WHERE old.person_id = f.person_id AND old.specimen_id = f.specimen_id
      AND old.status IN ('F', 'C') AND old.released_at < f.released_at
    ORDER BY old.released_at DESC, old.id DESC LIMIT 1
) before ON true
WHERE s.id = ANY(:slips) AND s.site_id = :site
""")


def slips_on_paper(
    session: Session, slip_ids: Sequence[UUID], *, site_id: UUID, public_url: str, timezone: str
) -> list[Slip]:
    """The slips in the order asked; an id that is no slip of this site is left out."""
    values = {"slips": list(slip_ids), "site": site_id}
    rows = {row.id: row for row in session.execute(_SLIPS, values)}
    zone = ZoneInfo(timezone)
    return [_slip(rows[slip], public_url, zone) for slip in slip_ids if slip in rows]


def _slip(row: Row[Any], public_url: str, zone: ZoneInfo) -> Slip:
    return Slip(
        code=row.code,
        verify_url=f"{public_url}/verify/{row.code}",
        laboratory=row.laboratory,
        area=row.area,
        name=row.name,
        birth_year=row.birth_year,
        sex=row.sex,
        id_last4=row.national_id[-4:] if row.national_id else None,
        barcode=row.barcode,
        material=row.material,
        collected_at=row.collected_at.astimezone(zone),
        received_at=_local(row.received_at, zone),
        released_at=row.released_at.astimezone(zone),
        outcome=FindingOutcome(row.outcome),
        assay=row.assay,
        instrument=row.instrument,
        kit_lot=row.kit_lot,
        derived=_derived(row),
        pool_people=row.people or 1,
        released_by=row.name_of_releaser or _person(row.released_by),
        rule=row.released_by,
        replaces=_replaced(row, zone),
        issued_at=row.issued_at.astimezone(zone),
        language=row.language,
    )


def _person(released_by: str) -> str | None:
    """None where a rule released it: `auto/1`."""
    return None if _RULE.fullmatch(released_by) else released_by.removeprefix("user:")


def _derived(row: Row[Any]) -> Derived:
    if (row.people or 1) == 1:
        return Derived.OWN_TEST
    return Derived.FIELD_POOL if row.evidence_kind == "field_pool" else Derived.LAB_POOL


def _replaced(row: Row[Any], zone: ZoneInfo) -> Replaced | None:
    if row.before_outcome is None:
        return None
    return Replaced(
        FindingOutcome(row.before_outcome),
        row.before_released_at.astimezone(zone),
        _local(row.before_issued_at, zone),
    )


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone) if at else None
