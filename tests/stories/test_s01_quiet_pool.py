"""S1: ten people, one laboratory pool, nothing found."""

from datetime import datetime

from sqlalchemy.orm import Session

from tests import seen
from tests.builders import open_bench
from tests.seen import SeenFinding


def test_ten_people_are_cleared_by_one_pool_and_nothing_else_happens(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    people = bench.swabs(10)
    pool = bench.lab_pool(people)

    receipt = bench.run()

    assert receipt.matched == 3  # the pool and two controls
    assert receipt.runs == {"PLATE-0001": "valid"}
    said = SeenFinding("negative", "F", frozenset({pool}))
    assert seen.findings(session) == dict.fromkeys((p.specimen_id for p in people), said)
    assert seen.waiting(session) == set()
    assert seen.cases(session) == []
    assert seen.notices(session) == []
    assert seen.recollections(session) == {}


def test_a_tube_tested_alone_is_cleared_by_its_own_test(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    alone = bench.swab()

    bench.run()

    said = SeenFinding("negative", "F", frozenset({alone.barcode}))
    assert seen.findings(session) == {alone.specimen_id: said}
