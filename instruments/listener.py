"""A TCP port that an analyser calls. One caller at a time; a new call replaces the old one,
because an analyser that was switched off does not hang up."""

import select
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_READ = 4096
WRITE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen. `opened` raises OSError when the port is taken."""

    host: str
    port: int
    poll_s: float

    @classmethod
    def at(cls, place: str, *, poll_s: float) -> "Listener":
        """Of `host:port`. Raises ValueError."""
        parts = urlsplit(f"//{place}")  # a port that is no number raises ValueError itself
        if not parts.hostname or parts.port is None:
            raise ValueError(f"expected listen://host:port, came listen://{place}")
        return cls(parts.hostname, parts.port, poll_s)

    def opened(self) -> "ListeningLine":
        family, _type, _proto, _name, address = socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        )[0]
        return ListeningLine(socket.create_server(address[:2], family=family), self.poll_s)


class ListeningLine:
    """A line whose other end may come and go; between callers it is silent."""

    def __init__(self, server: socket.socket, poll_s: float) -> None:
        self._server = server
        self._poll_s = poll_s
        self._caller: socket.socket | None = None

    def read(self) -> bytes:
        watched = select.poll()  # `select` knows no descriptor above 1023
        for one in (self._server, self._caller):
            if one:
                watched.register(one, select.POLLIN)
        ready = [fd for fd, _event in watched.poll(1000 * self._poll_s)]
        if self._server.fileno() in ready:
            self._answer()
            return b""
        if self._caller is None or self._caller.fileno() not in ready:
            return b""
        try:
            data = self._caller.recv(LONGEST_READ)
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def write(self, data: bytes) -> None:
        try:
            if self._caller:
                self._caller.sendall(data)
        except OSError:
            self._hang_up()

    def close(self) -> None:
        self._hang_up()
        self._server.close()

    def _answer(self) -> None:
        caller, _address = self._server.accept()
        self._hang_up()
        caller.settimeout(WRITE_TIMEOUT_S)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._caller = caller

    def _hang_up(self) -> None:
        if self._caller:
            self._caller.close()
            self._caller = None
