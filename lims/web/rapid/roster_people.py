"""People of a pasted list: one in a line, in the order of the class book.

A line is a name, and whatever else stands beside it is known by its shape: a number before the
name, a year or a day of birth, male or female, twelve digits of a card, a telephone number.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from lims.domain.cards import ChipCard, EpidemicCode, InsuranceCard
from lims.domain.identity import birth_year_written
from lims.domain.refusals import InvalidBody
from lims.domain.registration import AreaRef, PersonGiven
from lims.doors.fields import BIRTHS
from lims.sheets.names import sex_of
from lims.web.collect.person_form import (
    Typed,
    area_of_address,
    invalid,
    of_card,
    read_person,
    typed_person,
)
from lims.web.language import gettext as _
from lims.web.language import later
from lims.web.refusing import faults_of
from lims.work.people_together import MemberGiven

IN_LINE: Final = later("line %(line)s: %(fault)s")
_CELLS: Final = re.compile(r"[\t;,|]")
_ORDINAL: Final = re.compile(r"^\d{1,3}[.)]?\s+|^\d{1,3}[.)]?$")
_TWELVE: Final = re.compile(r"\d{12}", re.ASCII)
_PHONE: Final = re.compile(r"[+\d][\d .]{8,}", re.ASCII)
_SHOWN_FAULTS: Final = 3
Card = ChipCard | EpidemicCode | InsuranceCard


def people_of_lines(session: Session, pasted: str) -> list[MemberGiven]:
    """Everybody on the list. Raises InvalidBody naming the first lines that cannot be read."""
    members: list[MemberGiven] = []
    faults: list[str] = []
    for number, line in enumerate(pasted.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            members.append(MemberGiven(read_person(session, typed_line(line))))
        except InvalidBody as refusal:
            said = ", ".join(faults_of(refusal).values())
            faults.append(_(IN_LINE, line=number, fault=said))
    if faults:
        raise invalid({"people": "; ".join(faults[:_SHOWN_FAULTS])})
    return members


def person_of_card(session: Session, card: Card) -> PersonGiven:
    """Who the card names, at home where its address says. Raises InvalidBody."""
    typed = typed_person({}) | of_card(card)
    person = read_person(session, typed)
    found = area_of_address(session, typed["address"])
    if not found:
        return person
    area = read_person(session, typed_person({"name": typed["name"], "area": found})).area
    return replace(person, area=AreaRef(area.scheme, area.code) if area else None)


def typed_line(line: str) -> Typed:
    """The cells of one line, each where its shape belongs; the first words are the name."""
    typed = typed_person({})
    for cell in _cells(line):
        _place(cell, typed)
    return typed


def _cells(line: str) -> Sequence[str]:
    cells = [cell.strip() for cell in _CELLS.split(line)]
    return [left for cell in cells if (left := _ORDINAL.sub("", cell, count=1).strip())]


def _place(cell: str, typed: Typed) -> None:
    if _TWELVE.fullmatch(cell):
        typed["national_id"] = cell
    elif _is_a_birth(cell):
        typed["birth"] = cell
    elif _PHONE.fullmatch(cell):
        typed["phone"] = cell
    elif (sex := sex_of(cell)) in ("male", "female"):
        typed["sex"] = str(sex)
    elif not typed["name"]:
        typed["name"] = cell
    elif not typed["address"]:
        typed["address"] = cell


def _is_a_birth(cell: str) -> bool:
    """A day, be it one that no calendar has, which is then asked for again; four digits alone are
    a year only where somebody can have been born in it, else a door's number."""
    year = birth_year_written(cell)
    return year is not None and (len(cell.strip()) > 4 or year >= BIRTHS[0].year)
