"""A card that is scanned on a roster: a newcomer, or the person of a number (S19).

Only the card's own number says whose it is. A name and a year are shared by namesakes of one
class, so a card that shows nothing else is never taken for the first of them: somebody says the
number, or that this is another person.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Readiness
from lims.domain.refusals import Conflict
from lims.domain.registration import PersonGiven
from lims.domain.roster_line import Marked, Sign
from lims.work.kits import lot_of
from lims.work.mark_strip import mark_strip
from lims.work.people_together import MemberGiven
from lims.work.roster import add_members, locked


class NamesakeOnRoster(Conflict):
    """The card shows no number that is known here, and its name stands on the roster."""

    slug = "namesake-on-roster"
    expected = "the number of the card's person on the grid"
    todo = "ask for the number and type it with its sign, as 17+; or put on another person"

    def __init__(self, positions: tuple[int, ...]) -> None:
        super().__init__(came=", ".join(map(str, positions)), where="card")
        self.positions = positions


class CardDid(StrEnum):
    """What became of the card."""

    ADDED = "added"
    MARKED = "marked"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class CardTaken:
    """The receipt: which number, and what was done."""

    position: int
    did: CardDid


def take_card(
    session: Session,
    roster_id: UUID,
    person: PersonGiven,
    *,
    add_id: UUID,
    site_id: UUID,
    now: datetime,
    another: bool = False,
) -> CardTaken:
    """A newcomer gets the next number; whose strip may be read now is marked positive.

    ``another``: somebody looked, and it is none of the namesakes. The same ``add_id`` again puts
    nobody on. Raises NamesakeOnRoster, and what ``add_members`` and ``mark_strip`` raise.
    """
    roster = locked(session, roster_id, site_id=site_id)
    about = {
        "roster": roster.id,
        "number": person.national_id,
        "name": person.name_key,
        "year": person.birth_year,
    }
    alike = session.execute(_ALIKE, about).all()
    position = next((row.position for row in alike if row.own), None)
    if position is None:
        if alike and not another:
            raise NamesakeOnRoster(tuple(row.position for row in alike))
        added = add_members(
            session, roster_id, [MemberGiven(person)], add_id=add_id, site_id=site_id, now=now
        )
        (position,) = added.positions
        if added.fresh:
            return CardTaken(position, CardDid.ADDED)
    if not another and _readable(session, roster.id, position, site_id=site_id, now=now):
        marked = Marked(position, Sign.POSITIVE)
        mark_strip(session, roster_id, marked, site_id=site_id, now=now)
        return CardTaken(position, CardDid.MARKED)
    return CardTaken(position, CardDid.KNOWN)


def _readable(
    session: Session, roster_id: UUID, position: int, *, site_id: UUID, now: datetime
) -> bool:
    about = {"roster": roster_id, "position": position}
    strip = session.execute(_RUNNING, about).one_or_none()
    if strip is None:
        return False
    window = lot_of(session, strip.kit_lot_id, site_id=site_id).window
    return window.readiness(strip.started_at, now) is Readiness.READABLE


# A number of the card that another member has is that member's; members with a number of their
# own are nobody's namesake for a card that shows one.
_ALIKE = text("""
SELECT m.position, p.national_id IS NOT NULL AND p.national_id = cast(:number AS text) AS own
FROM roster_member m
JOIN person f ON f.id = m.person_id
JOIN person p ON p.id = coalesce(f.merged_into_id, f.id)
WHERE m.roster_id = :roster AND (
    p.national_id = cast(:number AS text)
    OR (p.name_key = :name
        AND (p.birth_year = cast(:year AS int) OR p.birth_year IS NULL
             OR cast(:year AS int) IS NULL)
        AND (p.national_id IS NULL OR cast(:number AS text) IS NULL)))
ORDER BY m.position
""")

_RUNNING = text("""
SELECT t.started_at, t.kit_lot_id FROM strip s
JOIN roster_member m ON m.id = s.member_id JOIN strip_timer t ON t.id = s.timer_id
WHERE m.roster_id = :roster AND m.position = :position AND s.state = 'running'
""")
