"""Designs for people whose risks differ."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import (
    Algorithm,
    Cohort,
    Design,
    Group,
    Hierarchical,
    SquareArray,
)
from lims.domain.pooling.designs.informative import Sorted, best_cohort
from lims.domain.pooling.designs.operating import operating_characteristics
from lims.domain.pooling.designs.optimal import Limits, optimal_testing_configuration

D2, D3, D4, A2, A2M = (Algorithm(name) for name in ("D2", "D3", "D4", "A2", "A2M"))
RISKS = st.floats(0.001, 0.6)


def compositions(people: int, most: int) -> Iterator[tuple[int, ...]]:
    """Every way to cut a queue of so many into pieces of at most ``most``."""
    if people == 0:
        yield ()
    for first in range(1, min(people, most) + 1):
        for rest in compositions(people - first, most):
            yield (first, *rest)


def every_pool(people: int, stages: int) -> Iterator[Group]:
    yield Group(people)
    if people > 1 and stages > 2:
        for sizes in compositions(people, people - 1):
            for parts in every_row(sizes, stages - 1):
                yield Group(people, parts)


def every_row(sizes: tuple[int, ...], stages: int) -> Iterator[tuple[Group, ...]]:
    if not sizes:
        yield ()
        return
    for first in every_pool(sizes[0], stages):
        for rest in every_row(sizes[1:], stages):
            yield (first, *rest)


def every_cohort(people: int, algorithm: Algorithm, most: int) -> Iterator[Cohort]:
    for sizes in compositions(people, people):
        if algorithm.hierarchical:
            if max(sizes) <= most:
                for row in every_row(sizes, algorithm.stages):
                    yield Cohort(tuple(Hierarchical(group) for group in row))
        elif set(sizes) <= {1, 4}:
            yield Cohort(tuple(square(size, algorithm) for size in sizes))


def square(people: int, algorithm: Algorithm) -> Design:
    return Hierarchical(Group(1)) if people == 1 else SquareArray(2, algorithm is A2M)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([D2, D3, D4, A2, A2M]),
    st.lists(RISKS, min_size=1, max_size=6),
    st.lists(st.tuples(st.floats(0.8, 1.0), st.floats(0.8, 1.0)), min_size=1, max_size=3),
    st.integers(4, 6),
    st.sampled_from([0.0, 0.75, 0.9]),
)
def test_no_cohort_in_order_of_risk_beats_the_optimum(
    algorithm: Algorithm,
    risks: list[float],
    stages: list[tuple[float, float]],
    most: int,
    least: float,
) -> None:
    accuracy = Accuracy(tuple(se for se, _ in stages), tuple(sp for _, sp in stages))
    ordered = sorted(risks)
    weighed = [
        operating_characteristics(cohort, ordered, accuracy)
        for cohort in every_cohort(len(risks), algorithm, most)
    ]
    tests = [w.expected_tests for w in weighed if min(w.sensitivity) >= least - 1e-12]
    found = best_cohort(algorithm, Sorted(np.array(ordered), accuracy, most, least))
    assert (found is None) == (not tests)
    if found is not None:
        its = operating_characteristics(found, ordered, accuracy)
        assert its.expected_tests == pytest.approx(min(tests), abs=1e-9)
        assert min(its.sensitivity) >= least - 1e-12
        assert found.people == len(risks)


@settings(max_examples=30, deadline=None)
@given(st.lists(RISKS, min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_list_changes_nothing(risks: list[float], chance: object) -> None:
    assert hasattr(chance, "shuffle")
    turned = list(risks)
    chance.shuffle(turned)
    accuracy = Accuracy.alike(0.98, 0.99)
    for algorithm in (D2, D3, A2):
        assert optimal_testing_configuration(
            algorithm, risks, accuracy, Limits(10)
        ) == optimal_testing_configuration(algorithm, turned, accuracy, Limits(10))


def test_two_stages_in_order_of_risk_beat_every_parting_of_the_people() -> None:
    """Hwang 1975: neighbours in order of risk are best, whoever else could stand together."""
    risks, accuracy = [0.01, 0.05, 0.1, 0.2, 0.3, 0.02], Accuracy.alike(0.95, 0.97)
    found = optimal_testing_configuration(D2, risks, accuracy, Limits(6))
    assert found is not None
    least = min(
        sum(
            1
            if len(pool) == 1
            else operating_characteristics(
                Hierarchical(Group(len(pool))), [risks[n] for n in pool], accuracy
            ).expected_tests
            for pool in parting
        )
        for parting in partings(list(range(6)))
    )
    assert found.characteristics.expected_tests == pytest.approx(least)


def partings(people: list[int]) -> Iterator[list[list[int]]]:
    if not people:
        yield []
        return
    first, rest = people[0], people[1:]
    for smaller in partings(rest):
        yield [[first], *smaller]
        for n, pool in enumerate(smaller):
            yield [*smaller[:n], [first, *pool], *smaller[n + 1 :]]


def test_contacts_are_tested_alone_and_the_others_pooled() -> None:
    risks = [0.005] * 40 + [0.5] * 3
    for algorithm in (D2, D3, D4):
        found = optimal_testing_configuration(
            algorithm, risks, Accuracy.alike(0.99, 0.99), Limits()
        )
        assert found is not None
        assert isinstance(found.design, Cohort)
        assert [design.people for design in found.design.designs[-3:]] == [1, 1, 1]
        alike = optimal_testing_configuration(
            algorithm, sum(risks) / 43, Accuracy.alike(0.99, 0.99), Limits()
        )
        assert alike is not None
        assert (
            found.characteristics.expected_tests_per_person
            < 0.8 * alike.characteristics.expected_tests_per_person
        )


def test_equal_risks_need_no_more_tests_than_whole_pools_of_the_best_size() -> None:
    accuracy = Accuracy.alike(0.99, 0.99)
    for algorithm, people in ((D2, 22), (D3, 50), (A2M, 50)):
        alike = optimal_testing_configuration(algorithm, 0.01, accuracy, Limits())
        each = optimal_testing_configuration(algorithm, [0.01] * people, accuracy, Limits())
        assert alike is not None
        assert each is not None
        assert each.characteristics.expected_tests_per_person == pytest.approx(
            alike.characteristics.expected_tests_per_person
        )
