"""A TCP port of an analyser or its converter that we call."""

import errno
import select
import socket
from typing import Final

LONGEST_READ: Final = 4096
CONNECT_TIMEOUT_S: Final = 5.0
WRITE_TIMEOUT_S: Final = 5.0


class DialledLine:
    """Open while the other end is; pyserial's own reads byte by byte and has no keep-alive."""

    def __init__(self, host: str, port: int, *, poll_s: float) -> None:
        """Raises OSError when nobody answers."""
        self._poll_s = poll_s
        self._socket = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
        self._socket.settimeout(WRITE_TIMEOUT_S)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ready = select.poll()
        self._ready.register(self._socket, select.POLLIN)

    def read(self) -> bytes:
        if not self._ready.poll(1000 * self._poll_s):
            return b""
        data = self._socket.recv(LONGEST_READ)
        if not data:
            raise OSError(errno.ECONNRESET, "the analyser hung up")
        return data

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()
