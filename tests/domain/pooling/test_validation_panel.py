"""A dilution series: what it loses by size, and which of three limits the largest pool meets."""

from __future__ import annotations

import pytest

from lims.domain.pooling.validation_panel import Bound, DilutionRow, Panel, fit
from lims.domain.refusals import InvalidBody


def row(
    size: int,
    pooled: float | None,
    *,
    alone: float = 30.0,
    detected: int = 20,
    replicates: int = 20,
) -> DilutionRow:
    return DilutionRow(size, alone, pooled, detected, replicates)


SERIES = (row(5, 32.3), row(10, 33.3), row(20, 34.3))


def test_the_limit_of_detection_leaves_eight_of_what_was_measured_to_twenty() -> None:
    fitted = fit(Panel(lod_ct=36.0, weak_positive_ct=33.0, rows=SERIES))
    assert fitted.cycles_per_doubling == pytest.approx(0.993, abs=0.002)
    assert (fitted.largest_pool, fitted.bound) == (8, Bound.LIMIT_OF_DETECTION)
    assert [one.cycles_lost for one in fitted.sizes] == pytest.approx([2.3, 3.3, 4.3])


def test_nobody_pools_more_than_was_measured() -> None:
    fitted = fit(Panel(lod_ct=38.0, weak_positive_ct=31.0, rows=SERIES))
    assert fitted.by_limit > 100
    assert (fitted.largest_pool, fitted.bound) == (20, Bound.LARGEST_MEASURED)


def test_a_size_that_misses_two_of_twenty_is_too_large_and_so_is_every_larger_one() -> None:
    rows = (row(5, 32.3), row(10, 33.3, detected=18), row(20, 34.3))
    fitted = fit(Panel(lod_ct=38.0, weak_positive_ct=31.0, rows=rows))
    assert (fitted.largest_pool, fitted.bound) == (5, Bound.DETECTION)
    alone = fit(Panel(lod_ct=38.0, weak_positive_ct=31.0, rows=rows[1:]))
    assert (alone.largest_pool, alone.bound) == (1, Bound.DETECTION)


def test_a_sample_weaker_than_the_one_to_be_kept_may_be_lost() -> None:
    rows = (*SERIES, row(10, None, alone=36.5, detected=0))
    assert fit(Panel(lod_ct=38.0, weak_positive_ct=31.0, rows=rows)).largest_pool == 20


def test_a_kit_that_loses_more_than_the_dilution_pools_fewer() -> None:
    steep = tuple(row(one.pool_size, 30 + 1.4 * (one.ct_pooled or 0) - 42) for one in SERIES)
    fitted = fit(Panel(lod_ct=36.0, weak_positive_ct=33.0, rows=steep))
    assert fitted.cycles_per_doubling == pytest.approx(1.39, abs=0.01)
    assert fitted.largest_pool == 4


@pytest.mark.parametrize(
    ("panel", "pointer"),
    [
        (Panel(36, 37, SERIES), "#/weak_positive_ct"),
        (Panel(19, 18, SERIES), "#/lod_ct"),
        (Panel(36, 33, ()), "#/rows"),
        (Panel(36, 33, (row(5, None, detected=0),)), "#/rows"),
        (Panel(36, 33, (row(5, 29.0),)), "#/rows"),
        (Panel(36, 33, (row(1, 30.0),)), "#/rows/0/pool_size"),
        (Panel(36, 33, (*SERIES, row(5, None))), "#/rows/3/ct_pooled"),
        (Panel(36, 33, (row(5, 32.0, detected=21),)), "#/rows/0/detected"),
        (Panel(36, 33, (row(5, 32.0, detected=0),)), "#/rows/0/ct_pooled"),
        (Panel(float("nan"), 33, SERIES), "#/lod_ct"),
    ],
)
def test_what_cannot_be_a_series_is_refused_beside_its_field(panel: Panel, pointer: str) -> None:
    with pytest.raises(InvalidBody) as refused:
        fit(panel)
    errors = refused.value.facts["errors"]
    assert isinstance(errors, list)
    assert pointer in [one["pointer"] for one in errors]
