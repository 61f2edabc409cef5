"""A gateway as its own process, on a real disk, and what stands round it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 120.0
NOWHERE: Final = "http://127.0.0.1:9/api/v1/messages"  # the port of `discard`: nobody answers
_SUMMARY: Final = "gateway.log"
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class LineLink:
    """One line of gateway.toml."""

    instrument: str
    driver: str
    link: str
    baud: int = 115_200

    def as_toml(self) -> str:
        pairs = {
            "instrument": self.instrument,
            "driver": self.driver,
            "link": self.link,
            "baud": self.baud,
        }
        told = [f"{key} = {json.dumps(value)}" for key, value in pairs.items()]
        return "\n".join(["[[line]]", *told, ""])


@dataclass(slots=True)
class _Log:
    """The events of a log that grows, each line read once."""

    file: Path
    _read_to: int = 0
    _events: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def events(self, named: str) -> list[Mapping[str, Any]]:
        if self.file.exists():
            with self.file.open("rb") as log:
                log.seek(self._read_to)
                whole = log.read().rpartition(b"\n")[0]
            self._read_to += len(whole) + 1 if whole else 0
            for line in whole.decode("utf-8", errors="replace").splitlines():
                for event in _events_in(line):
                    self._events.setdefault(event["event"], []).append(event)
        return self._events.get(named, [])


def _events_in(line: str) -> Iterator[Mapping[str, Any]]:
    """A kill cuts a line, and the next life writes on in it."""
    at = line.find("{")
    while at >= 0:
        try:
            event, at = _DECODER.raw_decode(line, at)
        except json.JSONDecodeError:
            at += 1
        else:
            if isinstance(event, dict) and "event" in event:
                yield event
        at = line.find("{", at)


class GatewayProcess:
    """`lims-gateway run` in `folder`; started as often as it was killed."""

    def __init__(self, folder: Path, lines: Sequence[LineLink], post: str = NOWHERE) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._preloaded: subprocess.Popen[str] | None = None
        self._forked: int | None = None
        self._log = _Log(self.log)
        (folder / "token").write_text("today\n")
        head = f'post = "{post}"\ntoken_file = "token"\nspool = "spools"\n'
        told = "\n".join([head, *(line.as_toml() for line in lines)])
        self._file.write_text(told)

    @property
    def _file(self) -> Path:
        return self._folder / "gateway.toml"

    @property
    def log(self) -> Path:
        return self._folder / _SUMMARY

    @property
    def pid(self) -> int:
        if self._forked is not None:
            return self._forked
        if self._process is None:
            raise RuntimeError("the gateway was not started")
        return self._process.pid

    def start(self, *, lines_up: int = 0) -> None:
        """Waits until so many more lines are open than ever were."""
        before = len(self.events("link up"))
        command = [sys.executable, "-m", "instruments.gateway", "run", str(self._file)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log)
        until(lambda: len(self.events("link up")) >= before + lines_up, "open lines")

    def fork(self, *, lines_up: int = 0) -> None:
        """As `start`, without the imports: see `preloaded`."""
        before = len(self.events("link up"))
        if self._preloaded is None:
            self.log.touch()
            words = ["-m", "loadtests.gateway.preloaded", str(self._file), str(self.log)]
            self._preloaded = subprocess.Popen(
                [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self._forked = self._ask("start")
        until(lambda: len(self.events("link up")) >= before + lines_up, "open lines")

    def kill(self) -> None:
        """As when the power goes, but for the disk's own memory."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)
        if self._preloaded:
            self._preloaded.communicate(timeout=PATIENCE_S)
            self._preloaded = None

    def events(self, named: str) -> list[Mapping[str, Any]]:
        """Of its log, in all its lives."""
        return self._log.events(named)

    def _end(self, how: signal.Signals) -> None:
        if self._forked is not None:
            os.kill(self._forked, how)
            self._ask("wait")
            self._forked = None
        elif self._process:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None

    def _ask(self, word: str) -> int:
        """Raises RuntimeError where the preloaded program is gone."""
        if self._preloaded is None or not self._preloaded.stdin or not self._preloaded.stdout:
            raise RuntimeError("no gateway was preloaded")
        self._preloaded.stdin.write(f"{word}\n")
        self._preloaded.stdin.flush()
        said = self._preloaded.stdout.readline()
        if not said:
            raise RuntimeError("the preloaded gateway fell")
        return int(said)


@contextmanager
def a_folder(on: Path | None) -> Iterator[Path]:
    """`on`: the disk to be measured."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=on) as place:
        yield Path(place)


def until(true: Callable[[], object], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Raises RuntimeError when it does not come."""
    end_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end_s:
            raise RuntimeError(f"did not come: {what}")
        time.sleep(0.005)
