"""Bayes' rule over subsets, held against sums written out by hand and by another way."""

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel, Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.bayes.states import States, in_households, independent

RISKS = st.lists(st.floats(0.001, 0.4), min_size=2, max_size=6)


@st.composite
def told(draw: st.DrawFn, members: int) -> frozenset[Measurement]:
    """A detected master, and some parts of it."""
    found = {Measurement(Role.MASTER, tuple(range(members)), detected=True)}
    parts = st.sets(st.integers(0, members - 1), min_size=1, max_size=members)
    for attempt in range(draw(st.integers(0, 5))):
        part = tuple(sorted(draw(parts)))
        role = Role.ALONE if len(part) == 1 else Role.SUB_POOL
        found.add(Measurement(role, part, draw(st.booleans()), attempt + 1))
    return frozenset(found)


def by_hand(risks: list[float], evidence: frozenset[Measurement], model: ErrorModel) -> list[float]:
    """The marginals, subset by subset; of each tube, over both kinds that it may be."""
    total, infected_mass = 0.0, [0.0] * len(risks)
    tubes = {(one.role, one.members) for one in evidence}
    for truth in itertools.product((False, True), repeat=len(risks)):
        weight = 1.0
        for risk, infected in zip(risks, truth, strict=True):
            weight *= risk if infected else 1 - risk
        for role, members in tubes:
            its, positive = model.eluate(role), any(truth[i] for i in members)
            holds = its.holds_of_positive if positive else its.holds_of_negative
            chance = 0.0
            for kind, shown in ((holds, its.seen_holding), (1 - holds, its.seen_empty)):
                alike = kind
                for one in evidence:
                    if (one.role, one.members) == (role, members):
                        alike *= shown if one.detected else 1 - shown
                chance += alike
            weight *= chance
        total += weight
        for member, infected in enumerate(truth):
            infected_mass[member] += weight * infected
    return [mass / total for mass in infected_mass]


@given(data=st.data(), risks=RISKS)
def test_it_is_bayes_rule(data: st.DataObject, risks: list[float]) -> None:
    evidence = data.draw(told(len(risks)))
    seen = posterior(independent(risks), evidence)
    assert seen.marginals == pytest.approx(by_hand(risks, evidence, USUAL), abs=1e-9)
    assert seen.weights.sum() == pytest.approx(1)


@given(data=st.data(), risks=RISKS)
def test_neither_order_nor_repetition_changes_it(data: st.DataObject, risks: list[float]) -> None:
    evidence = list(data.draw(told(len(risks))))
    shuffled = data.draw(st.permutations(evidence))
    once = posterior(independent(risks), evidence)
    again = posterior(independent(risks), [*shuffled, *evidence])
    assert np.array_equal(once.weights, again.weights)


@pytest.mark.parametrize(("members", "risk"), [(20, 0.01), (32, 0.003), (32, 0.02), (24, 0.05)])
def test_what_truncation_leaves_out_is_told(members: int, risk: float) -> None:
    states = independent([risk] * members)
    most = int(states.infected.sum(axis=1).max())
    tail = sum(
        comb(members, k) * risk**k * (1 - risk) ** (members - k)
        for k in range(most + 1, members + 1)
    )
    assert states.omitted == pytest.approx(tail, rel=1e-6, abs=1e-12)
    pool = Measurement(Role.MASTER, tuple(range(members)), detected=True)
    assert 0 < posterior(states, [pool]).omitted < 0.02


@given(data=st.data(), homes=st.lists(st.integers(0, 3), min_size=4, max_size=7))
@settings(deadline=None)
def test_of_what_is_left_out_no_more_explains_the_evidence_than_is_told(
    data: st.DataObject, homes: list[int]
) -> None:
    """Of every subset, and of those with at most two infected."""
    every = in_households([0.08] * len(homes), homes, data.draw(st.sampled_from([0.0, 0.4])))
    few = every.infected.sum(axis=1) <= 2
    kept = float(every.prior[few].sum())
    counted = States(every.infected[few], every.prior[few], 1 - kept, every.spared)
    evidence = data.draw(told(len(homes)))

    seen = posterior(counted, evidence)

    missing = float(posterior(every, evidence).weights[~few].sum())
    assert missing - 1e-9 <= seen.left_out <= seen.omitted + 1e-12


def test_two_infected_of_twenty_are_no_cluster_that_cannot_be_counted() -> None:
    """Who they are is plain from who was in no negative tube, and a third would need a miss: rules
    to bayesian/2 tested everybody alone, 22 to 26 tests in all."""
    tubes = [(0, 2, 5, 8, 10), (0, 3, 6, 7, 10), (2, 4, 7, 9, 11), (1, 3, 5, 9, 12), (1, 4, 6, 8)]
    found = [True, True, True, False, False]
    evidence = [
        Measurement(Role.MASTER, tuple(range(20)), detected=True),
        *(Measurement(Role.SUB_POOL, t, seen) for t, seen in zip(tubes, found, strict=True)),
        *(Measurement(Role.ALONE, (i,), detected=False) for i in range(13, 20)),
    ]
    seen = posterior(independent([0.01] * 20), evidence)
    assert seen.too_much_omitted
    assert not seen.too_much_left_out


def test_to_sixteen_members_nothing_is_left_out() -> None:
    states = independent([0.3] * 16)
    assert len(states.prior) == 2**16
    assert states.omitted == pytest.approx(0, abs=1e-12)


def test_two_of_a_household_infect_one_another() -> None:
    """Reed-Frost of two: both, if both were brought it, or one was and gave it on."""
    p, q, rate = 0.02, 0.05, 0.25
    states = in_households([p, q, 0.01], [7, 7, 3], rate)
    chance = {
        tuple(map(bool, s)): float(w) for s, w in zip(states.infected, states.prior, strict=True)
    }
    both = p * q + (p * (1 - q) + q * (1 - p)) * rate
    assert chance[True, True, False] == pytest.approx(both * 0.99)
    assert chance[True, False, False] == pytest.approx(p * (1 - q) * (1 - rate) * 0.99)
    assert sum(chance.values()) == pytest.approx(1)


def test_three_of_a_household_infect_one_another_in_chains() -> None:
    """Of one brought in: nobody (1-r)^2; one 2r(1-r)^2, who does not reach the third; else both."""
    rate, p = 0.3, 1e-6  # two brought in at once are too rare to matter
    states = in_households([p] * 3, [1, 1, 1], rate)
    by_size = np.bincount(states.infected.sum(axis=1), states.prior)
    nobody, one = (1 - rate) ** 2, 2 * rate * (1 - rate) * (1 - rate)
    assert by_size[1:] / (3 * p) == pytest.approx([nobody, one, 1 - nobody - one], rel=1e-4)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=9), st.floats(0.0, 0.6))
@settings(max_examples=25)
def test_households_leave_no_probability_out(homes: list[int], rate: float) -> None:
    states = in_households([0.02] * len(homes), homes, rate)
    assert states.prior.sum() == pytest.approx(1)
    assert (states.prior >= 0).all()


def test_a_household_is_likelier_together_than_strangers() -> None:
    """Pitfall of pooling.md: independence would wrongly clear relatives."""
    homes = [0, 0, 0, 1, 2, 3]
    found = [
        Measurement(Role.MASTER, tuple(range(6)), detected=True),
        Measurement(Role.ALONE, (0,), detected=True),
    ]
    together = posterior(in_households([0.01] * 6, homes, 0.25), found).marginals
    assert together[1] > 10 * together[3]
    apart = posterior(independent([0.01] * 6), found).marginals
    assert apart[1] == pytest.approx(apart[3])


@pytest.mark.parametrize("risk", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_risk_that_is_no_probability_is_refused(risk: float) -> None:
    with pytest.raises(ValueError, match="member 2"):
        independent([0.1, risk])


@pytest.mark.parametrize(
    "accuracy", [{"specificity": 1.0}, {"resolver_sensitivity": 0.0}, {"specificity": 0.01}]
)
def test_a_test_that_says_nothing_is_refused(accuracy: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"expected|says nothing"):
        ErrorModel(**accuracy)


def test_evidence_that_only_two_errors_explain_is_contradictory() -> None:
    pool = Measurement(Role.MASTER, (0, 1, 2), detected=True)
    alone = [Measurement(Role.ALONE, (i,), detected=False) for i in range(3)]
    agreed = [pool, *alone[:2], Measurement(Role.ALONE, (2,), detected=True)]
    assert not posterior(independent([0.01] * 3), agreed).contradicted
    again = [Measurement(Role.ALONE, (i,), detected=False, attempt=2) for i in range(3)]
    part = Measurement(Role.SUB_POOL, (0, 1), detected=True)
    assert posterior(independent([0.01] * 3), [pool, *alone, *again, part]).contradicted
