"""`kill -9` of real deliverers: a few of the kills that the bench makes by hundreds."""

import pytest

from loadtests.handoff.kills import killed


@pytest.mark.crash
def test_nothing_owed_is_lost_and_each_arrives_once_and_in_order_whatever_is_killed() -> None:
    reckoned = killed(kills=5, seed=3, lives_s=(0.5, 1.5))
    assert reckoned.owed == 5 * 20 * 3
    assert reckoned.well, reckoned
