"""The verdict in sentences: what a missed objective rests on, and what else the machine had to do.

They change nothing of what is judged; they say how much a figure can carry.
"""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from loadtests.day.objectives import Measured

BUSY: Final = 0.5  # load a core at the start, from which the times are others' too
FEW: Final = 300  # requests, below which a 99th percentile is its slowest three or fewer


def load_now() -> float | None:
    """Processes at work or waiting for a core or a disk, mean of the last minute."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def busy(load: float | None, cores: int) -> bool:
    return load is not None and load / cores >= BUSY


def on_load(load: float | None, cores: int) -> str:
    """One sentence on what else ran when the day began; empty where the system does not say."""
    if load is None:
        return ""
    had = f"Before the day began this machine had a load of {load:.1f} on {_count(cores, 'core')}"
    if busy(load, cores):
        return (
            f"{had}: other programs were at work, and the times below are theirs too. Judge by"
            " this day what is lost or doubled; judge how fast it is on an idle machine."
        )
    return f"{had}: idle, so the times are its own."


def plainly(objectives: Sequence[Measured], machine: Mapping[str, Any]) -> list[str]:
    """What somebody who sees this for the first time asks: why is it red, and is it the LIMS?"""
    said = [on_load(machine["load_before"], machine["cores"])]
    said += [_missed(one) for one in objectives if one.met is False]
    return [line for line in said if line]


def _missed(one: Measured) -> str:
    if one.p99_ms is None:
        return f"{one.title}: nothing was measured, so nobody may call it fast. Live a larger day."
    asked = _count(one.number, "exchange")
    said = (
        f"{one.title}: p99 {one.p99_ms:,.0f} ms, at most {one.limit_ms:,.0f} ms allowed."
        f" It rests on {asked}, {one.over:,} of them slower than allowed."
    )
    if one.number >= FEW or one.over > FEW / 100:
        return said
    slowest = math.ceil(one.number / 100)
    deciding = "the slowest one decides" if slowest == 1 else f"the slowest {slowest} decide"
    return f"{said} Of so few {deciding}: live a larger day (--people) before believing it."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
