"""Columns by the million out of PostgreSQL: each as one string, read as memory and not row by row.

COPY and cursors cost about five microseconds a row on the way (measured: 1.4 million rows of two
columns, 7 s); `array_agg` in the binary format is one value a column (1.2 s), and `string_agg` of
what each type's send function says a third less again, without a length before every element.
What may be null is coalesced in SQL, for `string_agg` leaves nulls out: -infinity for a moment, a
space for a word.

Source of the layout: PostgreSQL 18, src/backend/utils/adt: uuid_send, timestamptz_send, int4send
and boolsend, which are the binary format of the protocol (big-endian).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import numpy as np
import polars as pl
import psycopg
from numpy.typing import NDArray
from psycopg.pq import Format

from reports.day_frames import MOMENT, ROW_ID

_EPOCH_US: Final = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
_NEVER: Final = np.iinfo(np.int64).min  # -infinity
_NO_WORD: Final = 255


class Kind(StrEnum):
    """How the elements of one string are read, unless they are letters for words."""

    ROW_ID = "row_id"  # uuid
    MOMENT = "moment"  # timestamptz
    NUMBER = "number"  # int4
    FLAG = "flag"
    NAME = "name"  # text without a space, told apart by one


@dataclass(frozen=True)
class Words:
    """A column that says each word of an enumeration as one letter, in its order."""

    letters: str
    words: type[StrEnum]

    def spelt(self, column: str) -> str:
        """SQL that says the column's word as its letter."""
        pairs = zip(self.letters, self.words, strict=True)
        cases = " ".join(f"WHEN '{word}' THEN '{letter}'" for letter, word in pairs)
        return f"CASE {column} {cases} ELSE ' ' END"


Columns = Mapping[str, Kind | Words]

_ID: Final = np.dtype([("hi", ">i8"), ("lo", ">u8")])
_ELEMENT: Final[Mapping[Kind, np.dtype[Any]]] = {
    Kind.MOMENT: np.dtype(">i8"),
    Kind.NUMBER: np.dtype(">i4"),
    Kind.FLAG: np.dtype("i1"),
}
_LETTER: Final = np.dtype("u1")


def read_columns(
    connection: psycopg.Connection[Any],
    query: str,
    values: Mapping[str, Any],
    kinds: Columns,
) -> pl.DataFrame:
    """The frame of a query that selects `string_agg` of each column, in the order of `kinds`.

    Raises polars' ShapeError where a null was left out.
    """
    with connection.cursor(binary=True) as cursor:
        cursor.execute(query.encode(), values)
        answer = cursor.pgresult
        if answer is None or answer.fformat(0) != Format.BINARY:
            raise TypeError("expected one row of strings in the binary format")
        return pl.DataFrame(
            [
                _column(name, kind, answer.get_value(0, place))
                for place, (name, kind) in enumerate(kinds.items())
            ]
        )


def row_id(given: UUID) -> int:
    """The id as `Kind.ROW_ID` reads it."""
    return int.from_bytes(given.bytes, signed=True)


def as_uuid(number: int) -> UUID:
    """What `row_id` was given."""
    return UUID(bytes=number.to_bytes(16, signed=True))


def _column(name: str, kind: Kind | Words, raw: bytes | None) -> pl.Series:
    said = raw or b""
    if isinstance(kind, Words):
        return _worded(name, np.frombuffer(said, _LETTER), kind)
    if kind is Kind.NAME:
        return pl.Series(name, said.decode().split(), pl.String)
    if kind is Kind.ROW_ID:
        halves = np.frombuffer(said, _ID)
        return _row_ids(name, halves["hi"].astype(np.int64), halves["lo"].astype(np.uint64))
    read = np.frombuffer(said, _ELEMENT[kind])
    numbers = pl.Series(name, read.astype(read.dtype.newbyteorder("=")))
    if kind is Kind.MOMENT:
        known = pl.when(pl.col(name) != _NEVER).then(pl.col(name) + _EPOCH_US).cast(MOMENT)
        return numbers.to_frame().select(known).to_series()
    return numbers.cast(pl.Boolean) if kind is Kind.FLAG else numbers


def _row_ids(name: str, hi: NDArray[np.int64], lo: NDArray[np.uint64]) -> pl.Series:
    whole = pl.col("hi").cast(ROW_ID) * (1 << 64) + pl.col("lo").cast(ROW_ID)
    return pl.DataFrame({"hi": hi, "lo": lo}).select(whole.alias(name)).to_series()


def _worded(name: str, letters: NDArray[np.uint8], kind: Words) -> pl.Series:
    """An unknown letter and none are null."""
    numbers = np.full(256, _NO_WORD, np.uint8)
    numbers[[ord(letter) for letter in kind.letters]] = range(len(kind.letters))
    word = pl.when(pl.col(name) != _NO_WORD).then(pl.col(name)).cat.to(pl.Enum(kind.words))
    return pl.DataFrame({name: numbers[letters]}).select(word).to_series()
