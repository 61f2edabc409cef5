"""The picture of a pool's probabilities over real rows: it agrees with what was concluded."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.bayes.picture import Trust
from lims.work.views import pool_view, sub_pool_view
from lims.work.views.pool_picture import PoolPicture, pool_picture
from lims.work.views.tube_story import Sign
from tests.builders import Bench, Swab, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def positive(bench: Bench, asked: str, size: int) -> tuple[str, list[Swab]]:
    people = bench.swabs(size)
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})
    return pool, people


def drawn(bench: Bench, pool: str) -> tuple[PoolPicture, dict[str, Sign]]:
    bench.session.flush()
    tube = bench.session.execute(
        text("SELECT id FROM tube WHERE barcode = :barcode"), {"barcode": pool}
    ).scalar_one()
    members = pool_view.members(bench.session, tube, TubeKind.LAB_POOL)
    lines = sub_pool_view.sub_pools(bench.session, tube)
    seen = pool_picture(bench.session, tube, TubeKind.LAB_POOL, members, lines)
    assert seen is not None
    return seen, {member.barcode: member.sign for member in members}


def open_of(signs: dict[str, Sign]) -> set[str]:
    decided = (Sign.NEGATIVE, Sign.POSITIVE)
    return {barcode for barcode, sign in signs.items() if sign not in decided}


@pytest.mark.parametrize("asked", ["dorfman", "hierarchical", "grid", "bayesian"])
@pytest.mark.parametrize("infected", [(3,), (3, 11)])
def test_whatever_the_strategy_it_agrees_with_the_findings_to_the_end(
    bench: Bench, asked: str, infected: tuple[int, ...]
) -> None:
    pool, people = positive(bench, asked, 16)
    carriers = {people[place].barcode for place in infected}
    for _run in range(5):
        seen, signs = drawn(bench, pool)
        assert seen.trust is Trust.SOUND
        still_open = open_of(signs)
        assert set(seen.risks) == still_open  # whoever is cleared or found has no bar of her own
        if not still_open:
            assert {barcode for barcode, sign in signs.items() if sign is Sign.POSITIVE} == carriers
            assert seen.tests == ()
            return
        named = {barcode for barcode, sign in signs.items() if sign is Sign.PRESUMPTIVE}
        others = [seen.risks[one] for one in still_open - named]
        assert all(seen.risks[one] > max([0.5, *others]) for one in named)
        assert seen.tests  # something is always on its way
        lines = bench.prepare_sub_pools()
        held = {
            line.barcode: {draw.barcode for draw in line.draws}
            for line in sub_pool_view.sub_pools(
                bench.session,
                bench.session.execute(
                    text("SELECT id FROM tube WHERE barcode = :b"), {"b": pool}
                ).scalar_one(),
            )
        }
        told = {label: 26.0 for label in lines.values() if held[label] & carriers}
        bench.run({**told, **dict.fromkeys(carriers, 24.0)})
    pytest.fail("not resolved in five runs")


def test_each_test_says_what_its_answers_would_do(bench: Bench) -> None:
    pool, people = positive(bench, "grid", 20)
    seen, _signs = drawn(bench, pool)
    assert [test.position for test in seen.tests[:2]] == ["row 1", "row 2"]
    row = seen.tests[0]
    assert row.clears == len(row.holds) == 5
    assert row.if_detected[0].barcodes == row.holds  # all of the row, alike
    assert row.if_detected[0].share > max(seen.risks.values()) > row.if_detected[1].share
    assert not set(row.if_not[0].barcodes) & set(row.holds)

    made = bench.prepare_sub_pools()
    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})
    seen, _signs = drawn(bench, pool)
    [own] = seen.tests
    assert (own.position, own.holds, own.clears) == (None, (people[7].barcode,), 1)
    assert seen.cts[people[7].barcode] == (25.7, 26.0)  # the column's four, then the row's five
    assert seen.measured == 10


def test_nothing_is_drawn_of_a_pool_of_more_than_is_counted(bench: Bench) -> None:
    bench.session.execute(text("UPDATE site SET max_pool_size = 50"))
    pool, _people = positive(bench, "dorfman", 33)
    tube = bench.session.execute(
        text("SELECT id FROM tube WHERE barcode = :barcode"), {"barcode": pool}
    ).scalar_one()
    members = pool_view.members(bench.session, tube, TubeKind.LAB_POOL)
    assert pool_picture(bench.session, tube, TubeKind.LAB_POOL, members, ()) is None


def test_a_pool_that_was_never_detected_is_not_drawn(bench: Bench) -> None:
    pool = bench.lab_pool(bench.swabs(6))
    bench.run()
    tube = bench.session.execute(
        text("SELECT id FROM tube WHERE barcode = :barcode"), {"barcode": pool}
    ).scalar_one()
    members = pool_view.members(bench.session, tube, TubeKind.LAB_POOL)
    assert pool_picture(bench.session, tube, TubeKind.LAB_POOL, members, ()) is None
