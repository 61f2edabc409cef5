"""Wait for what another thread, process or transaction does: for the state itself, and not for a
time that would be enough on a machine without anything else to do."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Final

WITHIN_S: Final = 120.0  # only a test that fails waits so long


def until(true: Callable[[], object], what: str, *, look_every_s: float = 0.01) -> None:
    """Poll; fail with `what` when it does not come."""
    end = monotonic() + WITHIN_S
    while not true():
        if monotonic() > end:
            raise AssertionError(f"did not come: {what}")
        sleep(look_every_s)
