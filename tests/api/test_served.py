"""As it is served in production (gunicorn, gevent): what depends on the server, on that server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api import bodies
from tests.api.caller import Caller, refused

PATIENCE_S = 30.0


@pytest.fixture
def served(api: Caller, database_url: str, tmp_path: Path) -> Iterator[Caller]:
    """The same laboratory behind `lims serve`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "lims.cli", "serve"],
        env={
            **os.environ,
            "LIMS_HOME": str(tmp_path),
            "LIMS_DATABASE_URL": database_url,
            "LIMS_LISTEN": f"127.0.0.1:{port}",
            "LIMS_SITE": "TT",
            "LIMS_WORKERS": "1",
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            _await(client)
            yield Caller(client, api.document, api.tokens, api.clock)
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def test_a_body_too_large_is_answered_and_the_connection_goes_on(served: Caller) -> None:
    refused(served.post_bytes("/messages", b" " * 50 * 2**20), 413, "body-too-large")
    body = bodies.registration()
    assert served.post("/specimens", body).status_code == 201
    assert served.post("/specimens", body).status_code == 200


def _await(client: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            client.get("/api/openapi.json")
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
