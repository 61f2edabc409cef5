"""``python -m lims.work.situation_child``: one question in, one answer out (`situation_apart`)."""

from __future__ import annotations

import os
import pickle
import sys

from lims.db.engine import connect
from lims.work.situation_apart import answer


def main() -> None:
    """Ends with 0 once the answer is written."""
    os.nice(10)  # requests go first on a busy machine
    address, asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent's pipe alone
    engine = connect(address, pool_size=3, application_name="lims report")
    try:
        said = answer(engine, asked)
    finally:
        engine.dispose()
    sys.stdout.buffer.write(pickle.dumps(said))


if __name__ == "__main__":
    main()
