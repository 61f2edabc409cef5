"""Forget what people declared elsewhere, once it is older than the laboratory keeps it.

Of a declaration its id and version stay, so that the same version is not taken again. Whoever was
swabbed is a person of the laboratory, with the door that they live behind; a door that nobody here
lives behind goes.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.terse import terse
from lims.work.audit import record

_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many declarations, and entries that could not be read, keep nothing of anybody now.
    ``more``: of what is too old, something is left."""

    declarations: int
    unread: int
    more: bool


def forget_declarations(session: Session, *, site_id: UUID, now: datetime) -> Forgotten:
    """Forget some of what is too old; again while there is more. Audited as one number."""
    about = {"site": site_id, "now": now, "most": _AT_ONCE}
    declared = session.execute(_FORGET, about).scalars().all()
    if declared:
        session.execute(_NOBODY_BEHIND, {"ids": declared})
    unread = len(session.execute(_UNREAD, about).all())
    if declared or unread:
        record(
            session,
            site_id=site_id,
            actor="exchange",
            verb="declarations-forgotten",
            subject=str(site_id),
            now=now,
            declarations=len(declared),
            unread=unread,
        )
    return Forgotten(len(declared), unread, _AT_ONCE in {len(declared), unread})


_LIMIT = "(SELECT :now - make_interval(days => s.declaration_days) FROM site s WHERE s.id = :site)"

# One that is withdrawn keeps its door's number only; that goes with the door.
_FORGET = terse(f"""
WITH old AS (
    SELECT id, household_id FROM declaration
    WHERE site_id = :site AND declared_at < {_LIMIT}
      AND (state = 'declared' OR household_id IS NOT NULL)
    ORDER BY declared_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM declared_person p USING old WHERE p.declaration_id = old.id
), kept AS (
    UPDATE declaration d SET state = 'withdrawn', kind = NULL, code = NULL, door = NULL,
        address = NULL, area_scheme = NULL, area_code = NULL, commune_came = NULL,
        household_id = NULL,
        forgotten_at = CASE d.state WHEN 'declared' THEN cast(:now AS timestamptz) END
    FROM old WHERE d.id = old.id
)
SELECT household_id FROM old
""")  # noqa: S608 - put together from constants of this file

_NOBODY_BEHIND = text("""
DELETE FROM household h
WHERE h.id = ANY(:ids)
  AND NOT EXISTS (SELECT FROM person p WHERE p.household_id = h.id)
  AND NOT EXISTS (SELECT FROM card_doubt c WHERE c.household_id = h.id)
  AND NOT EXISTS (SELECT FROM declaration d WHERE d.household_id = h.id)
""")

_UNREAD = text(f"""
UPDATE declaration_fault SET settled_at = :now, settled_by = 'exchange', entry = NULL
WHERE id IN (
    SELECT id FROM declaration_fault
    WHERE site_id = :site AND settled_at IS NULL AND seen_at < {_LIMIT}
    ORDER BY seen_at LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING id
""")  # noqa: S608 - put together from constants of this file
