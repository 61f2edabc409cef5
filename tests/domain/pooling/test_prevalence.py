"""Prevalence from pools: against closed forms, and against chance over many surveys."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.pooling.monitoring import Action, watched
from lims.domain.pooling.prevalence import (
    DayResults,
    PoolResults,
    Prevalence,
    estimate_prevalence,
    of_window,
    rolling_prevalence,
)


def test_tubes_tested_alone_give_their_share() -> None:
    found = estimate_prevalence([PoolResults(1, 200, 30)])
    assert found.estimate == pytest.approx(0.15)
    # Agresti & Coull's and the mid-p limits of 30 of 200 agree with it to the second digit.
    assert (found.low, found.high) == pytest.approx((0.105, 0.204), abs=0.003)


def test_ten_pools_of_a_hundred_tens() -> None:
    """The maximum likelihood estimate is 1 − .9^(1/10); Firth's is lower by its bias."""
    found = estimate_prevalence([PoolResults(10, 100, 10)])
    likeliest = 1 - 0.9**0.1
    information = 100 * (10 * (1 - likeliest) ** 9) ** 2 / (0.1 * 0.9)
    bias = 0.5 * 9 / (1 - likeliest) / information
    assert found.estimate == pytest.approx(likeliest - bias, rel=2e-4)
    assert found.low < found.estimate < found.high
    assert (found.pools, found.positive, found.people) == (100, 10, 1000)


def test_silent_pools_bound_it_exactly_as_the_same_people_alone_would() -> None:
    exact = 1 - 0.025 ** (1 / 1000)
    for silent in ([PoolResults(10, 100, 0)], [PoolResults(5, 100, 0), PoolResults(20, 25, 0)]):
        found = estimate_prevalence(silent)
        assert (found.estimate, found.low) == (0.0, 0.0)
        assert found.high == pytest.approx(exact, rel=1e-6)


def test_only_positive_pools_leave_no_upper_end() -> None:
    found = estimate_prevalence([PoolResults(10, 5, 5)])
    assert found.high == 1.0
    assert found.low == pytest.approx(1 - (1 - 0.025 ** (1 / 5)) ** 0.1)


def test_a_test_that_misses_or_invents_is_allowed_for() -> None:
    plain = estimate_prevalence([PoolResults(10, 1000, 100)])
    missing = estimate_prevalence([PoolResults(10, 1000, 100, sensitivity=0.8)])
    inventing = estimate_prevalence([PoolResults(10, 1000, 100, specificity=0.98)])
    assert missing.estimate == pytest.approx(1 - (1 - 0.1 / 0.8) ** 0.1, rel=1e-2)
    assert inventing.estimate == pytest.approx(1 - (1 - 0.08 / 0.98) ** 0.1, rel=1e-2)
    assert inventing.estimate < plain.estimate < missing.estimate
    few = estimate_prevalence([PoolResults(10, 1000, 4, specificity=0.99)])
    assert (few.estimate, few.low) == (0.0, 0.0)  # fewer than invented


def test_nothing_tested_says_nothing() -> None:
    assert estimate_prevalence([]) == Prevalence(0.0, 0.0, 1.0, 0, 0, 0)


@pytest.mark.parametrize(
    "impossible",
    [
        PoolResults(10, 5, 6),
        PoolResults(0, 5, 1),
        PoolResults(10, 5, 1, sensitivity=0.5, specificity=0.5),
        PoolResults(10, 5, 1, sensitivity=1.1),
    ],
)
def test_impossible_results_are_no_survey(impossible: PoolResults) -> None:
    with pytest.raises(ValueError, match=r"pools of|says nothing"):
        estimate_prevalence([impossible])


@pytest.mark.parametrize(
    ("truth", "plan"),
    [
        (0.01, (PoolResults(10, 60, 0),)),
        (0.002, (PoolResults(20, 100, 0, sensitivity=0.95),)),
        (0.05, (PoolResults(20, 30, 0, sensitivity=0.9, specificity=0.995),)),
        (0.1, (PoolResults(10, 100, 0),)),
        (0.03, (PoolResults(8, 20, 0), PoolResults(4, 12, 0, sensitivity=0.97))),
    ],
)
def test_over_every_survey_there_could_be_it_is_unbiased_and_its_interval_covers(
    truth: float, plan: tuple[PoolResults, ...]
) -> None:
    mean = covered = likeliest = 0.0
    for counts in product(*(range(one.tested + 1) for one in plan)):
        results = [replace(one, positive=many) for one, many in zip(plan, counts, strict=True)]
        chance = math.prod(_chance(one, truth) for one in results)
        if chance < 1e-9:
            continue
        found = estimate_prevalence(results)
        mean += chance * found.estimate
        covered += chance * (found.low <= truth <= found.high)
        if len(results) == 1:
            share = min(results[0].positive / results[0].tested / results[0].sensitivity, 1)
            likeliest += chance * (1 - (1 - share) ** (1 / results[0].pool_size))
    assert mean == pytest.approx(truth, rel=2e-3)
    assert 0.94 <= covered <= 0.975
    assert len(plan) > 1 or abs(likeliest - truth) > 5 * abs(mean - truth)


def _chance(one: PoolResults, truth: float) -> float:
    gain = one.sensitivity + one.specificity - 1
    seen = one.sensitivity - gain * (1 - truth) ** one.pool_size
    ways = math.comb(one.tested, one.positive)
    return ways * seen**one.positive * (1 - seen) ** (one.tested - one.positive)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 80), st.floats(0, 1)), min_size=1, max_size=4
    )
)
def test_the_interval_holds_the_estimate_and_stays_a_share(
    groups: list[tuple[int, int, float]],
) -> None:
    results = [PoolResults(size, many, round(share * many)) for size, many, share in groups]
    found = estimate_prevalence(results)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    likelier = [PoolResults(one.pool_size, one.tested, one.tested) for one in results]
    assert estimate_prevalence(likelier).estimate >= found.estimate - 1e-9


def test_a_window_holds_its_days_and_rolls() -> None:
    start = date(2021, 9, 1)
    days = [
        DayResults(start + timedelta(days=n), PoolResults(10, 50, 20 if n < 2 else 1))
        for n in range(12)
    ]
    rolled = dict(rolling_prevalence(days, window_days=7))
    assert rolled[date(2021, 9, 7)].pools == 350
    assert rolled[date(2021, 9, 7)].positive == 45
    assert rolled[date(2021, 9, 12)].positive == 7
    assert rolled[date(2021, 9, 12)] == of_window(days, date(2021, 9, 12), window_days=7)


def found(estimate: float, *, pools: int = 100, positive: int = 20) -> Prevalence:
    return Prevalence(estimate, 0, 1, pools, positive, pools * 10)


def test_the_monitoring_rules_speak_beyond_their_limits_and_on_enough() -> None:
    assert watched(found(0.02, positive=25), found(0.02)) == ()
    [stop] = watched(found(0.03, positive=26))
    assert (stop.rule.action, stop.value) == (Action.STOP_TWO_STAGE, 0.26)
    [check] = watched(found(0.0168), found(0.02))
    assert check.rule.action is Action.CHECK_SENSITIVITY
    assert check.value == pytest.approx(0.84)
    assert watched(found(0.0172), found(0.02)) == ()
    assert watched(found(0.01), found(0.02, positive=9)) == ()
    assert watched(found(0.2, pools=4, positive=2)) == ()
