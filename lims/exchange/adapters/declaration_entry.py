"""One entry of a platform's declarations, as docs/exchange.md writes it: a value, or every fault.

A fault anywhere makes the whole entry unread: a household without the member whose birth could not
be read would be swabbed without them.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from lims.domain.declarations import (
    MOST_MEMBERS,
    Commune,
    DeclarationKind,
    DeclarationState,
    DeclaredOne,
    Entry,
    EntryFault,
    EntryWrong,
    Home,
    Unread,
    code_fault,
)
from lims.domain.identity import Birth, parse_birth, parse_phone, tidy_name, unwritable
from lims.domain.rapid_test import Exposure
from lims.domain.refusals import NotAPhoneNumber

_MOST_VERSION: Final = 2**31 - 1
_DIGITS: Final = {12: EntryFault.CCCD, 9: EntryFault.CMND}
_ISO_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
Word = TypeVar("Word", DeclarationState, DeclarationKind)
_EARLIEST: Final = 1880
_MOST_SYMPTOMS: Final = 30


def read_entry(said: Any) -> Entry | Unread:
    """The version, or what is wrong with it."""
    if not isinstance(said, dict):
        return Unread(_written(said), (EntryWrong("", EntryFault.NOT_AN_ENTRY),))
    reading = _Reading()
    entry = reading.entry(said)
    if entry is not None and not reading.wrong:
        return entry
    return Unread(_written(said), tuple(reading.wrong), reading.subject_id, reading.version)


def _written(said: Any) -> str:
    """The same text for the same entry; every character that no table may hold is written out."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


class _Reading:
    """Gathers the faults of one entry on the way through it."""

    def __init__(self) -> None:
        self.wrong: list[EntryWrong] = []
        self.subject_id: UUID | None = None
        self.version: int | None = None
        self._declared_on: date = date.max

    def entry(self, said: Mapping[str, Any]) -> Entry | None:
        self.subject_id = self._id(said.get("declaration"))
        self.version = self._version(said.get("version"))
        state = self._word(said, "state", DeclarationState, EntryFault.STATE)
        declared_at = self._moment(said.get("declared_at"))
        if self.subject_id is None or self.version is None or state is None or declared_at is None:
            return None
        if state is DeclarationState.WITHDRAWN:
            return Entry(self.subject_id, self.version, state, declared_at)
        self._declared_on = (declared_at + timedelta(days=1)).date()  # in whatever zone it was
        kind = self._word(said, "kind", DeclarationKind, EntryFault.KIND)
        return Entry(
            self.subject_id,
            self.version,
            state,
            declared_at,
            kind,
            self._code(said.get("code")),
            self._home(said.get("home")),
            self._people(kind, said),
        )

    def _fault(self, pointer: str, fault: EntryFault) -> None:
        self.wrong.append(EntryWrong(pointer, fault))

    def _id(self, said: Any) -> UUID | None:
        try:
            return UUID(said)
        except (ValueError, TypeError, AttributeError):
            self._fault("/declaration", EntryFault.ID)
            return None

    def _version(self, said: Any) -> int | None:
        if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= _MOST_VERSION:
            return said
        self._fault("/version", EntryFault.VERSION)
        return None

    def _word(
        self, said: Mapping[str, Any], name: str, words: type[Word], fault: EntryFault
    ) -> Word | None:
        try:
            return words(str(said.get(name)))
        except ValueError:
            self._fault(f"/{name}", fault)
            return None

    def _moment(self, said: Any) -> datetime | None:
        try:
            read = datetime.fromisoformat(said)
            if read.tzinfo is not None and 2000 <= read.year < 2100:
                return read.astimezone(UTC)
        except (ValueError, TypeError, OverflowError):
            pass
        self._fault("/declared_at", EntryFault.MOMENT)
        return None

    def _code(self, said: Any) -> str | None:
        code = said if isinstance(said, str) else ""
        fault = code_fault(code)
        if fault is not None:
            self._fault("/code", fault)
        return code

    def _home(self, said: Any) -> Home:
        if said is None:
            return Home()
        if not isinstance(said, dict):
            self._fault("/home", EntryFault.TEXT)
            return Home()
        return Home(
            self._text(said, "/home", "door", 200),
            self._text(said, "/home", "address", 500),
            self._commune(said.get("commune")),
        )

    def _commune(self, said: Any) -> Commune | None:
        """A unit that is none of ours is no fault: somebody finds out which it is today."""
        if said is None:
            return None
        if not isinstance(said, dict):
            self._fault("/home/commune", EntryFault.TEXT)
            return None
        where = "/home/commune"
        code = self._text(said, where, "code", 20) or ""
        name = self._text(said, where, "name", 200) or ""
        scheme = self._text(said, where, "scheme", 40)
        province = self._text(said, where, "province", 20)
        return Commune(code, name, province, scheme) if code or name else None

    def _people(
        self, kind: DeclarationKind | None, said: Mapping[str, Any]
    ) -> tuple[DeclaredOne, ...]:
        if kind is None:
            return ()
        if kind is DeclarationKind.HEALTH:
            one = self._person(said.get("person"), "/person", "1", said)
            return (one,) if one else ()
        members = said.get("members")
        if not isinstance(members, list) or not members:
            self._fault("/members", EntryFault.NOBODY)
            return ()
        if len(members) > MOST_MEMBERS:
            self._fault("/members", EntryFault.MANY)
            return ()
        people = [self._member(one, f"/members/{n}") for n, one in enumerate(members)]
        return self._told_apart([one for one in people if one is not None])

    def _member(self, said: Any, where: str) -> DeclaredOne | None:
        key = said.get("member") if isinstance(said, dict) else None
        if not isinstance(key, str) or not 1 <= len(key) <= 40 or not key.isprintable():
            self._fault(f"{where}/member", EntryFault.MEMBER)
            return None
        return self._person(said, where, key, said)

    def _told_apart(self, people: list[DeclaredOne]) -> tuple[DeclaredOne, ...]:
        numbers = [one.national_id for one in people if one.national_id]
        if len({one.member for one in people}) < len(people) or len(set(numbers)) < len(numbers):
            self._fault("/members", EntryFault.TWICE)
        return tuple(people)

    def _person(
        self, said: Any, where: str, member: str, health: Mapping[str, Any]
    ) -> DeclaredOne | None:
        if not isinstance(said, dict):
            self._fault(where, EntryFault.NOBODY)
            return None
        birth = self._born(said.get("born"), where)
        sex = said.get("sex")
        if sex not in (None, "male", "female"):
            self._fault(f"{where}/sex", EntryFault.SEX)
            sex = None
        above = "" if health is not said else where
        return DeclaredOne(
            member=member,
            name=self._name(said, where),
            birth_year=birth.year if birth else None,
            birth_date=birth.day if birth else None,
            sex=sex,
            phone=self._phone(said.get("phone"), where),
            national_id=self._digits(said, where, "cccd", 12),
            old_id=self._digits(said, where, "cmnd", 9),
            qid=self._text(said, where, "qid", 60),
            symptoms=self._symptoms(health.get("symptoms"), above),
            exposure=self._exposure(health.get("exposure"), above),
        )

    def _name(self, said: Mapping[str, Any], where: str) -> str:
        name = tidy_name(self._text(said, where, "name", 200) or "")
        if not name or len(name) > 200 or unwritable(name):
            self._fault(f"{where}/name", EntryFault.NAME)
        return name

    def _born(self, said: Any, where: str) -> Birth | None:
        if said is None:
            return None
        text = said if isinstance(said, str) else str(said) if isinstance(said, int) else ""
        day = _ISO_DAY.fullmatch(text)
        birth = parse_birth("/".join(reversed(day.groups())) if day else text)
        if birth is None or birth.year < _EARLIEST or self._to_come(birth):
            self._fault(f"{where}/born", EntryFault.BORN)
            return None
        return birth

    def _to_come(self, birth: Birth) -> bool:
        return (birth.day or date(birth.year, 1, 1)) > self._declared_on

    def _phone(self, said: Any, where: str) -> str | None:
        if said is None:
            return None
        try:
            return parse_phone(said if isinstance(said, str) else "")
        except NotAPhoneNumber:
            self._fault(f"{where}/phone", EntryFault.PHONE)
            return None

    def _digits(self, said: Mapping[str, Any], where: str, name: str, many: int) -> str | None:
        number = said.get(name)
        if number is None:
            return None
        if isinstance(number, str) and re.fullmatch(rf"[0-9]{{{many}}}", number):
            return number
        self._fault(f"{where}/{name}", _DIGITS[many])
        return None

    def _symptoms(self, said: Any, where: str) -> tuple[str, ...]:
        if said is None:
            return ()
        good = (
            isinstance(said, list)
            and len(said) <= _MOST_SYMPTOMS
            and all(isinstance(one, str) and len(one) <= 100 and _keepable(one) for one in said)
        )
        if not good:
            self._fault(f"{where}/symptoms", EntryFault.TEXT)
            return ()
        return tuple(filter(None, map(tidy_name, said)))

    def _exposure(self, said: Any, where: str) -> Exposure:
        try:
            return Exposure.NONE if said is None else Exposure(said)
        except ValueError:
            self._fault(f"{where}/exposure", EntryFault.EXPOSURE)
            return Exposure.NONE

    def _text(self, said: Mapping[str, Any], where: str, name: str, most: int) -> str | None:
        text = said.get(name)
        if text is None:
            return None
        if not isinstance(text, str) or not _keepable(text) or len(tidy_name(text)) > most:
            self._fault(f"{where}/{name}", EntryFault.TEXT)
            return None
        return tidy_name(text) or None


def _keepable(text: str) -> bool:
    """What PostgreSQL keeps: no NUL, and nothing that is no character at all."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
