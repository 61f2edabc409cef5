"""How a pool is resolved is chosen once and stored; its sub-pools are prepared once."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.choice import StrategyName
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    IllegalMove,
    InvalidBody,
    PoolOfPools,
    SubPoolMade,
    SubPoolNotWanted,
)
from lims.work.prepare import Prepared, PrepareRequest, prepare
from lims.work.reject import reject
from lims.work.resolve_pool import resolve_otherwise
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _pool(bench: Bench, asked: str = "grid", size: int = 20) -> tuple[str, list[Swab]]:
    people = bench.swabs(size)
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})
    return bench.lab_pool(people), people


def _to_prepare(bench: Bench) -> dict[str, UUID]:
    rows = bench.session.execute(
        text("SELECT position, id FROM sub_pool WHERE state = 'wanted' ORDER BY id")
    )
    return {row.position: row.id for row in rows}


def _lines(bench: Bench) -> tuple[dict[str, str], str, list[Swab]]:
    """A pool of twenty detected, and its nine sub-pools on the rack."""
    pool, people = _pool(bench)
    bench.run({pool: 27.0})
    return bench.prepare_sub_pools(), pool, people


def test_an_override_puts_everybody_on_the_queue_and_keeps_the_reason(bench: Bench) -> None:
    pool, people = _pool(bench)
    bench.run({pool: 27.0})

    with pytest.raises(InvalidBody):
        _resolve(bench, pool, StrategyName.DORFMAN, " ")
    for _ in range(2):  # the second time changes nothing
        _resolve(bench, pool, StrategyName.DORFMAN, "the plate has room for all")

    assert _to_prepare(bench) == {}
    assert seen.waiting(bench.session) == {p.barcode for p in people}
    (audited,) = seen.audited(bench.session, "choose_resolution")
    assert audited == {
        "was": "grid",
        "became": "dorfman",
        "reason": "the plate has room for all",
    }
    rows = bench.session.execute(
        text("SELECT strategy, because, said, current FROM pool_resolution ORDER BY chosen_at, id")
    ).all()
    assert [tuple(row) for row in rows] == [
        ("grid", "campaign", None, False),
        ("dorfman", "person", "the plate has room for all", True),
    ]

    _resolve(bench, pool, StrategyName.HIERARCHICAL, "no wells left after all")
    assert seen.waiting(bench.session) == set()
    assert list(_to_prepare(bench)) == [f"group {n}" for n in range(1, 5)]


def _resolve(bench: Bench, pool: str, strategy: StrategyName, reason: str) -> None:
    resolve_otherwise(
        bench.session, pool, strategy, reason, site_id=bench.site_id, by="ktv.minh", now=bench.now
    )


def test_a_resolved_pool_is_not_resolved_another_way(bench: Bench) -> None:
    pool, _ = _pool(bench)
    bench.run()

    with pytest.raises(IllegalMove):
        _resolve(bench, pool, StrategyName.DORFMAN, "why not")


def test_a_pool_of_family_tubes_is_not_parted_by_sub_pools(session: Session, now: datetime) -> None:
    bench = open_bench(session, now, pools_of_pools=True)
    pool = bench.lab_pool([bench.field_pool(4).barcode, *bench.swabs(7)])
    bench.run({pool: 27.0})
    before = seen.everything(session)

    for strategy in (StrategyName.GRID, StrategyName.HIERARCHICAL, StrategyName.BAYESIAN):
        with pytest.raises(PoolOfPools):
            _resolve(bench, pool, strategy, "wells are scarce")

    assert seen.everything(session) == before


def test_a_changed_campaign_leaves_open_pools_as_they_are(bench: Bench) -> None:
    pool, _ = _pool(bench)
    bench.run({pool: 27.0})
    bench.session.execute(text("UPDATE campaign SET resolution = 'dorfman'"))

    made = bench.prepare_sub_pools()
    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})

    assert len(seen.waiting(bench.session)) == 1


@pytest.mark.parametrize(
    ("size", "ct", "because"), [(5, 27.0, "few_tubes"), (10, 38.2, "weak_pool")]
)
def test_a_small_or_weak_pool_is_tested_one_by_one_whatever_the_campaign_asks(
    bench: Bench, size: int, ct: float, because: str
) -> None:
    pool, people = _pool(bench, size=size)

    bench.run({pool: ct})

    assert seen.waiting(bench.session) == {p.barcode for p in people}
    assert (
        bench.session.execute(text("SELECT because FROM pool_resolution")).scalar_one() == because
    )


@pytest.mark.parametrize(("queued", "strategy"), [(60, "dorfman"), (80, "grid"), (94, "bayesian")])
def test_auto_takes_empty_wells_and_spares_scarce_ones(
    bench: Bench, queued: int, strategy: str
) -> None:
    pool, _ = _pool(bench, asked="auto")
    layout = bench.plate()
    for _ in range(queued):
        bench.swab()

    bench.later(90).take(plate_capture(layout, {pool: 27.0}))

    row = bench.session.execute(text("SELECT strategy, facts FROM pool_resolution")).one()
    assert (row.strategy, row.facts["wells_free"]) == (strategy, 94 - queued)


def test_pools_of_one_message_share_the_empty_wells(bench: Bench) -> None:
    pools = [_pool(bench, asked="auto")[0] for _ in range(3)]
    layout = bench.plate()
    for _ in range(50):
        bench.swab()

    bench.later(90).take(plate_capture(layout, dict.fromkeys(pools, 27.0)))

    rows = bench.session.execute(
        text("SELECT strategy, facts FROM pool_resolution ORDER BY facts -> 'wells_free' DESC")
    ).all()
    assert [(row.strategy, row.facts["wells_free"]) for row in rows] == [
        ("dorfman", 44),
        ("dorfman", 24),
        ("bayesian", 4),
    ]


def test_sub_pools_that_nobody_has_made_yet_count_as_queued(bench: Bench) -> None:
    pool, _ = _pool(bench, asked="grid")
    bench.run({pool: 27.0})
    other, _ = _pool(bench, asked="auto")
    bench.run({other: 27.0})

    facts = bench.session.execute(
        text("SELECT facts FROM pool_resolution WHERE facts ? 'queue_runs'")
    ).scalar_one()
    assert facts["wells_free"] == 94 - 9


def _make(bench: Bench, request: PrepareRequest) -> Prepared:
    return prepare(bench.session, request, site_id=bench.site_id, by="pooler", now=bench.now)


def test_the_same_preparing_again_answers_the_same_and_another_is_refused(bench: Bench) -> None:
    pool, _ = _pool(bench)
    bench.run({pool: 27.0})
    wanted = _to_prepare(bench)
    request = PrepareRequest(uuid7(), wanted["row 1"], next(bench.labels))

    first = _make(bench, request)
    again = _make(bench, request)

    assert again == replace(first, replayed=True)
    assert (len(first.sources), first.position) == (5, "row 1")
    with pytest.raises(DifferentBody):
        _make(bench, replace(request, sub_pool_id=wanted["row 2"]))
    with pytest.raises(SubPoolMade):
        other = PrepareRequest(uuid7(), wanted["row 1"], next(bench.labels))
        _make(bench, other)
    with pytest.raises(BarcodeTaken):
        taken = PrepareRequest(uuid7(), wanted["row 2"], request.barcode)
        _make(bench, taken)
    with pytest.raises(PoolOfPools):
        bench.lab_pool([request.barcode, bench.swab().barcode])


def test_what_nothing_asks_for_any_more_cannot_be_prepared(bench: Bench) -> None:
    pool, _ = _pool(bench)
    bench.run({pool: 27.0})
    wanted = _to_prepare(bench)
    _resolve(bench, pool, StrategyName.DORFMAN, "enough wells")

    with pytest.raises(SubPoolNotWanted):
        request = PrepareRequest(uuid7(), wanted["row 1"], next(bench.labels))
        _make(bench, request)


def test_an_answer_for_a_cancelled_sub_pool_goes_to_review(bench: Bench) -> None:
    made, pool, _ = _lines(bench)
    _resolve(bench, pool, StrategyName.DORFMAN, "enough wells")

    receipt = bench.cartridge(made["row 1"], 26.0)

    assert receipt.unmatched == 1


def test_a_broken_tube_is_drawn_into_nothing_new(bench: Bench) -> None:
    pool, people = _pool(bench)
    bench.run({pool: 27.0})

    reject(bench.session, people[6].barcode, "leaking", by="door", now=bench.now)

    rows = bench.session.execute(
        text(
            "SELECT p.position, count(*) AS draws FROM sub_pool p JOIN sub_pool_source s"
            " ON s.sub_pool_id = p.id WHERE p.state = 'wanted' GROUP BY p.id, p.position"
        )
    )
    drawn = {row.position: row.draws for row in rows}
    assert (drawn["row 2"], drawn["column 2"], drawn["row 1"]) == (4, 3, 5)


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE sub_pool SET state = 'prepared', ended_at = now()",
        "UPDATE sub_pool SET state = 'cancelled'",
        "UPDATE sub_pool_source SET source_id = (SELECT id FROM tube WHERE kind = 'lab_pool')",
        "UPDATE sub_pool_source SET source_id = (SELECT t.id FROM tube t WHERE t.kind ="
        " 'individual' AND NOT EXISTS (SELECT FROM tube_source s WHERE s.source_id = t.id))",
        "INSERT INTO pool_resolution SELECT gen_random_uuid(), site_id, pool_id, strategy, because,"
        " said, facts, chosen_by, chosen_at, true FROM pool_resolution",
        "UPDATE pool_resolution SET because = 'person'",
        "UPDATE tube SET master_id = id WHERE kind = 'lab_pool'",
        "UPDATE tube SET master_id = (SELECT id FROM tube WHERE kind = 'lab_pool')"
        " WHERE kind = 'individual'",
        "UPDATE campaign SET resolution = 'one by one'",
    ],
)
def test_wrong_states_cannot_be_stored(bench: Bench, wrong: str) -> None:
    pool, _ = _pool(bench)
    bench.swab()
    bench.run({pool: 27.0})

    with pytest.raises(IntegrityError), bench.session.begin_nested():
        bench.session.execute(text(wrong))
