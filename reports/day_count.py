"""Count a day's frames into its situation: Polars for every figure, from one consistent look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import polars as pl

from lims.domain.lifecycle import RecollectionState
from reports.day_frames import DayFrames
from reports.situation import (
    ENDED,
    AreaLine,
    Awaits,
    HourLine,
    KitLine,
    PoolLine,
    PoolSummary,
    Situation,
    Stage,
    StageLine,
    WaitingLine,
)
from reports.turnaround import joined_times, turnaround

_FINAL: Final = ["F", "C"]
_KNOWN: Final = ["negative", "positive", "presumptive"]
_STAGE: Final = pl.Enum(Stage)
_Z95: Final = 1.96  # Wilson's interval for a share, 95 %
MOST_POOLS: Final = 40


def situation(
    frames: DayFrames,
    *,
    site: str,
    day: date,
    timezone: str,
    taken_at: datetime,
    limits: Mapping[Stage, timedelta],
    waiting: Sequence[WaitingLine] = (),
) -> Situation:
    """Count the frames. `limits` say after how long a swab at a stage is late; none, never."""
    times = joined_times(frames)
    staged = _staged(times, frames.swabbed_again["swab"])
    areas = _areas(times, frames.areas)
    pools = _pools(frames.pools)
    return Situation(
        site=site,
        day=day,
        timezone=timezone,
        taken_at=taken_at,
        swabs=frames.swabs.height,
        positive=sum(line.positive for line in areas),
        negative=int(frames.swabs.select((pl.col("outcome") == "negative").sum()).item()),
        stages=_stages(staged, taken_at, limits),
        areas=areas,
        hours=_hours(times, day, timezone),
        turnaround=turnaround(times, frames.cases),
        open_pools=_summaries(pools),
        oldest_pools=[_pool(row) for row in pools.head(MOST_POOLS).iter_rows(named=True)],
        kits=_kits(frames.kits),
        waiting=tuple(waiting),
        not_final=_not_final(times, staged),
    )


def _staged(times: pl.DataFrame, swabbed_again: pl.Series) -> pl.DataFrame:
    """Each swab's stage, and since when it is there."""
    cannot_tell = pl.col("outcome").is_in(["recollect", "preliminary"])
    final = pl.col("status").is_in(_FINAL) & (pl.col("outcome") != "recollect")
    stage = (
        pl.when(final)
        .then(_at(Stage.DONE))
        .when(pl.col("held"))
        .then(_at(Stage.HELD))
        .when(cannot_tell & pl.col("swab").is_in(swabbed_again.implode()))
        .then(_at(Stage.SWABBED_AGAIN))
        .when(pl.col("outcome") == "recollect")
        .then(_at(Stage.SWAB_AGAIN))
        .when((pl.col("outcome") == "preliminary") & (pl.col("kind") == "field_pool"))
        .then(_at(Stage.SWAB_AGAIN))
        .when(pl.col("outcome") == "preliminary")
        .then(_at(Stage.RESOLVING))
        .when(pl.col("outcome").is_not_null())
        .then(_at(Stage.TO_REVIEW))
        .when(pl.col("state") == "rejected")
        .then(_at(Stage.REJECTED))
        .when(pl.col("received_at").is_null())
        .then(_at(Stage.ON_THE_WAY))
        .when(pl.col("order_state") == "plated")
        .then(_at(Stage.RUNNING))
        .when(pl.col("order_state").is_not_null())
        .then(_at(Stage.TO_PLATE))
        .otherwise(_at(Stage.TO_POOL))
    )
    since = (
        pl.when(pl.col("outcome").is_not_null() | pl.col("held"))
        .then(pl.coalesce("found_at", "measured_at"))
        .when(pl.col("order_state") == "plated")
        .then(pl.col("plated_at"))
        .when(pl.col("order_state").is_not_null())
        .then(pl.col("ordered_at"))
        .otherwise(pl.coalesce("received_at", "collected_at"))
    )
    return times.select(stage.alias("stage"), since.alias("since"))


def _not_final(times: pl.DataFrame, staged: pl.DataFrame) -> int:
    """How many answers a reviewer has not given the last word on."""
    open_yet = staged["stage"].cast(pl.String) != Stage.DONE.value
    return int((times["outcome"].is_in(_KNOWN) & open_yet).sum())


def _at(stage: Stage) -> pl.Expr:
    return pl.lit(stage, dtype=_STAGE)


def _stages(
    staged: pl.DataFrame, now: datetime, limits: Mapping[Stage, timedelta]
) -> Sequence[StageLine]:
    late = pl.any_horizontal(
        pl.lit(value=False),
        *(
            (pl.col("stage") == stage) & (pl.col("since") < (now - limit).astimezone(UTC))
            for stage, limit in limits.items()
        ),
    )
    counted = (
        staged.lazy()
        .group_by("stage")
        .agg(
            pl.len().alias("swabs"),
            pl.col("since").min().alias("oldest_at"),
            late.sum().alias("late"),
        )
        .collect()
    )
    found = {row["stage"]: row for row in counted.iter_rows(named=True)}
    return [
        StageLine(
            stage,
            row["swabs"],
            None if stage in ENDED else row["oldest_at"],
            int(row["late"] or 0),
        )
        for stage in Stage
        for row in [found.get(stage.value, {"swabs": 0, "oldest_at": None, "late": 0})]
    ]


def _areas(times: pl.DataFrame, areas: pl.DataFrame) -> Sequence[AreaLine]:
    known = pl.col("outcome").is_in(_KNOWN)
    n, p = pl.col("known"), pl.col("positive") / pl.col("known")
    centre, spread = p + _Z95**2 / (2 * n), _Z95 * (p * (1 - p) / n + _Z95**2 / (4 * n**2)).sqrt()
    counted = (
        times.lazy()
        .group_by("area")
        .agg(
            pl.len().alias("swabs"),
            known.sum().alias("known"),
            pl.col("outcome").is_in(["positive", "presumptive"]).sum().alias("positive"),
        )
        .join(areas.lazy(), on="area", how="left")
        .with_columns(
            pl.when(n > 0).then(p).alias("share"),
            pl.when(n > 0).then((centre - spread) / (1 + _Z95**2 / n)).clip(0, 1).alias("low"),
            pl.when(n > 0).then((centre + spread) / (1 + _Z95**2 / n)).clip(0, 1).alias("high"),
        )
        .sort(
            ["positive", "share", "swabs", "scheme", "code"],
            descending=[True, True, True, False, False],
            nulls_last=True,
        )
        .collect()
    )
    return [
        AreaLine(
            scheme=row["scheme"] or "",
            code=row["code"] or "",
            area=row["name"] or "",
            province=row["province"] or "",
            swabs=row["swabs"],
            known=row["known"],
            positive=row["positive"],
            share=row["share"],
            low=row["low"],
            high=row["high"],
        )
        for row in counted.iter_rows(named=True)
    ]


def _hours(times: pl.DataFrame, day: date, timezone: str) -> Sequence[HourLine]:
    """By the wall clock of the site; an hour that the clock repeats counts as one."""
    counts: dict[str, dict[int, int]] = {}
    for column, name in (
        ("collected_at", "collected"),
        ("received_at", "received"),
        ("released_at", "answered"),
    ):
        at = pl.col(column).dt.convert_time_zone(timezone)
        found = (
            times.lazy()
            .group_by(pl.col(column).dt.truncate("15m"))  # no zone's hour begins between
            .agg(pl.len().alias("many"))
            .filter(at.dt.date() == day)
            .group_by(at.dt.hour().alias("hour"))
            .agg(pl.col("many").sum())
            .collect()
        )
        counts[name] = dict(zip(found["hour"].to_list(), found["many"].to_list(), strict=True))
    return [HourLine(hour, *(counts[name].get(hour, 0) for name in counts)) for hour in range(24)]


def _pools(members: pl.DataFrame) -> pl.DataFrame:
    """The open pools, oldest first."""
    final = pl.col("status").is_in(_FINAL) & (pl.col("outcome") != "recollect")
    swabbed_again = pl.col("recollection") == RecollectionState.DONE
    unsolved = ~(final.fill_null(value=False) | swabbed_again.fill_null(value=False))
    found = (
        members.lazy()
        .group_by("barcode")
        .agg(
            pl.col("kind", "state", "since", "order_state").first(),
            pl.len().alias("people"),
            unsolved.sum().alias("unsolved"),
            (pl.col("outcome") == "preliminary").any().alias("preliminary"),
            (pl.col("recollection") == RecollectionState.OPEN).any().alias("swab_again"),
            pl.col("outcome").is_not_null().any().alias("said"),
        )
        .filter(pl.col("unsolved") > 0)
        .with_columns(
            pl.when(pl.col("order_state") == "plated")
            .then(pl.lit(Awaits.ANALYSER.value))
            .when(pl.col("order_state") == "queued")
            .then(pl.lit(Awaits.PLATE.value))
            .when(pl.col("state") == "collected")
            .then(pl.lit(Awaits.RECEPTION.value))
            .when((pl.col("kind") == "field_pool") & pl.col("swab_again"))
            .then(pl.lit(Awaits.RESWAB.value))
            .when(pl.col("preliminary"))
            .then(pl.lit(Awaits.MEMBERS.value))
            .when(pl.col("said"))
            .then(pl.lit(Awaits.REVIEW.value))
            .otherwise(pl.lit(Awaits.REVIEW.value))
            .alias("awaits")
        )
        .sort("since", "barcode")
    )
    return found.collect()


def _summaries(pools: pl.DataFrame) -> Sequence[PoolSummary]:
    counted = pools.group_by("awaits").agg(
        pl.len().alias("pools"),
        pl.col("unsolved").sum().alias("people"),
        pl.col("since").min().alias("oldest_at"),
    )
    found = {row["awaits"]: row for row in counted.iter_rows(named=True)}
    return [
        PoolSummary(awaits, row["pools"], row["people"], row["oldest_at"])
        for awaits in Awaits
        if (row := found.get(awaits.value))
    ]


def _pool(row: Mapping[str, Any]) -> PoolLine:
    return PoolLine(
        barcode=row["barcode"],
        kind=row["kind"],
        people=row["people"],
        unsolved=row["unsolved"],
        since=row["since"],
        awaits=Awaits(row["awaits"]),
    )


def _kits(kits: pl.DataFrame) -> Sequence[KitLine]:
    positive = pl.col("outcome") == "positive"
    counted = (
        kits.lazy()
        .group_by("kit", "lot")
        .agg(
            pl.len().alias("tests"),
            positive.sum().alias("positive"),
            (pl.col("outcome") == "invalid").sum().alias("invalid"),
            (positive & (pl.col("pcr") == "positive")).sum().alias("confirmed"),
            (positive & (pl.col("pcr") == "negative")).sum().alias("refuted"),
        )
        .sort("kit", "lot")
        .collect()
    )
    return [KitLine(**row) for row in counted.iter_rows(named=True)]
