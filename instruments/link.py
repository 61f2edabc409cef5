"""The line to the analyser, kept open: a serial device, a pseudo-terminal, a serial server, TCP.

    /dev/serial/by-id/…     opened for ourselves alone; a name by id survives re-plugging
    rfc2217://host:port     a serial device server that lets its speed be set
    socket://host:port      we call the analyser or its converter
    listen://host:port      the analyser calls us (pyserial only dials out)

Whatever breaks is opened again, at first after 0.2 s, then every second for a device that somebody
may be plugging in, every 5 s over a network. A reader sees an unplugged line as a silent one: the
receiver's own timer decides what silence means.
"""

import contextlib
import errno
import io
import os
import select
import termios
import threading
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import serial
import structlog

from instruments import troubles
from instruments.dialled import DialledLine
from instruments.listener import Listener
from instruments.troubles import TODO, Trouble

LONGEST_READ = 4096  # bytes at a time: what a kernel's terminal buffer holds
POLL_S = 0.2  # how long a read waits, and so how soon a stop is heeded
WRITE_TIMEOUT_S = 5.0
REOPEN_FIRST_S = 0.2
REOPEN_MOST_S = 5.0
REOPEN_DEVICE_S = 1.0  # plugged in again it is read within two seconds
_DIALLED = frozenset({"socket", "rfc2217"})

_BROKEN = (OSError, termios.error)  # serial.SerialException is an OSError; termios.error is not
_log = structlog.get_logger()


class Line(Protocol):
    """An open line. Every method may raise OSError or termios.error once it is broken."""

    def read(self) -> bytes: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class SerialLine:
    """A line through pyserial, 8 data bits, no parity, 1 stop bit (LIS1-A 5.2).

    Where there is a file descriptor it is read directly: what the kernel has is one system call,
    and sixty-four lines are read in one process.
    """

    def __init__(self, url: str, baud: int) -> None:
        self._port = _port(url, baud)
        self._port.open()
        self._fd: int | None = None
        self._ready = select.poll()
        with contextlib.suppress(io.UnsupportedOperation, AttributeError):  # rfc2217 has none
            self._fd = self._port.fileno()
            self._ready.register(self._fd, select.POLLIN)

    def read(self) -> bytes:
        if self._fd is None:
            return self._read_through()
        if not self._ready.poll(1000 * POLL_S):
            return b""
        data = os.read(self._fd, LONGEST_READ)
        if not data:
            raise OSError(errno.ENODEV, "the line hung up")
        return data

    def write(self, data: bytes) -> None:
        sent = 0
        if self._fd is not None:
            with contextlib.suppress(BlockingIOError):  # the port waits with a time limit
                sent = os.write(self._fd, data)
        if sent < len(data):
            self._port.write(data[sent:])

    def close(self) -> None:
        self._port.close()

    def _read_through(self) -> bytes:
        data = self._port.read(1)
        while data and len(data) < LONGEST_READ and (waiting := self._port.in_waiting):
            data += self._port.read(min(waiting, LONGEST_READ - len(data)))
        return data


def opener(url: str, baud: int) -> Callable[[], Line]:
    """Raises ValueError for a link that names nothing that could ever be opened."""
    scheme, found, place = url.partition("://")
    if found and scheme == "listen":
        listener = Listener.at(place, poll_s=POLL_S)
        return listener.opened
    if not found and not url.startswith("/"):
        raise ValueError(f"expected a device such as /dev/serial/by-id/…, or a URL, came {url!r}")
    if scheme in _DIALLED:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
        if not host or port is None:
            raise ValueError(f"expected {scheme}://host:port, came {url}")
        if scheme == "socket":
            return lambda: DialledLine(host, port, poll_s=POLL_S)
    _port(url, baud)
    return lambda: SerialLine(url, baud)


def is_device(url: str) -> bool:
    """A port of this machine, which somebody may unplug and plug in again."""
    return "://" not in url


class Link:
    """Reads and writes through whatever line is open; opens it again when it is not."""

    def __init__(
        self,
        open_line: Callable[[], Line],
        stop: threading.Event,
        *,
        reopen_most_s: float = REOPEN_MOST_S,
    ) -> None:
        self._open_line = open_line
        self._stop = stop
        self._reopen_most_s = reopen_most_s
        self._line: Line | None = None
        self._wait_s = REOPEN_FIRST_S
        self._open_at_s = time.monotonic()
        self._told: Trouble | None = None
        self.trouble: Trouble | None = Trouble.LINK_BROKEN  # None while it is open
        self.detail = "not opened yet"

    def read(self) -> bytes:
        """What came, at most `LONGEST_READ`; b"" after `POLL_S` of silence or without a line."""
        if self._line is None and not self._reopen():
            return b""
        try:
            return self._line.read() if self._line else b""
        except _BROKEN as error:
            self._lost(error)
            return b""

    def write(self, data: bytes) -> None:
        """A reply that cannot go out is left: the analyser will ask again."""
        try:
            if self._line:
                self._line.write(data)
        except _BROKEN as error:
            self._lost(error)

    def close(self) -> None:
        if self._line:
            with contextlib.suppress(*_BROKEN):
                self._line.close()
            self._line = None

    def _reopen(self) -> bool:
        wait_s = self._open_at_s - time.monotonic()
        if wait_s > 0:
            self._stop.wait(min(wait_s, POLL_S))
            return False
        try:
            self._line = self._open_line()
        except _BROKEN as error:
            self._lost(error)
            return False
        _log.info("link up")
        self._wait_s = REOPEN_FIRST_S
        self.trouble, self._told, self.detail = None, None, ""
        return True

    def _lost(self, error: BaseException) -> None:
        self.close()
        self.trouble, self.detail = troubles.of_link(error), str(error)
        if self._told is not self.trouble:
            _log.warning(
                "link down",
                error=str(error),
                trouble=self.trouble.value,
                todo=TODO[self.trouble],
            )
            self._told = self.trouble
        self._open_at_s = time.monotonic() + self._wait_s
        self._wait_s = min(2 * self._wait_s, self._reopen_most_s)


def _port(url: str, baud: int) -> serial.Serial:
    """Not yet open. Only a local device can be kept from other programs."""
    port: serial.Serial = serial.serial_for_url(
        url,
        do_not_open=True,
        baudrate=baud,
        timeout=POLL_S,
        write_timeout=WRITE_TIMEOUT_S,
    )
    if "://" not in url:
        port.exclusive = True
    return port
