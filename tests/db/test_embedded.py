"""Each test starts a server of its own: the shared one of the session must not be killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lims.db import postmaster
from lims.db.account import Account, reaches, server_account
from lims.db.embedded import ROOTS_DATA, EmbeddedServer, ServerStatus
from lims.db.refusals import DidNotStart, NotOurs, WrongMajor
from lims.db.sockets import socket_directory
from lims.db.wheel import binary
from tests.until import WITHIN_S


@pytest.fixture
def home() -> Iterator[Path]:
    """Not tmp_path: pytest keeps that closed to every account but its own."""
    made = Path(tempfile.mkdtemp(prefix="thantoc-test-"))
    made.chmod(0o711)
    yield made
    if (made / "postgres").exists():
        EmbeddedServer(made).stop("immediate")
    shutil.rmtree(made)


@pytest.fixture
def server(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home, trim=True)


def postmaster_of(server: EmbeddedServer) -> int:
    pid = postmaster.running_on(server.data)
    if pid is None:
        pytest.fail("no postmaster runs")
    return pid


def crash(server: EmbeddedServer) -> None:
    os.kill(postmaster_of(server), signal.SIGKILL)


def test_a_committed_row_survives_the_postmaster_being_killed(home: Path) -> None:
    server = EmbeddedServer(home)  # not trimmed: this is the promise
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE tube (barcode text)")
        connection.execute("INSERT INTO tube VALUES ('TT7K40FQ9X')")
    busy = psycopg.connect(server.url())  # its backend outlives the postmaster for a moment
    crash(server)
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT barcode FROM tube").fetchall() == [("TT7K40FQ9X",)]
    busy.close()


def test_a_pid_file_naming_another_living_program_does_not_keep_the_server_down(
    server: EmbeddedServer,
) -> None:
    server.start()
    crash(server)
    lock = server.data / "postmaster.pid"
    _dead, *rest = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join([f"{os.getpid()}\n", *rest]))
    server.start()
    assert server.status() is ServerStatus.RUNNING


def test_two_processes_starting_at_once_share_one_server(home: Path) -> None:
    program = (
        "import sys, pathlib; from lims.db.embedded import EmbeddedServer;"
        "print(EmbeddedServer(pathlib.Path(sys.argv[1]), trim=True).start())"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", program, home], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    urls = {starter.communicate(timeout=WITHIN_S)[0].strip() for starter in starters}
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    (url,) = urls
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("lims",)


def test_stopping_leaves_no_process_no_socket_and_no_lock(server: EmbeddedServer) -> None:
    assert server.status() is ServerStatus.ABSENT
    server.start()
    pid = postmaster_of(server)
    server.stop()
    server.stop()  # once more does no harm
    assert server.status() is ServerStatus.STOPPED
    assert not server.data.joinpath("postmaster.pid").exists()
    assert sorted(path.name for path in server.home.iterdir()) == ["postgres", "postgres.lock"]
    assert postmaster.command_of(pid) == ""  # empty for a zombie too


def test_data_of_another_major_version_is_refused_and_left_alone(server: EmbeddedServer) -> None:
    server.data.mkdir(mode=0o700)
    account = server_account()
    if account is not None:
        account.take(server.data)
    version = server.data / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(WrongMajor, match=r"expected data of PostgreSQL 18 .* came 16"):
        EmbeddedServer(server.home).start()
    assert [path.name for path in server.data.iterdir()] == ["PG_VERSION"]
    shutil.rmtree(server.data)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with pytest.raises(DidNotStart, match="max_connections"):
        EmbeddedServer(home, trim=True, settings={"max_connections": "many"}).start()


def test_an_interrupted_initialisation_is_begun_again(server: EmbeddedServer) -> None:
    half_made = server.data.with_suffix(".new")
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT lower('ĐỖ')").fetchone() == ("đỗ",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has anybody else to run it as")
def test_root_runs_the_server_as_somebody_else(server: EmbeddedServer) -> None:
    server.start()
    assert Path(f"/proc/{postmaster_of(server)}").stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's data stays under its home")
def test_roots_closed_home_is_not_opened_up(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedServer(closed, trim=True)
    try:
        server.start()
        assert server.data.is_relative_to(ROOTS_DATA)
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop("immediate")
        shutil.rmtree(server.data.parent)


def test_a_home_with_a_long_path_gets_a_short_socket(home: Path) -> None:
    long = home / ("lab" * 30)
    place = socket_directory(long, None)
    assert len(str(place / ".s.PGSQL.5432")) <= 107
    assert socket_directory(home / ("hub" * 30), None) != place


def test_a_socket_directory_somebody_else_made_is_refused(home: Path) -> None:
    server = EmbeddedServer(home / ("lab" * 30), trim=True)
    waiting = socket_directory(server.home, None)
    waiting.symlink_to(home)
    try:
        with pytest.raises(NotOurs, match="belongs to somebody else"):
            server.start()
    finally:
        waiting.unlink()


def test_an_account_reaches_only_where_every_step_lets_it_pass(tmp_path: Path) -> None:
    stranger = Account(uid=65534, gid=65534)
    assert reaches(stranger, Path("/tmp"))
    (tmp_path / "closed" / "inside").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not reaches(stranger, tmp_path / "closed" / "inside")


def test_the_wheel_brings_the_programs_for_backup_and_benchmarks() -> None:
    for name in ("psql", "pg_dump", "pg_restore", "pgbench", "pg_basebackup"):
        said = subprocess.check_output([binary(name), "--version"], text=True)
        assert "18." in said
