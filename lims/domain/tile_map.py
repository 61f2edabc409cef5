"""Viet Nam's 34 provinces as tiles of one size, each about where it lies: every province can be
read, and none is large only because its land is.

The arrangement is ours: neighbours stay neighbours as far as six columns allow, north is up.
Codes of the units since 1 July 2025 (Decision 19/2025/QĐ-TTg).
"""

from collections.abc import Mapping, Sequence
from typing import Final

_ROWS: Final[Sequence[str]] = (
    "-- 12 15 08 04 --",
    "11 14 25 19 20 --",
    "-- -- 01 24 22 --",
    "-- -- 37 33 31 --",
    "-- -- 38 -- -- --",
    "-- -- 40 -- -- --",
    "-- -- 42 -- -- --",
    "-- -- -- 44 -- --",
    "-- -- -- 46 -- --",
    "-- -- -- 48 -- --",
    "-- -- -- 51 -- --",
    "-- -- -- 52 -- --",
    "-- -- 75 68 66 --",
    "-- 80 79 -- 56 --",
    "91 82 86 -- -- --",
    "96 92 -- -- -- --",
)
PLACES: Final[Mapping[str, tuple[int, int]]] = {
    code: (column, row)
    for row, line in enumerate(_ROWS)
    for column, code in enumerate(line.split())
    if code != "--"
}
COLUMNS: Final = 6
ROWS: Final = len(_ROWS)


def shade(count: int, most: int) -> int:
    """0 for none, else 1 to 4: each shade is about three times the one before, as cases spread."""
    if count <= 0 or most <= 0:
        return 0
    share = count / most
    return 1 + sum(share >= bound for bound in (1 / 27, 1 / 9, 1 / 3))
