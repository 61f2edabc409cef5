"""What one day looks like before anybody counts: five frames of raw columns, one consistent look.

Times are UTC microseconds (`Datetime("us", "UTC")`), null where the thing has not happened. A
swab's or tube's id is two signed 64-bit halves, because joining on two integers is several times
faster than on 36 letters. `area` numbers the rows of `areas`; 0 is "no commune known".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import polars as pl

MOMENT: Final = pl.Datetime("us", "UTC")

SWABS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "hi": pl.Int64,
    "lo": pl.Int64,
    "collected_at": MOMENT,
    "area": pl.Int32,
    "outcome": pl.String,  # lims.domain.outcomes.FindingOutcome, null: nothing is known yet
    "status": pl.String,  # lims.domain.lifecycle.ResultStatus
    "found_at": MOMENT,
    "released_at": MOMENT,
}
TUBES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "hi": pl.Int64,  # of the swab
    "lo": pl.Int64,
    "tube_hi": pl.Int64,
    "tube_lo": pl.Int64,
    "kind": pl.String,  # lims.domain.lifecycle.TubeKind
    "state": pl.String,
    "received_at": MOMENT,
}
TESTS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "tube_hi": pl.Int64,
    "tube_lo": pl.Int64,
    "state": pl.String,  # lims.domain.lifecycle.OrderState
    "ordered_at": MOMENT,
    "plated_at": MOMENT,
    "measured_at": MOMENT,
    "held": pl.Boolean,
}
CASES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "hi": pl.Int64,  # of the swab that named the person
    "lo": pl.Int64,
    "opened_at": MOMENT,
    "told_at": MOMENT,
    "claimed_at": MOMENT,
}
AREAS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "area": pl.Int32,
    "scheme": pl.String,
    "code": pl.String,
    "name": pl.String,
    "province": pl.String,
}
POOLS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "barcode": pl.String,  # one row for each person of each pool that is still open
    "kind": pl.String,
    "state": pl.String,
    "since": MOMENT,
    "order_state": pl.String,
    "order_since": MOMENT,
    "outcome": pl.String,
    "status": pl.String,
    "swab_again": pl.Boolean,
}
KITS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "kit": pl.String,
    "lot": pl.String,
    "outcome": pl.String,
    "pcr": pl.String,  # what is known of the PCR swab that a positive asked for
}


@dataclass(frozen=True, slots=True)
class DayFrames:
    """The frames; each must have the columns named above, which `empty` shows."""

    swabs: pl.DataFrame
    tubes: pl.DataFrame
    tests: pl.DataFrame
    cases: pl.DataFrame
    areas: pl.DataFrame
    pools: pl.DataFrame
    kits: pl.DataFrame

    @classmethod
    def empty(cls) -> DayFrames:
        """A day on which nobody came."""
        schemas = {
            "swabs": SWABS,
            "tubes": TUBES,
            "tests": TESTS,
            "cases": CASES,
            "areas": AREAS,
            "pools": POOLS,
            "kits": KITS,
        }
        return cls(**{one.name: pl.DataFrame(schema=schemas[one.name]) for one in fields(cls)})
