"""Where somebody lives now is what they said at their newest swab, not at their first (S17).

Of whom a case was opened nothing is changed here: teams were told of it by the address that stands
there, and whoever holds the case asks where the person is.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from lims.db.many import rows_as_json
from lims.domain.registration import PersonGiven


def follow_newest_contact(
    session: Session | Connection, said: Iterable[tuple[UUID, datetime, PersonGiven]]
) -> None:
    """Known people, when each was swabbed, and what they said then: the home's commune with its
    address, the workplace's, and the telephone; what was left empty stays as it was. Within the
    same commune the address stays too: a chip card says the permanent one.

    A card whose name or year of birth disagrees, and a list that is older than the person's newest
    swab, change nothing.
    """
    rows = [
        {
            "person_id": person_id,
            "at": at,
            "name_key": given.name_key,
            "birth_year": given.birth_year,
            "phone": given.phone,
            "address": given.address,
            "area_scheme": given.area.scheme if given.area else None,
            "area_code": given.area.code if given.area else None,
            "work_area_scheme": given.work_area.scheme if given.work_area else None,
            "work_area_code": given.work_area.code if given.work_area else None,
        }
        for person_id, at, given in said
    ]
    if rows:
        session.execute(_FOLLOW, {"rows": rows_as_json(rows)})


_FOLLOW: Final = text("""
WITH said AS (
    SELECT DISTINCT ON (person_id) * FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
        person_id uuid, at timestamptz, name_key text, birth_year int, phone text, address text,
        area_scheme text, area_code text, work_area_scheme text, work_area_code text)
    ORDER BY person_id, at DESC
)
UPDATE person p SET
    phone = coalesce(g.phone, p.phone),
    address = CASE WHEN g.area_code IS NULL
                     OR (g.area_scheme, g.area_code) = (p.area_scheme, p.area_code)
                   THEN coalesce(p.address, g.address) ELSE g.address END,
    area_scheme = coalesce(g.area_scheme, p.area_scheme),
    area_code = coalesce(g.area_code, p.area_code),
    work_area_scheme = coalesce(g.work_area_scheme, p.work_area_scheme),
    work_area_code = coalesce(g.work_area_code, p.work_area_code)
FROM said g
WHERE p.id = g.person_id AND p.name_key = g.name_key
  AND p.birth_year IS NOT DISTINCT FROM g.birth_year
  AND (p.phone, p.area_scheme, p.area_code, p.work_area_scheme, p.work_area_code)
      IS DISTINCT FROM (coalesce(g.phone, p.phone), coalesce(g.area_scheme, p.area_scheme),
                        coalesce(g.area_code, p.area_code),
                        coalesce(g.work_area_scheme, p.work_area_scheme),
                        coalesce(g.work_area_code, p.work_area_code))
  AND NOT EXISTS (SELECT FROM f0_case c WHERE c.person_id = p.id)
  AND NOT EXISTS (SELECT FROM specimen s WHERE s.person_id = p.id AND s.collected_at > g.at)
""")
