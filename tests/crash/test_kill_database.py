"""PostgreSQL dies: after recovery every acknowledged thing is there once (S24)."""

import time
from pathlib import Path

import pytest

from tests.crash.running_demo import assert_nothing_is_lost, bytes_heard, running_demo, soon

pytestmark = pytest.mark.crash


def test_killing_the_database_while_people_register_and_while_a_plate_is_read_loses_nothing(
    tmp_path: Path,
) -> None:
    with running_demo(tmp_path / "home") as demo:
        spool = demo.home / "cycler-1.spool"
        demo.reached("collect")
        time.sleep(0.15)  # some are registered, some are being registered
        first = demo.kill("database")
        demo.reached("receive")
        before = bytes_heard(spool)
        demo.reached("run")
        soon(lambda: bytes_heard(spool) > before + 1000, "the plate's message on the journal")
        second = demo.kill("database")

        assert first != second
        assert_nothing_is_lost(demo.ending(), killed=2)
