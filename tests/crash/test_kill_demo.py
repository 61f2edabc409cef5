"""The demonstration itself is killed, or stopped: nothing of it stays."""

import signal
from pathlib import Path

import pytest

from tests.crash.running_demo import alive, running_demo, soon

pytestmark = pytest.mark.crash


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_running_when_the_demo_ends_early(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running_demo(tmp_path / "home") as demo:
        demo.reached("collect")
        pids = demo.pids()
        demo.process.send_signal(number)
        demo.process.wait()

        soon(lambda: not demo.home.exists(), "the removal of its home")
        soon(lambda: not any(map(alive, pids.values())), "the end of all its programs")
        assert {"database", "web", "deliverer", "receiver", "gateway"} <= pids.keys()
