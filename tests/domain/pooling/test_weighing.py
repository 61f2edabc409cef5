"""What each way costs, against counting every way in which its members may be infected."""

from itertools import combinations, product

import pytest

from lims.domain.pooling.grid import shape_of
from lims.domain.pooling.weighing import STAGE_HOURS, first_wells, hour_in_wells, weigh


@pytest.mark.parametrize("risk", [0.01, 0.1])
def test_suspects_and_names_of_a_grid_are_those_of_every_infected_subset(risk: float) -> None:
    members = 12
    rows, columns = shape_of(members)
    detected = suspects = carriers = named = 0.0
    for many in range(1, members + 1):
        for sick in combinations(range(members), many):
            chance = risk**many * (1 - risk) ** (members - many)
            hit = {s // columns for s in sick}, {s % columns for s in sick}
            crossed = set(product(*hit))
            detected += chance
            suspects += chance * len(crossed)
            carriers += chance * many
            alone = len(hit[0]) == 1 or len(hit[1]) == 1
            named += chance * many * alone
    found = weigh(members, risk)["grid"]
    assert found.first == rows + columns
    assert found.later == pytest.approx(suspects / detected)
    # Counted pool by pool; the formula asks it of each carrier, whose own line may be clear.
    assert found.hours <= STAGE_HOURS * (2 - named / carriers) + 1e-9
    assert found.hours == pytest.approx(STAGE_HOURS * (2 - named / carriers), rel=0.03)


def test_wells_in_a_full_queue_cost_and_empty_ones_do_not() -> None:
    whole = weigh(20, 0.01)["dorfman"]
    assert whole.cost(20, 10.0) == whole.cost(94, 10.0) == pytest.approx(10 * STAGE_HOURS)
    assert whole.cost(0, 10.0) == pytest.approx(20 + 10 * STAGE_HOURS)


def test_an_hour_is_worth_less_the_more_pools_are_positive_and_the_longer_they_wait() -> None:
    usual = hour_in_wells(20, 0.01, 1.0)
    assert usual == pytest.approx(2 / (1 - 0.99**20))
    assert hour_in_wells(20, 0.01, 0.2) == usual
    assert hour_in_wells(20, 0.03, 1.0) < usual
    assert hour_in_wells(20, 0.01, 3.0) == pytest.approx(usual / 3)


def test_the_wells_of_the_first_run_by_strategy() -> None:
    assert first_wells("dorfman", 20, 0.01) == 20
    assert first_wells("grid", 20, 0.01) == 9
    assert first_wells("hierarchical", 20, 0.01) == 4
    assert 4 <= first_wells("bayesian", 20, 0.01) <= 6
