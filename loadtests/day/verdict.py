"""All that the day has shown, as one value: what the report prints and the exit code follows."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.day.objectives import Measured
from loadtests.day.reckoning import DayReckoned


@dataclass(frozen=True)
class Verdict:
    """``lived_s`` is the day itself, without opening and reckoning; ``broke`` are users' faults."""

    people: int
    prevalence: float
    seed: int
    hours: float
    compress: float
    lived_s: float
    lived_h: float
    drained: bool
    objectives: tuple[Measured, ...]
    failures: Mapping[str, int]
    of_faults: Mapping[str, int]
    faults: tuple[Mapping[str, Any], ...]
    broke: tuple[str, ...]
    done: Mapping[str, int]
    requests: int
    machine: Mapping[str, Any]
    reckoned: DayReckoned

    @property
    def nothing_lost(self) -> bool:
        """The reconciliation alone."""
        return self.reckoned.clean

    @property
    def green(self) -> bool:
        """Nothing lost or doubled, every objective met, no failure that nobody intended."""
        return (
            self.nothing_lost
            and self.drained
            and not self.failures
            and not self.broke
            and all(one.met is not False for one in self.objectives)
        )

    @property
    def exit_status(self) -> int:
        """1 also when a single thing is lost and every latency is green."""
        return 0 if self.green else 1

    def as_json(self) -> dict[str, Any]:
        return {
            "green": self.green,
            "people": self.people,
            "prevalence": self.prevalence,
            "seed": self.seed,
            "hours": self.hours,
            "compress": self.compress,
            "lived_s": round(self.lived_s, 1),
            "lived_h": round(self.lived_h, 2),
            "drained": self.drained,
            "requests": self.requests,
            "reconciliation": self.reckoned.as_json(),
            "objectives": [one.as_json() for one in self.objectives],
            "failures": dict(self.failures),
            "broken_by_faults": dict(self.of_faults),
            "faults": list(self.faults),
            "broke": list(self.broke),
            "done": dict(self.done),
            "machine": dict(self.machine),
        }


def machine(
    ceiling_per_s: float | None, busiest_per_s: float, load_before: float | None = None
) -> dict[str, Any]:
    """What it ran on, and the limit taken in the same run: the clients share this machine.

    ``load_before`` is what others asked of it just before the day.
    """
    return {
        "cores": cores(),
        "load_before": None if load_before is None else round(load_before, 2),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "busiest_registrations_per_s": round(busiest_per_s, 1),
        "pgbench_registrations_per_s": None if ceiling_per_s is None else round(ceiling_per_s),
        "ratio": None if not ceiling_per_s else round(busiest_per_s / ceiling_per_s, 3),
    }


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
