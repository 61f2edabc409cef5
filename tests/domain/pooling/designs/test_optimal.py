"""The best design: the reference's, and never worse than trying every one there is."""

from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import Algorithm, Group, Hierarchical, SquareArray
from lims.domain.pooling.designs.notation import written
from lims.domain.pooling.designs.operating import operating_characteristics
from lims.domain.pooling.designs.optimal import (
    Choice,
    Limits,
    best_of_all,
    optimal_testing_configuration,
)

D2, D3, D4, A2, A2M = (Algorithm(name) for name in ("D2", "D3", "D4", "A2", "A2M"))
REFERENCE = [
    (D2, 0.001, 1.0, "32", 0.0628),
    (D2, 0.01, 0.99, "11", 0.2035),
    (D2, 0.05, 0.99, "5", 0.4317),
    (D3, 0.001, 1.0, "40: 7,7,7,7,6,6", 0.0376),
    (D3, 0.001, 0.99, "40: 7,7,7,7,6,6", 0.0392),
    (D3, 0.01, 1.0, "25: 5×5", 0.1334),
    (D3, 0.05, 0.99, "9: 3×3", 0.3773),
    (D3, 0.01, 0.95, "24: 6×4", 0.1443),
    (D3, 0.2, 1.0, "3: 1×3", 0.8213),
    (D4, 0.001, 1.0, None, 0.0353),
    (D4, 0.01, 1.0, None, 0.1200),
    (D4, 0.05, 1.0, "9: 3×3", 0.3770),
    (D4, 0.2, 1.0, "4: 1×4", 0.8404),
    (D4, 0.001, 0.99, None, 0.0360),
    (D4, 0.01, 0.99, None, 0.1203),
    (D4, 0.05, 0.99, None, 0.3773),
    (D4, 0.01, 0.95, None, 0.1207),
    (A2, 0.001, 1.0, "40×40", 0.0525),
    (A2, 0.01, 0.99, "25×25", 0.1378),
    (A2, 0.05, 1.0, "9×9", 0.3798),
    (A2, 0.05, 0.99, "10×10", 0.3809),
    (A2, 0.2, 1.0, "5×5", 0.8789),
]


def best(
    algorithm: Algorithm, p: float, accuracy: Accuracy, limits: Limits | None = None
) -> Choice:
    found = optimal_testing_configuration(algorithm, p, accuracy, limits or Limits(40))
    assert found is not None
    return found


@pytest.mark.parametrize(("algorithm", "p", "right", "configuration", "tests"), REFERENCE)
def test_the_optimum_is_the_references(
    algorithm: Algorithm, p: float, right: float, configuration: str | None, tests: float
) -> None:
    cap = 100 if algorithm is D2 else 40
    found = best(algorithm, p, Accuracy.alike(right, right), Limits(cap))
    assert found.characteristics.expected_tests_per_person == pytest.approx(tests, abs=5e-5)
    assert configuration in (None, written(found.design))


@cache
def partitions(people: int, most: int) -> tuple[tuple[int, ...], ...]:
    """Every way to part so many people into groups of at most ``most``."""
    if people == 0:
        return ((),)
    return tuple(
        (first, *rest)
        for first in range(min(people, most), 0, -1)
        for rest in partitions(people - first, first)
    )


@cache
def every_group(people: int, stages: int) -> tuple[Group, ...]:
    """Every tree of one pool that takes at most so many rounds, itself counted."""
    if people == 1 or stages < 2:
        return (Group(people),) if people == 1 else ()
    found = [Group(people)]
    if stages > 2:
        for sizes in partitions(people, people - 1):
            found += [Group(people, parts) for parts in combined(sizes, stages - 1)]
    return tuple(found)


def combined(sizes: tuple[int, ...], stages: int) -> Iterator[tuple[Group, ...]]:
    if not sizes:
        yield ()
        return
    for first in every_group(sizes[0], stages):
        for rest in combined(sizes[1:], stages):
            yield (first, *rest)


def every_tree(algorithm: Algorithm, most: int) -> Iterator[Hierarchical]:
    for people in range(algorithm.stages, most + 1):
        yield from map(Hierarchical, every_group(people, algorithm.stages))


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([(D2, 12), (D3, 9), (D4, 7)]),
    st.floats(0.001, 0.5),
    st.lists(st.tuples(st.floats(0.8, 1.0), st.floats(0.8, 1.0)), min_size=1, max_size=4),
    st.floats(0.0, 1.0),
)
def test_no_tree_there_is_within_the_limits_beats_the_optimum(
    asked: tuple[Algorithm, int], p: float, stages: list[tuple[float, float]], held: float
) -> None:
    algorithm, cap = asked
    accuracy = Accuracy(tuple(se for se, _ in stages), tuple(sp for _, sp in stages))
    deepest, shallowest = accuracy.kept(algorithm.stages), accuracy.kept(2)
    least = deepest + held * (shallowest - deepest)
    weighed = [operating_characteristics(t, p, accuracy) for t in every_tree(algorithm, cap)]
    within = [w for w in weighed if w.pooling_sensitivity >= least - 1e-12]
    found = best(algorithm, p, accuracy, Limits(cap, 4, least))
    assert found.characteristics.pooling_sensitivity >= least - 1e-9
    assert found.characteristics.people <= cap
    assert found.characteristics.expected_tests_per_person == pytest.approx(
        min(w.expected_tests_per_person for w in within), abs=1e-9
    )


@settings(max_examples=25, deadline=None)
@given(st.booleans(), st.floats(0.001, 0.5), st.floats(0.7, 1.0), st.floats(0.7, 1.0))
def test_no_square_there_is_beats_the_optimum(
    master: bool,
    p: float,
    se: float,
    sp: float,
) -> None:
    accuracy = Accuracy.alike(se, sp)
    sides = range(2, 7) if master else range(2, 13)
    every = [operating_characteristics(SquareArray(n, master), p, accuracy) for n in sides]
    limits = Limits(40 if master else 12)
    found = best(A2M if master else A2, p, accuracy, limits)
    assert found.characteristics.expected_tests_per_person == pytest.approx(
        min(one.expected_tests_per_person for one in every), abs=1e-12
    )


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([D2, D3, D4, A2, A2M]),
    st.floats(0.0005, 0.4),
    st.integers(4, 39),
    st.floats(0.85, 1.0),
)
def test_a_larger_cap_never_costs_more_and_a_cap_is_kept(
    algorithm: Algorithm, p: float, cap: int, right: float
) -> None:
    accuracy = Accuracy.alike(right, right)
    small, large = (best(algorithm, p, accuracy, Limits(most)) for most in (cap, cap + 1))
    assert small.design.largest_pool <= cap
    assert (
        large.characteristics.expected_tests_per_person
        <= small.characteristics.expected_tests_per_person + 1e-12
    )


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0005, 0.2), st.floats(0.9, 0.999), st.floats(0.0, 1.0))
def test_a_least_sensitivity_is_kept_by_every_algorithm(p: float, se: float, least: float) -> None:
    accuracy = Accuracy.alike(se, 0.99)
    for choice in best_of_all(p, accuracy, Limits(16, 4, least)):
        assert choice.characteristics.pooling_sensitivity >= least - 1e-9
    assert bool(best_of_all(p, accuracy, Limits(16, 4, least))) == (least <= se + 1e-12)


def test_few_tests_that_miss_people_are_refused_by_the_least_sensitivity() -> None:
    """Se .95 alone "improves" D3: with a floor, D2 or single tests are what is left."""
    accuracy = Accuracy.alike(0.95, 0.99)
    free = best_of_all(0.01, accuracy, Limits(40))[0]
    held = best_of_all(0.01, accuracy, Limits(40, 4, 0.9))[0]
    assert free.characteristics.pooling_sensitivity < 0.86
    assert (held.algorithm, written(held.design)) == (D2, "11")
    assert best_of_all(0.01, accuracy, Limits(40, 4, 0.95))[0].algorithm is Algorithm.INDIVIDUAL
    assert best_of_all(0.01, accuracy, Limits(40, 4, 0.96)) == []


def test_stages_are_a_limit() -> None:
    accuracy = Accuracy.alike(0.99, 0.99)
    assert optimal_testing_configuration(D3, 0.01, accuracy, Limits(40, 2)) is None
    two = best_of_all(0.01, accuracy, Limits(40, 2))
    assert {choice.algorithm for choice in two} == {Algorithm.INDIVIDUAL, D2, A2}
    assert best_of_all(0.01, accuracy, Limits(40, 4))[0].algorithm is D4


def test_where_many_are_positive_single_tests_are_best() -> None:
    found = best_of_all(0.4, Accuracy.alike(0.99, 0.99), Limits(40))[0]
    assert (found.algorithm, found.characteristics.expected_tests_per_person) == (
        Algorithm.INDIVIDUAL,
        1.0,
    )
    assert found.stages == 1


def test_equals_are_told_apart_by_fewer_stages() -> None:
    """At 5 % D4 finds nothing better than D3's 9: 3×3."""
    order = [choice.algorithm for choice in best_of_all(0.05, Accuracy.alike(1, 1), Limits(40))]
    assert order.index(D3) < order.index(D4)
