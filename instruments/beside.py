"""Works that run beside the thread that reads, each in a thread of its own, and end with it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import Final

STOP_S: Final = 5.0  # how long an end waits for each

Work = Callable[[threading.Event], None]


@contextmanager
def beside(works: Mapping[str, Work]) -> Iterator[list[BaseException]]:
    """Each work is given the event of its end. What one fell of is in the list."""
    fell: list[BaseException] = []
    over = threading.Event()

    def run(work: Work) -> None:
        try:
            work(over)
        except BaseException as error:
            fell.append(error)
            raise

    threads = [
        threading.Thread(target=copy_context().run, args=(run, work), name=name, daemon=True)
        for name, work in works.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield fell
    finally:
        over.set()
        for thread in threads:
            thread.join(STOP_S)
