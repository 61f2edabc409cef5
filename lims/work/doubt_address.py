"""An F0's address that no commune of today answers to leaves a row that somebody must see (S18)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.areas import SCHEME


def doubt_addresses(session: Session, people: Sequence[UUID], *, now: datetime) -> None:
    """Of these people, keep each address that is not one commune of today's scheme; once.

    A home without any code is kept too; a workplace nobody named is none. A unit of an earlier
    scheme is today's commune when code, name and parent's code agree, as in tell.py. What somebody
    has chosen is not asked again, were it a province because no more is known.

    An open row is locked, so that this transaction and the one that resolves it
    (resolve_address.py) come one after the other: called before the recipients are looked up,
    either this finds the new commune's team or that finds this case.
    """
    session.execute(_DOUBT, {"people": list(people), "present": SCHEME, "now": now})


_DOUBT = text("""
INSERT INTO address_doubt AS kept (id, site_id, person_id, kind, scheme, code, created_at)
SELECT mint_uuid7(:now), p.site_id, p.id, said.kind, said.scheme, said.code, :now
FROM person p CROSS JOIN LATERAL (VALUES
    ('home', p.area_scheme, p.area_code), ('work', p.work_area_scheme, p.work_area_code)
) said(kind, scheme, code)
WHERE p.id = ANY(:people) AND (said.kind = 'home' OR said.code IS NOT NULL)
  AND NOT EXISTS (
      SELECT FROM area came
      JOIN area today ON today.scheme = :present AND today.code = came.code
       AND today.name_key = came.name_key AND today.parent_code = came.parent_code
      WHERE came.scheme = said.scheme AND came.code = said.code)
  AND NOT EXISTS (
      SELECT FROM address_doubt d WHERE d.person_id = p.id AND d.kind = said.kind
      AND (d.became_scheme, d.became_code) = (said.scheme, said.code))
ORDER BY p.id, said.kind
ON CONFLICT (person_id, kind) WHERE settled_at IS NULL
DO UPDATE SET scheme = excluded.scheme, code = excluded.code
""")
