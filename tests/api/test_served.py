"""As it is served in production (gunicorn, gevent): what depends on the server, on that server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.ports import held_ports
from tests.until import WITHIN_S, until


@pytest.fixture
def served(api: Caller, database_url: str, tmp_path: Path) -> Iterator[Caller]:
    """The same laboratory behind `lims serve`."""
    with held_ports(1) as (port,), _serving(database_url, tmp_path, port) as client:
        yield Caller(client, api.document, api.tokens, api.clock)


@contextmanager
def _serving(database_url: str, home: Path, port: int) -> Iterator[httpx.Client]:
    server = subprocess.Popen(
        [sys.executable, "-m", "lims.cli", "serve"],
        env={
            **os.environ,
            "LIMS_HOME": str(home),
            "LIMS_DATABASE_URL": database_url,
            "LIMS_LISTEN": f"127.0.0.1:{port}",
            "LIMS_SITE": "TT",
            "LIMS_WORKERS": "1",
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=WITHIN_S) as client:
            until(lambda: _answers(client), "the first answer", look_every_s=0.1)
            yield client
    finally:
        server.terminate()
        server.wait(WITHIN_S)


def test_a_body_too_large_is_answered_and_the_connection_goes_on(served: Caller) -> None:
    refused(served.post_bytes("/messages", b" " * 50 * 2**20), 413, "body-too-large")
    body = bodies.registration()
    assert served.post("/specimens", body).status_code == 201
    assert served.post("/specimens", body).status_code == 200


def _answers(client: httpx.Client) -> bool:
    try:
        client.get("/api/openapi.json")
    except httpx.TransportError:
        return False
    return True
