"""Exact binomial limits, checked against sums of exact fractions."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.control_band import ACTION_TAIL, ControlBand, Signal


def _tail(odd: int, many: int, percent: int) -> float:
    p = Fraction(percent, 100)
    return float(sum(comb(many, k) * p**k * (1 - p) ** (many - k) for k in range(odd, many + 1)))


@given(many=st.integers(1, 120), share=st.integers(0, 100), percent=st.integers(1, 99))
def test_the_chance_is_that_of_exact_fractions(many: int, share: int, percent: int) -> None:
    odd = many * share // 100
    band = ControlBand(odd, many, percent / 100)
    assert band.chance == pytest.approx(_tail(odd, many, percent), rel=1e-9, abs=1e-12)


@given(many=st.integers(1, 400), percent=st.integers(1, 99))
def test_one_more_than_the_limit_is_a_signal_and_the_limit_is_none(many: int, percent: int) -> None:
    limit = ControlBand(0, many, percent / 100).limit
    assert ControlBand(limit, many, percent / 100).signal is not Signal.ACTION
    if limit < many:
        assert ControlBand(limit + 1, many, percent / 100).signal is Signal.ACTION


def test_immensa_is_beyond_the_limit_within_a_day() -> None:
    """About a third of positive strips refuted where a tenth is usual."""
    assert ControlBand(10, 30, 0.10).signal is Signal.ACTION
    assert ControlBand(7, 30, 0.10).signal is Signal.WITHIN
    assert ControlBand(8, 30, 0.10).signal is Signal.WARNING
    assert ControlBand(1, 1, 0.10).signal is Signal.WITHIN
    assert ControlBand(300, 3000, 0.10).chance > ACTION_TAIL


def test_nothing_seen_is_no_signal() -> None:
    band = ControlBand(0, 0, 0.05)
    assert (band.share, band.signal, band.limit) == (0.0, Signal.WITHIN, 0)
