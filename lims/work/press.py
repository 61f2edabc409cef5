"""Print many slips beside the process that was asked: a child draws, this one only passes bytes.

A thread would hold the interpreter's lock while it draws, and every request of the process would
wait for its turn. loadtests/figures/slips.py measures what a page waits while the child prints, and
before; it does not measure a thread.
"""

import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from threading import BoundedSemaphore, Thread
from typing import IO, Final

from reports.slip import Paper, Slip

AT_ONCE: Final = 2  # presses a process keeps busy; the next waits until one has finished
_PIECE_BYTES: Final = 65_536
_presses = BoundedSemaphore(AT_ONCE)


class PressBroke(Exception):
    """The child ended early; what was sent of the document is no document."""


def pressed(slips: Iterable[Slip], *, count: int, paper: Paper, title: str) -> Iterator[bytes]:
    """The PDF in pieces, as the child draws it. Raises PressBroke, and what `slips` raises.

    Closing the generator (the reader has gone) ends the child.
    """
    with _presses:
        child = subprocess.Popen(
            [sys.executable, "-m", "reports.press", str(count), paper, title],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        raised = list[Exception]()
        feeder = Thread(target=_feed, args=(child, slips, raised), daemon=True)
        try:
            feeder.start()
            yield from _pieces(child.stdout)
            feeder.join()
            if raised:
                raise raised[0]
            if child.wait() != 0:
                raise PressBroke(f"the press ended with {child.returncode}")
        finally:
            child.kill()
            child.wait()
            feeder.join()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()


def _pieces(source: IO[bytes] | None) -> Iterator[bytes]:
    while source and (piece := source.read(_PIECE_BYTES)):
        yield piece


def _feed(child: "subprocess.Popen[bytes]", slips: Iterable[Slip], raised: list[Exception]) -> None:
    """Whatever fails here ends the child, and is raised where the document is read."""
    pipe = child.stdin
    if pipe is None:
        return
    try:
        for slip in slips:
            left = memoryview(pickle.dumps(slip))
            while left:
                left = left[pipe.write(left) or 0 :]
        pipe.close()
    except BrokenPipeError:
        return  # the child said why, or was ended
    except Exception as error:
        raised.append(error)
        child.kill()
