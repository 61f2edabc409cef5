"""Folders and HL7 lines in the gateway's own process, beside lines that speak ASTM."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from instruments.gateway import main
from tests.instruments.bench_stand import Bench, a_plate, bench_in
from tests.instruments.folder_stand import plate
from tests.instruments.hl7_messages import block, captured
from tests.until import WITHIN_S, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        yield bench


def of_folder(bench: Bench) -> dict[str, object]:
    exports = str(bench.folder / "exports")
    return {"instrument": "qs-1", "driver": "quantstudio", "link": exports, "settle_s": 0.5}


def runs(bench: Bench, instrument: str) -> list[str | None]:
    taken = [each for each in bench.lims.captures if each.instrument == instrument]
    return [each.measurements[0].run for each in taken if each.measurements]


def standing(bench: Bench, instrument: str) -> dict[str, object]:
    told = CliRunner().invoke(
        main, ["status", str(bench.file), "--instrument", instrument, "--json"]
    )
    (line,) = json.loads(told.stdout)["lines"]
    return dict(line)


def test_a_folder_is_read_beside_a_line_and_once_through_a_kill(bench: Bench) -> None:
    exports = bench.folder / "exports"
    exports.mkdir()
    analyser = bench.analyser(tty="c1")
    lines = ({"instrument": "c1"}, of_folder(bench))
    gateway = bench.gateway_of(*lines)
    (exports / "PL7.txt").write_bytes(plate(7))
    analyser.tell(a_plate("PL1"))
    until(lambda: runs(bench, "qs-1") == ["PL7"], "the folder's plate")
    until(lambda: runs(bench, "c1") == ["PL1"], "the line's plate")
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.end()
    (exports / "PL8.txt").write_bytes(plate(8))
    again = bench.gateway_of(*lines)
    until(lambda: runs(bench, "qs-1") == ["PL7", "PL8"], "the plate that came meanwhile")
    assert (exports / "PL7.txt").read_bytes() == plate(7), "the folder is only read"
    assert again.end(signal.SIGTERM) == 0
    assert len(bench.lims.taken) == 3, "what the kill cut short is posted again as it was"


def test_a_folder_that_is_away_is_said_and_read_when_it_is_back(bench: Bench) -> None:
    gateway = bench.gateway_of(of_folder(bench))
    until(lambda: gateway.events("folder gone"), "the log's word")
    until(lambda: standing(bench, "qs-1")["trouble"] == "folder-away", "the state")
    assert standing(bench, "qs-1")["state"] == "unplugged"
    (bench.folder / "exports").mkdir()
    (bench.folder / "exports" / "PL7.txt").write_bytes(plate(7))
    until(lambda: runs(bench, "qs-1") == ["PL7"], "the plate")
    until(lambda: standing(bench, "qs-1")["state"] == "up", "the state after")


def test_an_analyser_that_calls_and_speaks_hl7_hears_aa_and_is_told_again(bench: Bench) -> None:
    port = bench.port()
    line = {"instrument": "cobas-1", "driver": "cobas", "link": f"listen://127.0.0.1:{port}"}
    gateway = bench.gateway_of(line)
    until(lambda: gateway.events("link up"), "the line")
    with socket.create_connection(("127.0.0.1", port)) as calling:
        calling.settimeout(WITHIN_S)
        calling.sendall(block(captured("cobas6800_target_not_detected.hl7")))
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            heard = calling.recv(4096)
            assert heard, "the gateway hung up"
            answer += heard
    assert b"\rMSA|AA|" in answer
    until(lambda: bench.lims.taken, "the message at the LIMS")
    (capture,) = bench.lims.captures
    assert (capture.driver, capture.complete, capture.quarantine) == ("cobas", True, None)
    assert capture.measurements
    told = CliRunner().invoke(
        main, ["replay", str(bench.file), "--since", "2021-01-01", "--dry-run", "--json"]
    )
    assert [each["digest"] for each in json.loads(told.stdout)["replayed"]] == [capture.digest]


def _has_run(bench: Bench, run: str) -> bool:
    return run in runs(bench, "qs-1")


def replayed(bench: Bench, *words: str) -> list[dict[str, object]]:
    told = CliRunner().invoke(main, ["replay", str(bench.file), "--json", *words])
    assert told.exit_code == 0, told.output
    return list(json.loads(told.stdout)["replayed"])


def test_files_that_were_kept_are_told_again_and_bring_nothing_new(bench: Bench) -> None:
    exports = bench.folder / "exports"
    exports.mkdir()
    bench.gateway_of(of_folder(bench))
    for number in (7, 8):
        (exports / f"PL{number}.txt").write_bytes(plate(number))
        until(partial(_has_run, bench, f"PL{number}"), "the plate")
    for path in exports.iterdir():
        path.unlink()
    assert [each["digest"] for each in replayed(bench, "--since", "2021-01-01", "--dry-run")] == [
        *bench.lims.taken
    ], "in the order in which they were taken"
    assert len(bench.lims.posts) == 2
    assert replayed(bench, "--since", "2100-01-01") == []
    assert len(replayed(bench, "--since", "2021-01-01")) == 2
    until(lambda: len(bench.lims.posts) == 4, "both posted again")
    assert len(bench.lims.taken) == 2


def test_a_file_that_its_driver_could_not_read_is_read_by_the_next_and_a_damaged_copy_is_left(
    bench: Bench,
) -> None:
    exports = bench.folder / "exports"
    exports.mkdir()
    gateway = bench.gateway_of(of_folder(bench), before=BROKEN)
    for number in (7, 8):
        (exports / f"PL{number}.txt").write_bytes(plate(number))
    until(lambda: len(bench.lims.taken) == 2, "both messages")
    assert runs(bench, "qs-1") == []
    bench.until_nothing_is_owed("qs-1")
    assert gateway.end(signal.SIGTERM) == 0
    copies = bench.folder / "spools" / "qs-1" / "files"
    spoilt = next(path for path in copies.glob("*.bytes") if b"PL8" in path.read_bytes())
    spoilt.write_bytes(b"the disk's own words")
    bench.lims.taken.clear()
    (read,) = replayed(bench, "--since", "2021-01-01")
    assert (read["quarantine"], spoilt.exists()) == (None, True), "left as it lies"
    bench.gateway_of(of_folder(bench))
    until(lambda: runs(bench, "qs-1") == ["PL7"], "the plate, read")


BROKEN = """
from instruments.drivers import quantstudio
def fault(self, export):
    raise KeyError("a new version of the program")
quantstudio.QuantStudio.measurements = fault
"""


@pytest.mark.parametrize("link", ["exports", "listen://127.0.0.1:1"])
def test_a_driver_of_files_wants_a_folder(tmp_path: Path, link: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        'post = "https://lims.example"\ntoken_file = "token"\nspool = "spools"\n'
        f'[[line]]\ninstrument = "qs-1"\ndriver = "quantstudio"\nlink = "{link}"\n'
    )
    told = CliRunner().invoke(main, ["run", "--check", str(file)])
    assert told.exit_code == 2
    assert "the whole path of a folder" in told.stderr
