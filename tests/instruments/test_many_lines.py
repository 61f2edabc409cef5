"""Many analysers on real pseudo-terminals, one gateway: what befalls one, no other hears of."""

import json
import os
import random
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from instruments.gateway import main
from instruments.line_standing import here
from tests.instruments.bench_stand import IMPATIENT_S, Bench, Running, a_plate, bench_in
from tests.until import WITHIN_S, until

CYCLERS = ("c1", "c2", "c3")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        yield bench


def lines(*names: str) -> list[Mapping[str, object]]:
    return [{"instrument": name} for name in names]


def taken_of(bench: Bench, instrument: str) -> list[str | None]:
    return [
        capture.measurements[0].run
        for capture in bench.lims.captures
        if capture.instrument == instrument and capture.complete
    ]


def invoked(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def standing(bench: Bench, instrument: str) -> dict[str, Any]:
    told = invoked("status", bench.file, "--instrument", instrument, "--json")
    (line,) = json.loads(told.stdout)["lines"]
    return dict(line)


def stands(line: Mapping[str, Any]) -> tuple[str | None, bool, int]:
    return line["state"], line["running"], line["waiting"]


def heartbeat_of(bench: Bench, instrument: str) -> Mapping[str, Any] | None:
    """The line in the last heartbeat."""
    for line in bench.lims.heartbeats[-1]["lines"] if bench.lims.heartbeats else ():
        if line["instrument"] == instrument:
            return dict(line)
    return None


def state_told(bench: Bench, instrument: str) -> str | None:
    line = heartbeat_of(bench, instrument)
    return line["state"] if line else None


def test_each_line_has_its_own_order_journal_and_standing(bench: Bench) -> None:
    analysers = {name: bench.analyser(tty=name) for name in CYCLERS}
    gateway = bench.gateway_of(*lines(*CYCLERS))
    until(lambda: len(gateway.events("link up")) == len(CYCLERS), "every line")
    for round_ in range(3):
        for name, analyser in analysers.items():
            analyser.tell(a_plate(f"{name}-{round_}"))
    until(lambda: len(bench.lims.taken) == 9, "nine plates")
    for name in CYCLERS:
        assert taken_of(bench, name) == [f"{name}-{round_}" for round_ in range(3)]
    until(lambda: standing(bench, "c2")["last_message_at"], "the gateway's word on c2")
    until(lambda: stands(standing(bench, "c2")) == ("up", True, 0), "nothing waiting on c2")
    assert standing(bench, "c2")["journal_bytes"] > 1000
    until(lambda: heartbeat_of(bench, "c3"), "a heartbeat")
    assert bench.lims.heartbeats[0]["gateway"] == "lab-1"
    assert gateway.end(signal.SIGTERM) == 0
    assert standing(bench, "c2")["state"] == "stopped"


def losses(gateway: Running) -> dict[str, dict[str, Any]]:
    """By line."""
    return {event["instrument"]: event for event in gateway.events("link down")}


def test_a_line_without_its_port_or_folder_stops_no_other(bench: Bench) -> None:
    good = bench.analyser(tty="good")
    (bench.folder / "spools").mkdir()
    (bench.folder / "spools" / "spoiled").write_text("a file where a folder should be")
    gateway = bench.gateway_of(*lines("good", "spoiled", "unplugged"))
    good.tell(a_plate("PL1"))
    until(lambda: taken_of(bench, "good") == ["PL1"], "the good line's plate")
    until(lambda: "unplugged" in losses(gateway), "the log's word on the line without a port")
    down = losses(gateway)["unplugged"]
    assert down["trouble"] == "no-device"
    assert "/dev/serial/by-id" in down["todo"]
    until(lambda: state_told(bench, "spoiled") == "unreadable", "a heartbeat of the one")
    until(lambda: state_told(bench, "unplugged") == "unplugged", "a heartbeat of the other")

    (bench.folder / "spools" / "spoiled").unlink()
    bench.analyser(tty="spoiled").tell(a_plate("PL2"))
    bench.analyser(tty="unplugged").tell(a_plate("PL3"))
    until(lambda: len(bench.lims.taken) == 3, "the plates of the two that were mended")


def test_when_no_line_can_work_it_ends_and_says_why(bench: Bench) -> None:
    (bench.folder / "spools").mkdir()
    (bench.folder / "spools" / "c1").write_text("no folder")
    gateway = bench.gateway_of(*lines("c1"))
    assert gateway.process.wait(WITHIN_S) == 5
    assert "no line can be served" in gateway.log.read_text()


def test_two_gateways_do_not_share_a_folder(bench: Bench) -> None:
    bench.analyser(tty="c1")
    first = bench.gateway_of(*lines("c1"))
    until(lambda: first.events("link up"), "the first")
    second = bench.gateway_of(*lines("c1"))
    assert second.process.wait(WITHIN_S) == 3
    assert "another gateway" in second.log.read_text()


def test_unplugged_and_plugged_in_again_it_is_heard(bench: Bench) -> None:
    analyser = bench.analyser(tty="c1")
    gateway = bench.gateway_of(*lines("c1"))
    until(lambda: gateway.events("link up"), "the line")
    analyser.end()
    until(lambda: gateway.events("link down"), "the loss")
    bench.analyser(tty="c1").tell(a_plate("PL1"))
    until(lambda: taken_of(bench, "c1") == ["PL1"], "the plate after")
    assert len(gateway.events("link up")) == 2


def test_an_analyser_that_calls_and_one_that_is_called_share_a_gateway(bench: Bench) -> None:
    port = bench.port()
    with socket.create_server(("127.0.0.1", 0)) as called:
        gateway = bench.gateway_of(
            {"instrument": "caller", "link": f"listen://127.0.0.1:{port}"},
            {"instrument": "called", "link": f"socket://127.0.0.1:{called.getsockname()[1]}"},
        )
        until(lambda: len(gateway.events("link up")) == 2, "both lines")
        heard, _address = called.accept()
        with heard, socket.create_connection(("127.0.0.1", port)) as calling:
            for end in (heard, calling):
                end.settimeout(WITHIN_S)
                end.sendall(b"\x05")
                assert end.recv(1) == b"\x06"


FULL = """
import os, signal
from pathlib import Path
from instruments import journal
write = journal._write_all
def refuse(fd, data, at):
    if Path({flag!r}).exists():
        os.pwrite(fd, bytes(data)[:7], at)
        raise OSError(28, "No space left on device")
    write(fd, data, at)
journal._write_all = refuse
"""


def test_a_full_disk_is_answered_with_nak_and_said_aloud(bench: Bench) -> None:
    flag = bench.folder / "full"
    analyser = bench.analyser(tty="c1", reply_timeout_s=IMPATIENT_S)
    gateway = bench.gateway_of(*lines("c1"), before=FULL.format(flag=str(flag)))
    until(lambda: gateway.events("link up"), "the line")
    flag.touch()
    analyser.tell(a_plate("PL1"))
    until(lambda: gateway.events("not kept"), "the refusal")
    until(lambda: standing(bench, "c1")["trouble"] == "disk-full", "the state")
    assert standing(bench, "c1")["state"] == "unreadable"
    assert "make room" in invoked("status", bench.file).stdout
    assert analyser.lines == [], "nothing was acknowledged to its end"
    flag.unlink()
    until(lambda: taken_of(bench, "c1") == ["PL1"], "the plate when there is room")
    until(lambda: standing(bench, "c1")["trouble"] is None, "the state after")


def test_the_same_journal_told_again_brings_nothing_new(bench: Bench) -> None:
    analyser = bench.analyser(tty="c1")
    bench.gateway_of(*lines("c1"))
    for name in ("PL1", "PL2"):
        analyser.tell(a_plate(name))
    until(lambda: len(bench.lims.taken) == 2, "two plates")
    dry = invoked("replay", bench.file, "--since", "2021-01-01", "--dry-run", "--json")
    told = json.loads(dry.stdout)["replayed"]
    assert [line["digest"] for line in told] == list(bench.lims.taken)
    assert [line["measurements"] for line in told] == [6, 6]
    assert len(bench.lims.posts) == 2

    replayed = invoked("replay", bench.file, "--since", "2021-01-01")
    first = replayed.stdout.splitlines()[0]
    assert replayed.exit_code == 0
    assert first.startswith(told[0]["digest"][:16])
    assert first.endswith(
        f"  {here(told[0]['captured_at'])}  {told[0]['instrument']}  6 measurements"
    )
    until(lambda: len(bench.lims.posts) == 4, "both posted again")
    assert len(bench.lims.taken) == 2
    none = invoked("replay", bench.file, "--since", "2100-01-01")
    assert none.stdout == "0 told again\n"
    assert invoked("replay", bench.file, "--since", "yesterday").exit_code == 2


def set_aside(bench: Bench) -> list[dict[str, Any]]:
    told = invoked("quarantine", bench.file, "--json")
    return list(json.loads(told.stdout)["quarantined"])


BROKEN = """
from instruments.drivers import plate
def fault(self, message):
    raise KeyError("a new firmware")
plate.Plate.measurements = fault
"""


def test_what_a_driver_could_not_read_is_listed_shown_and_read_by_its_successor(
    bench: Bench,
) -> None:
    analyser = bench.analyser(tty="c1")
    gateway = bench.gateway_of(*lines("c1"), before=BROKEN)
    analyser.tell(a_plate("PL1"))
    until(lambda: bench.lims.taken, "the message")
    until(lambda: set_aside(bench), "its copy, which is written when it is on its way")
    (one,) = set_aside(bench)
    assert (one["reason"], one["instrument"]) == ("driver-fault", "c1")
    assert "replay --since" in one["todo"]
    log = bench.folder / "spools" / "c1" / "readings.log"
    assert not log.exists()
    shown = invoked("quarantine", bench.file, "--show", one["digest"][:12], "--text")
    assert "H|\\^&" in shown.stdout
    assert json.loads(log.read_text())["digest"] == one["digest"]
    assert "48 7c 5c 5e" in invoked("quarantine", bench.file, "--show", one["digest"]).stdout
    assert len(log.read_text().splitlines()) == 2
    assert invoked("quarantine", bench.file, "--show", "ffff").exit_code == 1
    bench.until_nothing_is_owed("c1")
    assert gateway.end(signal.SIGTERM) == 0

    bench.lims.taken.clear()
    bench.gateway_of(*lines("c1"))
    assert invoked("replay", bench.file, "--since", "2021-01-01").exit_code == 0
    until(lambda: taken_of(bench, "c1") == ["PL1"], "the message read")
    until(lambda: invoked("quarantine", bench.file).stdout == "0 in quarantine\n", "an empty list")


@pytest.mark.crash
def test_killed_at_random_every_line_s_plates_arrive_whole_once_and_in_order(
    bench: Bench,
) -> None:
    chance = random.Random(64)
    analysers = {name: bench.analyser(tty=name, reply_timeout_s=IMPATIENT_S) for name in CYCLERS}
    names = [f"PL{number}" for number in range(4)]
    for name in names:
        for cycler, analyser in analysers.items():
            analyser.tell(a_plate(f"{cycler}-{name}", wells=24))
    for _ in range(6):
        gateway = bench.gateway_of(*lines(*CYCLERS))
        until(partial(gateway.events, "link up"), "a line")
        time.sleep(chance.uniform(0.0, 0.4))
        os.kill(gateway.process.pid, signal.SIGKILL)
        gateway.end()
    bench.gateway_of(*lines(*CYCLERS))
    until(lambda: len(bench.lims.taken) >= 12, "every plate")
    for cycler in CYCLERS:
        wanted = [f"{cycler}-{name}" for name in names]
        until(partial(_is_taken, bench, cycler, wanted), f"all of {cycler} in order")
    assert len(bench.lims.wells()) == 24 * 12


def _is_taken(bench: Bench, cycler: str, wanted: list[str]) -> bool:
    return taken_of(bench, cycler) == wanted
