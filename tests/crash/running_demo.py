"""`lims demo --once` in a process of its own, and the means to kill what it runs."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instruments.journal import all_entries
from instruments.spool import Spool
from tests.until import until

PATIENCE_S = 240.0  # a laden machine; none of these tests waits for it on an idle one


@dataclass
class Ending:
    """What the demonstration said last."""

    status: int
    reckoning: dict[str, Any]
    said: list[str]

    @property
    def restarts(self) -> int:
        told = [line for line in self.said if line.startswith("programs started again: ")]
        return int(told[-1].rpartition(" ")[2])


class RunningDemo:
    """One small commune's day, as it runs."""

    def __init__(self, home: Path, *, people: int, seed: int, prevalence: float) -> None:
        self.home = home
        command = [sys.executable, "-m", "lims.cli", "demo", "--once", "--json"]
        story = ["--people", str(people), "--seed", str(seed), "--prevalence", str(prevalence)]
        self.process = subprocess.Popen(
            [*command, *story, "--home", str(home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def reached(self, chapter: str) -> None:
        """Wait until the story tells of this chapter."""
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            if line is None:
                raise AssertionError(f"it ended before {chapter}:\n" + "\n".join(self.said))
            if f" s  {chapter}" in line:
                return

    def pids(self) -> dict[str, int]:
        """Who runs now, by name."""
        said: dict[str, int] = json.loads((self.home / "processes.json").read_text("utf-8"))
        return said

    def kill(self, name: str, *, with_its_workers: bool = False) -> int:
        """SIGKILL. Returns the pid that was."""
        pid = self.pids()[name]
        (os.killpg if with_its_workers else os.kill)(pid, signal.SIGKILL)
        return pid

    def ending(self) -> Ending:
        """Wait for the end."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        lines = out.splitlines()
        assert lines, "it printed nothing:\n" + "\n".join(self.said)
        return Ending(status, json.loads(lines[-1]), self.said)

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.said.append(line.rstrip())
            self._lines.put(line)
        self._lines.put(None)


@contextmanager
def running_demo(
    home: Path, *, people: int = 80, seed: int = 1, prevalence: float = 0.05
) -> Iterator[RunningDemo]:
    """Ended with the test, however the test ends."""
    demo = RunningDemo(home, people=people, seed=seed, prevalence=prevalence)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait(PATIENCE_S)
        for pipe in (demo.process.stdout, demo.process.stderr):
            if pipe is not None:
                demo._reader.join(PATIENCE_S)
                pipe.close()


def soon(happened: Callable[[], bool], what: str) -> None:
    """Look every few milliseconds, to be there in the middle of it."""
    until(happened, what, look_every_s=0.002)


def bytes_heard(spool: Path) -> int:
    """What a gateway wrote down of its line by now. It only grows, so that who looks late has not
    missed it; the journal's file is larger than what is in it, and an outbox empties again."""
    return sum(len(entry.data) for entry in all_entries(Spool(spool).journal))


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2][:1]
    except FileNotFoundError:
        return False
    return state != "Z"


def assert_nothing_is_lost(ending: Ending, *, killed: int) -> None:
    """The reckoning is clean, and the kills were real."""
    said = "\n".join(ending.said)
    assert ending.status == 0, said
    assert ending.reckoning["lost"] == 0, said
    assert ending.reckoning["duplicated"] == 0, said
    assert ending.reckoning["notices_owed"] == ending.reckoning["notices_delivered"] > 0
    assert ending.reckoning["true_positives"] > 0
    assert ending.restarts >= killed
