"""Waits beside the demonstration and clears up after it, however it ends.

Started with the home as its argument. On its input come lines `+N` and `-N`: a process group has
started, has ended. When the input closes without `done`, the demonstration was killed: the groups
are ended, the database is stopped, the home is removed.
"""

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

DONE = "done"


def main(home: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    groups: set[int] = set()
    for line in map(str.strip, sys.stdin):
        if line == DONE:
            return
        group = int(line[1:])
        groups.add(group) if line.startswith("+") else groups.discard(group)
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    _end_database(home)


def _end_database(home: Path) -> None:
    from lims.db.embedded import EmbeddedServer  # noqa: PLC0415 - seldom needed, slow to load

    server = EmbeddedServer(home)
    server.stop("immediate")
    remove(home, server.data)


def remove(home: Path, data: Path) -> None:
    """Every file: root's database keeps its data outside a home that is closed to its account."""
    if not data.is_relative_to(home):
        shutil.rmtree(data.parent, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
