"""Simulating the adaptive strategy for the planning page: one size a request, one at a time."""

from collections.abc import Callable
from functools import partial
from threading import Semaphore
from typing import Final, TypeVar

from gevent import get_hub
from gevent.monkey import is_module_patched

from lims.domain.pooling.planning import Asked, Circumstances, Plan, adaptive, adaptive_sizes, plan

T = TypeVar("T")

# Of a process: each takes seconds of a whole core, and what waits is asked for by few.
_ONE_AT_A_TIME: Final = Semaphore(1)


def simulate(size: int, circumstances: Circumstances) -> None:
    """So that the answer has it. Sizes that the answer does not need are not simulated."""
    its = circumstances
    if size in adaptive_sizes(its) and isinstance(its.probabilities, float):
        _aside(partial(adaptive, size, its.probabilities, its.accuracy))


def answered(circumstances: Circumstances) -> Plan:
    """Of what was simulated, and simulating what was not. Raises NoDesign, NotADesign."""
    return _aside(partial(plan, Asked.BAYESIAN, circumstances))


def _aside(work: Callable[[], T]) -> T:
    """On a real thread, so that the other pages of this process go on meanwhile."""
    with _ONE_AT_A_TIME:
        if not is_module_patched("threading"):
            return work()
        done: T = get_hub().threadpool.apply(work)
        return done
