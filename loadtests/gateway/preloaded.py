"""Gateways without their imports: `python -m loadtests.gateway.preloaded gateway.toml LOG`.

Loading the program takes longer than all else of a start, and nothing can be lost in it. Here it
is loaded once; for each `start` on standard input a process of its own is forked that runs
`lims-gateway run` from there on, and its number is said. `wait` says when that process is gone.
"""

import os
import sys
from typing import NoReturn

from instruments.gateway import main


def serve(file: str, log: str) -> None:
    pid = 0
    for word in sys.stdin:
        if word.strip() == "start":
            pid = os.fork()
            if not pid:
                _be_a_gateway(file, log)
        elif pid:
            os.waitpid(pid, 0)
        print(pid, flush=True)  # noqa: T201 - the answer


def _be_a_gateway(file: str, log: str) -> NoReturn:
    null, errors = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(null, 0)
    os.dup2(errors, 2)
    main(["run", file])
    sys.exit(0)


if __name__ == "__main__":
    serve(*sys.argv[1:])
