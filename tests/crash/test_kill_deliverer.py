"""The deliverer dies between sending a notice and marking it (S24)."""

from pathlib import Path

import pytest

from tests.crash.running_demo import assert_nothing_is_lost, running_demo, soon

pytestmark = pytest.mark.crash


def test_killing_the_deliverer_at_its_first_notice_loses_nothing(tmp_path: Path) -> None:
    with running_demo(tmp_path / "home") as demo:
        book = demo.home / "receiver.jsonl"
        demo.reached("collect")
        soon(lambda: book.exists() and book.stat().st_size > 0, "the first notice at the receiver")
        demo.kill("deliverer")

        assert_nothing_is_lost(demo.ending(), killed=1)


def test_killing_the_receiver_after_it_wrote_a_notice_down_counts_it_once(tmp_path: Path) -> None:
    with running_demo(tmp_path / "home") as demo:
        book = demo.home / "receiver.jsonl"
        demo.reached("collect")
        soon(lambda: book.exists() and book.stat().st_size > 0, "the first notice at the receiver")
        demo.kill("receiver")

        assert_nothing_is_lost(demo.ending(), killed=1)
