"""What people declare of themselves on another system's app before anybody swabs them.

A declaration is one person's (health) or a whole door's (household). It is known by the id that
its platform gave it, and counted by version: a later version replaces the earlier, whenever it
comes. What cannot be read is never half taken: a person would look at it.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from lims.domain import barcodes
from lims.domain.identity import name_key
from lims.domain.rapid_test import Exposure

MOST_MEMBERS: Final = 100
_CODE: Final = re.compile(r"[0-9A-Z][0-9A-Z-]{4,38}[0-9A-Z]", re.ASCII)
_KIND_OF_UNIT: Final = re.compile(
    r"^(?:thanh pho|thi xa|thi tran|dac khu|tinh|phuong|quan|huyen|xa|tp|tx|tt|p|x)\.?\s+"
)


class DeclarationKind(StrEnum):
    """Whose: one person's own health, or everybody behind one door."""

    HEALTH = "health"
    HOUSEHOLD = "household"


class DeclarationState(StrEnum):
    """A withdrawn one stays as its version and nothing else, so that an older one is known late."""

    DECLARED = "declared"
    WITHDRAWN = "withdrawn"


class EntryFault(StrEnum):
    """Why an entry cannot be taken, as said beside where it stands."""

    NOT_AN_ENTRY = "not an entry of the contract"
    ID = "no id of a declaration (a UUID)"
    VERSION = "no version (a whole number from 1)"
    STATE = "neither declared nor withdrawn"
    KIND = "neither a health nor a household declaration"
    MOMENT = "no moment of declaring (RFC 3339, with its zone)"
    CODE = "no code of 6 to 40 capital letters, digits and hyphens"
    TUBE_CODE = "a code that could be a tube's label or a number of a person"
    NOBODY = "nobody in it"
    MANY = "more people than one door has"
    MEMBER = "no key of the member"
    TWICE = "the same member, or the same card number, twice"
    NAME = "no name in letters"
    BORN = "no day or year of birth that has been"
    SEX = "neither male nor female"
    CCCD = "no card number of 12 digits"
    CMND = "no number of 9 digits"
    PHONE = "no telephone number"
    TEXT = "a text that is too long or cannot be kept"
    EXPOSURE = "neither none, factor nor contact"


@dataclass(frozen=True, slots=True)
class Commune:
    """A unit as it was said. Codes were given to other units in 2025: the name must agree.

    ``scheme`` is said only by who knows our name for it; ``province`` is a code of two digits.
    """

    code: str
    name: str = ""
    province: str | None = None
    scheme: str | None = None

    @property
    def written(self) -> str:
        """For whoever has to find out which commune of today it is."""
        return f"{self.code} {self.name}".strip()

    @property
    def keys(self) -> tuple[str, str]:
        """The name without accents, with and without the kind of unit before it."""
        whole = name_key(self.name)
        return whole, _KIND_OF_UNIT.sub("", whole)


@dataclass(frozen=True, slots=True)
class Home:
    """Where the people of a declaration live; ``door`` is what neighbours call it: 114."""

    door: str | None = None
    address: str | None = None
    commune: Commune | None = None


@dataclass(frozen=True, slots=True, repr=False)
class DeclaredOne:
    """One person of a declaration; ``member`` tells them from the others of the door."""

    member: str
    name: str
    birth_year: int | None = None
    birth_date: date | None = None
    sex: str | None = None
    phone: str | None = None
    national_id: str | None = None
    old_id: str | None = None
    qid: str | None = None
    symptoms: tuple[str, ...] = ()
    exposure: Exposure = Exposure.NONE


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of one declaration; a withdrawn one has neither kind, code, home nor people."""

    subject_id: UUID
    version: int
    state: DeclarationState
    declared_at: datetime
    kind: DeclarationKind | None = None
    code: str | None = None
    home: Home = Home()
    people: tuple[DeclaredOne, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryWrong:
    """One fault of an entry, and where in it (a JSON pointer, RFC 6901)."""

    pointer: str
    fault: EntryFault


@dataclass(frozen=True, slots=True, repr=False)
class Unread:
    """An entry that was not taken, as it came; its id and version where at least those are said."""

    written: str
    wrong: tuple[EntryWrong, ...]
    subject_id: UUID | None = None
    version: int | None = None


def code_fault(code: str) -> EntryFault | None:
    """What is wrong with the code that people show at the desk; it must be nothing else there."""
    if not _CODE.fullmatch(code):
        return EntryFault.CODE
    if code.replace("-", "").isdecimal() or barcodes.looks_like(code):
        return EntryFault.TUBE_CODE
    return None


def shown_code(text: str) -> str | None:
    """The code in what was scanned or typed at the desk, or None where it cannot be one."""
    code = "".join(text.split()).upper()
    return code if code_fault(code) is None else None
