"""A laboratory whose deliverers are processes, and offices that are processes too."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lims.db.embedded import EmbeddedServer
from lims.db.laboratory import Laboratory
from lims.opening import open_laboratory, prepare
from lims.settings import Settings
from loadtests.handoff.receiver import SERVED_AS
from loadtests.rig import free_port

PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One line of an office's book."""

    at_s: float
    id: str
    about: str
    sequence: int


@dataclass
class Office:
    """A receiver's address and its book; `read` gives what came since it was last asked."""

    url: str
    book: Path
    _read_to: int = field(default=0)

    @property
    def arguments(self) -> list[str]:
        """What `loadtests.handoff.receiver` is started with."""
        return [str(urlsplit(self.url).port), str(self.book)]

    def read(self) -> list[Heard]:
        with self.book.open("rb") as kept:
            kept.seek(self._read_to)
            whole = kept.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._read_to += len(whole) + 1
        return [_heard(line) for line in whole.decode().split("\n")]


@dataclass
class Stand:
    """The laboratory, its folder, and the processes started here."""

    laboratory: Laboratory
    home: Path
    environment: dict[str, str]
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def deliverer(self, *, lease_s: float = 60.0) -> "subprocess.Popen[bytes]":
        verb = ["-m", "lims.cli", "deliver", "--no-imports", "--lease", str(lease_s)]
        return self._start(verb)

    def office(self, name: str) -> Office:
        made = Office(f"http://127.0.0.1:{free_port()}/", self.home / f"{name}.book")
        made.book.touch()
        self._start([*SERVED_AS, *made.arguments])
        return made

    def _start(self, arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
        child = start(arguments, self.environment)
        self.started.append(child)
        return child


def start(arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Python with these arguments, quietly."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def stand() -> Iterator[Stand]:
    """Fresh data; everything ends and is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="thantoc-handoff-"))
    home.chmod(0o711)
    environment = {**os.environ, "LIMS_HOME": str(home), "LIMS_WEBHOOK_PRIVATE": "allow"}
    for name in ("LIMS_DATABASE_URL", "LIMS_SECRET_KEY", "LIMS_SMTP"):
        environment.pop(name, None)
    settings = Settings.from_env(environment)
    database = EmbeddedServer(settings.home)
    prepare(settings)
    laboratory = open_laboratory(settings, name="handoff bench")
    made = Stand(laboratory, home, environment)
    try:
        yield made
    finally:
        for child in made.started:
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
            child.wait(PATIENCE_S)
        laboratory.engine.dispose()
        database.stop("fast")
        shutil.rmtree(database.data, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def until(true: Callable[[], bool], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Raises TimeoutError naming what did not come."""
    ends = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError(what)
        time.sleep(0.02)


def _heard(line: str) -> Heard:
    at, id_, about, sequence = line.split(" ")
    return Heard(float(at), id_, about, int(sequence))
