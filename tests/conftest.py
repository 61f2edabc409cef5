"""One embedded server a test session, shared by all workers; one database a worker."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lims.db.engine import connect, session_factory
from lims.work import passwords
from tests.compiled_once import share_builders
from tests.database import (
    HOME_VARIABLE,
    CleanSlate,
    build_template,
    clone_template,
    named,
    server_at,
)
from tests.until import WITHIN_S

settings.register_profile(  # a busy machine is no fault
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

_stand_down = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that pytest was called as makes the home; it starts nothing in it yet."""
    share_builders()
    if HOME_VARIABLE in os.environ:
        return
    home = tempfile.mkdtemp(prefix="thantoc-tests-")
    Path(home).chmod(0o711)  # the server's account must pass through
    os.environ[HOME_VARIABLE] = home
    # It ends the server when this process ends, however it ends: then its input closes.
    config.stash[_stand_down] = subprocess.Popen(
        [sys.executable, "-m", "tests.stand_down", home],
        stdin=subprocess.PIPE,
        cwd=config.rootpath,
        start_new_session=True,  # Ctrl-C is for the tests
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts whole laboratories begins first: it waits more than it works."""
    items.sort(key=lambda item: not any(item.iter_markers("crash")))


def pytest_unconfigure(config: pytest.Config) -> None:
    waiting = config.stash.get(_stand_down, None)
    if waiting is not None:
        waiting.communicate(timeout=WITHIN_S)
        del os.environ[HOME_VARIABLE]


@pytest.fixture(scope="session")
def database_server() -> str:
    """The URL of the server's maintenance database."""
    return server_at(Path(os.environ[HOME_VARIABLE])).start()


@pytest.fixture(scope="session")
def clean_slate(database_server: str) -> CleanSlate:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    build_template(database_server)
    clone_template(database_server, f"lims_{worker}")
    return CleanSlate.of(database_server, f"lims_{worker}")


@pytest.fixture(scope="session")
def database_url(clean_slate: CleanSlate) -> str:
    """For programs a test starts; with `database` in the test's arguments it is clean after."""
    return named(clean_slate.url, clean_slate.database)


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    made = connect(database_url, application_name="tests")
    yield made
    made.dispose()


@pytest.fixture
def database(engine: Engine, clean_slate: CleanSlate) -> Iterator[Engine]:
    """A migrated database without rows but the migrations' own; commits are real."""
    yield engine
    clean_slate.wipe()


@pytest.fixture
def session(database: Engine) -> Iterator[Session]:
    """The test commits, or not, as the edge would."""
    with session_factory(database)() as opened:
        yield opened


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Signing in is in many tests; how slow a hash must be is asked by those marked `slow_hash`."""
    if request.node.get_closest_marker("slow_hash") is None:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        monkeypatch.setattr(passwords, "_HASHER", quick)


@pytest.fixture
def now() -> datetime:
    """A Saturday morning in Ho Chi Minh City, 08:00 there."""
    return datetime(2021, 9, 11, 1, 0, tzinfo=UTC)
