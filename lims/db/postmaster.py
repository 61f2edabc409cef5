"""Which process, if any, really serves a data directory.

postmaster.pid alone does not say: after a crash its number may belong to a zombie nobody reaps, or,
in a restarted container, to some other program. PostgreSQL takes either for a running server and
refuses to start.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

_LOCK = "postmaster.pid"


def running_on(data: Path) -> int | None:
    """The process id of the living postmaster; None when there is none.

    It alone has the data directory among its arguments: its children set a title of their own.
    """
    pid = _noted(data)
    return pid if pid is not None and str(data) in command_of(pid) else None


def forget_the_dead(data: Path) -> None:
    """Only ever called under the home's lock, with nothing accepting connections."""
    if running_on(data) is None:
        (data / _LOCK).unlink(missing_ok=True)


def await_end(pid: int, *, timeout_s: float = 60.0) -> None:
    """pg_ctl returns once the lock file is gone, a moment before the process is."""
    deadline = time.monotonic() + timeout_s
    while command_of(pid) and time.monotonic() < deadline:
        time.sleep(0.005)


def _noted(data: Path) -> int | None:
    try:
        first = (data / _LOCK).read_text(encoding="utf-8").partition("\n")[0].strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(first) if first.isdecimal() else None


def command_of(pid: int) -> str:
    """Empty for a zombie, and when there is no such process."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().decode(errors="surrogateescape")
        except OSError:
            return ""
    asked = subprocess.run(
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout
