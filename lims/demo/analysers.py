"""A simulated analyser as the bench sees it: told what it measured, it prints on a real line.

The measured values are ours and given once; if the simulator is killed it is told again what it
had not heard acknowledged, like an instrument that kept its results.
"""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

Told = Callable[[str], None]


class Analyser:
    """One simulator process, through its pipes. ``acknowledged`` is called for each message."""

    def __init__(self, acknowledged: Told) -> None:
        self._acknowledged = acknowledged
        self._pending: dict[str, str] = {}
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Condition()

    def meet(self, process: subprocess.Popen[str]) -> None:
        """It has started, or started again: what is pending is said to it."""
        with self._lock:
            self._process = process
        pending = self.pending
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        for order in pending:
            self._say(process, order)

    @property
    def pending(self) -> tuple[str, ...]:
        """The orders that were not heard acknowledged, as they are said again."""
        with self._lock:
            return tuple(self._pending.values())

    def measure(self, name: str, order: Mapping[str, Any]) -> None:
        """Send a message called ``name`` (a plate or a specimen) when the line is free."""
        ended_at = datetime.now().astimezone().isoformat(timespec="seconds")
        line = json.dumps({"ended_at": ended_at, **order})
        with self._lock:
            self._pending[name] = line
            process = self._process
        if process is not None:
            self._say(process, line)

    def idle(self, patience_s: float) -> bool:
        """Wait until everything was acknowledged; False when patience ran out."""
        until = time.monotonic() + patience_s
        with self._lock:
            return self._lock.wait_for(
                lambda: not self._pending, max(0.0, until - time.monotonic())
            )

    def _say(self, process: subprocess.Popen[str], line: str) -> None:
        with suppress(OSError, ValueError):  # it died: `meet` says it to the next one
            if process.stdin is not None:
                process.stdin.write(line + "\n")
                process.stdin.flush()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        with suppress(OSError, ValueError):
            for line in process.stdout or ():
                name = str(json.loads(line)["sent"])
                self._acknowledged(name)
                with self._lock:
                    self._pending.pop(name, None)
                    self._lock.notify_all()
