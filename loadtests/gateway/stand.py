"""A gateway as its own process, on a real disk, and what stands round it."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 60.0
NOWHERE: Final = "http://127.0.0.1:9/api/v1/messages"  # the port of `discard`: nobody answers
_SUMMARY: Final = "gateway.log"


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


class GatewayProcess:
    """`lims-gateway run` in `folder`; started as often as it was killed."""

    def __init__(self, folder: Path, lines: Sequence[LineLink], post: str = NOWHERE) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
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

    def kill(self) -> None:
        """As when the power goes, but for the disk's own memory."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE_S)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(PATIENCE_S)

    def events(self, named: str) -> list[Mapping[str, Any]]:
        """Of its log, in all its lives."""
        if not self.log.exists():
            return []
        needle = f'"event": "{named}"'
        return [json.loads(line) for line in self.log.read_text().splitlines() if needle in line]


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
