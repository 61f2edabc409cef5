"""S5: a pool that will not tell."""

from datetime import datetime

from sqlalchemy.orm import Session

from tests import seen
from tests.builders import open_bench
from tests.captures import Blank


def test_an_invalid_pool_is_extracted_again_while_its_members_wait(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    pool = bench.lab_pool(bench.swabs(6))

    bench.run({pool: Blank.INVALID})

    (order,) = seen.orders(session, "queued")
    assert (order.barcode, order.round, order.why, order.priority) == (pool, 2, "repeat", 9)
    assert seen.findings(session) == {}


def test_the_second_invalid_sends_the_members_one_by_one(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    people = bench.swabs(6)
    pool = bench.lab_pool(people)

    bench.run({pool: Blank.INVALID})
    bench.run({pool: Blank.ERROR})

    assert seen.waiting(session) == {p.barcode for p in people}
    assert seen.findings(session) == {}
    assert seen.notices(session) == []

    bench.run()
    assert {f.outcome for f in seen.findings(session).values()} == {"negative"}


def test_a_repeat_that_is_negative_clears_everybody(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    pool = bench.lab_pool(bench.swabs(6))

    bench.run({pool: Blank.INVALID})
    bench.run()

    found = seen.findings(session)
    assert [f.outcome for f in found.values()] == ["negative"] * 6
    assert seen.waiting(session) == set()
