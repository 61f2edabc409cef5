"""A person on a form: from a card, from what was typed, from who is known; then as a value."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from lims.domain.cards import ChipCard, EpidemicCode, InsuranceCard
from lims.domain.identity import (
    Birth,
    Sex,
    birth_year_written,
    name_key,
    parse_birth,
    parse_phone,
    unwritable,
)
from lims.domain.refusals import InvalidBody, NotAPhoneNumber
from lims.domain.registration import PersonGiven
from lims.doors.bodies import AreaBody, PersonBody
from lims.doors.fields import BIRTHS
from lims.web.language import later, local
from lims.web.language import now as this_moment
from lims.work.access import Fault
from lims.work.areas import SCHEME
from lims.work.views.areas import find_areas, the_one_meant
from lims.work.views.declared import DeclaredPerson
from lims.work.views.desk import KnownPerson

Typed = dict[str, str]
Card = ChipCard | EpidemicCode | InsuranceCard

FIELDS: Final = (
    "name",
    "birth",
    "sex",
    "phone",
    "national_id",
    "old_id",
    "address",
    "area",
    "work_area",
)
BIRTH: Final = later("a year or a day: 1987 or 05/03/1989")
NO_SUCH_DAY: Final = later(
    "the calendar has no such day: look at the card again, or give the year alone"
)
TO_COME: Final = later("a birth that is still to come: look at the year again")
TOO_OLD: Final = later("a birth too long ago: look at the year again")
NUMBER: Final = later("the 12 digits of the card")
ADDRESS: Final = later("at most 500 characters")
PAST: Final = later("a moment that has passed")
LETTERS: Final = later("a name in letters: no signs and no pictures")
UNREADABLE: Final = later("this cannot be read")


def typed_person(form: Mapping[str, str], prefix: str = "") -> Typed:
    """The person's fields as typed."""
    return {field: form.get(prefix + field, "").strip() for field in FIELDS}


def of_card(card: Card) -> Typed:
    """What a card fills in; what it does not say stays as it is."""
    match card:
        case ChipCard():
            filled = {"national_id": card.national_id, "address": card.address}
            filled |= {"sex": card.sex, "old_id": card.old_id or ""}
        case InsuranceCard():
            filled = {"address": card.address, "sex": card.sex}
        case EpidemicCode():
            number = card.open_number or ""
            filled = {"national_id": number if number.isdigit() and len(number) == 12 else ""}
    filled |= {"name": "" if is_masked(card) else card.name, "birth": birth_text(card.birth)}
    return {name: str(said) for name, said in filled.items() if said and said != Sex.UNKNOWN}


def card_beside(card: Card, declared: DeclaredPerson | None) -> Typed:
    """What a card fills in beside a declaration: the epidemic code writes names in capitals
    without accents, or masks them; the same name as its bearer wrote it is the better one."""
    filled = of_card(card)
    same = declared is not None and name_key(declared.name) == name_key(filled.get("name", ""))
    if isinstance(card, EpidemicCode) and same:
        del filled["name"]
    return filled


def is_masked(card: Card) -> bool:
    """True when the code hides part of the name: stars are nobody's name."""
    return "*" in card.name


def of_known(known: KnownPerson) -> Typed:
    """What is stored of somebody, as the form shows it."""
    return {
        "name": known.name,
        "birth": known.birth_date.strftime("%d/%m/%Y")
        if known.birth_date
        else str(known.birth_year or ""),
        "sex": known.sex or "",
        "phone": known.phone or "",
        "national_id": known.national_id or "",
        "old_id": "",
        "address": known.address or "",
        "area": _area_text(known.area_code, known.area),
        "work_area": _area_text(known.work_area_code, known.work_area),
    }


def of_declared(declared: DeclaredPerson) -> Typed:
    """What somebody said of themselves before they came. A commune that is none of today's is left
    to whoever asks them; it is never guessed."""
    return {
        "name": declared.name,
        "birth": declared.birth_date.strftime("%d/%m/%Y")
        if declared.birth_date
        else str(declared.birth_year or ""),
        "sex": declared.sex or "",
        "phone": declared.phone or "",
        "national_id": declared.national_id or "",
        "old_id": declared.old_id or "",
        "address": declared.address or "",
        "area": _area_text(declared.area_code, declared.area),
        "work_area": "",
    }


def birth_text(birth: Birth | None) -> str:
    """05/03/1989, or the year alone."""
    if birth is None:
        return ""
    return birth.day.strftime("%d/%m/%Y") if birth.day else str(birth.year)


def read_person(session: Session, typed: Typed) -> PersonGiven:
    """The value. Raises InvalidBody naming every field that cannot stand."""
    faults: dict[str, str] = {}
    body: dict[str, Any] = {"name": typed["name"]}
    body |= _birth(typed["birth"], faults)
    body |= {field: typed[field] or None for field in ("sex", "national_id", "address")}
    for field in ("area", "work_area"):
        body[field] = read_area(session, typed[field], field, faults)
    body["phone"] = _phone(typed["phone"], faults)
    try:
        person = PersonBody.model_validate(body).value()
    except ValidationError as error:
        for one in error.errors():
            field = str(one["loc"][0]) if one["loc"] else "birth"
            faults.setdefault(_SHOWN.get(field, field), _FAULTS.get(field, UNREADABLE))
    if unwritable(typed["name"]):
        faults.setdefault("name", LETTERS)
    if faults:
        raise invalid(faults)
    old_id = typed.get("old_id", "")
    return replace(person, old_id=old_id) if _OLD_ID.fullmatch(old_id) else person


def at_home(session: Session, typed: Typed) -> Typed:
    """With the commune that the address names, where none is said yet: every desk reads it so."""
    guess = "" if typed.get("area") else area_of_address(session, typed.get("address", ""))
    return typed | {"area": guess} if guess else typed


def area_of_address(session: Session, address: str) -> str:
    """The commune a card's address names, as the form shows it; empty unless it is just one.

    The last part that calls itself a commune counts; a province after it narrows it. Names of
    before July 2025 that several communes carry now are left to the clerk.
    """
    parts = [part.strip() for part in address.split(",")]
    named = [n for n, part in enumerate(parts) if name_key(part).startswith(_COMMUNES)]
    if not named:
        return ""
    commune, province = parts[named[-1]], parts[-1] if named[-1] < len(parts) - 1 else ""
    asked = f"{commune}, {_PROVINCE.sub('', province)}" if province else commune
    found = [one for one in find_areas(session, SCHEME, asked[:200]) if one.level == "ward"]
    exact = [one for one in found if name_key(one.full_name) == name_key(commune)]
    return exact[0].shown if len(exact) == 1 else ""


def read_area(session: Session, asked: str, field: str, faults: dict[str, str]) -> AreaBody | None:
    """The one unit meant by what was typed; a doubt becomes the field's fault."""
    if not asked:
        return None
    found = find_areas(session, SCHEME, asked[:200])
    meant = the_one_meant(found, asked)
    if meant is not None:
        return AreaBody(scheme=meant.scheme, code=meant.code)
    faults[field] = Fault.AREA_SEVERAL if found else Fault.AREA_UNKNOWN
    return None


def invalid(faults: Mapping[str, str], where: str = "form") -> InvalidBody:
    """Faults by field as the one refusal that forms know."""
    return InvalidBody(
        errors=[{"pointer": f"#/{name}", "detail": str(said)} for name, said in faults.items()],
        where=where,
    )


def chosen_uuid(form: Mapping[str, str], field: str) -> UUID | None:
    """An id that the form carries, or none."""
    try:
        return UUID(form.get(field, ""))
    except ValueError:
        return None


def moment(text: str, now: datetime) -> datetime | None:
    """A moment that the form carries; one in the future was not on the form."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None and read <= now else None


_OLD_ID: Final = re.compile(r"\d{9}", re.ASCII)
_COMMUNES: Final = ("phuong ", "xa ", "dac khu ")
_PROVINCE: Final = re.compile(r"^(?:tỉnh|thành phố|tp\.?)\s+", re.IGNORECASE)
_SHOWN: Final = {"birth_year": "birth", "birth_date": "birth"}
_FAULTS: Final = {
    "name": str(Fault.NAME),
    "birth_year": BIRTH,
    "birth_date": BIRTH,
    "national_id": NUMBER,
    "phone": str(Fault.PHONE),
    "address": ADDRESS,
}


def _birth(text: str, faults: dict[str, str]) -> dict[str, Any]:
    if not text:
        return {}
    birth, today = parse_birth(text), local(this_moment()).date()
    fault = _birth_fault(text, birth, today)
    if fault is not None or birth is None:
        faults["birth"] = fault or BIRTH
        return {}
    return {"birth_year": birth.year, "birth_date": birth.day}


def _birth_fault(text: str, birth: Birth | None, today: date) -> str | None:
    """What cannot be about it, said so that whoever holds the card knows where to look."""
    year = birth_year_written(text)
    if year is None:
        return BIRTH
    if year > today.year or (birth and birth.day and birth.day > today):
        return TO_COME
    if year < BIRTHS[0].year:
        return TOO_OLD
    return None if birth else NO_SUCH_DAY


def _phone(text: str, faults: dict[str, str]) -> str | None:
    if not text:
        return None
    try:
        return parse_phone(text)
    except NotAPhoneNumber:
        faults["phone"] = Fault.PHONE
        return None


def _area_text(code: str | None, name: str | None) -> str:
    return f"{code} · {name}" if code and name else ""
