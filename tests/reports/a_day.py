"""A day of invented figures, for what draws them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from reports.situation import (
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
from reports.turnaround import OF_EVERYBODY, Segment, Turnaround, Way

NOW = datetime(2021, 9, 11, 14, 5, tzinfo=UTC)
DAY = date(2021, 9, 11)
ZONE = "Asia/Ho_Chi_Minh"
SWABS = {
    Stage.ON_THE_WAY: (312, 20),
    Stage.TO_POOL: (1204, 0),
    Stage.TO_PLATE: (880, 880),
    Stage.RUNNING: (1410, 0),
    Stage.TO_REVIEW: (12, 2),
    Stage.DONE: (18231, 0),
}


def a_day(*, communes: int = 14) -> Situation:
    """Twenty-two thousand swabs; every table has something in it."""
    return Situation(
        site="Phòng xét nghiệm Cầu Giấy & <b>bạn</b>",
        day=DAY,
        timezone=ZONE,
        taken_at=NOW,
        swabs=sum(many for many, _ in SWABS.values()),
        positive=131,
        negative=18_100,
        stages=[
            StageLine(stage, many, NOW - timedelta(hours=3), late)
            for stage in Stage
            for many, late in [SWABS.get(stage, (0, 0))]
        ],
        areas=[
            AreaLine(
                scheme="vn-2025",
                code=f"{26000 + place}",
                area=["Phường Tân Định", "Phường Thủ Dầu Một"][place % 2],
                province="Hồ Chí Minh",
                swabs=900 - place,
                known=800 - place,
                positive=40 // (place + 1),
                share=40 // (place + 1) / (800 - place),
                low=0.001,
                high=0.06,
            )
            for place in range(communes)
        ],
        hours=[HourLine(hour, max(0, 900 - 90 * abs(hour - 9)), hour, 0) for hour in range(24)],
        turnaround=[
            Turnaround(way, segment, 400, 84.0, 137.5)
            for way in Way
            for segment in (*OF_EVERYBODY, Segment.COLLECTED_RELEASED)
        ],
        open_pools=[PoolSummary(Awaits.PLATE, 12, 118, NOW - timedelta(hours=2))],
        oldest_pools=[
            PoolLine("TT7K40FQ9X", "lab_pool", 10, 9, NOW - timedelta(hours=29), Awaits.MEMBERS)
        ],
        kits=[KitLine("Kít VN", "00198", 400, 9, 3, 6, 2)],
        waiting=[WaitingLine("to_plate", 880, 110, NOW - timedelta(hours=5))],
    )


def no_day() -> Situation:
    """Nobody came."""
    return Situation(
        site="PXN",
        day=DAY,
        timezone=ZONE,
        taken_at=NOW,
        swabs=0,
        positive=0,
        negative=0,
        stages=[StageLine(stage, 0, None, 0) for stage in Stage],
        areas=[],
        hours=[HourLine(hour, 0, 0, 0) for hour in range(24)],
        turnaround=[],
        open_pools=[],
        oldest_pools=[],
        kits=[],
    )
