"""Ports for programs that a test starts: free, and nobody else's until the test is over.

A port that is bound, asked for and closed again may be given to another test, or to a connection
going out, before the program is up. Held here it is bound and never listened on, so the system
gives it to nobody who asks for any port; a call to it is refused until the program listens, which
may bind it too, since both sides say SO_REUSEADDR.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


def held_port() -> socket.socket:
    """Bound; close it when the test is over."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held


@contextmanager
def held_ports(many: int) -> Iterator[list[int]]:
    with ExitStack() as holds:
        held = [holds.enter_context(held_port()) for _ in range(many)]
        yield [each.getsockname()[1] for each in held]
