"""What a kit's box says in its GS1 DataMatrix or GS1-128: trade item, lot and expiry date.

Source: GS1 General Specifications 24, section 3 (application identifiers), 7.8 (element strings,
FNC1 as separator), 7.12 (the century of a two-digit year), 7.9 (check digit). A scanner types FNC1
as ASCII 29; many are set up to swallow it, and a person copies the line under the bars with its
parentheses. All three are read.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from lims.domain.refusals import NotAKitCode

FNC1: Final = "\x1d"
_SYMBOLOGIES: Final = ("]d2", "]C1", "]Q3", "]e0")
_GTIN, _LOT, _EXPIRY = "01", "10", "17"
# The identifiers whose data has a set length (figure 7.8.5-2): nothing separates them from the
# next. Length without the identifier itself.
_SET_LENGTHS: Final = {
    "00": 18,
    "01": 14,
    "02": 14,
    "11": 6,
    "12": 6,
    "13": 6,
    "15": 6,
    "16": 6,
    "17": 6,
    "20": 2,
}
_OPEN_LENGTHS: Final = {"10": 20, "21": 20, "22": 20, "240": 30, "241": 30, "30": 8, "37": 8}
_LONGEST: Final = 200
_VALUE: Final = re.compile(r"[!-~]+", re.ASCII)
_BRACKETED: Final = re.compile(r"\((\d{2,4})\)([^()]+)")


@dataclass(frozen=True, slots=True)
class KitCode:
    """A box of kits: whose (GTIN, 14 digits), which lot, and the last day it may be used."""

    gtin: str
    lot: str
    expires_on: date


def looks_like_kit(text: str) -> bool:
    """True when a scan can only be a kit's box: it says so, or it begins with a good GTIN."""
    line = text.strip("\r\n\t ")
    if line.startswith((*_SYMBOLOGIES, FNC1, "(01)")):
        return True
    return len(line) > 16 and line.startswith(_GTIN) and gtin_holds(line[2:16])


def parse_kit(text: str, *, today: date) -> KitCode:
    """Read the box. Raises NotAKitCode saying which part is missing or does not hold.

    A lot whose separator was swallowed runs into what follows it; then the expiry date is missing
    and the box is refused, since half a code must not pass for a whole one.
    """
    line = text.strip("\r\n\t ")
    if len(line) > _LONGEST:
        raise NotAKitCode(came=f"{len(line)} characters", where="kit")
    for symbology in _SYMBOLOGIES:
        line = line.removeprefix(symbology)
    said = _bracketed(line) if line.startswith("(") else _elements(line.lstrip(FNC1))
    missing = [f"({one})" for one in (_GTIN, _LOT, _EXPIRY) if one not in said]
    if missing:
        raise NotAKitCode(came=f"no {' '.join(missing)} in the code", where="kit")
    if not gtin_holds(said[_GTIN]):
        raise NotAKitCode(came=f"(01){said[_GTIN]}: wrong check digit", where="kit")
    return KitCode(said[_GTIN], said[_LOT], expiry(said[_EXPIRY], today=today))


def gtin_holds(gtin: str) -> bool:
    """True for 14 digits whose last agrees with the others (weights 3 and 1 from the left)."""
    if len(gtin) != 14 or not (gtin.isascii() and gtin.isdigit()):
        return False
    total = sum(int(digit) * (3 if n % 2 == 0 else 1) for n, digit in enumerate(gtin[:13]))
    return (10 - total % 10) % 10 == int(gtin[13])


def expiry(digits: str, *, today: date) -> date:
    """The last day of use of a six-digit YYMMDD; day 00 is the last of its month (3.4.7).

    The century is the one that puts the year from 49 before to 50 after this one (7.12).
    Raises NotAKitCode.
    """
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        raise NotAKitCode(came=f"(17){digits}", where="kit")
    short, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    year = today.year - today.year % 100 + short
    if short - today.year % 100 > 50:
        year -= 100
    elif short - today.year % 100 < -49:
        year += 100
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError as error:
        raise NotAKitCode(came=f"(17){digits}: no such day", where="kit") from error


def _bracketed(line: str) -> dict[str, str]:
    found = _BRACKETED.findall(line)
    if "".join(f"({ai}){value}" for ai, value in found) != line:
        raise NotAKitCode(came=line[:60], where="kit")
    said: dict[str, str] = {}
    for ai, value in found:
        _keep(said, ai, value.strip())
    return said


def _elements(line: str) -> dict[str, str]:
    said: dict[str, str] = {}
    rest = line
    while rest:
        ai = _identifier(rest)
        body = rest[len(ai) :]
        length = _SET_LENGTHS.get(ai)
        if length is not None:
            value, rest = body[:length], body[length:].removeprefix(FNC1)
        else:
            value, _, rest = body.partition(FNC1)
        _keep(said, ai, value)
    return said


def _identifier(rest: str) -> str:
    for length in (2, 3):
        ai = rest[:length]
        if ai in _SET_LENGTHS or ai in _OPEN_LENGTHS:
            return ai
    raise NotAKitCode(came=f"({rest[:2]}) is not on a kit's box", where="kit")


def _keep(said: dict[str, str], ai: str, value: str) -> None:
    length, most = _SET_LENGTHS.get(ai), _OPEN_LENGTHS.get(ai, 90)
    fits = len(value) == length if length is not None else len(value) <= most
    if not fits or not _VALUE.fullmatch(value):
        raise NotAKitCode(came=f"({ai}){value[:40]}", where="kit")
    if said.setdefault(ai, value) != value:
        raise NotAKitCode(came=f"({ai}) twice", where="kit")
