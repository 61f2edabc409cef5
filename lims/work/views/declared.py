"""Who is expected: what a desk looks up of those who declared themselves elsewhere.

Nobody here is known by this alone: it fills in a registration, and a card that is shown wins.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from lims.domain.declarations import DeclarationKind
from lims.domain.rapid_test import Exposure

MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class DeclaredPerson:
    """Somebody of a declaration. ``came``: the swab that they declared themselves for is taken.

    ``commune_came`` is where they said that they live, where no commune of today is meant by it.
    """

    declared_id: UUID
    declaration_id: UUID
    kind: DeclarationKind
    code: str
    declared_at: datetime
    name: str
    birth_year: int | None
    birth_date: date | None
    sex: str | None
    phone: str | None
    national_id: str | None
    old_id: str | None
    symptoms: tuple[str, ...]
    exposure: Exposure
    household_id: UUID | None
    household: str | None
    address: str | None
    area_code: str | None
    area: str | None
    commune_came: str | None
    came: bool


_DECLARED = """
SELECT p.id AS declared_id, d.id AS declaration_id, d.kind, d.code, d.declared_at, p.name,
       p.birth_year, p.birth_date, p.sex, p.phone, p.national_id, p.old_id, p.symptoms, p.exposure,
       d.household_id, h.label AS household, d.address, d.area_code, a.full_name AS area,
       d.commune_came, EXISTS (SELECT FROM specimen s WHERE s.id = p.specimen_id) AS came
FROM declared_person p
JOIN declaration d ON d.id = p.declaration_id
LEFT JOIN household h ON h.id = d.household_id
LEFT JOIN area a ON a.scheme = d.area_scheme AND a.code = d.area_code
"""
# A door's own list says more than a person's own form; of two of a kind the newer.
_FIRST = (
    " ORDER BY came, (d.kind = 'household') DESC, d.declared_at DESC, p.member, p.id LIMIT :most"
)


def declared_one(session: Session, declared_id: UUID, *, site_id: UUID) -> DeclaredPerson | None:
    """Somebody by the row's id, as a page carries it."""
    found = _ask(session, "p.id = :id AND p.site_id = :site", id=declared_id, site=site_id)
    return found[0] if found else None


def declared_these(
    session: Session, declared: Collection[UUID], *, site_id: UUID
) -> dict[UUID, DeclaredPerson]:
    """Several at once; who was withdrawn meanwhile is not among them."""
    found = _ask(
        session, "p.id = ANY(:ids) AND p.site_id = :site", ids=list(declared), site=site_id
    )
    return {one.declared_id: one for one in found}


def declared_of_card(
    session: Session, *, number: str | None, qid: str | None, site_id: UUID
) -> DeclaredPerson | None:
    """Who has this card's number, or this code of the national epidemic QR; who is still expected
    first."""
    if number:
        found = _ask(session, "p.national_id = :n AND p.site_id = :site", n=number, site=site_id)
        if found:
            return found[0]
    if qid:
        found = _ask(session, "p.qid = :qid AND p.site_id = :site", qid=qid, site=site_id)
        return found[0] if found else None
    return None


def declared_of_phone(session: Session, phone: str, *, site_id: UUID) -> tuple[DeclaredPerson, ...]:
    """A telephone finds people and identifies none: everybody of it, and of their doors."""
    return _ask(
        session,
        "p.site_id = :site AND d.id IN (SELECT declaration_id FROM declared_person"
        " WHERE site_id = :site AND phone = :phone)"
        " AND (d.kind = 'household' OR p.phone = :phone)",
        phone=phone,
        site=site_id,
    )


def declared_of_code(session: Session, code: str, *, site_id: UUID) -> tuple[DeclaredPerson, ...]:
    """Everybody of the declaration whose code is shown at the desk."""
    return _ask(session, "d.site_id = :site AND d.code = :code", code=code, site=site_id)


def expected_at(
    session: Session, household_id: UUID, *, site_id: UUID
) -> tuple[DeclaredPerson, ...]:
    """Who declared to come from this door and has not come."""
    found = _ask(
        session, "d.site_id = :site AND d.household_id = :home", home=household_id, site=site_id
    )
    return tuple(one for one in found if not one.came)


def _ask(session: Session, where: str, **values: object) -> tuple[DeclaredPerson, ...]:
    query = text(f"{_DECLARED} WHERE {where} {_FIRST}")  # constants of this file
    rows = session.execute(query, values | {"most": MOST_SHOWN})
    return tuple(_person(row._mapping) for row in rows)


def _person(row: RowMapping) -> DeclaredPerson:
    words = {
        "kind": DeclarationKind(row["kind"]),
        "exposure": Exposure(row["exposure"]),
        "symptoms": tuple(row["symptoms"]),
    }
    return DeclaredPerson(**{**row, **words})
