"""What must never clear anybody silently: each wrong thing that can be told of an open pool."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.prior import FEWEST_EXPECTED, MOST_EXPECTED, expected
from lims.domain.pooling.validation_panel import DilutionRow, Panel
from lims.domain.refusals import NoVolumeLeft, PoolAboveValidated, PoolFull
from lims.work.pool import PoolRequest, make_pool
from lims.work.prepare import PrepareRequest, prepare
from lims.work.resolve_pool import resolve_otherwise
from lims.work.validation_panel import enter_panel
from lims.work.volume import say_volume
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import Blank


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _detected(bench: Bench, size: int = 20, asked: str = "bayesian") -> tuple[str, list[Swab]]:
    people = bench.swabs(size)
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})
    return pool, people


def _outcomes(bench: Bench, people: list[Swab]) -> list[str]:
    found = seen.findings(bench.session)
    return [found[one.specimen_id].outcome for one in people]


def _holding(bench: Bench, swab: Swab) -> set[str]:
    rows = bench.session.execute(
        text(
            "SELECT t.barcode FROM tube t JOIN tube_specimen ts ON ts.tube_id = t.id"
            " WHERE ts.specimen_id = :id AND t.master_id IS NOT NULL"
        ),
        {"id": swab.specimen_id},
    )
    return set(rows.scalars())


@pytest.mark.parametrize(
    ("estimate", "stored"),
    [(0.0, FEWEST_EXPECTED), (1.0, MOST_EXPECTED), (0.01234, 0.012)],
)
def test_an_estimate_that_is_no_risk_is_planned_with_as_the_nearest_that_is(
    estimate: float, stored: float
) -> None:
    assert expected(estimate) == stored


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE site SET sub_pool_draws = 1",
        "UPDATE site SET run_draws = 0",
        "UPDATE site SET secondary_attack_percent = 100",
        "UPDATE site SET max_pool_size = 1",
    ],
)
def test_a_cap_of_one_cannot_be_stored(bench: Bench, wrong: str) -> None:
    with pytest.raises(IntegrityError), bench.session.begin_nested():
        bench.session.execute(text(wrong))


def test_a_pool_above_what_was_validated_is_not_made(bench: Bench) -> None:
    rows = tuple(
        DilutionRow(size, 27.0, 27.0 + drop, 20, 20) for size, drop in ((5, 2.3), (10, 3.3))
    )
    enter_panel(
        bench.session,
        uuid7(),
        Panel(lod_ct=38.0, weak_positive_ct=34.0, rows=rows),
        source="Biên bản 12",
        site_id=bench.site_id,
        by="admin",
        now=bench.now,
    )
    scans = tuple(one.barcode for one in bench.swabs(21))

    for tubes, refusal in ((scans[:11], PoolAboveValidated), (scans, PoolFull)):
        with pytest.raises(refusal):
            make_pool(
                bench.session,
                PoolRequest(uuid7(), next(bench.labels), tubes),
                site_id=bench.site_id,
                by="pooler",
                now=bench.now,
            )


def test_the_answer_of_a_cancelled_test_clears_nobody_and_goes_to_review(bench: Bench) -> None:
    pool, people = _detected(bench, asked="dorfman")
    resolve_otherwise(
        bench.session,
        pool,
        StrategyName.BAYESIAN,
        "the wells are needed",
        site_id=bench.site_id,
        by="ktv.minh",
        now=bench.now,
    )

    receipt = bench.cartridge(people[4].barcode, None)

    assert receipt.unmatched == 1
    assert _outcomes(bench, people) == ["preliminary"] * 20


def test_a_sub_pool_is_not_made_from_a_tube_that_ran_empty_meanwhile(bench: Bench) -> None:
    _pool, people = _detected(bench)
    (first, *_) = bench.session.execute(
        text("SELECT id FROM sub_pool WHERE state = 'wanted' ORDER BY id")
    ).scalars()
    (drawn, *_) = bench.session.execute(
        text("SELECT source_id FROM sub_pool_source WHERE sub_pool_id = :id"), {"id": first}
    ).scalars()
    bench.session.execute(
        text("UPDATE tube SET volume_ul = 60 WHERE id = :id"), {"id": drawn}
    )  # 50 of them went into the pool

    with pytest.raises(NoVolumeLeft):
        prepare(
            bench.session,
            PrepareRequest(uuid7(), first, next(bench.labels)),
            site_id=bench.site_id,
            by="pooler",
            now=bench.now,
        )
    assert _outcomes(bench, people) == ["preliminary"] * 20


def test_an_invalid_sub_pool_says_nothing_of_anybody(bench: Bench) -> None:
    _pool, people = _detected(bench)
    made = sorted(bench.prepare_sub_pools().values())
    for label in made[1:]:
        bench.cartridge(label, 26.0 if label in _holding(bench, people[2]) else None)
    before = _outcomes(bench, people)

    for _ in range(2):
        bench.cartridge(made[0], Blank.INVALID)  # what the others say has to do

    after = _outcomes(bench, people)
    assert [n for n, said in enumerate(after) if said == "negative"] == [
        n for n, said in enumerate(before) if said == "negative"
    ]
    assert "preliminary" in after
    only_there = {one.barcode for one in people if _holding(bench, one) == {made[0]}}
    assert only_there <= seen.waiting(bench.session)


def test_a_detected_pool_of_negative_sub_pools_clears_nobody(bench: Bench) -> None:
    _pool, people = _detected(bench)
    made = bench.prepare_sub_pools()

    bench.run(dict.fromkeys(made.values(), None))

    assert set(_outcomes(bench, people)) <= {"discordant", "preliminary"}


def test_evidence_that_contradicts_itself_ends_with_a_reviewer(bench: Bench) -> None:
    """Every sub-pool detected, and nobody in them by her own test."""
    _pool, people = _detected(bench, size=12)
    made = bench.prepare_sub_pools()
    bench.run(dict.fromkeys(made.values(), 26.0))
    for _ in range(8):
        bench.prepare_sub_pools()
        if not seen.orders(bench.session, "queued"):
            break
        bench.run()

    assert seen.orders(bench.session, "queued") == []
    assert "negative" not in _outcomes(bench, people)
    assert "discordant" in _outcomes(bench, people)


def test_a_member_of_more_detected_sub_pools_than_of_negative_ones_waits(bench: Bench) -> None:
    """Somebody whose sub-pools are those of the one who is named, and one more, is cleared by that
    one only when the named one was found by her own test."""
    _pool, people = _detected(bench)
    bench.prepare_sub_pools()
    held = {one.barcode: _holding(bench, one) for one in people}
    named, beside = next(
        (one, other)
        for one in people
        for other in people
        if held[one.barcode] < held[other.barcode]
    )

    bench.run(dict.fromkeys(held[named.barcode], 26.0))

    found = seen.findings(bench.session)
    assert found[named.specimen_id].outcome == "presumptive"
    assert found[beside.specimen_id].outcome == "preliminary"
    assert beside.barcode not in seen.waiting(bench.session)

    bench.run({named.barcode: 24.0})

    found = seen.findings(bench.session)
    assert found[named.specimen_id].outcome == "positive"
    assert found[beside.specimen_id].outcome == "negative"


def test_a_new_swabs_negative_does_not_cancel_what_the_pool_said(bench: Bench) -> None:
    _pool, people = _detected(bench)
    bench.prepare_sub_pools()
    named = people[7]
    say_volume(bench.session, named.barcode, 300, site_id=bench.site_id, by="door", now=bench.now)
    bench.run(dict.fromkeys(_holding(bench, named), 26.0))
    assert seen.recollections(bench.session)[named.specimen_id] == "no volume left"

    again = bench.swab(person_id=named.person_id)
    bench.run()

    found = seen.findings(bench.session)
    assert found[again.specimen_id].outcome == "negative"
    assert found[named.specimen_id].outcome == "presumptive"
    assert [case.state for case in seen.cases(bench.session)] == ["presumptive"]
