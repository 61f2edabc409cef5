"""The gateway dies in the middle of a plate's message (S24)."""

from pathlib import Path

import pytest

from tests.crash.running_demo import assert_nothing_is_lost, bytes_heard, running_demo, soon

pytestmark = pytest.mark.crash


def test_killing_the_gateway_in_the_middle_of_a_message_loses_nothing(tmp_path: Path) -> None:
    with running_demo(tmp_path / "home") as demo:
        spool = demo.home / "cycler-1.spool"
        demo.reached("receive")
        before = bytes_heard(spool)
        demo.reached("run")
        soon(lambda: bytes_heard(spool) > before + 1000, "the plate's message on the journal")
        demo.kill("gateway")

        assert_nothing_is_lost(demo.ending(), killed=1)
