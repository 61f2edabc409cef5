"""What dilution costs: the reference figures, against chance drawn by the simulator's own words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.demo.physics import detection_probability, pooled_ct
from lims.domain.pooling.dilution import (
    CLINICAL,
    SCREENING,
    LoadMix,
    PanelParameters,
    detected,
    largest_pool,
    parameters_of,
    pool_sensitivity,
    sensitivity,
    sensitivity_given_pool_ct,
    sensitivity_in_band,
)

MIXES = {"clinical": CLINICAL, "screening": SCREENING}
DRAWS = 400_000


def drawn_loads(rng: np.random.Generator, mix: LoadMix, size: tuple[int, ...]) -> np.ndarray:
    which = rng.choice(len(mix.components), size=size, p=[one.share for one in mix.components])
    mean = np.array([one.mean_ct for one in mix.components])[which]
    spread = np.array([one.sd_cycles for one in mix.components])[which]
    return rng.normal(mean, spread).clip(mix.lowest_ct, mix.highest_ct)


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
@pytest.mark.parametrize("master", [10, 16, 20, 32])
def test_the_reference_figures_come_out(mix: LoadMix, master: int) -> None:
    half = master // 2
    assert sensitivity_in_band(-math.inf, 34, half, master, mix=mix) >= 0.9999
    assert sensitivity_in_band(34, 36, half, master, mix=mix) == pytest.approx(0.994, abs=0.0011)
    assert 0.894 <= sensitivity_in_band(36, 38, half, master, mix=mix) <= 0.915
    assert 0.9825 <= sensitivity_in_band(-math.inf, math.inf, half, master, mix=mix) <= 0.9955
    assert sensitivity_in_band(-math.inf, math.inf, 1, master, mix=mix) >= 0.9997


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
def test_a_row_of_five_in_a_late_pool_of_twenty_is_the_upper_end(mix: LoadMix) -> None:
    assert sensitivity_in_band(36, 38, 5, 20, mix=mix) == pytest.approx(0.983, abs=0.002)


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
@pytest.mark.parametrize(("n", "positives"), [(1, 1), (5, 1), (20, 1), (32, 2), (20, 3)])
def test_the_integral_agrees_with_chance(mix: LoadMix, n: int, positives: int) -> None:
    rng = np.random.default_rng(20210911)
    loads = drawn_loads(rng, mix, (DRAWS, positives))
    truth = -np.log2((2.0**-loads).sum(axis=1) / n)
    seen = (rng.random(DRAWS) < 1 / (1 + np.exp((truth - 37) / 0.5))).mean()
    off = 4 * math.sqrt(seen * (1 - seen) / DRAWS)
    assert sensitivity(n, positives=positives, mix=mix) == pytest.approx(seen, abs=off)


@pytest.mark.parametrize("band", [(30, 34), (34, 36), (36, 38), (38, 40)])
@pytest.mark.parametrize("sub", [1, 4, 10])
def test_so_does_the_sub_pool_given_its_master(band: tuple[float, float], sub: int) -> None:
    rng = np.random.default_rng(7)
    truth = drawn_loads(rng, SCREENING, (DRAWS * 4,)) + math.log2(20)
    shown = truth + rng.normal(0, 0.4, truth.size)
    found = rng.random(truth.size) < 1 / (1 + np.exp((truth - 37) / 0.5))
    chosen = truth[found & (shown > band[0]) & (shown <= band[1])] - math.log2(20 / sub)
    chance = 1 / (1 + np.exp((chosen - 37) / 0.5))
    off = 4 * chance.std() / math.sqrt(chosen.size) + 1e-5
    assert sensitivity_in_band(*band, sub, 20) == pytest.approx(chance.mean(), abs=off)


def test_the_model_is_the_simulator_s() -> None:
    for ct in (20.0, 34.2, 36.9, 39.0):
        assert detected(np.array([ct]))[0] == pytest.approx(detection_probability(ct))
    alone = pooled_ct([27.0, *([None] * 9)])
    assert alone == pytest.approx(27.0 + PanelParameters().cycles_lost(10))


def test_one_ct_lies_between_the_bands_around_it() -> None:
    early, late = (sensitivity_given_pool_ct(ct, 10, 20) for ct in (34.0, 38.0))
    assert early > sensitivity_in_band(34, 36, 10, 20) > sensitivity_in_band(36, 38, 10, 20) > late
    assert sensitivity_given_pool_ct(5.0, 10, 20) == pytest.approx(1.0)
    assert 0 < sensitivity_given_pool_ct(44.0, 10, 20) < 0.5


def test_company_makes_a_pool_easier_to_see() -> None:
    alone, two = sensitivity(20), sensitivity(20, positives=2)
    assert alone == pytest.approx(0.712, abs=1e-3)
    assert two > 0.85
    assert pool_sensitivity(20, 1e-9) == pytest.approx(alone)
    assert alone < pool_sensitivity(20, 0.05) < two


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_larger_pool_never_sees_more(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert sensitivity(large) <= sensitivity(small) + 1e-12


@given(st.floats(30, 44), st.integers(1, 20), st.integers(1, 20))
def test_a_smaller_sub_pool_never_sees_less(ct: float, one: int, other: int) -> None:
    small, large = sorted((one, other))
    seen = sensitivity_given_pool_ct(ct, large, 20)
    assert seen <= sensitivity_given_pool_ct(ct, small, 20) + 1e-12


def test_the_largest_pool_keeps_the_weak_positive_above_the_limit() -> None:
    assert largest_pool(37, 34) == 8
    assert largest_pool(36.7, 33.7) == 8  # 2.999…96 in floating point
    assert largest_pool(37, 33.9) == 8
    assert largest_pool(37, 34, cycles_per_doubling=1.5) == 4
    assert largest_pool(35, 35) == largest_pool(34, 36) == 1


def test_a_site_s_limit_of_detection_is_where_19_of_20_are_seen() -> None:
    ours = parameters_of(lod_ct=35.0, cycles_per_doubling=1.1)
    assert detected(np.array([35.0]), ours)[0] == pytest.approx(0.95)
    assert ours.lod_ct == pytest.approx(35.0)
    assert ours.cycles_lost(8) == pytest.approx(3.3)
    assert sensitivity(10, parameters=ours) < sensitivity(10)
