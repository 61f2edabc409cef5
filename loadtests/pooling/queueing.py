"""Tubes before machines: who is put into which run, and when that run answers.

A machine is loaded whenever its last run has ended, whatever waits: a laboratory of several starts
them staggered, so that one is never far. What is wanted most goes first, then what waited longest.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

RUN_HOURS: Final = 2.0
SETUP_HOURS: Final = 0.75
WELLS: Final = 94


@dataclass(frozen=True, slots=True)
class Wanted:
    """One well that is wanted. ``ready_h``: when its tube stands prepared."""

    tube: UUID
    priority: int
    ready_h: float


@dataclass(frozen=True, slots=True)
class Run:
    """Tests in one machine, from ``started_h`` to ``ended_h``."""

    started_h: float
    ended_h: float
    tests: tuple[Wanted, ...]


class Queue:
    """What waits for a machine. A tube waits once."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, Wanted] = {}

    def __len__(self) -> int:
        """Prepared or not, as the laboratory's own list of orders counts them."""
        return len(self._waiting)

    def add(self, test: Wanted) -> None:
        """Raises ValueError for a tube that waits already."""
        if test.tube in self._waiting:
            raise ValueError(f"tube {test.tube} waits already")
        self._waiting[test.tube] = test

    def cancel(self, tube: UUID) -> None:
        """It waits no more; nothing for one that does not."""
        self._waiting.pop(tube, None)

    def take(self, at_h: float, wells: int) -> tuple[Wanted, ...]:
        """Those that are ready, the most wanted and then the oldest first."""
        ready = (test for test in self._waiting.values() if test.ready_h <= at_h)
        taken = heapq.nsmallest(wells, ready, key=lambda t: (-t.priority, t.ready_h, t.tube))
        for test in taken:
            del self._waiting[test.tube]
        return tuple(taken)


@dataclass(frozen=True, slots=True)
class Machines:
    """``first_h``: when each is loaded first; afterwards every ``run_hours``."""

    first_h: tuple[float, ...]
    run_hours: float = RUN_HOURS
    wells: int = WELLS


def run_day(
    machines: Machines,
    arrivals: Sequence[Wanted],
    queue: Queue,
    *,
    loaded: Callable[[Run], None],
    answered: Callable[[Run], None],
    until_h: float,
) -> None:
    """Load the machines through the day and on until nothing waits. ``loaded`` hears each run as it
    begins, ``answered`` as it ends: that one may add to the queue and cancel what waits there.
    Nothing is loaded after ``until_h``."""
    coming = sorted(arrivals, key=lambda test: test.ready_h, reverse=True)
    turns = [(first, number) for number, first in enumerate(machines.first_h)]
    heapq.heapify(turns)
    running: dict[int, Run] = {}
    while turns:
        at_h, number = heapq.heappop(turns)
        while coming and coming[-1].ready_h <= at_h:
            queue.add(coming.pop())
        if number in running:
            answered(running.pop(number))
        if at_h > until_h or not (coming or running or len(queue)):
            continue
        tests = queue.take(at_h, machines.wells)
        if tests:
            running[number] = Run(at_h, at_h + machines.run_hours, tests)
            loaded(running[number])
        heapq.heappush(turns, (at_h + machines.run_hours, number))
