"""As it is served in production (gunicorn, gevent): what depends on the server, on that server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.served import serving
from tests.ports import held_ports


@pytest.fixture
def served(api: Caller, database_url: str, tmp_path: Path) -> Iterator[Caller]:
    """The same laboratory behind `lims serve`."""
    with held_ports(1) as (port,), serving(database_url, tmp_path, port) as client:
        yield Caller(client, api.document, api.tokens, api.clock)


def test_a_body_too_large_is_answered_and_the_connection_goes_on(served: Caller) -> None:
    refused(served.post_bytes("/messages", b" " * 50 * 2**20), 413, "body-too-large")
    body = bodies.registration()
    assert served.post("/specimens", body).status_code == 201
    assert served.post("/specimens", body).status_code == 200
