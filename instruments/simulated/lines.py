"""The simulated machine's end of a line.

    pty:/run/gx-1          a pseudo-terminal; the name is a link to the end that the gateway opens
    gateway:12221          calls a gateway that listens (also socket://gateway:12221)
    listen://0.0.0.0:5000  waits for a gateway that calls
    /dev/ttyUSB0           a real port, with a null-modem cable to the gateway's; also rfc2217://

A machine that calls, or is called, waits for the other end before it says anything: for as long
as it takes, as machines do.
"""

import atexit
import contextlib
import fcntl
import os
import select
import socket
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from instruments.link import SerialLine

AGAIN_S: Final = 0.5  # between two calls that nobody answers
MEETING_S: Final = 5.0  # for a gateway that opens a terminal; it may be one that locks nothing
SETTLED_S: Final = 0.2  # from its lock until it listens: a port is flushed when it is opened
WRITE_TIMEOUT_S: Final = 5.0
DEVICE_BAUD: Final = 9600
_LONGEST_READ: Final = 4096

Waiting = Callable[[str], None]
"""Told once, of what is waited for."""


class Line(Protocol):
    """What cannot be said or heard is lost, as on a wire: no method raises for it."""

    def write(self, data: bytes) -> None: ...

    def read(self, wait_s: float) -> bytes:
        """b"" when nothing came within `wait_s`."""
        ...

    def drain(self) -> None:
        """Forget replies to an earlier session."""
        ...

    def hang_up(self) -> None:
        """Of a network line; it is open again when there is something to say."""
        ...

    def close(self) -> None: ...


class NoLink(ValueError):
    """The link names nothing that could be a line."""


def line_at(link: str, baud: int | None, waiting: Waiting) -> Line:
    """`baud` paces what is said; a real port has its own pace. Raises NoLink, OSError."""
    if link.startswith("pty:"):
        return Terminal(Path(link.removeprefix("pty:")), baud, waiting)
    if link.startswith("/dev/") or link.startswith("rfc2217://"):
        return Device(SerialLine(link, baud or DEVICE_BAUD))
    scheme, found, place = link.rpartition("://")
    parts = urlsplit(f"//{place}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:  # a port that is no number
        raise NoLink(f"{link}: {error}") from error
    if not host or port is None or scheme not in ("", "socket", "listen"):
        told = "pty:/path, host:port, listen://host:port or a device"
        raise NoLink(f"expected {told}, came {link!r}")
    if found and scheme == "listen":
        server = _server(host, port)
        return Network(lambda: server.accept()[0], f"a call at {place}", baud, waiting, server)
    _known(host, port)
    return Network(
        lambda: socket.create_connection((host, port), WRITE_TIMEOUT_S),
        f"{place} to answer",
        baud,
        waiting,
    )


def _known(host: str, port: int) -> None:
    """A misspelt name is said at once, not awaited for ever. Raises NoLink."""
    try:
        socket.getaddrinfo(host, port)
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:  # others pass, such as a network that is away
            raise NoLink(f"{host}: no computer of this name; its address does as well") from error


class Terminal:
    """The master side of a pseudo-terminal. The slave stays open here too, so that a gateway may
    go and come without the line hanging up. The first word waits until a gateway has locked it: an
    ENQ before that is flushed, and repeated only after 15 s."""

    def __init__(self, name: Path, baud: int | None, waiting: Waiting) -> None:
        self._name, self._waiting, self._met = name, waiting, False
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._seconds_a_byte = _seconds_a_byte(baud)
        draft = name.with_name(f".{name.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(os.ttyname(self._slave))
        draft.replace(name)
        atexit.register(self._unlink)

    def write(self, data: bytes) -> None:
        if not self._met:
            self._meet()
        view = memoryview(data)
        while view and select.select([], [self._master], [], 1.0)[1]:
            view = view[os.write(self._master, view) :]
        time.sleep(len(data) * self._seconds_a_byte)

    def read(self, wait_s: float) -> bytes:
        if not select.select([self._master], [], [], wait_s)[0]:
            return b""
        return os.read(self._master, _LONGEST_READ)

    def drain(self) -> None:
        while self.read(0):
            pass

    def hang_up(self) -> None:
        """A cable stays plugged in."""

    def _meet(self) -> None:
        self._met = True
        until_s = time.monotonic() + MEETING_S
        if not self._locked():
            self._waiting(f"a gateway to open {self._name}")
        while not self._locked() and time.monotonic() < until_s:
            time.sleep(SETTLED_S)
        time.sleep(SETTLED_S)

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._slave, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._slave, fcntl.LOCK_UN)
        return False

    def _unlink(self) -> None:
        """A name left behind leads to the next terminal that gets this one's number: the gateway
        would hear another machine's results on this line."""
        with contextlib.suppress(OSError):
            if str(self._name.readlink()) == os.ttyname(self._slave):
                self._name.unlink()

    def close(self) -> None:
        self._unlink()
        atexit.unregister(self._unlink)
        os.close(self._slave)
        os.close(self._master)


class Network:
    """A connection that is made when there is something to say."""

    def __init__(
        self,
        connect: Callable[[], socket.socket],
        whom: str,
        baud: int | None,
        waiting: Waiting,
        server: socket.socket | None = None,
    ) -> None:
        """`connect` raises OSError when nobody answers; `server` is where it listens."""
        self._connect = connect
        self._whom = whom
        self._seconds_a_byte = _seconds_a_byte(baud)
        self._waiting = waiting
        self._server = server
        self._socket: socket.socket | None = None

    def write(self, data: bytes) -> None:
        self._notice_hang_up()
        if self._socket is None:
            self._socket = self._connected()
        try:
            self._socket.sendall(data)
        except OSError:
            self.hang_up()
        time.sleep(len(data) * self._seconds_a_byte)

    def read(self, wait_s: float) -> bytes:
        if self._socket is None:
            time.sleep(wait_s)
            return b""
        try:
            if not select.select([self._socket], [], [], wait_s)[0]:
                return b""
            data = self._socket.recv(_LONGEST_READ)
        except OSError:
            data = b""
        if not data:
            self.hang_up()
        return data

    def drain(self) -> None:
        while self._socket is not None and self.read(0):
            pass

    def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        self.hang_up()
        if self._server is not None:
            self._server.close()

    def _notice_hang_up(self) -> None:
        """Of the other end, which went away while nothing was said."""
        if self._socket is None or not select.select([self._socket], [], [], 0)[0]:
            return
        try:
            gone = not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:
            gone = True
        if gone:
            self.hang_up()

    def _connected(self) -> socket.socket:
        told = False
        while True:
            try:
                made = self._connect()
            except OSError:
                if not told:
                    self._waiting(self._whom)
                told = True
                time.sleep(AGAIN_S)
                continue
            made.settimeout(WRITE_TIMEOUT_S)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made


class Device:
    """A real port."""

    def __init__(self, port: SerialLine) -> None:
        self._port = port

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self, wait_s: float) -> bytes:  # noqa: ARG002 - the port has its own wait
        return self._port.read()

    def drain(self) -> None:
        while self._port.read():
            pass

    def hang_up(self) -> None:
        """A cable stays plugged in."""

    def close(self) -> None:
        self._port.close()


def _server(host: str, port: int) -> socket.socket:
    """Raises OSError when the port is taken."""
    family, _type, _proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
        0
    ]
    server = socket.create_server(address[:2], family=family)
    server.settimeout(AGAIN_S)
    return server


def _seconds_a_byte(baud: int | None) -> float:
    """Start, 8 data, stop (LIS1-A 5.2)."""
    return 10 / baud if baud else 0.0
