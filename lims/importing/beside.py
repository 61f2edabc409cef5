"""Processes beside the deliverer: notices wait for no list and for no hospital, and all end
together."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

log = structlog.get_logger()

_STOP_S: Final = 10.0
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0


@contextmanager
def beside(verb: str, *, database: str) -> Iterator[None]:
    """Keep one `lims VERB --attached` running. Its input is a pipe of ours: when we die, however we
    die, it closes, and the process ends after what it has in hand.

    `database`: the URL of ours. One that begins while everything ends starts no server of its own.
    """
    stop = threading.Event()
    keeper = threading.Thread(
        target=_keep, args=(verb, database, stop), name=f"beside-{verb}", daemon=True
    )
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(_STOP_S + _LONGEST_PAUSE_S)


def _keep(verb: str, database: str, stop: threading.Event) -> None:
    command = (sys.executable, "-m", "lims.cli", verb, "--attached")
    environment = {**os.environ, "LIMS_DATABASE_URL": database}
    pause_s = _FIRST_PAUSE_S
    while not stop.is_set():
        child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        ended = _until(child, stop)
        if ended is not None:
            log.warning("beside.ended", verb=verb, status=ended, again_in_s=pause_s)
            stop.wait(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _until(child: "subprocess.Popen[bytes]", stop: threading.Event) -> int | None:
    """Its exit status, or None when it ended because we asked it to."""
    while not stop.wait(0.25):
        status = child.poll()
        if status is not None:
            return status
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    return None
