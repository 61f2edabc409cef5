"""One line for one positive pool, as the database has it: its way, its tests, its name."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.demo.opened_pools import by_strategy, opened_pools
from lims.demo.words import opened_words
from lims.domain.pooling.choice import StrategyName
from tests.builders import Bench, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def gridded(bench: Bench, tubes: int) -> tuple[str, list[str]]:
    """A pool of a campaign that asks for a grid, and its tubes."""
    people = bench.swabs(tubes)
    bench.session.execute(text("UPDATE campaign SET resolution = 'grid'"))
    return bench.lab_pool(people), [person.barcode for person in people]


def test_a_grid_names_one_of_twenty_after_one_run_and_ends_after_the_next(bench: Bench) -> None:
    pool, tubes = gridded(bench, 20)
    assert opened_pools(bench.session.connection()) == ()

    bench.run({pool: 27.0})
    (asked,) = opened_pools(bench.session.connection())
    assert (asked.strategy, asked.tubes, asked.tests, asked.f0s, asked.waits) == (
        StrategyName.GRID, 20, 1, 0, True,
    )  # fmt: skip

    lines = bench.prepare_sub_pools()
    sick = tubes[0]
    bench.run({lines[name]: 25.0 if name in {"row 1", "column 1"} else None for name in lines})
    (named,) = opened_pools(bench.session.connection())
    assert (named.sub_pools, named.tests, named.f0s, named.runs, named.waits) == (9, 10, 1, 1, True)

    bench.run({sick: 22.0})
    (done,) = opened_pools(bench.session.connection())
    assert (done.tests, done.f0s, done.runs, done.waits) == (11, 1, 1, False)
    assert by_strategy([done])[StrategyName.GRID] == 1
    assert opened_words(done).startswith(f"{pool}  lưới hàng × cột · grid")


def test_a_pool_that_finds_nobody_is_said_to(bench: Bench) -> None:
    pool, tubes = gridded(bench, 6)
    bench.run({pool: 36.0})
    bench.run(dict.fromkeys(bench.prepare_sub_pools().values()))
    bench.run(dict.fromkeys(tubes))

    (opened,) = opened_pools(bench.session.connection())
    assert opened.named_s is None
    assert not any(by_strategy([opened]).values())
    assert "nobody found" in opened_words(opened)
