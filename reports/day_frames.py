"""What one day looks like before anybody counts: frames of raw columns, one consistent look.

Times are UTC microseconds (`Datetime("us", "UTC")`), null where the thing has not happened. A
swab's or tube's id is one signed 128-bit integer, and what can be few things is an enumeration:
joining and comparing integers costs half of what two halves of an id do, a fifth of what words do.
`area` numbers the rows of `areas`; 0 is "no commune known".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import polars as pl

from lims.domain.lifecycle import OrderState, RecollectionState, ResultStatus, TubeKind, TubeState
from lims.domain.outcomes import FindingOutcome

MOMENT: Final = pl.Datetime("us", "UTC")
ROW_ID: Final = pl.Int128
OUTCOME: Final = pl.Enum(FindingOutcome)
STATUS: Final = pl.Enum(ResultStatus)
TUBE_KIND: Final = pl.Enum(TubeKind)
TUBE_STATE: Final = pl.Enum(TubeState)
ORDER_STATE: Final = pl.Enum(OrderState)

SWABS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "swab": ROW_ID,
    "collected_at": MOMENT,
    "area": pl.Int32,
    "outcome": OUTCOME,  # null: nothing is known yet
    "status": STATUS,
    "found_at": MOMENT,
    "released_at": MOMENT,
}
TUBES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "swab": ROW_ID,  # a row for the tube it was put into and for each pool it is in
    "tube": ROW_ID,
    "kind": TUBE_KIND,
    "state": TUBE_STATE,
    "received_at": MOMENT,
}
TESTS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "tube": ROW_ID,
    "state": ORDER_STATE,
    "ordered_at": MOMENT,
    "plated_at": MOMENT,
    "measured_at": MOMENT,
    "held": pl.Boolean,
}
SWABBED_AGAIN: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "swab": ROW_ID,  # whose person has given another one since, because this one cannot tell
}
CASES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "swab": ROW_ID,  # that named the person
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
    "kind": TUBE_KIND,
    "state": TUBE_STATE,
    "since": MOMENT,
    "order_state": ORDER_STATE,
    "outcome": OUTCOME,
    "status": STATUS,
    "recollection": pl.Enum(RecollectionState),  # null: nobody asked for another swab
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
    swabbed_again: pl.DataFrame
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
            "swabbed_again": SWABBED_AGAIN,
            "cases": CASES,
            "areas": AREAS,
            "pools": POOLS,
            "kits": KITS,
        }
        return cls(**{one.name: pl.DataFrame(schema=schemas[one.name]) for one in fields(cls)})
