"""The line kept open, over real pseudo-terminals and sockets."""

import os
import socket
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from instruments.link import Link, opener
from tests.ports import held_ports
from tests.until import WITHIN_S, until


class Analyser:
    """The other end of a pseudo-terminal that can be unplugged."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        name.symlink_to(os.ttyname(self.slave))

    def unplug(self) -> None:
        self.name.unlink()  # as udev does; else it would lead to whose terminal is N next
        os.close(self.master)
        os.close(self.slave)


@contextmanager
def link_to(url: str) -> Iterator[Link]:
    with closing(Link(opener(url, 115_200), threading.Event())) as link:
        yield link


def is_open(link: Link) -> bool:
    return link._line is not None


def until_open(link: Link) -> None:
    def opened() -> bool:
        link.read()
        return is_open(link)

    until(opened, "the line")


def heard(link: Link, wanted: int, within_s: float = WITHIN_S) -> bytes:
    data = b""
    end = time.monotonic() + within_s
    while len(data) < wanted and time.monotonic() < end:
        data += link.read()
    return data


def test_bytes_go_both_ways_over_a_pseudo_terminal(tmp_path: Path) -> None:
    analyser = Analyser(tmp_path / "tty")
    with link_to(str(tmp_path / "tty")) as link:
        assert link.read() == b""
        os.write(analyser.master, b"\x05\x00\r\n\xff")
        assert heard(link, 5) == b"\x05\x00\r\n\xff"
        link.write(b"\x06")
        assert os.read(analyser.master, 10) == b"\x06"
    analyser.unplug()


def test_an_unplugged_line_is_silent_and_is_read_again_when_plugged_in(tmp_path: Path) -> None:
    with link_to(str(tmp_path / "tty")) as link:
        assert link.read() == b"", "not there yet"
        first = Analyser(tmp_path / "tty")
        until_open(link)
        first.unplug()
        link.write(b"\x06")
        assert heard(link, 1, within_s=0.5) == b""
        second = Analyser(tmp_path / "tty")
        until_open(link)
        os.write(second.master, b"again")
        assert heard(link, 5) == b"again"
        second.unplug()


def test_a_line_is_ours_alone(tmp_path: Path) -> None:
    analyser = Analyser(tmp_path / "tty")
    with link_to(str(tmp_path / "tty")) as ours, link_to(str(tmp_path / "tty")) as other:
        until_open(ours)
        other.read()
        assert not is_open(other)
    analyser.unplug()


def test_we_call_an_analyser_that_listens() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        link_to(f"socket://127.0.0.1:{server.getsockname()[1]}") as link,
    ):
        link.read()
        analyser, _ = server.accept()
        analyser.sendall(b"H|\\^&")
        assert heard(link, 5) == b"H|\\^&"
        link.write(b"\x06")
        assert analyser.recv(10) == b"\x06"
        analyser.close()
        assert heard(link, 1, within_s=0.3) == b""


def test_an_analyser_calls_us_and_a_new_call_replaces_the_old() -> None:
    with held_ports(1) as (port,), link_to(f"listen://127.0.0.1:{port}") as link:
        link.read()
        first = socket.create_connection(("127.0.0.1", port))
        link.read()
        first.sendall(b"one")
        assert heard(link, 3) == b"one"
        link.write(b"\x06")
        assert first.recv(10) == b"\x06"
        second = socket.create_connection(("127.0.0.1", port))
        link.read()
        second.sendall(b"two")
        assert heard(link, 3) == b"two"
        assert first.recv(10) == b"", "the old caller is hung up on"
        first.close()
        second.close()


@pytest.mark.parametrize("url", ["listen://nowhere", "carrier-pigeon://x"])
def test_a_link_that_names_nothing_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match=r"listen|carrier"):
        opener(url, 9600)
