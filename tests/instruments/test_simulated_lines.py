"""The simulated machine's end of a line: it waits for the other end, and keeps the line's pace."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from instruments.link import SerialLine
from instruments.simulated.lines import Network, NoLink, Terminal, line_at
from tests.ports import held_ports
from tests.until import WITHIN_S

ENQ = b"\x05"


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    told: list[float] = []
    monkeypatch.setattr("instruments.simulated.lines.time.sleep", told.append)
    yield told


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        return ours, server.accept()[0]


def silent(_whom: str) -> None:
    """Of lines that wait for nobody."""


@pytest.mark.parametrize(("baud", "seconds"), [(9600, 0.1), (115_200, 1 / 120), (None, 0.0)])
def test_ninety_six_bytes_take_a_tenth_of_a_second_at_9600_baud(
    slept: list[float], baud: int | None, seconds: float
) -> None:
    ours, theirs = tcp_pair()
    with closing(theirs), closing(Network(lambda: ours, "nobody", baud, silent)) as line:
        line.write(b"x" * 96)
        assert theirs.recv(200) == b"x" * 96
    assert sum(slept) == pytest.approx(seconds)


def test_a_machine_that_calls_waits_until_somebody_answers_and_says_so_once(
    slept: list[float],
) -> None:
    ours, theirs = tcp_pair()
    answers = iter([None, None, ours])
    told: list[str] = []

    def connect() -> socket.socket:
        answer = next(answers)
        if answer is None:
            raise ConnectionRefusedError
        return answer

    with closing(theirs), closing(Network(connect, "gateway:1 to answer", None, told.append)) as it:
        it.write(ENQ)
        assert theirs.recv(1) == ENQ
    assert told == ["gateway:1 to answer"]


def test_a_machine_that_was_hung_up_on_calls_again_for_its_next_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = line_at(f"127.0.0.1:{server.getsockname()[1]}", None, silent)
        with closing(line):
            line.write(ENQ)
            first, _address = server.accept()
            with closing(first):
                assert first.recv(1) == ENQ
            assert line.read(WITHIN_S) == b""
            line.write(b"again")
            second, _address = server.accept()
            with closing(second):
                assert second.recv(10) == b"again"


def test_a_machine_that_is_called_hears_its_caller() -> None:
    with (
        held_ports(1) as (port,),
        closing(line_at(f"listen://127.0.0.1:{port}", None, silent)) as line,
        socket.create_connection(("127.0.0.1", port)) as caller,
    ):
        line.write(ENQ)
        assert caller.recv(1) == ENQ
        caller.sendall(b"\x06")
        assert line.read(WITHIN_S) == b"\x06"


def test_the_first_word_on_a_terminal_is_not_lost_when_the_gateway_opens_it_later(
    tmp_path: Path,
) -> None:
    waits = threading.Event()
    heard: list[bytes] = []

    def gateway() -> None:
        waits.wait(WITHIN_S)
        with closing(SerialLine(str(tmp_path / "gx"), 9600)) as port:
            while not any(heard):
                heard.append(port.read())

    listening = threading.Thread(target=gateway)
    listening.start()
    with closing(Terminal(tmp_path / "gx", None, lambda _whom: waits.set())) as line:
        line.write(ENQ)
        listening.join(WITHIN_S)
    assert b"".join(heard) == ENQ


@pytest.mark.parametrize(
    "link", ["", "gateway", "gateway:", "gateway:x", "http://gateway:1", "listen://:1", "./pty"]
)
def test_a_link_that_is_none_is_refused(link: str) -> None:
    with pytest.raises(NoLink):
        line_at(link, None, silent)


def test_a_computer_that_nobody_knows_is_not_awaited() -> None:
    with pytest.raises(NoLink, match=r"nosuch\.invalid: no computer of this name"):
        line_at("nosuch.invalid:12221", None, silent)
