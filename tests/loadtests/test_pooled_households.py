"""The figure of whole households: its parts agree with the words they are made of."""

from __future__ import annotations

import pytest

from lims.demo.truth import HOUSEHOLD_SIZES
from loadtests.pooling.households import index_rate, line, ratio


def test_with_relatives_the_share_is_the_prevalence() -> None:
    rate = index_rate(0.2, 0.01)
    people = sum(size * many for size, many in HOUSEHOLD_SIZES.items())
    sick = sum(
        many * size * (rate + (1 - rate) * 0.2 * (1 - (1 - rate) ** (size - 1)))
        for size, many in HOUSEHOLD_SIZES.items()
    )
    assert sick / people == pytest.approx(0.01)
    assert index_rate(0.0, 0.01) == pytest.approx(0.01)


def test_whole_households_spare_tests_and_are_seen_sooner_and_without_spread_they_do_not() -> None:
    spread = ratio(0.35, prevalence=0.03, people=3000, towns=6)
    assert spread.high < 0.85
    assert spread.whole.pool_sensitivity > spread.random.pool_sensitivity + 0.03
    assert "met" in line(spread, 0.99) and "missed" in line(spread, 0.1)
    alone = ratio(0.0, prevalence=0.03, people=3000, towns=6)
    assert alone.low <= 1.0 <= alone.high + 0.02
