"""What one gateway bears: its lines, its disk, `kill -9`, a LIMS that was away, a plug pulled."""

import os
import time
from pathlib import Path
from statistics import median
from typing import Final

from instruments.journal import ROOM_BYTES
from loadtests.figures.figure import Figure
from loadtests.gateway.drain import drained
from loadtests.gateway.kills import killed
from loadtests.gateway.lines import cost_of
from loadtests.gateway.replug import plugged
from loadtests.gateway.stand import a_folder

BAUD: Final = 115_200
LINES: Final = 64
FRAME_BYTES: Final = 288  # of the journal: 247 of the line, and what is written with them
AIM_CORE: Final = 0.25
AIM_LINE: Final = 0.98
AIM_P50_US, AIM_P99_US = 1_000.0, 20_000.0
AIM_RESULTS: Final = 1_000.0
AIM_REPLUG_S: Final = 2.0


def lines(*, seconds: float, folder: Path | None = None) -> Figure:
    """64 lines at once, each at the pace of its wire; a LIMS takes what comes."""
    with a_folder(folder) as place:
        cost = cost_of(place, lines=LINES, baud=BAUD, seconds=seconds, away=False)
    before_mb, after_mb = cost.memory_mb
    return Figure(
        name=f"{LINES} lines at {BAUD} baud, one gateway",
        measured=100 * cost.core_share,
        unit="% of a core",
        limit=100 * AIM_CORE,
        limit_name="the aim",
        ratio=cost.core_share / AIM_CORE,
        aim=f"≤ {100 * AIM_CORE:.0f} % of a core",
        met=cost.core_share <= AIM_CORE,
        details={
            "line use %": 100 * cost.line_use,
            "frames/s": cost.frames_a_second,
            "ACK p50 µs": 1000 * cost.ack_ms_p50,
            "ACK p99 µs": 1000 * cost.ack_ms_p99,
            "MB before": before_mb,
            "MB after": after_mb,
        },
    )


def line(*, seconds: float, folder: Path | None = None) -> Figure:
    """One line: how much of its wire is used when each frame waits for the disk."""
    with a_folder(folder) as place:
        cost = cost_of(place, lines=1, baud=BAUD, seconds=seconds, away=False)
    return Figure(
        name=f"use of one line of {BAUD} baud, frames of 240",
        measured=100 * cost.line_use,
        unit="%",
        limit=100.0,
        limit_name="the wire never rests",
        ratio=cost.line_use,
        aim=f"≥ {AIM_LINE}",
        met=cost.line_use >= AIM_LINE,
        details={"frames/s": cost.frames_a_second, "core %": 100 * cost.core_share},
    )


def ack(*, seconds: float, folder: Path | None = None) -> Figure:
    """From a frame's last byte to its acknowledgement, the frame on disk in between. The limit is
    a bare write and sync of as many bytes in the same folder."""
    with a_folder(folder) as place:
        synced_us = _bare_sync_us(place / "bare")
        cost = cost_of(place, lines=1, baud=BAUD, seconds=seconds, away=False)
        synced_us = min(synced_us, _bare_sync_us(place / "bare"))
    p50_us, p99_us = 1000 * cost.ack_ms_p50, 1000 * cost.ack_ms_p99
    return Figure(
        name="durable ACK (p50)",
        measured=p50_us,
        unit="µs",
        limit=synced_us,
        limit_name="a bare write and sync",
        ratio=p50_us / synced_us,
        aim=f"p50 ≤ {AIM_P50_US / 1000:.0f} ms, p99 ≤ {AIM_P99_US / 1000:.0f} ms",
        met=p50_us <= AIM_P50_US and p99_us <= AIM_P99_US,
        details={"p99 µs": p99_us},
    )


def kills(*, times: int) -> Figure:
    """Acknowledged results that are not in the LIMS, or not as they were sent."""
    with a_folder(None) as place:
        result = killed(place, kills=times, lines=4, seed=1)
    return Figure(
        name=f"acknowledged results lost in {times} kill -9",
        measured=float(result.lost),
        unit="results",
        limit=None,
        limit_name="",
        ratio=None,
        aim="0",
        met=result.well and result.acknowledged > times,
        details={
            "acknowledged": result.acknowledged,
            "wrong": result.wrong,
            "twice": result.twice,
            "out of order": result.out_of_order,
        },
    )


def drain(*, messages: int) -> Figure:
    with a_folder(None) as place:
        result = drained(place, messages)
    return Figure(
        name="drain after the LIMS was away, one line",
        measured=result["results_a_second"],
        unit="results/s",
        limit=AIM_RESULTS,
        limit_name="the aim",
        ratio=result["results_a_second"] / AIM_RESULTS,
        aim=f"≥ {AIM_RESULTS:,.0f}/s, in order",
        met=result["results_a_second"] >= AIM_RESULTS and not result["out_of_order"],
        details={"messages": messages, "out of order": result["out_of_order"]},
    )


def replug(*, times: int) -> Figure:
    with a_folder(None) as place:
        took_s = plugged(place, times=times, seed=1)
    worst_s = max(took_s)
    return Figure(
        name="plugged in again to receiving (worst)",
        measured=1000 * worst_s,
        unit="ms",
        limit=1000 * AIM_REPLUG_S,
        limit_name="the aim",
        ratio=worst_s / AIM_REPLUG_S,
        aim=f"≤ {AIM_REPLUG_S:.0f} s",
        met=worst_s <= AIM_REPLUG_S,
        details={"median ms": 1000 * median(took_s), "times": times},
    )


def _bare_sync_us(path: Path) -> float:
    """Median of a second's, into room that was laid out."""
    took: list[float] = []
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(fd, bytes(ROOM_BYTES), 0)
        os.fsync(fd)
        until_s = time.monotonic() + 1
        while (began_s := time.monotonic()) < until_s:
            os.pwrite(fd, os.urandom(FRAME_BYTES), len(took) * FRAME_BYTES % ROOM_BYTES)
            os.fdatasync(fd)
            took.append(time.monotonic() - began_s)
    finally:
        os.close(fd)
    return 1e6 * median(took)
