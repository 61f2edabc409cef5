"""Work that computes for seconds goes to a process of its own; the web process only waits for it.

A thread would not do (`aside` is for shorter work): whoever draws a document holds the
interpreter's lock, and every request of the process would take turns with it. The question goes in
over standard input, so that a database's password does not stand in the list of processes, and the
answer comes back over standard output, both pickled: one program, and nobody else writes there.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any, Final, TypeVar

T = TypeVar("T")

AT_ONCE: Final = 2  # children of one process; the next waits until one has answered
LONGEST_S: Final = 120.0
_children = BoundedSemaphore(AT_ONCE)


class ChildBroke(Exception):
    """The child ended without an answer; what it said went to the log."""


def apart(work: Callable[..., T], *given: Any) -> T:
    """The answer of `work(*given)`, a function that can be found by its module and name.

    Raises ChildBroke, and subprocess.TimeoutExpired after two minutes.
    """
    question = pickle.dumps((work, given))
    with _children:
        child = subprocess.run(
            [sys.executable, "-m", "lims.work.apart_child"],
            input=question,
            stdout=subprocess.PIPE,
            timeout=LONGEST_S,
            check=False,
        )
    if child.returncode != 0:
        raise ChildBroke(f"{work.__module__}.{work.__name__} ended with {child.returncode}")
    answer: T = pickle.loads(child.stdout)  # noqa: S301 - from our own child, see above
    return answer
