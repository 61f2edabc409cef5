"""The hand-off's own aims: told within a second, a mountain drained, nothing lost by `kill -9`."""

from pathlib import Path

from loadtests.figures.figure import Figure
from loadtests.handoff.drain import drained
from loadtests.handoff.kills import killed
from loadtests.handoff.told import told as measured
from loadtests.rig import rig

AIM_MS = 1_000.0
AIM_PER_S = 500.0


def told(*, cases: int, in_the_table: int) -> Figure:
    """In a laboratory of its own: what it leaves behind would burden the other figures."""
    with rig() as made:
        came = measured(
            made, Path(made.environment["LIMS_HOME"]), cases=cases, in_the_table=in_the_table
        )
    return Figure(
        name="result posted → webhook at each of four offices, a fifth dead, p99",
        measured=came.p99_ms,
        unit="ms",
        limit=AIM_MS,
        limit_name="the aim",
        ratio=came.p99_ms / AIM_MS,
        aim=f"≤ {AIM_MS:,.0f} ms",
        met=came.p99_ms <= AIM_MS,
        details={"p50_ms": came.p50_ms, "notices in the table": in_the_table},
    )


def mountain(*, owed: int) -> Figure:
    """One deliverer, then two."""
    one, two = (drained(owed=owed, deliverers=many) for many in (1, 2))
    return Figure(
        name=f"{owed:,} owed notices drained by one deliverer",
        measured=one.per_s,
        unit="notices/s",
        limit=AIM_PER_S,
        limit_name="the aim",
        ratio=one.per_s / AIM_PER_S,
        aim=f"≥ {AIM_PER_S:,.0f}/s",
        met=one.per_s >= AIM_PER_S and one.each_once,
        details={"by two": two.per_s},
    )


def deliverer_kills(*, times: int) -> Figure:
    result = killed(kills=times, seed=1)
    return Figure(
        name=f"notices lost in {times} kill -9 of deliverers",
        measured=float(result.lost),
        unit="notices",
        limit=None,
        limit_name="",
        ratio=None,
        aim="0, each once and in order",
        met=result.well,
        details={"owed": result.owed, "out of order": result.out_of_order, "again": result.repeats},
    )
