"""Whom the arithmetic of probabilities may name: what a name rests on."""

import pytest

from lims.domain.outcomes import FindingOutcome as Found
from lims.domain.outcomes import Outcome
from lims.domain.pooling.adaptive import Adaptive
from lims.domain.pooling.measured import RULE
from tests.domain.pooling.rack import Rack


@pytest.mark.parametrize(
    "pool_said",
    [
        [Outcome.DETECTED],
        [Outcome.DETECTED, Outcome.NOT_DETECTED],  # tested again
        [Outcome.INCONCLUSIVE],  # and resolved so by a person's choice, or corrected since
    ],
)
def test_the_one_whose_tube_broke_is_not_named_because_all_the_others_are_negative(
    pool_said: list[Outcome],
) -> None:
    rack = Rack()
    broken, *others = [rack.single(rejected=True), *rack.singles(2)]
    pool = rack.pool([broken, *others])
    rack.chosen[pool.id] = Adaptive()
    rack.facts[pool.id] = {"rule": RULE, "prevalence": 0.1}
    for outcome in pool_said:
        rack.measured(pool, outcome)
    for tube in others:
        rack.measured(tube, Outcome.NOT_DETECTED)

    conclusion = rack.conclude()

    (specimen,) = broken.specimens
    assert conclusion.findings[specimen].outcome is Found.RECOLLECT
    assert specimen in conclusion.recollections
    assert rack.found(*others) == {Found.NEGATIVE}
