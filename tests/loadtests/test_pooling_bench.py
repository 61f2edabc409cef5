"""`make bench-pooling`: its second reckoning of the formulas is right, and its verdicts are."""

import math

import pytest

from loadtests.pooling import by_sums, reference
from loadtests.pooling.bar import Bar
from tests.domain.pooling.designs.enumerated import of_square, of_tree


def test_a_bar_is_met_from_its_own_side_and_never_by_no_figure() -> None:
    assert Bar("late", 1.0, 2.0).met
    assert not Bar("late", 3.0, 2.0).met
    assert Bar("named", 0.9, 0.88, at_most=False).met
    assert not Bar("named", 0.8, 0.88, at_most=False).met
    assert not Bar("nothing", math.nan, 1.0).met


def test_the_sums_agree_with_counting_every_truth_and_every_error() -> None:
    p, se, sp = 0.08, (0.93,) * 4, (0.96,) * 4
    tree = of_tree([[2, 2], [2, 2]], [p] * 8, se, sp)
    found = by_sums.hierarchical((8, 4, 2, 1), p, se[0], sp[0])
    assert found.tests == pytest.approx(tree.tests / 8)
    assert found.sensitivity == pytest.approx(tree.found[0] / p)
    assert found.specificity == pytest.approx(1 - tree.blamed[0] / (1 - p))
    for master in (False, True):
        counted = of_square(3, [p] * 9, se, sp, master=master)
        said = by_sums.square(3, p, se[0], sp[0], master=master)
        assert said.tests == pytest.approx(counted.tests / 9)
        assert said.sensitivity == pytest.approx(counted.found[4] / p)
        assert said.specificity == pytest.approx(1 - counted.blamed[4] / (1 - p))
        assert said.pppv(p) == pytest.approx(
            counted.found[4] / (counted.found[4] + counted.blamed[4])
        )


def test_every_cell_of_the_reference_is_met() -> None:
    bars = reference.measure(True)
    assert len(bars) == 5
    assert all(bar.met for bar in bars)
