"""`kill -9` of the real gateway process: a few of the kills that the bench makes by hundreds."""

import json
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from loadtests.gateway.kills import killed
from loadtests.gateway.lims import CountingLims, answering
from loadtests.gateway.stand import GatewayProcess, until


@pytest.mark.crash
def test_what_was_acknowledged_survives_every_kill(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    reckoned = killed(tmp_path, kills=6, lines=3, seed=9, told=lambda *so_far: said.append(so_far))
    assert reckoned.acknowledged > 0
    assert reckoned.well, reckoned
    assert [kills for kills, _kept in said] == [1, 2, 3, 4, 5, 6]


def test_a_post_that_a_kill_cut_is_taken_by_nobody_and_prints_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with answering(CountingLims()) as lims:
        for rest in (b"", b'{"digest'):
            with socket.create_connection(("127.0.0.1", lims.port)) as cut:
                head = b"POST /api/v1/messages HTTP/1.1\r\nContent-Length: 4000\r\n\r\n"
                cut.sendall(head + rest)
                time.sleep(0.05)
                reset = struct.pack("ii", 1, 0)  # as a killed process' socket with unread bytes
                cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset if rest else b"\0" * 8)
        until(lambda: not _answering(), "that it gave the calls up")
    assert (lims.taken, capfd.readouterr().err) == ({}, "")


def _answering() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if "process_request_thread" in name]


def test_a_log_that_grows_is_read_once_and_half_a_line_not_yet(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, [])
    assert gateway.events("link up") == []
    gateway.log.write_text(json.dumps({"event": "link up"}) + '\nTraceback\n{"event": "li')
    assert len(gateway.events("link up")) == 1
    with gateway.log.open("a") as log:
        log.write('nk up"}\n')
    assert len(gateway.events("link up")) == 2


def test_a_line_of_the_log_that_a_kill_cut_hides_no_event_of_the_next_life(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, [])
    whole = json.dumps({"event": "link up"})
    gateway.log.write_text(f"{whole[:9]}{whole}\n{whole}{whole}\n{whole[:3]}\n")
    assert len(gateway.events("link up")) == 3
