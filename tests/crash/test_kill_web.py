"""The web process dies in the middle of registering and of taking results."""

import time
from pathlib import Path

import pytest

from tests.crash.running_demo import assert_nothing_is_lost, running_demo

pytestmark = pytest.mark.crash


def test_killing_the_web_master_and_all_its_workers_loses_nothing(tmp_path: Path) -> None:
    with running_demo(tmp_path / "home") as demo:
        demo.reached("collect")
        time.sleep(0.15)  # some are registered, some are being registered
        demo.kill("web", with_its_workers=True)
        demo.reached("run")
        demo.kill("web", with_its_workers=True)  # the plate's message finds nobody

        assert_nothing_is_lost(demo.ending(), killed=2)


def test_killing_the_web_master_alone_does_not_leave_its_port_to_orphans(tmp_path: Path) -> None:
    with running_demo(tmp_path / "home") as demo:
        demo.reached("collect")
        demo.kill("web")

        assert_nothing_is_lost(demo.ending(), killed=1)
