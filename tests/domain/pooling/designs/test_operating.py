"""What a design costs and misses: against the reference, by counting everything, by chance."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import (
    Algorithm,
    Cohort,
    Group,
    Hierarchical,
    SquareArray,
)
from lims.domain.pooling.designs.notation import read
from lims.domain.pooling.designs.operating import operating_characteristics
from tests.domain.pooling.designs.enumerated import (
    Counted,
    Tree,
    of_square,
    of_tree,
    simulated_square,
    simulated_tree,
)

SE, SP = (0.93, 0.97, 0.99, 0.9), (0.95, 0.98, 0.96, 0.99)
STAGED = Accuracy(SE, SP)

# Kim et al. 2007 as reckoned by binGroup2 1.3.3; to as many digits as the reference table has.
REFERENCE = [
    ("D2", "32", 0.001, 1.0, 0.0628),
    ("D2", "11", 0.01, 1.0, 0.1956),
    ("D2", "5", 0.05, 1.0, 0.4262),
    ("D2", "3", 0.2, 1.0, 0.8213),
    ("D2", "11", 0.01, 0.95, 0.2351),
    ("D3", "40: 7,7,7,7,6,6", 0.001, 1.0, 0.0376),
    ("D3", "25: 5×5", 0.01, 0.99, 0.1354),
    ("D3", "24: 6×4", 0.01, 0.95, 0.1443),
    ("A2", "40×40", 0.001, 0.99, 0.0561),
    ("A2", "25×25", 0.01, 0.95, 0.1475),
    ("A2", "10×10", 0.05, 0.99, 0.3809),
    ("A2", "5×5", 0.2, 1.0, 0.8789),
]


@pytest.mark.parametrize(("algorithm", "configuration", "p", "right", "tests"), REFERENCE)
def test_a_design_costs_what_the_reference_says(
    algorithm: str, configuration: str, p: float, right: float, tests: float
) -> None:
    design = read(configuration, Algorithm(algorithm))
    found = operating_characteristics(design, p, Accuracy.alike(right, right))
    assert found.expected_tests_per_person == pytest.approx(tests, abs=5e-5)


def test_a_positive_is_as_credible_as_the_reference_says() -> None:
    accuracy = Accuracy.alike(0.99, 0.99)
    for algorithm, configuration, pppv in (
        ("D2", "11", 0.905),
        ("D3", "25: 5×5", 0.960),
        ("D4", "36: 9(3×3)×4", 0.980),
        ("A2", "25×25", 0.953),
    ):
        design = read(configuration, Algorithm(algorithm))
        found = operating_characteristics(design, 0.01, accuracy)
        assert found.pppv == pytest.approx(pppv, abs=5e-4)
        assert found.pnpv >= 0.9996
        if not isinstance(design, SquareArray):
            assert found.pooling_sensitivity == pytest.approx(0.99**design.stages)


TREES: list[Tree] = [
    1,
    2,
    5,
    [2, 2],
    [3, 1, 2],
    [1, 1, 1],
    [[2, 1], 2],
    [[2, 2], [1, 2]],
    [[1, 1], 3, 1],
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_a_tree_agrees_with_counting_every_truth_and_every_error(tree: Tree) -> None:
    group = _group(tree)
    risks = [0.02 + 0.07 * n for n in range(group.people)]
    told = STAGED.alone if tree == 1 else STAGED
    counted = of_tree(tree, risks, told.se, told.sp)
    found = operating_characteristics(Hierarchical(group), risks, STAGED)
    _agree(counted, risks, found.expected_tests, found.sensitivity, found.specificity)


@pytest.mark.parametrize("master", [False, True])
@pytest.mark.parametrize("side", [2, 3])
def test_a_square_agrees_with_counting_every_truth_and_every_error(
    side: int, *, master: bool
) -> None:
    risks = [0.02 + 0.05 * n for n in range(side * side)]
    counted = of_square(side, risks, SE, SP, master=master)
    found = operating_characteristics(SquareArray(side, master), risks, STAGED)
    _agree(counted, risks, found.expected_tests, found.sensitivity, found.specificity)


def _agree(
    counted: Counted,
    risks: list[float],
    tests: float,
    sensitivity: tuple[float, ...],
    specificity: tuple[float, ...],
) -> None:
    assert tests == pytest.approx(counted.tests, abs=1e-10)
    for n, risk in enumerate(risks):
        assert sensitivity[n] == pytest.approx(counted.found[n] / risk, abs=1e-10)
        assert specificity[n] == pytest.approx(1 - counted.blamed[n] / (1 - risk), abs=1e-10)


def test_the_overall_figures_are_those_of_all_results_together() -> None:
    risks = [0.02, 0.3, 0.1, 0.05]
    counted = of_tree([2, 2], risks, SE, SP)
    found = operating_characteristics(Hierarchical(_group([2, 2])), risks, STAGED)
    said_positive = sum(counted.found) + sum(counted.blamed)
    assert found.pooling_sensitivity == pytest.approx(sum(counted.found) / sum(risks))
    assert found.pppv == pytest.approx(sum(counted.found) / said_positive)
    right = 4 - sum(risks) - sum(counted.blamed)
    assert found.pnpv == pytest.approx(right / (4 - said_positive))
    assert found.pooling_specificity == pytest.approx(right / (4 - sum(risks)))


def test_chance_agrees_for_trees_too_large_to_count() -> None:
    tree: list[Tree] = [[4, 4, 4], [6, 6], 10, 6]
    tests, error, found = simulated_tree(tree, 0.03, SE, SP, rounds=6_000, seed=5)
    said = operating_characteristics(Hierarchical(_group(tree)), 0.03, STAGED)
    assert tests == pytest.approx(said.expected_tests_per_person, abs=5 * error)
    assert found == pytest.approx(said.pooling_sensitivity, abs=0.03)


@pytest.mark.parametrize(("side", "master"), [(20, False), (12, False), (6, True)])
def test_chance_agrees_for_squares_too_large_to_count(side: int, *, master: bool) -> None:
    tests, error, found = simulated_square(
        side, 0.02, SE, SP, rounds=20_000, seed=side, master=master
    )
    said = operating_characteristics(SquareArray(side, master), 0.02, STAGED)
    assert tests == pytest.approx(said.expected_tests_per_person, abs=5 * error)
    assert found == pytest.approx(said.pooling_sensitivity, abs=0.01)


def test_a_cohort_is_the_sum_of_its_designs_and_who_is_tested_alone_has_the_last_stages_test() -> (
    None
):
    risks = [0.01, 0.02, 0.03, 0.4]
    cohort = Cohort((Hierarchical(Group(3)), Hierarchical(Group(1))))
    found = operating_characteristics(cohort, risks, STAGED)
    three = operating_characteristics(Hierarchical(Group(3)), risks[:3], STAGED)
    assert found.expected_tests == pytest.approx(three.expected_tests + 1)
    assert found.sensitivity == (*three.sensitivity, SE[-1])


@st.composite
def trees(draw: st.DrawFn) -> Hierarchical:
    middle = st.integers(1, 9).map(Group)
    deep = st.lists(middle, min_size=2, max_size=4).map(Group.of)
    return Hierarchical(Group.of(draw(st.lists(middle | deep, min_size=2, max_size=5))))


SQUARES = st.builds(SquareArray, st.integers(2, 12), st.booleans())
PROBABILITIES = st.floats(1e-6, 0.999_999)


@settings(max_examples=150, deadline=None)
@given(trees() | SQUARES, PROBABILITIES, st.floats(0.6, 1.0), st.floats(0.6, 1.0))
def test_every_figure_is_a_probability_and_pooling_never_raises_sensitivity(
    design: Hierarchical | SquareArray, p: float, se: float, sp: float
) -> None:
    found = operating_characteristics(design, p, Accuracy.alike(se, sp))
    for share in (
        *(found.pooling_sensitivity, found.pooling_specificity, found.pppv, found.pnpv),
        *found.sensitivity,
        *found.specificity,
    ):
        assert -1e-12 <= share <= 1 + 1e-12
    assert found.pooling_sensitivity <= se + 1e-12
    assert found.pooling_specificity >= sp - 1e-12
    assert found.expected_tests >= 1


@settings(max_examples=80, deadline=None)
@given(trees(), st.floats(1e-4, 0.9), st.floats(1.0, 1.1), st.floats(0.7, 1.0))
def test_more_prevalence_never_costs_fewer_tests(
    design: Hierarchical, p: float, more: float, right: float
) -> None:
    accuracy = Accuracy.alike(right, 1.0)
    low = operating_characteristics(design, p, accuracy).expected_tests
    high = operating_characteristics(design, min(p * more, 0.99), accuracy).expected_tests
    assert high >= low - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(PROBABILITIES, min_size=6, max_size=6), st.permutations(range(6)))
def test_two_stages_do_not_care_who_is_called_what(risks: list[float], order: list[int]) -> None:
    design, accuracy = Hierarchical(Group(6)), Accuracy.alike(0.95, 0.98)
    straight = operating_characteristics(design, risks, accuracy)
    turned = operating_characteristics(design, [risks[n] for n in order], accuracy)
    assert turned.expected_tests == pytest.approx(straight.expected_tests)
    assert turned.pppv == pytest.approx(straight.pppv)
    for place, person in enumerate(order):
        assert turned.specificity[place] == pytest.approx(straight.specificity[person])


def _group(tree: Tree) -> Group:
    return Group(tree) if isinstance(tree, int) else Group.of([_group(part) for part in tree])
