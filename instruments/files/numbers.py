"""Cycle numbers as laboratories' computers write them: 24.8, 24,8, 1,204.5 and 1.204,5.

Which mark is the decimal one is a matter of the whole file, never of one number: where a column
has "24,8" and "24.8" both, nobody can say what "1,204" is, and the file is refused. A number with
both marks in it says itself which is which: the last one, and then groups are of three digits.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from instruments.drivers.reading import MOST_CYCLES, Unreadable

_PLAIN = re.compile(r"[+-]?\d+([.,]\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(
    r"[+-]?\d{1,3}(?P<group>[., '])\d{3}((?P=group)\d{3})*(?P<mark>[.,])\d*", re.ASCII
)
_LONGEST = 40  # digits of a number worth reading


class Decimal(StrEnum):
    """The decimal mark of a file."""

    POINT = "."
    COMMA = ","

    @property
    def other(self) -> "Decimal":
        return Decimal.COMMA if self is Decimal.POINT else Decimal.POINT


def decimal_of(text: str) -> Decimal | None:
    """What this number says of its file; None for a whole number and for what is none."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if grouped := _GROUPED.fullmatch(text):
        mark = Decimal(grouped["mark"])
        return None if grouped["group"] == mark else mark
    if _PLAIN.fullmatch(text):
        return next((mark for mark in Decimal if mark in text), None)
    return None


def decimal_mark(texts: Iterable[str]) -> Decimal:
    """The mark of a column. Raises `Unreadable` decimal-mark where both are used."""
    first: dict[Decimal, str] = {}
    for text in texts:
        mark = decimal_of(text)
        if mark is not None:
            first.setdefault(mark, text)
    if len(first) > 1:
        told = " and ".join(repr(text[:20]) for text in first.values())
        raise Unreadable("decimal-mark", f"both decimal marks are used: {told}")
    return next(iter(first), Decimal.POINT)


def number(text: str, mark: Decimal) -> float | None:
    """None where it is no number under this mark."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    grouped = _GROUPED.fullmatch(text)
    if grouped and grouped["mark"] == mark and grouped["group"] != mark:
        return float(text.replace(grouped["group"], "").replace(mark, "."))
    if _PLAIN.fullmatch(text) and mark.other not in text:
        return float(text.replace(mark, "."))
    return None


def cycle_number(text: str, mark: Decimal, where: str) -> float:
    """In cycles, above zero. Raises `Unreadable` cycle-number."""
    value = number(text, mark)
    if value is None:
        told = f"{where}: expected a cycle number with {mark.value!r}, came {text[:20]!r}"
        raise Unreadable("cycle-number", told)
    if not 0 < value <= MOST_CYCLES:
        raise Unreadable("cycle-number", f"{where}: {text[:20]} is no number of cycles of a run")
    return value
