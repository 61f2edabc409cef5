"""What a plan may not be asked with, and how a list of risks is read."""

import math

import pytest

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.asked import (
    asked_accuracy,
    asked_clock,
    asked_limits,
    asked_probability,
)
from lims.domain.pooling.designs.optimal import Limits
from lims.domain.pooling.designs.risk_list import read_risks
from lims.domain.refusals import OutOfRange, PoolAboveCap, UnreadableList


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 1.5, math.nan, math.inf])
def test_a_probability_is_between_nought_and_one(value: float) -> None:
    with pytest.raises(OutOfRange) as refused:
        asked_probability(value, where="prevalence")
    assert refused.value.where == "prevalence"


@pytest.mark.parametrize(
    ("se", "sp", "where"),
    [
        ((0.0,), (0.9,), "se"),
        ((0.9,), (1.1,), "sp"),
        ((0.5,), (0.5,), "se"),
        ((0.99, 0.2), (0.9, 0.8), "se"),
        ((0.9, math.nan), (0.9,), "se"),
        ((), (0.9,), "se"),
        ((0.9,) * 5, (0.9,), "se"),
    ],
)
def test_a_test_that_says_less_than_a_coin_is_no_test(
    se: tuple[float, ...], sp: tuple[float, ...], where: str
) -> None:
    with pytest.raises(OutOfRange) as refused:
        asked_accuracy(se, sp)
    assert refused.value.where == where


def test_a_perfect_test_and_one_that_differs_by_stage_may_be_asked() -> None:
    assert asked_accuracy([1], [1]) == Accuracy.alike(1, 1)
    staged = asked_accuracy([0.9, 0.99], [0.98])
    assert [staged.sensitivity(stage) for stage in (1, 2, 3)] == [0.9, 0.99, 0.99]


@pytest.mark.parametrize(
    "limits", [(1, 4, 0.0), (101, 4, 0.0), (20, 0, 0.0), (20, 5, 0.0), (20, 4, 1.1), (20, 4, -0.1)]
)
def test_limits_that_are_none_are_refused(limits: tuple[int, int, float]) -> None:
    with pytest.raises(OutOfRange):
        asked_limits(*limits)


def test_no_pool_is_planned_that_the_site_has_not_validated() -> None:
    assert asked_limits(20, 3, 0.9, validated=20) == Limits(20, 3, 0.9)
    with pytest.raises(PoolAboveCap):
        asked_limits(21, 3, 0.9, validated=20)


def test_hours_are_hours() -> None:
    assert asked_clock(2, 0.75, 0.3).expected_hours(3) == 6.1
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(OutOfRange):
            asked_clock(2, wrong, 0.3)


@pytest.mark.parametrize(
    "text",
    [
        "0.01\n0.5\n",
        "name,risk\na,0.01\nb,0.5",
        "risk,name\r\n0.01,a\r\n\r\n0.5,b\r\n",
        "\ufefftên;nguy cơ\na;0,01\nb;0,5\n",
        "p\tx\n0,01\t9\n.5\t9\n",
        "barcode,how likely\nA,.01\nB,.5\n",
    ],
)
def test_a_list_of_risks_is_read(text: str) -> None:
    assert read_risks(text) == (0.01, 0.5)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("0.01\n0\n", "line 2"),
        ("risk\n0.01\n1.2\n", "line 3"),
        ("risk,name\n0.01,a\n,b\n", "line 3"),
        ("0.1\nnan\n", "line 2"),
        ("name,risk\na\n", "line 2"),
    ],
)
def test_a_risk_that_is_none_is_named_by_its_line(text: str, where: str) -> None:
    with pytest.raises(OutOfRange) as refused:
        read_risks(text)
    assert refused.value.where == where


@pytest.mark.parametrize("text", ["", "\n\n", "risk\n", "0.1\n" * 2_001, '0.1\n"' + "9" * 140_000])
def test_a_list_of_nobody_or_too_many_is_refused(text: str) -> None:
    with pytest.raises(UnreadableList):
        read_risks(text)
