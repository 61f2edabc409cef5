"""How many carry it where a pool's people live: planned and weighed with as far as it is known."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.builders import HOME, WORK, Bench, open_bench
from tests.captures import plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _pool(bench: Bench, asked: str = "bayesian") -> str:
    people = bench.swabs(20)
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})
    return bench.lab_pool(people)


def _chosen(bench: Bench, pool: str) -> Any:
    return bench.session.execute(
        text(
            "SELECT r.strategy, r.because, r.facts FROM pool_resolution r JOIN tube t"
            " ON t.id = r.pool_id WHERE t.barcode = :pool AND r.current"
        ),
        {"pool": pool},
    ).one()


def _routine(bench: Bench, positive: int, *, pools: int = 32, home: bool = True) -> None:
    """A day of pools of two from one commune, some of them positive, all of them worked off."""
    campaign = bench.campaign()
    made = []
    for _ in range(pools):
        area = HOME if home else WORK
        made.append(bench.lab_pool([bench.swab(area=area, campaign_id=campaign) for _ in range(2)]))
    bench.run(dict.fromkeys(made[:positive], 27.0))
    if positive:
        bench.run()
    bench.later(60)


def _in_the_same_campaign(bench: Bench) -> None:
    bench.session.execute(
        text("UPDATE tube SET campaign_id = (SELECT id FROM campaign ORDER BY id LIMIT 1)")
    )


def test_the_prevalence_is_that_of_the_peoples_own_commune_where_enough_is_known(
    bench: Bench,
) -> None:
    _routine(bench, 4)
    pool = _pool(bench)
    _in_the_same_campaign(bench)

    bench.run({pool: 27.0})

    facts = _chosen(bench, pool).facts
    assert (facts["prevalence_of"], facts["prevalence_pools"]) == ("area", 32)
    assert 0.04 < facts["prevalence"] < 0.08  # four of 64 people, without the pool itself


def test_where_nothing_is_known_of_the_commune_the_campaign_speaks_for_it(bench: Bench) -> None:
    _routine(bench, 0, home=False)
    pool = _pool(bench)
    _in_the_same_campaign(bench)

    bench.run({pool: 27.0})

    facts = _chosen(bench, pool).facts
    assert (facts["prevalence_of"], facts["prevalence"]) == ("campaign", 0.001)


@pytest.mark.parametrize(("positive", "way"), [(0, "bayesian"), (14, "grid")])
def test_auto_weighs_by_how_many_carry_it_where_the_people_live(
    bench: Bench, positive: int, way: str
) -> None:
    """With a full run waiting: sub-pools by probability for few carriers, not for one in ten."""
    _routine(bench, positive)
    pool = _pool(bench, asked="auto")
    _in_the_same_campaign(bench)
    layout = bench.plate()
    for _ in range(94):
        bench.swab()

    bench.later(30).take(plate_capture(layout, {pool: 27.0}))

    chosen = _chosen(bench, pool)
    assert chosen.strategy == way
    assert chosen.facts["risk"] == (0.1 if positive else 0.001)


def test_of_a_few_pools_nothing_is_known_and_a_week_ago_is_forgotten(bench: Bench) -> None:
    _routine(bench, 2)
    bench.later(9 * 24 * 60)
    pool = _pool(bench)
    _in_the_same_campaign(bench)

    bench.run({pool: 27.0})

    assert "prevalence" not in _chosen(bench, pool).facts
