"""Forget what people declared elsewhere, so long after its newest version was taken.

Of a declaration its id and version stay, so that the same version is not taken again. Whoever was
swabbed is a person of the laboratory, with the door that they live behind; a door that nobody here
lives behind goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.terse import terse
from lims.work.audit import record

AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many declarations, and entries that could not be read, keep nothing of anybody now.
    ``more``: of what is too old, something may be left."""

    declarations: int
    unread: int
    more: bool


def forget_declarations(session: Session, *, site_id: UUID, now: datetime) -> Forgotten:
    """Forget some of what is too old; again while there is more. Audited as two numbers."""
    about = {"site": site_id, "now": now, "most": AT_ONCE}
    doors = session.execute(_FORGET, about).scalars().all()
    _leave([door for door in doors if door is not None], session)
    unread = len(session.execute(_UNREAD, about).all())
    if doors or unread:
        record(
            session,
            site_id=site_id,
            actor="exchange",
            verb="declarations-forgotten",
            subject=str(site_id),
            now=now,
            declarations=len(doors),
            unread=unread,
        )
    return Forgotten(len(doors), unread, more=AT_ONCE in {len(doors), unread})


def _leave(doors: Sequence[UUID], session: Session) -> None:
    """Doors behind which nobody lives. Locked first: whoever is just moving in is waited for, and
    seen by the next statement."""
    if doors:
        session.execute(_LOCK, {"doors": doors})
        empty = session.execute(_EMPTY, {"doors": doors}).scalars().all()
        session.execute(_UNTIE, {"doors": empty})
        session.execute(_REMOVE, {"doors": empty})


_LIMIT = (
    "(SELECT cast(:now AS timestamptz) - make_interval(days => s.declaration_days)"
    " FROM site s WHERE s.id = :site)"
)

_FORGET = terse(f"""
WITH old AS (
    SELECT id FROM declaration
    WHERE site_id = :site AND taken_at < {_LIMIT} AND forgotten_at IS NULL
    ORDER BY taken_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM declared_person p USING old WHERE p.declaration_id = old.id
)
UPDATE declaration d SET state = 'withdrawn', kind = NULL, code = NULL, door = NULL,
    address = NULL, area_scheme = NULL, area_code = NULL, commune_came = NULL, forgotten_at = :now
FROM old WHERE d.id = old.id
RETURNING d.household_id
""")  # noqa: S608 - put together from constants of this file

_LOCK = text("SELECT id FROM household WHERE id = ANY(:doors) ORDER BY id FOR UPDATE")

_EMPTY = text("""
SELECT h.id FROM household h
WHERE h.id = ANY(:doors)
  AND NOT EXISTS (SELECT FROM person p WHERE p.household_id = h.id)
  AND NOT EXISTS (SELECT FROM card_doubt c WHERE c.household_id = h.id)
  AND NOT EXISTS (SELECT FROM declaration d WHERE d.household_id = h.id AND d.forgotten_at IS NULL)
""")

_UNTIE = text("UPDATE declaration SET household_id = NULL WHERE household_id = ANY(:doors)")
_REMOVE = text("DELETE FROM household WHERE id = ANY(:doors)")

_UNREAD = text(f"""
UPDATE declaration_fault SET settled_at = :now, settled_by = 'exchange', entry = NULL
WHERE id IN (
    SELECT id FROM declaration_fault
    WHERE site_id = :site AND settled_at IS NULL AND seen_at < {_LIMIT}
    ORDER BY seen_at LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING id
""")  # noqa: S608 - put together from constants of this file
