"""Start the real programs, start again what dies, leave nothing behind.

Each program is a process group of its own, so that Ctrl-C is heard by the demonstration alone and
a program ends with all its workers. `processes.json` in the home says who runs; a `stand_down`
process beside us clears up should we be killed.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from lims.db import postmaster
from lims.db.embedded import EmbeddedServer, ServerStatus
from lims.demo.stand_down import DONE
from lims.demo.telling import Broke

LOOK_S: Final = 0.1
STOP_S: Final = 8.0
MOST_DEATHS: Final = (
    6  # within the window below: it cannot live, and starting it again helps no one
)
DEATHS_WINDOW_S: Final = 15.0
STATE_FILE: Final = "processes.json"


class CannotLive(Broke):
    """A program died again and again; the message ends with the last of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """One real command. ``piped``: somebody talks with it over its standard input and output."""

    name: str
    arguments: tuple[str, ...]
    piped: bool = False
    stop_signal: int = signal.SIGTERM


@dataclass(slots=True)
class _Running:
    program: Program
    process: subprocess.Popen[str]
    met: Callable[[subprocess.Popen[str]], None] | None
    deaths: list[float] = field(default_factory=list)


class Supervisor:
    """The programs of one demonstration, under one home and one environment.

    ``server`` is None where the database is not ours: then it is left alone.
    """

    def __init__(
        self, home: Path, environ: Mapping[str, str], server: EmbeddedServer | None
    ) -> None:
        self._home = home
        self._environ = dict(environ)
        self._server = server
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._down: set[str] = set()
        self._logs = home / "logs"
        self._logs.mkdir(exist_ok=True)
        self._watcher = self._post_watcher()
        self._keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)
        self.restarts = 0
        self.fault: CannotLive | None = None

    def keep(self) -> None:
        """From here on, what dies is started again."""
        self._note()
        self._keeper.start()

    def start(
        self, program: Program, met: Callable[[subprocess.Popen[str]], None] | None = None
    ) -> None:
        """Start it; ``met`` is handed the process, now and after each restart."""
        with self._lock:
            self._running[program.name] = _Running(program, self._spawn(program), met)
            self._note()
        if met is not None:
            met(self._running[program.name].process)

    def pid_of(self, name: str) -> int:
        """Its process now; another one after a restart."""
        return self._running[name].process.pid

    def take_down(self, name: str) -> None:
        """Kill it and leave it dead until it is brought back."""
        self._down.add(name)
        _signal(self._running[name].process, signal.SIGKILL)

    def bring_back(self, name: str) -> None:
        """Start again what was taken down."""
        self._down.discard(name)

    def log_of(self, name: str) -> Path:
        """Where its standard error goes."""
        return self._logs / f"{name}.log"

    def stop(self) -> None:
        """End everything, the database last. Doing it twice does no harm."""
        self._stop.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for running in self._running.values():
            _signal(running.process, running.program.stop_signal)
        until = time.monotonic() + STOP_S
        for running in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(max(0.05, until - time.monotonic()))
            self._finish(running)
        self._running.clear()
        if self._server is not None:
            self._server.stop()
        self._tell_watcher(DONE)
        with suppress(OSError, ValueError):
            _stdin(self._watcher).close()
        self._watcher.wait()

    def _spawn(self, program: Program) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE if program.piped else None
        with self.log_of(program.name).open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *program.arguments],
                env=self._environ,
                stdin=pipe or subprocess.DEVNULL,
                stdout=pipe or log,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        self._tell_watcher(f"+{process.pid}")
        return process

    def _finish(self, running: _Running) -> None:
        """Nothing of its group survives it: orphaned workers would hold its port or its line."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()
        for pipe in (running.process.stdin, running.process.stdout):
            with suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
        self._tell_watcher(f"-{running.process.pid}")

    def _keep(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self._look()
            except CannotLive as fault:
                self.fault = fault
                return

    def _look(self) -> None:
        server = self._server
        if server and server.status() is not ServerStatus.RUNNING and not self._stop.is_set():
            server.start()
            self.restarts += 1
            self._note()
        if self._watcher.poll() is not None:
            self._watcher = self._post_watcher()
        for name, running in list(self._running.items()):
            if running.process.poll() is None or name in self._down or self._stop.is_set():
                continue
            self._revive(running)

    def _revive(self, running: _Running) -> None:
        now = time.monotonic()
        running.deaths = [at for at in running.deaths if now - at < DEATHS_WINDOW_S] + [now]
        name = running.program.name
        if len(running.deaths) > MOST_DEATHS:
            last = self.log_of(name).read_text(encoding="utf-8", errors="replace")[-1500:]
            raise CannotLive(f"{name} died {len(running.deaths)} times in a row: {last}")
        self._finish(running)
        with self._lock:
            running.process = self._spawn(running.program)
            self.restarts += 1
            self._note()
        if running.met is not None:
            running.met(running.process)

    def _note(self) -> None:
        pids = {name: running.process.pid for name, running in self._running.items()}
        database = postmaster.running_on(self._server.data) if self._server else None
        draft = self._home / f".{STATE_FILE}"
        draft.write_text(json.dumps({"database": database, **pids}), encoding="utf-8")
        draft.replace(self._home / STATE_FILE)

    def _post_watcher(self) -> subprocess.Popen[str]:
        watcher = subprocess.Popen(
            [sys.executable, "-m", "lims.demo.stand_down", str(self._home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for running in self._running.values():
            _stdin(watcher).write(f"+{running.process.pid}\n")
        _stdin(watcher).flush()
        return watcher

    def _tell_watcher(self, line: str) -> None:
        with suppress(OSError, ValueError):  # it was killed: the next one is told everything
            _stdin(self._watcher).write(line + "\n")
            _stdin(self._watcher).flush()


def _stdin(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdin is None:
        raise RuntimeError("expected a process started with a pipe to its input")
    return process.stdin


def _signal(process: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
