"""Columns by the million out of PostgreSQL: each as one array, read as memory and not row by row.

COPY and cursors cost about five microseconds a row on the way (measured: 1.4 million rows of two
columns, 7 s); `array_agg` in the binary format is one value a column (1.2 s). What may be null is
coalesced in SQL, so that every element has the same length and numpy reads the whole at once:
-infinity for a moment, the zero byte for a letter.

Source of the layout: PostgreSQL 18, src/backend/utils/adt/arrayfuncs.c, array_send.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl
import psycopg
from psycopg.pq import Format

from reports.day_frames import MOMENT

_HEAD: Final = 20  # dimensions, flags, element type, length, lower bound: five int32
_EPOCH_US: Final = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
_NEVER: Final = np.iinfo(np.int64).min  # -infinity


class Kind(StrEnum):
    """How the elements of one array are read."""

    UUID = "uuid"  # becomes two columns, <name>hi and <name>lo
    MOMENT = "moment"
    NUMBER = "number"  # int4
    LETTER = "letter"  # "char", to be replaced by a word
    FLAG = "flag"


_ELEMENT: Final[Mapping[Kind, list[tuple[str, str]]]] = {
    Kind.UUID: [("length", ">i4"), ("hi", ">i8"), ("lo", ">i8")],
    Kind.MOMENT: [("length", ">i4"), ("value", ">i8")],
    Kind.NUMBER: [("length", ">i4"), ("value", ">i4")],
    Kind.LETTER: [("length", ">i4"), ("value", "i1")],
    Kind.FLAG: [("length", ">i4"), ("value", "i1")],
}


def read_columns(
    connection: psycopg.Connection[Any],
    query: str,
    values: Mapping[str, Any],
    kinds: Mapping[str, Kind],
) -> pl.DataFrame:
    """The frame of a query that selects `array_agg` of each column, in the order of `kinds`."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(query.encode(), values)
        answer = cursor.pgresult
        if answer is None or answer.fformat(0) != Format.BINARY:
            raise TypeError("expected one row of arrays in the binary format")
        columns: dict[str, pl.Series] = {}
        for place, (name, kind) in enumerate(kinds.items()):
            columns |= _column(name, kind, answer.get_value(0, place))
    return pl.DataFrame(columns)


def one_letter(words: Mapping[str, str], column: str) -> str:
    """SQL that says a word as its letter, for `in_words` to say again."""
    cases = " ".join(f"WHEN '{word}' THEN '{letter}'" for letter, word in words.items())
    return f"""CAST(coalesce(CASE {column} {cases} END, '') AS "char")"""


def in_words(column: str, words: Mapping[str, str]) -> pl.Expr:
    """The letters of a column as their words; an unknown letter and none are null."""
    codes = {ord(letter): word for letter, word in words.items()}
    return pl.col(column).replace_strict(codes, default=None, return_dtype=pl.String)


def _column(name: str, kind: Kind, raw: bytes | None) -> dict[str, pl.Series]:
    element = np.dtype(_ELEMENT[kind])
    read = np.frombuffer(raw or b"", dtype=element, offset=_HEAD if raw else 0)
    if len(read) and not (read["length"] == element.itemsize - 4).all():
        raise TypeError(f"a null, or another type, in the column {name}")
    if kind is Kind.UUID:
        return {
            name + half: pl.Series(name + half, read[half].astype(np.int64))
            for half in ("hi", "lo")
        }
    if kind is Kind.MOMENT:
        at = pl.Series(name, read["value"].astype(np.int64))
        known = pl.DataFrame({name: at}).select(
            pl.when(pl.col(name) != _NEVER).then(pl.col(name) + _EPOCH_US).cast(MOMENT)
        )
        return {name: known.to_series()}
    native = np.int32 if kind is Kind.NUMBER else np.int8
    numbers = pl.Series(name, read["value"].astype(native))
    return {name: numbers.cast(pl.Boolean) if kind is Kind.FLAG else numbers}
