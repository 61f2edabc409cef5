"""A laboratory of its own for measuring: fresh database, real web server, real deliverer."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from lims.db.embedded import EmbeddedServer
from lims.db.laboratory import Laboratory, utc_now
from lims.opening import open_laboratory, prepare
from lims.settings import Settings
from lims.tables import Instrument
from lims.work.tokens import Scope, issue_token

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Rig:
    """Everything a figure needs: the address, a token for every scope, the database."""

    port: int
    token: str
    laboratory: Laboratory
    server: EmbeddedServer
    environment: dict[str, str]

    @property
    def base_url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    def client(self) -> httpx.Client:
        """An API client with the token."""
        return httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=PATIENCE_S,
        )


def our_server(_port: int) -> list[str]:
    """``lims serve``, as in production."""
    return ["-m", "lims.cli", "serve"]


@contextmanager
def rig(server: Callable[[int], list[str]] = our_server) -> Iterator[Rig]:
    """Start everything on fresh data; stop and remove it afterwards.

    ``server`` gives the Python arguments of another web server for the same port.
    """
    home = Path(tempfile.mkdtemp(prefix="thantoc-bench-"))
    home.chmod(0o711)
    port = free_port()
    environment = {
        **os.environ,
        "LIMS_HOME": str(home),
        "LIMS_LISTEN": f"127.0.0.1:{port}",
        "LIMS_WEBHOOK_PRIVATE": "allow",  # the receiver listens on this machine
    }
    for name in ("LIMS_DATABASE_URL", "LIMS_SECRET_KEY"):
        environment.pop(name, None)
    settings = Settings.from_env(environment)
    database = EmbeddedServer(settings.home)
    children: list[subprocess.Popen[bytes]] = []
    try:
        prepare(settings)
        laboratory = open_laboratory(settings, name="bench")
        children = [
            _start(environment, server(port)),
            _start(environment, ["-m", "lims.cli", "deliver"]),
        ]
        _await_answer(port)
        yield Rig(port, _token(laboratory), laboratory, database, environment)
        laboratory.engine.dispose()
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(PATIENCE_S)
        database.stop("fast")
        shutil.rmtree(database.data, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _start(environment: dict[str, str], arguments: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _token(laboratory: Laboratory) -> str:
    with laboratory.sessions.begin() as session:
        session.add(
            Instrument(
                site_id=laboratory.site_id,
                name="bench-1",
                driver="plate",
                created_at=utc_now(),
            )
        )
        return issue_token(
            session,
            site_id=laboratory.site_id,
            name="bench",
            scopes=list(Scope),
            every_team=True,
            by="bench",
            now=utc_now(),
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/api/openapi.json", timeout=5.0)
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
