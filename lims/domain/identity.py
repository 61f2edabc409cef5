"""Who somebody is, as far as paper and a telephone can tell: names, births, numbers, phones.

Names are stored as written (NFC). They are *found* by `name_key` and *listed* by
`given_name_sort_key`; neither is ever enough to say that two records are one person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from lims.domain.refusals import NotAPhoneNumber


class Sex(StrEnum):
    """Administrative sex as a card prints it (FHIR R4 administrative-gender codes)."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth date, or only its year where that is all a person has (`day` is None)."""

    year: int
    day: date | None = None


# --- Names

_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
_LETTER_MARKS = {"\u0302", "\u0306", "\u031b"}  # circumflex, breve, horn: these make other letters
_LETTER_RANK = {"ă": "a1", "â": "a2", "đ": "d1", "ê": "e1", "ô": "o1", "ơ": "o2", "ư": "u1"}


def tidy_name(text: str) -> str:
    """A name as stored: NFC, single spaces, otherwise as written."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def name_key(name: str) -> str:
    """The unaccented lower-case form that names are searched by: `Đặng  Thị Ánh` → `dang thi anh`.

    đ is a letter of its own without a decomposition (U+0111), so stripping
    marks alone would leave it. Word by word, and each word once: a list of a
    hundred thousand people is written with a few thousand words.
    """
    return " ".join(filter(None, map(_word_key, name.split())))


@lru_cache(maxsize=20_000)
def _word_key(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.casefold())
    unmarked = "".join(each for each in decomposed if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", unmarked).replace("đ", "d")


def unwritable(name: str) -> str:
    """What no register, label or certificate can write in a name: pictures and stars, or all of a
    name without a letter. School lists do tell two of one name apart by a digit."""
    if not any(each.isalpha() for each in name):
        return name
    return "".join(
        each
        for each in name
        if not (each.isalpha() or each.isdigit() or _may_stand_in_a_name(each))
    )


def _may_stand_in_a_name(character: str) -> bool:
    return character in " '’‘.-‐·,()/" or unicodedata.category(character) in ("Mn", "Mc")


def given_name_sort_key(name: str) -> str:
    """Orders a list the Vietnamese way: given name, then family name, then the names between.

    Within a word: letters in alphabet order (a ă â b c d đ e ê …), then the tone (none, huyền,
    hỏi, ngã, sắc, nặng), as Unicode CLDR orders `vi`. Compare as bytes; in PostgreSQL with
    COLLATE "C".
    """
    words = tidy_name(name).casefold().split()
    if len(words) > 1:
        words = [words[-1], *words[:-1]]
    return " ".join(_word_sort_key(word) for word in words)


def _word_sort_key(word: str) -> str:
    letters, tones = [], []
    for character in word:
        tone, kept = 0, []
        for part in unicodedata.normalize("NFD", character):
            tone = _TONES.get(part, tone)
            if not unicodedata.combining(part) or part in _LETTER_MARKS:
                kept.append(part)
        letter = unicodedata.normalize("NFC", "".join(kept))
        letters.append(_LETTER_RANK.get(letter, f"{name_key(letter)}0"))
        tones.append(str(tone))
    return "".join(letters) + "," + "".join(tones)  # the comma sorts before every letter


# --- Where somebody lives

_COMMUNE = re.compile(r"^(?:phuong|xa|dac khu|thi tran|p\.|x\.|tt\.) ?")
_HOUSEHOLD = re.compile(r"^(?:hộ|household)\s+(?=\S)", re.IGNORECASE)


def lives_at(address: str | None, area: str | None) -> str:
    """The address with the commune behind it, unless one of its parts says that commune already."""
    if not address or not area:
        return address or area or ""
    said = {_COMMUNE.sub("", name_key(part)) for part in address.split(",")}
    return address if _COMMUNE.sub("", name_key(area)) in said else f"{address}, {area}"


def bare_household(label: str) -> str:
    """A door's label without the word that a page puts before it: `Hộ Nguyễn Văn An` was typed."""
    return _HOUSEHOLD.sub("", unicodedata.normalize("NFC", label).strip())


# --- Birth dates

_NUMERIC_BIRTH = re.compile(
    r"(?P<year_only>\d{4})"
    r"|(?P<d>\d{2})(?P<m>\d{2})(?P<y>\d{4})"  # chip card: 05031989
    r"|(?P<d2>\d{1,2})[/.-](?P<m2>\d{1,2})[/.-](?P<y2>\d{4})"
    r"|(?P<y3>\d{4})[/.-](?P<m3>\d{1,2})[/.-](?P<d3>\d{1,2})",
    re.ASCII,
)


def parse_birth(text: str) -> Birth | None:
    """A birth as cards and people write it, day first unless the year leads; None if unreadable.

    Day and month printed as noughts mean that only the year is known. A day that the calendar has
    not, or a masked part, is unreadable: a guess would open a second record for one person.
    """
    match = _NUMERIC_BIRTH.fullmatch(text.strip())
    if match is None:
        return None
    if match["year_only"]:
        return _birth(int(match["year_only"]), 0, 0)
    for d, m, y in (("d", "m", "y"), ("d2", "m2", "y2"), ("d3", "m3", "y3")):
        if match[y]:
            return _birth(int(match[y]), int(match[m]), int(match[d]))
    return None


def birth_year_written(text: str) -> int | None:
    """The year of a text in the form of a birth, whether or not the calendar has such a day: so
    that 31/02/1990 can be asked for again instead of being taken for something else."""
    match = _NUMERIC_BIRTH.fullmatch(text.strip())
    if match is None:
        return None
    return int(match["year_only"] or match["y"] or match["y2"] or match["y3"])


def _birth(year: int, month: int, day: int) -> Birth | None:
    if not 1850 <= year <= 2399:  # the centuries the national number can express end in 2399
        return None
    if month == day == 0:
        return Birth(year)
    try:
        return Birth(year, date(year, month, day))
    except ValueError:
        return None


# --- The national identification number

# Provinces as numbered for birth registration by circular 07/2016/TT-BCA, annex 1; the old codes
# stay in the numbers of people born before the mergers of 2025. Countries follow from 100 on.
_BIRTH_PROVINCES = frozenset((
    1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36, 37,
    38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74, 75,
    77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
))  # fmt: skip
_NATIONAL_ID = re.compile(r"\d{12}", re.ASCII)


class IdDoubt(StrEnum):
    """Why a clerk should look at a national number again; never a reason to turn a person away."""

    NOT_TWELVE_DIGITS = "not-twelve-digits"
    PLACE_UNKNOWN = "place-unknown"
    BIRTH_YEAR_DIFFERS = "birth-year-differs"
    SEX_DIFFERS = "sex-differs"


def check_national_id(
    number: str, birth_year: int | None = None, sex: Sex = Sex.UNKNOWN
) -> tuple[IdDoubt, ...]:
    """The doubts about a number beside what else is known of the person; empty when it agrees.

    Article 13 of decree 137/2015/NĐ-CP: three digits for the place, one for century and sex, two
    for the year, six at random. There is no check digit.
    """
    if _NATIONAL_ID.fullmatch(number) is None:
        return (IdDoubt.NOT_TWELVE_DIGITS,)
    century, female = divmod(int(number[3]), 2)
    doubts = []
    if int(number[:3]) < 100 and int(number[:3]) not in _BIRTH_PROVINCES:
        doubts.append(IdDoubt.PLACE_UNKNOWN)
    if birth_year is not None and birth_year != 1900 + 100 * century + int(number[4:6]):
        doubts.append(IdDoubt.BIRTH_YEAR_DIFFERS)
    if sex is not Sex.UNKNOWN and (sex is Sex.FEMALE) != bool(female):
        doubts.append(IdDoubt.SEX_DIFFERS)
    return tuple(doubts)


# --- Telephones

# Eleven-digit mobile prefixes were replaced between 15 September and 14 October 2018 (Ministry of
# Information and Communications, decision 798/QĐ-BTTTT); old paper lists still carry them.
_MOBILE_PREFIX_SINCE_2018 = {
    "0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",  # MobiFone
    "0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",  # VinaPhone
    "0162": "032", "0163": "033", "0164": "034", "0165": "035",  # Viettel
    "0166": "036", "0167": "037", "0168": "038", "0169": "039",
    "0186": "056", "0188": "058",  # Vietnamobile
    "0199": "059",  # Gmobile
}  # fmt: skip
_MOBILE = re.compile(r"0[35789]\d{8}", re.ASCII)
_LANDLINE = re.compile(r"02\d{9}", re.ASCII)
_E164 = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)
_PHONE_PUNCTUATION = re.compile(r"[\s().\-\u2010-\u2015]+")


def parse_phone(text: str) -> str:
    """The number in E.164, from how people write it; abroad only with + or 00 in front.

    Raises NotAPhoneNumber. Families share a telephone: a number finds people, it identifies none.
    """
    digits = _PHONE_PUNCTUATION.sub("", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    national = _national_form(digits)
    if national is not None:
        national = _MOBILE_PREFIX_SINCE_2018.get(national[:4], national[:4]) + national[4:]
        if _MOBILE.fullmatch(national) or _LANDLINE.fullmatch(national):
            return "+84" + national[1:]
    elif _E164.fullmatch(digits):
        return digits
    raise NotAPhoneNumber(where="phone")


def _national_form(digits: str) -> str | None:
    """With the leading nought, from 0…, 84… or +84…, even +840… as forms often yield."""
    for prefix in ("+84", "84"):
        if digits.startswith(prefix):
            return "0" + digits.removeprefix(prefix).removeprefix("0")
    return None if digits.startswith("+") else digits
