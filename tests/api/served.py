"""`lims serve` as a process, over a test's own laboratory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.until import WITHIN_S, until


@contextmanager
def serving(database_url: str, home: Path, port: int) -> Iterator[httpx.Client]:
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


def _answers(client: httpx.Client) -> bool:
    try:
        client.get("/api/openapi.json")
    except httpx.TransportError:
        return False
    return True
