"""How long a decision takes: from the evidence to the next tests."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from lims.domain.pooling.bayes import next_tests as deciding
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.bayes.states import States, in_households, independent
from loadtests.pooling.bar import Bar

UNCACHED_MS: Final = 100.0
CACHED_MS: Final = 5.0


def measure(quick: bool) -> Sequence[Bar]:
    """Of pools of 20 and 32, alike and in households of four."""
    times = 5 if quick else 40
    pools: dict[str, Callable[[], States]] = {
        "20 alike": lambda: independent([0.01] * 20),
        "32 alike": lambda: independent([0.01] * 32),
        "20 in households": lambda: in_households([0.01] * 20, [i // 4 for i in range(20)], 0.25),
        "32 in households": lambda: in_households([0.01] * 32, [i // 4 for i in range(32)], 0.25),
    }
    bars = []
    for name, states in pools.items():
        states()  # the subsets are counted once in a process
        bars.append(
            Bar(f"{name}, design not thought before, p99", _p99(states, times), UNCACHED_MS, "ms")
        )
        if "alike" in name:
            taken = _p99(states, times, forget=False)
            bars.append(Bar(f"{name}, design cached, p99", taken, CACHED_MS, "ms"))
    return bars


def _p99(states: Callable[[], States], times: int, *, forget: bool = True) -> float:
    taken = []
    for _ in range(times):
        if forget:
            deciding.forget_designs()
        begun = time.perf_counter()
        alike = states()
        pool = Measurement(Role.MASTER, tuple(range(alike.members)), detected=True)
        deciding.next_tests(posterior(alike, [pool]))
        taken.append(1000 * (time.perf_counter() - begun))
    return float(np.quantile(taken, 0.99))
