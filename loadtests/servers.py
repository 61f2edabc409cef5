"""``python -m loadtests.servers``: the same registrations through each WSGI server in turn."""

import sys
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

from loadtests.figures import registration
from loadtests.rig import our_server, rig

SECONDS = 6.0


def _threads(port: int) -> list[str]:
    return [
        *("-m", "gunicorn", "lims.wsgi:build()", "--bind", f"127.0.0.1:{port}"),
        *("--workers", "2", "--worker-class", "gthread", "--threads", "8"),
        *("--log-level", "warning"),
    ]


def _granian(port: int) -> list[str]:
    return [
        *("-m", "granian", "--interface", "wsgi", "--factory", "lims.wsgi:build"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "2"),
        *("--blocking-threads", "8", "--log-level", "warning"),
    ]


SERVERS: Mapping[str, Callable[[int], list[str]]] = {
    "gunicorn, gevent (lims serve)": our_server,
    "gunicorn, 8 threads": _threads,
    "granian, 8 threads": _granian,
}


def main() -> int:
    """Print registrations a second for each; compare the ratios, the machine is noisy."""
    table = Table("server", "registrations", "pgbench", "ratio")
    for name, command in SERVERS.items():
        with rig(command) as laboratory:
            figure = registration.measure(laboratory, seconds=SECONDS)
        table.add_row(
            name, f"{figure.measured:,.0f}/s", f"{figure.limit:,.0f}/s", f"{figure.ratio:.2f}"
        )
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
