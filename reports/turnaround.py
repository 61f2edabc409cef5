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

from lims.domain.lifecycle import TubeKind
from reports.day_frames import TUBE_KIND, DayFrames


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
_OF_TUBE: Final = ("kind", "state", "received_at")
_TESTED: Final = ("plated_at", "measured_at", "held", "order_state", "ordered_at")
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
    tubes = frames.tubes.lazy().join(_by_tube(frames.tests), on="tube", how="left")
    leaf = tubes.filter(pl.col("kind") != TubeKind.LAB_POOL).select(
        *("swab", "kind", "state", "received_at"),
        *(pl.col(name).alias(f"own_{name}") for name in _TESTED),
    )
    pooled = tubes.filter(pl.col("kind") == TubeKind.LAB_POOL, pl.col("order_state").is_not_null())
    own, pool = pl.col("own_ordered_at"), pl.col("pool_ordered_at")
    first_in_pool = pl.col("first_pool_ordered_at") <= own
    own_is_last = pool.is_null() | (own >= pool)
    return (
        frames.swabs.lazy()
        .join(leaf, on="swab", how="left")
        .join(_by_swab(pooled), on="swab", how="left")
        .with_columns(
            pl.min_horizontal("own_plated_at", "pool_plated_at").alias("plated_at"),
            pl.min_horizontal("own_measured_at", "pool_measured_at").alias("measured_at"),
            pl.any_horizontal("own_held", "pool_held").fill_null(value=False).alias("held"),
            pl.when(pool.is_not_null() & (own.is_null() | first_in_pool))
            .then(pl.lit(TubeKind.LAB_POOL, dtype=TUBE_KIND))
            .when(own.is_not_null())
            .then("kind")
            .alias("way"),
            pl.when(own_is_last)
            .then("own_order_state")
            .otherwise("pool_order_state")
            .alias("order_state"),
            pl.max_horizontal(own, pool).alias("ordered_at"),
        )
        .select(*frames.swabs.columns, *_OF_TUBE, *_TESTED, "way")
        .collect(engine="streaming")
    )


def _by_tube(tests: pl.DataFrame) -> pl.LazyFrame:
    """One row a tube that was ever to be tested: its first times, its last order."""
    return (
        tests.lazy()
        .sort("ordered_at")
        .group_by("tube")
        .agg(
            pl.col("plated_at", "measured_at").min(),
            pl.col("held").any(),
            pl.col("state").last().alias("order_state"),
            pl.col("ordered_at").last(),
        )
    )


def _by_swab(pooled: pl.LazyFrame) -> pl.LazyFrame:
    """One row a swab that is in a tested pool.

    Nearly every swab is in one pool only, and grouping a million single rows would cost more than
    all the rest: only what is in several is grouped.
    """
    rows = pooled.select("swab", *_TESTED).collect(engine="streaming")
    first = pl.col("ordered_at").alias("first_ordered_at")
    if rows["swab"].n_unique() == rows.height:
        found = rows.lazy().with_columns(first)
    else:
        found = (
            rows.lazy()
            .sort("ordered_at")
            .group_by("swab")
            .agg(
                pl.col("plated_at", "measured_at").min(),
                pl.col("held").any(),
                pl.col("order_state", "ordered_at").last(),
                first.first(),
            )
        )
    return found.select("swab", pl.exclude("swab").name.prefix("pool_")).rename(
        {"pool_first_ordered_at": "first_pool_ordered_at"}
    )


def turnaround(times: pl.DataFrame, cases: pl.DataFrame) -> Sequence[Turnaround]:
    """Every segment that somebody has gone through, by way and in the order of the way."""
    told = cases.lazy().group_by("swab").agg(pl.col("opened_at", "told_at", "claimed_at").min())
    every = times.lazy().filter(pl.col("way").is_not_null())
    f0 = every.join(told, on="swab", how="inner")
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
        source.select("way", *(minutes(segment).alias(segment) for segment in segments))
        .group_by("way")
        .agg(
            expression
            for segment in segments
            for expression in (
                pl.col(segment).count().alias(f"{segment}_n"),
                pl.col(segment).median().alias(f"{segment}_median"),
                pl.col(segment).quantile(0.9, "linear").alias(f"{segment}_p90"),
            )
        )
        .collect()
    )
