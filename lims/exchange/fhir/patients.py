"""Patient: a person as registered (VN Core: identifiers, name in one text, ward and province)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.exchange.fhir.asked import Kind, Parameter
from lims.exchange.fhir.elements import (
    AREA,
    CCCD,
    CMND,
    PERSON,
    Json,
    identifier,
    meta,
    present,
    reference,
)
from lims.exchange.fhir.listing import Shown, Type
from lims.exchange.swab_words import Human, human

_ROWS = text("""
SELECT p.id, p.id AS person_id, p.name, p.birth_year, p.birth_date, p.sex, p.phone, p.national_id,
       p.old_id, p.address, p.area_scheme, p.area_code, a.full_name AS area_name,
       coalesce(up.full_name, a.full_name) AS province, p.merged_into_id, p.changed_at
FROM person p
LEFT JOIN area a ON a.scheme = p.area_scheme AND a.code = p.area_code
LEFT JOIN area up ON up.scheme = a.scheme AND up.code = a.parent_code
WHERE p.id = ANY(:ids)
""")


def _load(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Shown]:
    rows = session.execute(_ROWS, {"ids": list(ids)})
    return {row.id: Shown(_patient(row), (row.id,)) for row in rows}


def _patient(row: Row[Any]) -> Json:
    who = human(row)
    merged = row.merged_into_id
    return present(
        resourceType="Patient",
        id=str(who.person_id),
        meta=meta(row.changed_at),
        identifier=_identifiers(who),
        active=merged is None,
        name=[_name(who.name)],
        telecom=[{"system": "phone", "value": who.phone}] if who.phone else None,
        gender=who.sex or "unknown",
        birthDate=who.birth_date.isoformat() if who.birth_date else _year(who.birth_year),
        address=[address] if (address := _address(who)) else None,
        link=[{"other": reference("Patient", merged), "type": "replaced-by"}] if merged else None,
    )


def _identifiers(who: Human) -> list[Json]:
    cards = ((CCCD, who.national_id, "official"), (CMND, who.old_id, "old"))
    return [
        identifier(PERSON, str(who.person_id), use="usual"),
        *(identifier(system, value, use=use) for system, value, use in cards if value),
    ]


def _name(whole: str) -> Json:
    """The family's name is the first word; people are called by the last."""
    family, *given = whole.split()
    return present(use="official", text=whole, family=family, given=given)


def _year(year: int | None) -> str | None:
    return f"{year:04d}" if year else None


def _address(who: Human) -> Json:
    home = who.home
    if home is None:
        return present(use="home", text=who.address, country="VN") if who.address else {}
    unit = {"system": f"{AREA}:{home.scheme}", "code": home.code, "display": home.name}
    ward = home.name if home.name != home.province else None
    return present(
        extension=[{"url": AREA, "valueCoding": unit}],
        use="home",
        text=", ".join(part for part in (who.address, ward, home.province) if part),
        line=[who.address] if who.address else None,
        district=ward,
        state=home.province,
        country="VN",
    )


def _identified(token: str) -> Sequence[str] | None:
    """The stored number, said with its system so that no two kinds of number are mixed."""
    system, bar, value = token.rpartition("|")
    kinds = {CCCD: "c:", CMND: "o:", PERSON: "p:"}
    if not value or (system and system not in kinds):
        return None
    found = [kinds[system]] if bar and system else list(kinds.values())
    return [kind + value for kind in found if kind != "p:" or _is_id(value)]


def _is_id(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


_MATCHED: Final = (
    "x.id IN (SELECT p.id FROM unnest(cast({values} AS text[])) AS i(said) JOIN person p"
    " ON p.site_id = :site AND p.national_id = substr(i.said, 3) WHERE starts_with(i.said, 'c:')"
    " UNION ALL SELECT p.id FROM unnest(cast({values} AS text[])) AS i(said) JOIN person p"
    " ON p.old_id = substr(i.said, 3) WHERE starts_with(i.said, 'o:')"
    " UNION ALL SELECT p.id FROM unnest(cast({values} AS text[])) AS i(said) JOIN person p"
    " ON p.id = CASE WHEN starts_with(i.said, 'p:') THEN CAST(substr(i.said, 3) AS uuid) END)"
)
_NUMBERS: Final = re.compile(r"(?:.*\|)?\d{9}(?:\d{3})?")


def _without_cards(resource: Json) -> Json:
    kept = [one for one in resource["identifier"] if one["system"] == PERSON]
    return {**resource, "identifier": kept}


PATIENT: Final = Type(
    name="Patient",
    source="person x",
    where="true",
    about="EXISTS (SELECT FROM person p WHERE p.id = x.id AND {})",
    row_id="x.id",
    parameters={
        parameter.name: parameter
        for parameter in (
            Parameter("_id", Kind.REFERENCE, "x.id", "the id", to="Patient", one=True),
            Parameter("_lastUpdated", Kind.DATE, "x.changed_at", "when it last changed"),
            Parameter(
                "identifier",
                Kind.TOKEN,
                "",
                "a card's number or our own id, as system|value; numbers only by POST to _search",
                matched=_MATCHED,
                stored=_identified,
                one=True,
                private=lambda said: any(_NUMBERS.fullmatch(one) for one in said.split(",")),
            ),
        )
    },
    load=_load,
    says="a person as registered here",
    masked=_without_cards,
)
