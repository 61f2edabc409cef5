"""Work that computes for long goes to a thread, so that a web node's greenlets go on meanwhile.

One greenlet that computes holds up every other of its process: the desks' requests, and the
thousand listeners of the live pages.
"""

from collections.abc import Callable
from typing import TypeVar

from gevent import get_hub, monkey

T = TypeVar("T")


def aside(work: Callable[[], T]) -> T:
    """The work's answer, or what it raised. It must touch no request, session or connection.

    Where gevent has not patched the process, threads take turns already and it runs here.
    """
    if not monkey.is_module_patched("threading"):
        return work()
    answer: T = get_hub().threadpool.apply(work)
    return answer
