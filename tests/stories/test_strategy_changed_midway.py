"""A campaign is resolved another way from now on, or a person resolves one pool another way."""

from datetime import datetime
from itertools import permutations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.choice import Resolution, StrategyName
from lims.work.prepare import PrepareRequest, prepare
from lims.work.resolve_pool import resolve_otherwise
from tests import seen
from tests.builders import Bench, Swab, open_bench

WAYS = [way for way in Resolution if way is not Resolution.AUTO]
SIXTH_FOUND = [*["negative"] * 5, "positive", *["negative"] * 6]
CHANGES = list(permutations(WAYS, 2))


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _ask(bench: Bench, way: Resolution) -> None:
    bench.session.execute(text("UPDATE campaign SET resolution = :way"), {"way": way})


def _open(bench: Bench, way: Resolution) -> tuple[str, list[Swab]]:
    people = bench.swabs(12)
    _ask(bench, way)
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})
    return pool, people


def _half_prepared(bench: Bench) -> list[str]:
    """Every second sub-pool that is wanted is on the rack, its test queued."""
    wanted = list(
        bench.session.execute(text("SELECT id FROM sub_pool WHERE state = 'wanted' ORDER BY id"))
        .scalars()
        .all()
    )
    made = []
    for sub_pool in wanted[::2]:
        made.append(next(bench.labels))
        request = PrepareRequest(uuid7(), sub_pool, made[-1])
        prepare(bench.session, request, site_id=bench.site_id, by="pooler", now=bench.now)
    return made


def _choices(bench: Bench) -> list[tuple[str, str]]:
    rows = bench.session.execute(
        text("SELECT strategy, because FROM pool_resolution ORDER BY chosen_at, id")
    )
    return [(row.strategy, row.because) for row in rows]


def _positive(bench: Bench, infected: Swab) -> set[str]:
    rows = bench.session.execute(
        text(
            "SELECT t.barcode FROM tube t JOIN tube_specimen ts ON ts.tube_id = t.id"
            " WHERE ts.specimen_id = :id"
        ),
        {"id": infected.specimen_id},
    )
    return set(rows.scalars())


def _to_the_end(bench: Bench, infected: Swab) -> None:
    for _ in range(8):
        made = bench.prepare_sub_pools()
        queued = {order.barcode for order in seen.orders(bench.session, "queued")}
        if not made and not queued:
            return
        bench.run(dict.fromkeys(queued & _positive(bench, infected), 26.0))
    raise AssertionError("it is never resolved")


def _found(bench: Bench, people: list[Swab]) -> list[str]:
    found = seen.findings(bench.session)
    return [found[one.specimen_id].outcome for one in people]


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_campaign_changed_while_sub_pools_are_half_prepared_harms_no_open_pool(
    bench: Bench, before: Resolution, after: Resolution
) -> None:
    _pool, people = _open(bench, before)
    _half_prepared(bench)
    asked = seen.everything(bench.session)

    _ask(bench, after)
    assert seen.everything(bench.session) == asked

    _to_the_end(bench, people[5])
    assert _choices(bench) == [(before, "campaign")]
    assert _found(bench, people) == SIXTH_FOUND
    assert seen.waiting(bench.session) == set()


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_person_changes_one_pool_in_the_middle_of_it(
    bench: Bench, before: Resolution, after: Resolution
) -> None:
    """Some of its sub-pools are measured, some prepared, some neither."""
    pool, people = _open(bench, before)
    made = _half_prepared(bench)
    for label in made[:1]:
        bench.cartridge(label, 26.0 if label in _positive(bench, people[5]) else None)
    cleared = {
        specimen
        for specimen, found in seen.findings(bench.session).items()
        if found.outcome == "negative"
    }

    resolve_otherwise(
        bench.session,
        pool,
        StrategyName(after),
        "the plan for today changed",
        site_id=bench.site_id,
        by="ktv.minh",
        now=bench.now,
    )

    found = seen.findings(bench.session)
    assert all(found[specimen].outcome == "negative" for specimen in cleared)
    _to_the_end(bench, people[5])
    assert _choices(bench)[-1] == (after, "person")
    assert _found(bench, people) == SIXTH_FOUND
    assert seen.waiting(bench.session) == set()


def test_a_new_pool_of_the_changed_campaign_is_resolved_the_new_way(bench: Bench) -> None:
    _open(bench, Resolution.GRID)
    _half_prepared(bench)
    _ask(bench, Resolution.BAYESIAN)
    people = [bench.swab(campaign_id=bench.campaign()) for _ in range(12)]
    _ask(bench, Resolution.BAYESIAN)

    bench.run({bench.lab_pool(people): 27.0})

    assert _choices(bench) == [("grid", "campaign"), ("bayesian", "campaign")]
