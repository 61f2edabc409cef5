"""How long each part of the way took: median and ninetieth percentile, by how the swab was tested.

Segments of everybody: collected → received → plated → measured → released. From the measurement
on an F0 takes another way, which does not wait for the release: named → told → claimed. A segment
counts the swabs that have gone through both of its ends; what is still waiting is in the stages,
not here. Times are the first of their kind (the pool's, for a swab in a pool), so that they rise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from reports.day_frames import DayFrames

SWAB: Final = ["hi", "lo"]
TUBE: Final = ["tube_hi", "tube_lo"]


class Segment(StrEnum):
    """From one moment of a swab's way to the next; the last two are sums."""

    COLLECTED_RECEIVED = "collected_received"
    RECEIVED_PLATED = "received_plated"
    PLATED_MEASURED = "plated_measured"
    MEASURED_RELEASED = "measured_released"
    MEASURED_NAMED = "measured_named"
    NAMED_TOLD = "named_told"
    TOLD_CLAIMED = "told_claimed"
    COLLECTED_RELEASED = "collected_released"
    COLLECTED_TOLD = "collected_told"


class Way(StrEnum):
    """In what a swab was tested first."""

    INDIVIDUAL = "individual"
    FIELD_POOL = "field_pool"
    LAB_POOL = "lab_pool"


OF_EVERYBODY: Final = (
    Segment.COLLECTED_RECEIVED,
    Segment.RECEIVED_PLATED,
    Segment.PLATED_MEASURED,
    Segment.MEASURED_RELEASED,
)
OF_F0: Final = (Segment.MEASURED_NAMED, Segment.NAMED_TOLD, Segment.TOLD_CLAIMED)
TOTALS: Final = (Segment.COLLECTED_RELEASED, Segment.COLLECTED_TOLD)
_ENDS: Final = {
    Segment.COLLECTED_RECEIVED: ("collected_at", "received_at"),
    Segment.RECEIVED_PLATED: ("received_at", "plated_at"),
    Segment.PLATED_MEASURED: ("plated_at", "measured_at"),
    Segment.MEASURED_RELEASED: ("measured_at", "released_at"),
    Segment.MEASURED_NAMED: ("measured_at", "opened_at"),
    Segment.NAMED_TOLD: ("opened_at", "told_at"),
    Segment.TOLD_CLAIMED: ("told_at", "claimed_at"),
    Segment.COLLECTED_RELEASED: ("collected_at", "released_at"),
    Segment.COLLECTED_TOLD: ("collected_at", "told_at"),
}


@dataclass(frozen=True, slots=True)
class Turnaround:
    """One segment of one way, in minutes; `swabs` have gone through it."""

    way: Way
    segment: Segment
    swabs: int
    median_min: float
    p90_min: float


def joined_times(frames: DayFrames) -> pl.DataFrame:
    """One row a swab: its tube, its first test and its open one, and its finding."""
    tests = (
        frames.tests.lazy()
        .sort("ordered_at")
        .group_by(TUBE)
        .agg(
            pl.col("plated_at").min(),
            pl.col("measured_at").min(),
            pl.col("held").any(),
            pl.col("state", "ordered_at").last().name.prefix("order_"),
            pl.col("plated_at").last().alias("order_plated_at"),
        )
    )
    tubes = frames.tubes.lazy().join(tests, on=TUBE, how="left")
    leaf = tubes.filter(pl.col("kind") != "lab_pool").select(*SWAB, "kind", "state", "received_at")
    tested = (
        tubes.filter(pl.col("order_state").is_not_null())
        .group_by(SWAB)
        .agg(
            pl.col("plated_at").min(),
            pl.col("measured_at").min(),
            pl.col("held").any(),
            pl.col("kind").sort_by("order_ordered_at").first().alias("way"),
            pl.col("order_state").sort_by("order_ordered_at").last(),
            pl.col("order_ordered_at").max().alias("ordered_at"),
        )
    )
    return (
        frames.swabs.lazy()
        .join(leaf, on=SWAB, how="left")
        .join(tested, on=SWAB, how="left")
        .with_columns(pl.col("held").fill_null(value=False))
        .collect()
    )


def turnaround(times: pl.DataFrame, cases: pl.DataFrame) -> Sequence[Turnaround]:
    """Every segment that somebody has gone through, by way and in the order of the way."""
    told = cases.lazy().group_by(SWAB).agg(pl.col("opened_at", "told_at", "claimed_at").min())
    every = times.lazy().filter(pl.col("way").is_not_null())
    f0 = every.join(told, on=SWAB, how="inner")
    lines: dict[tuple[Way, Segment], Turnaround] = {}
    for source, segments in (
        (every, (*OF_EVERYBODY, Segment.COLLECTED_RELEASED)),
        (f0, (*OF_F0, Segment.COLLECTED_TOLD)),
    ):
        for row in _measured(source, segments).iter_rows(named=True):
            for segment in segments:
                many = row[f"{segment}_n"]
                if many:
                    way = Way(row["way"])
                    lines[way, segment] = Turnaround(
                        way, segment, many, row[f"{segment}_median"], row[f"{segment}_p90"]
                    )
    return [lines[key] for way in Way for segment in Segment if (key := (way, segment)) in lines]


def _measured(source: pl.LazyFrame, segments: Sequence[Segment]) -> pl.DataFrame:
    def minutes(segment: Segment) -> pl.Expr:
        start, end = _ENDS[segment]
        took = (pl.col(end) - pl.col(start)).dt.total_microseconds() / 60_000_000
        return took.clip(lower_bound=0)  # a cartridge is measured in its own clock's second

    return (
        source.group_by("way")
        .agg(
            expression
            for segment in segments
            for expression in (
                minutes(segment).count().alias(f"{segment}_n"),
                minutes(segment).median().alias(f"{segment}_median"),
                minutes(segment).quantile(0.9, "linear").alias(f"{segment}_p90"),
            )
        )
        .collect()
    )
