"""``python -m lims.work.apart_child``: one question in, one answer out (`lims.work.apart`)."""

from __future__ import annotations

import os
import pickle
import sys


def main() -> None:
    """Ends with 0 once the answer is written."""
    os.nice(5)  # requests go first on a busy machine
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    work, given = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent's pipe alone
    with out:
        pickle.dump(work(*given), out)


if __name__ == "__main__":
    main()
