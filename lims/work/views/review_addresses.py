"""F0s whose address no commune of today answers to: the words that came, and who was told (S18)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST: Final = 50

# Of a live case only, and as long as the person's address is the one that was doubted: an address
# written meanwhile needs nobody.
OPEN_DOUBTS: Final = """
    SELECT d.id, d.person_id, d.kind, d.scheme, d.code, d.created_at, c.id AS case_id
    FROM address_doubt d
    JOIN person p ON p.id = d.person_id
    JOIN f0_case c ON c.person_id = d.person_id AND c.state IN ('presumptive', 'confirmed')
    WHERE d.site_id = :site AND d.settled_at IS NULL
      AND CASE d.kind WHEN 'home' THEN p.area_code ELSE p.work_area_code END
          IS NOT DISTINCT FROM d.code
"""


@dataclass(frozen=True, slots=True)
class UnplacedAddress:
    """One address. ``unit`` and ``province`` are the names its code had in its own scheme."""

    doubt_id: UUID
    person_id: UUID
    case_id: UUID
    name: str
    birth_year: int | None
    phone: str | None
    kind: str
    address: str | None
    scheme: str | None
    code: str | None
    unit: str | None
    province: str | None
    told: tuple[str, ...]
    since: datetime


_ADDRESSES = text(f"""
WITH open AS ({OPEN_DOUBTS} ORDER BY d.created_at, d.id LIMIT :most)
SELECT o.id AS doubt_id, o.person_id, o.case_id, p.name, p.birth_year, p.phone, o.kind,
       CASE o.kind WHEN 'home' THEN coalesce(p.address, h.address) END AS address,
       o.scheme, o.code, a.full_name AS unit, u.full_name AS province,
       ARRAY(SELECT DISTINCT t.name FROM notice n JOIN subscription s ON s.id = n.subscription_id
             JOIN team t ON t.id = s.team_id WHERE n.case_id = o.case_id ORDER BY t.name) AS told,
       o.created_at AS since
FROM open o
JOIN person p ON p.id = o.person_id
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area a ON a.scheme = o.scheme AND a.code = o.code
LEFT JOIN area u ON u.scheme = a.scheme AND u.code = a.parent_code
ORDER BY o.created_at, o.id
""")  # noqa: S608 - the part put in is a constant of this file


def unplaced_addresses(session: Session, *, site_id: UUID) -> list[UnplacedAddress]:
    """What somebody must find a commune for, the longest wait first."""
    rows = session.execute(_ADDRESSES, {"site": site_id, "most": MOST})
    return [UnplacedAddress(**{**row._mapping, "told": tuple(row.told)}) for row in rows]
