"""`kill -9` of the real gateway process: a few of the kills that the bench makes by hundreds."""

from pathlib import Path

import pytest

from loadtests.gateway.kills import killed


@pytest.mark.crash
def test_what_was_acknowledged_survives_every_kill(tmp_path: Path) -> None:
    reckoned = killed(tmp_path, kills=6, lines=3, seed=9)
    assert reckoned.acknowledged > 0
    assert reckoned.well, reckoned
