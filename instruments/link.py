"""The line to the analyser, kept open: a serial device, a pseudo-terminal, a serial server, TCP.

    /dev/serial/by-id/…     opened for ourselves alone; a name by id survives re-plugging
    rfc2217://host:port     a serial device server that lets its speed be set
    socket://host:port      we call the analyser or its converter
    listen://host:port      the analyser calls us (pyserial only dials out)

Whatever breaks is opened again, at first after 0.2 s, at the most every 5 s. A reader sees an
unplugged line as a silent one: the receiver's own timer decides what silence means.
"""

import contextlib
import termios
import threading
import time
from collections.abc import Callable
from typing import Protocol

import serial
import structlog

from instruments.listener import Listener

LONGEST_READ = 4096  # bytes at a time: what a kernel's terminal buffer holds
POLL_S = 0.2  # how long a read waits, and so how soon a stop is heeded
WRITE_TIMEOUT_S = 5.0
REOPEN_FIRST_S = 0.2
REOPEN_MOST_S = 5.0

_BROKEN = (OSError, termios.error)  # serial.SerialException is an OSError; termios.error is not
_log = structlog.get_logger()


class Line(Protocol):
    """An open line. Every method may raise OSError or termios.error once it is broken."""

    def read(self) -> bytes: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class SerialLine:
    """A line through pyserial, 8 data bits, no parity, 1 stop bit (LIS1-A 5.2)."""

    def __init__(self, url: str, baud: int) -> None:
        self._port = _port(url, baud)
        self._port.open()

    def read(self) -> bytes:
        data = self._port.read(1)
        while data and len(data) < LONGEST_READ and (waiting := self._port.in_waiting):
            data += self._port.read(min(waiting, LONGEST_READ - len(data)))
        return data

    def write(self, data: bytes) -> None:
        self._port.write(data)
        self._port.flush()

    def close(self) -> None:
        self._port.close()


def opener(url: str, baud: int) -> Callable[[], Line]:
    """Raises ValueError for a link that names nothing that could ever be opened."""
    scheme, found, place = url.partition("://")
    if found and scheme == "listen":
        listener = Listener.at(place, poll_s=POLL_S)
        return listener.opened
    _port(url, baud)
    return lambda: SerialLine(url, baud)


class Link:
    """Reads and writes through whatever line is open; opens it again when it is not."""

    def __init__(self, open_line: Callable[[], Line], stop: threading.Event) -> None:
        self._open_line = open_line
        self._stop = stop
        self._line: Line | None = None
        self._wait_s = REOPEN_FIRST_S
        self._open_at_s = time.monotonic()
        self._told_down = False

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
        self._told_down = False
        return True

    def _lost(self, error: BaseException) -> None:
        self.close()
        if not self._told_down:
            _log.warning("link down", error=str(error))
            self._told_down = True
        self._open_at_s = time.monotonic() + self._wait_s
        self._wait_s = min(2 * self._wait_s, REOPEN_MOST_S)


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
