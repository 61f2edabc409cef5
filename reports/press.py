"""``python -m reports.press COUNT PAPER TITLE``: slips in, one PDF out, in a process of its own.

A campaign's slips are minutes of computing, and a thread that computes would slow every request of
the process it lives in. The slips come pickled over the pipe of the process that started this one,
and of nobody else; it is nice, so that requests go first on a busy machine.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from typing import BinaryIO

from reports.slip import Paper, Slip, slip_pages


def main() -> None:
    """Ends when the slips end."""
    os.nice(10)
    count, paper, title = sys.argv[1:4]
    for part in slip_pages(
        _slips(sys.stdin.buffer), count=int(count), paper=Paper(paper), title=title
    ):
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()


def _slips(source: BinaryIO) -> Iterator[Slip]:
    while True:
        try:
            yield pickle.load(source)  # noqa: S301 - from the parent's pipe, see above
        except EOFError:
            return


if __name__ == "__main__":
    main()
