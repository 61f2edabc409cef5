"""Which pool size is advised: Dorfman's optimum, bound by what may be lost and what is allowed."""

from __future__ import annotations

import pytest

from lims.domain.pooling.dilution import CLINICAL, LoadComponent, LoadMix
from lims.domain.pooling.pool_size import Because, Limits, advise_pool_size, expected_of
from lims.domain.pooling.prevalence import Prevalence

STRONG = LoadMix((LoadComponent(1.0, 20.0, 0.5),))  # nothing is lost to dilution


def at(share: float, *, pools: int = 200) -> Prevalence:
    return Prevalence(share, share * 0.7, min(share * 1.4, 1), pools, 20, pools * 10)


def test_without_loss_it_is_dorfman_s_own_figure() -> None:
    for size in (5, 11, 32):
        plain = expected_of(size, 0.01, mix=STRONG)
        clean = 0.99**size
        assert plain.tests_per_person == pytest.approx(1 / size + 1 - clean + 0.005 * clean)
        assert plain.sensitivity == pytest.approx(1.0)
        assert plain.missed_per_10_000 == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("share", "best"), [(0.01, 11), (0.05, 5), (0.001, 32)])
def test_the_optimum_is_the_reference_s_where_nothing_else_binds(share: float, best: int) -> None:
    advice = advise_pool_size(2, at(share), Limits(100), mix=STRONG)
    assert abs(advice.size - best) <= 1  # Sp .995 moves the flat bottom of the curve by one
    assert advice.because is Because.FEWEST_TESTS
    assert advice.changes


def test_a_current_size_that_costs_hardly_more_is_kept() -> None:
    advice = advise_pool_size(10, at(0.01), Limits(20), mix=STRONG)
    assert (advice.size, advice.because, advice.changes) == (10, Because.KEPT, False)


def test_the_site_s_and_the_validated_size_bind_and_are_named() -> None:
    site = advise_pool_size(5, at(0.001), Limits(12), mix=STRONG)
    assert (site.size, site.because) == (12, Because.SITE)
    panel = advise_pool_size(5, at(0.001), Limits(20, validated=8), mix=STRONG)
    assert (panel.size, panel.because) == (8, Because.VALIDATED)
    none = advise_pool_size(5, at(0.001), Limits(20, validated=1), mix=STRONG)
    assert (none.size, none.because) == (1, Because.VALIDATED)


def test_a_size_that_loses_too_many_is_not_advised_however_few_tests_it_takes() -> None:
    advice = advise_pool_size(10, at(0.001), Limits(32))
    assert advice.because is Because.SENSITIVITY
    assert advice.advised.sensitivity >= 0.85 > expected_of(advice.size + 1, 0.001).sensitivity
    assert advice.now.missed_per_10_000 > advice.advised.missed_per_10_000
    assert advise_pool_size(10, at(0.001), Limits(32), mix=CLINICAL).size > advice.size


def test_many_positives_make_pools_small_and_then_pointless() -> None:
    third = advise_pool_size(10, at(0.1), Limits(20), mix=STRONG)
    assert (third.size, third.because) == (2, Because.POSITIVITY)
    alone = advise_pool_size(10, at(0.2), Limits(20), mix=STRONG)
    assert (alone.size, alone.because) == (1, Because.ALONE)
    assert alone.advised.tests_per_person == 1.0


def test_a_few_pools_change_nothing_but_a_size_that_is_not_allowed() -> None:
    few = at(0.2, pools=19)
    assert advise_pool_size(10, few, Limits(20)).because is Because.TOO_LITTLE
    assert advise_pool_size(10, few, Limits(20, validated=4)).size <= 4


def test_hours_and_the_interval_follow_from_the_tests() -> None:
    advice = advise_pool_size(10, at(0.01), Limits(20), mix=STRONG)
    assert advice.now.hours == pytest.approx(2.75 * (1 + advice.now.positivity))
    assert advice.now.machine_hours_per_1000 == pytest.approx(
        1000 * advice.now.tests_per_person / 94 * 2.0
    )
    assert advice.lowest < advice.advised.tests_per_person < advice.highest
    assert {one.size for one in advice.others} >= {1, 5, 10, 20}
