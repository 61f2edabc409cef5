"""What is typed or scanned on a roster: the exceptions by number, and the start of a timer.

`17+` positive, `17?` no line at C, `17-` back to negative, `17x` not here today; after the sign `c`
for a contact (F1), `f` for an epidemiological factor, `s` for symptoms. Several in one line with
spaces or commas: `17+f 23?`. `START` starts everybody, `START 1-20` those numbers.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lims.domain.rapid_test import Exposure

MOST_PEOPLE: Final = 500
_STARTS: Final = ("START", "BATDAU", "BẮTĐẦU")
_MARK: Final = re.compile(r"(\d{1,3})([+?xX−-])([cfsCFS]{0,3})")
_RANGE: Final = re.compile(r"(\d{1,3})(?:[-–](\d{1,3}))?")


class Sign(StrEnum):
    """What is said of one number."""

    POSITIVE = "+"
    INVALID = "?"
    NEGATIVE = "-"
    ABSENT = "x"


@dataclass(frozen=True, slots=True)
class Marked:
    """One number that is not a plain negative."""

    position: int
    sign: Sign
    exposure: Exposure | None = None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Start a timer for these numbers; both None: for everybody who waits for a strip."""

    first: int | None = None
    last: int | None = None


def parse_line(text: str) -> tuple[Marked, ...] | Start | None:
    """The exceptions or the command, or None when the text is something else (a card, a label)."""
    line = text.strip()
    return _start(line) or _exceptions(line)


def _start(line: str) -> Start | None:
    packed = re.sub(r"\s+", "", line).upper()
    for word in _STARTS:
        if not packed.startswith(word):
            continue
        rest = packed[len(word) :]
        if not rest:
            return Start()
        found = _RANGE.fullmatch(rest)
        if found:
            first = int(found[1])
            return Start(first, int(found[2] or first))
    return None


def _exceptions(line: str) -> tuple[Marked, ...] | None:
    parts = [part for part in re.split(r"[\s,;]+", line) if part]
    found = [_MARK.fullmatch(part) for part in parts]
    if not parts or not all(found):
        return None
    return tuple(_exception(*one.groups()) for one in found if one)


def _exception(number: str, sign: str, more: str) -> Marked:
    letters = more.lower()
    exposure = Exposure.CONTACT if "c" in letters else Exposure.FACTOR if "f" in letters else None
    return Marked(int(number), Sign(sign.lower().replace("−", "-")), exposure, "s" in letters)
