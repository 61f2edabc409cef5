"""Wells of one tube measured again: evidence of their own, that errs with the first."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.outcomes import FindingOutcome as Found
from lims.domain.outcomes import Outcome
from lims.domain.pooling.adaptive import FIRST_LINES, Adaptive
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.calls import calls
from lims.domain.pooling.evidence import Composition, TubeFacts
from lims.domain.pooling.measured import RULE, measured
from lims.domain.pooling.prior import prior_of
from tests.domain.pooling.rack import Rack

BEFORE = "bayesian/2"
LINES = [[0, 1, 2, 3], [4, 5, 6, 7], [0, 2, 4, 6], [0, 1, 4, 5]]
POSITIVE, NEGATIVE, INVALID = Outcome.DETECTED, Outcome.NOT_DETECTED, Outcome.INVALID


def parted(rule: str = RULE) -> tuple[Rack, TubeFacts, list[TubeFacts], list[TubeFacts]]:
    """A detected pool of eight, its tubes, and its four sub-pools without an answer."""
    rack = Rack()
    tubes = rack.singles(8)
    pool = rack.pool(tubes)
    rack.chosen[pool.id] = Adaptive()
    rack.facts[pool.id] = {"rule": rule, "prevalence": 0.05, FIRST_LINES: LINES}
    rack.measured(pool, POSITIVE)
    return rack, pool, tubes, rack.prepare()


def told(rack: Rack, pool: TubeFacts) -> frozenset[Measurement]:
    return measured(
        pool,
        Composition(rack.tubes),
        calls(rack.evidence),
        facts=rack.facts[pool.id],
        closed=frozenset(decision.tube_id for decision in rack.decisions),
    )


def risks(rack: Rack, pool: TubeFacts) -> list[float]:
    states = prior_of(rack.facts[pool.id], 8).states(8)
    return [float(one) for one in posterior(states, told(rack, pool)).marginals]


def test_each_conclusive_well_is_a_measurement_and_an_invalid_one_is_none() -> None:
    rack, pool, tubes, made = parted()
    for tube, said in (
        (pool, [NEGATIVE, POSITIVE]),
        (made[0], [POSITIVE, INVALID, NEGATIVE]),
        (made[1], [INVALID, NEGATIVE]),
        (made[2], [INVALID]),
        (tubes[0], [Outcome.INCONCLUSIVE, POSITIVE]),
    ):
        for outcome in said:
            rack.measured(tube, outcome)

    found = sorted((one.role, one.members, one.detected) for one in told(rack, pool))

    everybody, first, second = tuple(range(8)), tuple(LINES[0]), tuple(LINES[1])
    assert found == sorted(
        [
            (Role.MASTER, everybody, True),
            (Role.MASTER, everybody, True),
            (Role.MASTER, everybody, False),
            (Role.SUB_POOL, first, True),
            (Role.SUB_POOL, first, False),
            (Role.SUB_POOL, second, False),
            (Role.ALONE, (0,), True),
        ]
    )


def test_a_pool_of_before_the_rule_is_read_as_it_was() -> None:
    rack, pool, tubes, made = parted(BEFORE)
    for tube, said in (
        (pool, [NEGATIVE, POSITIVE]),
        (made[0], [POSITIVE, NEGATIVE]),
        (made[1], [NEGATIVE, NEGATIVE]),
        (tubes[0], [POSITIVE, POSITIVE]),
    ):
        for outcome in said:
            rack.measured(tube, outcome)

    assert told(rack, pool) == {
        Measurement(Role.MASTER, tuple(range(8)), detected=True),
        Measurement(Role.SUB_POOL, tuple(LINES[0]), detected=True),
        Measurement(Role.SUB_POOL, tuple(LINES[1]), detected=False),
        Measurement(Role.ALONE, (0,), detected=True),
    }


def test_a_sub_pool_detected_twice_says_more_than_once_and_less_than_two_sub_pools() -> None:
    once, again, apart = (
        risk_of_first([POSITIVE] * n, other=m) for n, m in ((1, 0), (2, 0), (1, 1))
    )
    assert once < again < apart


def risk_of_first(said: list[Outcome], *, other: int) -> float:
    """That somebody of the first sub-pool is infected, nothing known of the pool but its prior."""
    members = tuple(LINES[0])
    measurements = [
        Measurement(Role.SUB_POOL, members, one is POSITIVE, n) for n, one in enumerate(said)
    ]
    wider = (*members, 4)  # another tube, of nearly the same
    measurements += [
        Measurement(Role.SUB_POOL, wider, detected=True, attempt=n) for n in range(other)
    ]
    seen = posterior(prior_of({"prevalence": 0.001}, 8).states(8), measurements)
    return float(seen.weights[seen.states.holding(members)].sum())


def test_a_pool_that_is_not_detected_again_is_likelier_to_have_been_falsely_so() -> None:
    rack, pool, _tubes, made = parted()
    rack.measured(made[1], NEGATIVE)
    before = risks(rack, pool)
    rack.measured(pool, NEGATIVE)
    assert all(after < was for after, was in zip(risks(rack, pool), before, strict=True))


def test_negatives_of_one_sub_pool_over_and_over_do_not_clear_whom_the_others_point_at() -> None:
    """A sub-pool that lost her draw: however often it is measured, the other three hold her."""
    rack, pool, tubes, made = parted()
    for tube in made[2:]:
        rack.measured(tube, POSITIVE)
    rack.measured(made[1], NEGATIVE)
    for _ in range(12):
        rack.measured(made[0], NEGATIVE)

    (her,) = tubes[0].specimens
    assert risks(rack, pool)[0] > 5e-4
    assert rack.conclude().findings[her].outcome is not Found.NEGATIVE


def test_what_a_reviewer_has_closed_speaks_against_nobody() -> None:
    rack, pool, _tubes, made = parted()
    rack.measured(made[0], POSITIVE)
    rack.measured(made[0], NEGATIVE)
    disputed = risks(rack, pool)[0]
    rack.close(made[0])
    assert not any(one.detected for one in told(rack, pool) if one.members == tuple(LINES[0]))
    assert risks(rack, pool)[0] < disputed


WELLS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(Outcome)), min_size=1, max_size=24)


@settings(max_examples=80, deadline=None)
@given(WELLS, st.randoms(use_true_random=False), st.sampled_from([RULE, BEFORE]))
def test_any_order_and_any_duplicates_of_any_wells_are_the_same_evidence(
    wells: list[tuple[int, Outcome]], random: Any, rule: str
) -> None:
    rack, pool, tubes, made = parted(rule)
    every = [pool, *tubes, *made]
    for place, outcome in wells:
        rack.measured(every[place], outcome)
    first, seen, concluded = told(rack, pool), risks(rack, pool), rack.conclude()
    rack.evidence.extend(rack.evidence[::2])
    random.shuffle(rack.evidence)

    assert told(rack, pool) == first
    assert risks(rack, pool) == seen
    assert rack.conclude() == concluded


@pytest.mark.parametrize("rule", [RULE, BEFORE])
def test_wells_that_fail_change_nothing(rule: str) -> None:
    rack, pool, _tubes, made = parted(rule)
    for tube in made:
        rack.measured(tube, NEGATIVE if tube is made[0] else POSITIVE)
    before = risks(rack, pool)
    for tube in (pool, *made):
        rack.measured(tube, INVALID)
    assert risks(rack, pool) == before
