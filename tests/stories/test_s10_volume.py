"""S10: a tube with little left is drawn for the test that matters most, and then swabbed again."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.choice import StrategyName
from lims.domain.refusals import InvalidBody, NoVolumeLeft
from lims.work.prepare import PrepareRequest, prepare
from lims.work.resolve_pool import resolve_otherwise
from lims.work.volume import say_volume
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import Blank


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _say(bench: Bench, tube: Swab, ul: int) -> int:
    """A draw into a pool takes 50 µl, a test of its own 200."""
    said = say_volume(
        bench.session, tube.barcode, ul, site_id=bench.site_id, by="door", now=bench.now
    )
    return said.left_ul


def _because(bench: Bench) -> dict[str, str]:
    rows = bench.session.execute(
        text(
            "SELECT t.barcode, o.because FROM test_order o JOIN tube t ON t.id = o.tube_id"
            " WHERE o.state = 'queued'"
        )
    )
    return {row.barcode: row.because for row in rows}


def _recollected(bench: Bench) -> dict[str, str]:
    rows = bench.session.execute(
        text(
            "SELECT t.barcode, r.why FROM recollection r JOIN tube_specimen ts"
            " ON ts.specimen_id = r.specimen_id JOIN tube t ON t.id = ts.tube_id"
            " AND t.kind = 'individual' WHERE r.state = 'open'"
        )
    )
    return {row.barcode: row.why for row in rows}


def test_the_last_draw_says_so_and_a_second_need_opens_a_recollection(bench: Bench) -> None:
    people = bench.swabs(3)
    little = people[1]
    assert _say(bench, little, 250) == 250
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})

    assert _because(bench) == {
        people[0].barcode: "pool detected",
        little.barcode: "pool detected; last draw",
        people[2].barcode: "pool detected",
    }
    assert _recollected(bench) == {}

    bench.run({little.barcode: Blank.INVALID, people[0].barcode: Blank.INVALID})

    assert seen.waiting(bench.session) == {people[0].barcode}  # only she can be repeated
    assert _recollected(bench) == {little.barcode: "no volume left"}
    assert seen.findings(bench.session)[little.specimen_id].outcome == "recollect"
    assert _say(bench, little, 250) == 0


def test_a_tube_with_nothing_left_after_its_pool_is_swabbed_again(bench: Bench) -> None:
    people = bench.swabs(3)
    _say(bench, people[1], 120)
    pool = bench.lab_pool(people)

    bench.run({pool: 27.0})

    assert seen.waiting(bench.session) == {people[0].barcode, people[2].barcode}
    assert _recollected(bench) == {people[1].barcode: "no volume left"}


def test_a_clean_pool_needs_no_volume(bench: Bench) -> None:
    people = bench.swabs(3)
    _say(bench, people[1], 50)
    bench.lab_pool(people)

    bench.run()

    assert {f.outcome for f in seen.findings(bench.session).values()} == {"negative"}
    assert _recollected(bench) == {}


def test_an_empty_tube_goes_into_no_pool(bench: Bench) -> None:
    people = bench.swabs(3)
    _say(bench, people[1], 40)

    with pytest.raises(NoVolumeLeft, match="40 µl"):
        bench.lab_pool(people)


def _gridded(bench: Bench, ul: int) -> tuple[str, list[Swab]]:
    people = bench.swabs(20)
    _say(bench, people[7], ul)
    bench.session.execute(text("UPDATE campaign SET resolution = 'grid'"))
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})
    return pool, people


def test_a_grid_is_not_chosen_where_a_tube_cannot_bear_it(bench: Bench) -> None:
    _, people = _gridded(bench, 349)  # 50 for the pool, then 299: a row, a column and a test: 300

    assert seen.waiting(bench.session) == {one.barcode for one in people}
    chosen = bench.session.execute(text("SELECT strategy, because FROM pool_resolution")).one()
    assert tuple(chosen) == ("dorfman", "volume")


def test_just_enough_is_drawn_for_row_column_and_her_own_test(bench: Bench) -> None:
    _, people = _gridded(bench, 350)
    made = bench.prepare_sub_pools()
    assert len(made) == 9

    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})

    assert _because(bench) == {people[7].barcode: "pool detected; last draw"}


def test_whoever_asks_for_a_grid_gets_one_without_the_tube_that_cannot_bear_it(
    bench: Bench,
) -> None:
    pool, people = _gridded(bench, 260)
    resolve_otherwise(
        bench.session,
        pool,
        StrategyName.GRID,
        "no wells",
        site_id=bench.site_id,
        by="ktv.minh",
        now=bench.now,
    )

    assert _because(bench) == {people[7].barcode: "pool detected; last draw"}
    drawn = bench.session.execute(
        text(
            "SELECT count(*) FROM sub_pool_source s JOIN sub_pool p ON p.id = s.sub_pool_id"
            " JOIN tube t ON t.id = s.source_id WHERE p.state = 'wanted' AND t.barcode = :tube"
        ),
        {"tube": people[7].barcode},
    ).scalar_one()
    assert drawn == 0


def test_a_sub_pool_is_not_prepared_from_an_empty_tube(bench: Bench) -> None:
    _gridded(bench, 350)
    wanted = bench.session.execute(
        text("SELECT id FROM sub_pool WHERE position = 'row 2'")
    ).scalar_one()
    bench.session.execute(text("UPDATE tube SET volume_ul = 60 WHERE volume_ul = 350"))

    with pytest.raises(NoVolumeLeft):
        request = PrepareRequest(uuid7(), wanted, next(bench.labels))
        prepare(bench.session, request, site_id=bench.site_id, by="pooler", now=bench.now)


@pytest.mark.parametrize("ul", [-1, 100_001])
def test_a_volume_no_tube_has_is_refused(bench: Bench, ul: int) -> None:
    with pytest.raises(InvalidBody):
        _say(bench, bench.swab(), ul)
