"""A PostgreSQL of this node's own, kept under its home and driven through its own programs.

It outlives whoever started it: the next start finds it running. It listens on one Unix socket in
a directory only its account can enter, so `trust` lets in nobody else.
Refusals are in lims/db/refusals.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql
from psycopg.pq import PGconn, Ping

from lims.db import postmaster, sockets
from lims.db.account import Account, owner_of, reaches, server_account
from lims.db.configuration import FILE_NAME, INCLUDES, configuration
from lims.db.refusals import DidNotStart, EmbeddedRefusal, NotOurs, WrongMajor
from lims.db.wheel import MAJOR, programs_for

log = structlog.get_logger(__name__)

DATABASE = "lims"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
ROOTS_DATA = Path("/var/lib/thantoc")  # when root's home is closed to the server's account
_USER = "postgres"
_C_LOCALE = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}


class ServerStatus(StrEnum):
    ABSENT = "absent"  # never started: no data
    STOPPED = "stopped"
    STARTING = "starting"  # also: recovering after a crash, or stopping
    RUNNING = "running"


class EmbeddedServer:
    """`home` is made where missing; `trim` gives up surviving a power cut (tests only).

    `settings` are postgresql.conf lines of this start, such as synchronous_standby_names.
    """

    def __init__(
        self, home: Path, *, trim: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        # 0711: the server's account must pass through, nobody else may look around.
        home.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.home = home.resolve()  # one name, by whichever link it was reached
        self._trim = trim
        self._settings = dict(settings or {})
        account = server_account()
        place = _place(self.home, account)
        self.data = place / "postgres"
        if account is not None and self.data.exists() and owner_of(self.data).uid != 0:
            account = owner_of(self.data)
        self._account = account
        self._sockets = sockets.socket_directory(place, account)

    def url(self, database: str = DATABASE) -> str:
        host = quote(str(self._sockets), safe="")
        return f"postgresql:///{quote(database, safe='')}?host={host}&user={_USER}"

    def status(self) -> ServerStatus:
        match PGconn.ping(self.url("postgres").encode()):
            case Ping.OK:
                return ServerStatus.RUNNING
            case Ping.REJECT:
                return ServerStatus.STARTING
        if not (self.data / "PG_VERSION").exists():
            return ServerStatus.ABSENT
        running = postmaster.running_on(self.data)
        return ServerStatus.STOPPED if running is None else ServerStatus.STARTING

    def start(self) -> str:
        """The URL of the running database `lims`; started, or found running.

        Safe from several processes at once. Raises an EmbeddedRefusal.
        """
        with self._alone():
            deadline = time.monotonic() + START_TIMEOUT_S
            if self.status() is ServerStatus.STARTING:
                self._await_settled(deadline)
            if self.status() is not ServerStatus.RUNNING:
                self._initialise()
                self._check_major()
                self._configure()
                self._launch(deadline)
            self._make_database()
            return self.url()

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Leaves no process, socket or lock behind; stopping what does not run is fine."""
        with self._alone():
            pid = postmaster.running_on(self.data)
            if pid is not None:
                stopped = self._stop(mode)
                if stopped.returncode != 0 and mode != "immediate":
                    log.warning("postgres.stop_slow", data=str(self.data), then="immediate")
                    self._stop("immediate")
                postmaster.await_end(pid)
            sockets.remove(self._sockets, self._account)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # The lock goes with its process, so a killed starter blocks nobody.
        with (self.home / "postgres.lock").open("w") as file:
            flock(file, LOCK_EX)
            yield

    def _await_settled(self, deadline: float) -> None:
        while self.status() is ServerStatus.STARTING and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.status() is ServerStatus.STARTING:
            raise self._did_not_start(f"still not ready after {START_TIMEOUT_S:.0f} s")

    def _initialise(self) -> None:
        if self.data.exists():
            _refuse_foreign(self.data, self._account)
            return
        self.data.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        fresh = self.data.with_suffix(".new")  # renamed when whole: initdb can be killed half-way
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        if self._account is not None:
            self._account.take(fresh)
            if self.data.parent != self.home:
                log.warning("postgres.home_closed", home=str(self.home), data=str(self.data))
        made = self._run(
            "initdb",
            f"--pgdata={fresh}",
            f"--username={_USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            # C.UTF-8 of PostgreSQL itself: lower('Đ') works, and no system upgrade can change
            # the order that indexes were built in.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *(["--no-sync"] if self._trim else []),
        )
        if made.returncode != 0:
            raise self._did_not_start(f"initdb said: {made.stdout.strip()[-800:]}")
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(INCLUDES)
        fresh.rename(self.data)

    def _check_major(self) -> None:
        try:
            major = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            major = "no version file"
        if major != MAJOR:
            raise WrongMajor(
                expected=f"data of PostgreSQL {MAJOR} in {self.data}",
                came=major,
                do="Dump it with the release that wrote it and restore into a new LIMS_HOME.",
            )

    def _configure(self) -> None:
        fresh = self.data / f"{FILE_NAME}.new"
        fresh.write_text(
            configuration(sockets=self._sockets, trim=self._trim, settings=self._settings),
            encoding="utf-8",
        )
        if self._account is not None:
            self._account.take(fresh)
        fresh.replace(self.data / FILE_NAME)
        sockets.make(self._sockets, self._account)

    def _launch(self, deadline: float) -> None:
        postmaster.forget_the_dead(self.data)
        while True:
            begun = self._log_size()
            if self._control("start", f"--log={self._log}", "--silent").returncode == 0:
                return
            said = self._log_since(begun)
            # After kill -9 of the postmaster its children need a moment to notice and go.
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise self._did_not_start(said.strip()[-800:])
            time.sleep(0.1)

    def _make_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if found.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _stop(self, mode: str) -> subprocess.CompletedProcess[str]:
        return self._control("stop", f"--mode={mode}", f"--timeout={STOP_TIMEOUT_S:.0f}")

    def _control(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        return self._run("pg_ctl", verb, f"--pgdata={self.data}", "--wait", *options)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        bin_directory = programs_for(self._account, ROOTS_DATA)
        account = self._account
        try:
            return subprocess.run(
                [bin_directory / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=_C_LOCALE,
                cwd="/",  # the caller's directory may be closed to the account
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedRefusal(
                expected=f"to run {bin_directory / program}",
                came=str(error),
                do="See that this user may run it, or set LIMS_DATABASE_URL.",
            ) from error

    @property
    def _log(self) -> Path:
        return self.data / "server.log"

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _log_since(self, begun: int) -> str:
        if not self._log.exists():
            return "nothing in its log"
        with self._log.open("rb") as file:
            file.seek(begun)
            return file.read().decode(errors="replace")

    def _did_not_start(self, said: str) -> DidNotStart:
        return DidNotStart(
            expected=f"PostgreSQL to start on {self.data}",
            came=said,
            do=f"Its whole log is {self._log}.",
        )


def _place(home: Path, account: Account | None) -> Path:
    """Under `home`, unless root keeps it closed to the account: opening it is not ours to do."""
    if account is None or reaches(account, home):
        return home
    return ROOTS_DATA / f"{home.name}-{sockets.digest(home)}"


def _refuse_foreign(data: Path, account: Account | None) -> None:
    ours = os.geteuid() if account is None else account.uid
    if owner_of(data).uid != ours:
        raise NotOurs(
            expected=f"{data} to belong to user {ours}",
            came=f"user {owner_of(data).uid}",
            do="Start it as that user, or give the directory away with chown -R.",
        )
