"""Captures made in a thread of their own, while the line is read and acknowledged."""

import threading
from typing import Final

from instruments.intake import Intake

GATHER_S: Final = 0.5


class Settler:
    """A message that comes alone is captured at once; of a stream, what came in `GATHER_S` is put
    into the outbox together, for one sync of its folder."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._woken = threading.Event()
        intake.leave_capturing_to(self._woken.set)

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            if self._woken.wait(GATHER_S):
                self._woken.clear()
                self._intake.capture_due()
                over.wait(GATHER_S)
        self._intake.capture_due()
