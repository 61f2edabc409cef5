"""Several clients at the same moment, as far as threads can be at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from tests.until import WITHIN_S

T = TypeVar("T")


def at_once(*deeds: Callable[[], T]) -> list[T]:
    """All start when all are ready; the answers in the order of the deeds."""
    start = Barrier(len(deeds), timeout=WITHIN_S)

    def run(deed: Callable[[], T]) -> T:
        start.wait()
        return deed()

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(run, deeds))
