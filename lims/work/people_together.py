"""Many people at once, as cards or lists name them: who is known, who is new, which card doubts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import NotFound
from lims.domain.registration import AreaRef, PersonGiven
from lims.work.people import lock_people


@dataclass(frozen=True, slots=True)
class MemberGiven:
    """Somebody new, or somebody already known."""

    person: PersonGiven | None = None
    person_id: UUID | None = None


def whose_are(
    session: Session, members: Sequence[MemberGiven], *, site_id: UUID
) -> tuple[list[UUID], dict[UUID, PersonGiven], dict[UUID, dict[str, Any]]]:
    """Each member's person; who of them is new; and the cards that disagree with a known number.

    A card as kept here is read by ``card_of``. Raises NotFound.
    """
    lock_people(
        session, (one.person_id for one in members), (one.person for one in members), site_id
    )
    numbers = [one.person.national_id for one in members if one.person and one.person.national_id]
    rows = session.execute(_BY_NUMBER, {"site": site_id, "numbers": numbers}).all()
    by_number = {row.national_id: row.id for row in rows}
    stored = {row.id: (row.name_key, row.birth_year) for row in rows}
    ids = [one.person_id for one in members if one.person_id]
    there = those_known(session, ids, site_id=site_id)
    whose: list[UUID] = []
    newcomers: dict[UUID, PersonGiven] = {}
    cards: dict[UUID, dict[str, Any]] = {}
    for one in members:
        if one.person is None:
            if one.person_id is None or one.person_id not in there:
                raise NotFound(came=str(one.person_id), where="person_id")
            whose.append(there[one.person_id])
            continue
        number = one.person.national_id
        person_id = by_number.get(number) if number else None
        if person_id is None:
            person_id = uuid7()
            newcomers[person_id] = one.person
            if number:
                by_number[number] = person_id
                stored[person_id] = (one.person.name_key, one.person.birth_year)
        elif _disagrees(one.person, stored[person_id]):
            cards[person_id] = _as_json(one.person)
        whose.append(person_id)
    return whose, newcomers, cards


def those_known(session: Session, ids: Sequence[UUID], *, site_id: UUID) -> dict[UUID, UUID]:
    """Of these people those who are here, each with the row that a merge left of them."""
    if not ids:
        return {}
    rows = session.execute(_KNOWN, {"ids": list(ids), "site": site_id})
    return {row.id: row.owner for row in rows}


def _disagrees(card: PersonGiven, stored: tuple[str, int | None]) -> bool:
    name, year = stored
    return card.name_key != name or (
        card.birth_year is not None and year is not None and card.birth_year != year
    )


def _as_json(person: PersonGiven) -> dict[str, Any]:
    said = asdict(person)
    for field in ("birth_date", "household_id"):
        said[field] = str(said[field]) if said[field] else None
    return said


def card_of(said: dict[str, Any]) -> PersonGiven:
    """A member's card as it was kept."""
    areas = {
        field: AreaRef(**said[field]) if said[field] else None for field in ("area", "work_area")
    }
    born = said["birth_date"]
    household = said["household_id"]
    return PersonGiven(
        **{
            **said,
            **areas,
            "birth_date": date.fromisoformat(born) if born else None,
            "household_id": UUID(household) if household else None,
        }
    )


_KNOWN = text("""
SELECT id, coalesce(merged_into_id, id) AS owner FROM person
WHERE id = ANY(:ids) AND site_id = :site
""")

_BY_NUMBER = text("""
SELECT national_id, id, name_key, birth_year FROM person
WHERE site_id = :site AND national_id = ANY(:numbers)
""")
