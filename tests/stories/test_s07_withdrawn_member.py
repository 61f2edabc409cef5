"""S7: a member's tube breaks after it was drawn into the pool."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from lims.domain.refusals import InvalidBody
from lims.work.reject import reject
from tests import seen
from tests.builders import Bench, Swab, open_bench


def _pool_with_a_broken_tube(bench: Bench) -> tuple[str, list[Swab]]:
    people = bench.swabs(5)
    pool = bench.lab_pool(people)
    reject(bench.session, people[0].barcode, "leaking", by="door", now=bench.now)
    return pool, people


def test_a_negative_pool_still_clears_her(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    pool, people = _pool_with_a_broken_tube(bench)
    assert seen.recollections(session) == {}

    bench.run()

    assert seen.findings(session)[people[0].specimen_id].outcome == "negative"
    assert seen.findings(session)[people[0].specimen_id].evidence == {pool}
    assert seen.recollections(session) == {}


def test_a_positive_pool_has_her_swabbed_again_and_not_queued(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    pool, people = _pool_with_a_broken_tube(bench)

    bench.run({pool: 26.0})

    assert seen.findings(session)[people[0].specimen_id].outcome == "recollect"
    assert seen.recollections(session).keys() == {people[0].specimen_id}
    assert seen.waiting(session) == {p.barcode for p in people[1:]}


def test_a_tube_that_breaks_while_its_re_test_is_queued_leaves_the_queue(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    people = bench.swabs(5)
    bench.run({bench.lab_pool(people): 26.0})

    reject(session, people[2].barcode, "empty", by="bench", now=bench.now)

    assert people[2].barcode not in seen.waiting(session)
    assert seen.recollections(session).keys() == {people[2].specimen_id}


def test_a_tube_rejected_at_the_door_is_swabbed_again_at_once(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    broken = bench.swab(received=False)

    reject(session, broken.barcode, "broken in transport", by="door", now=bench.now)

    assert seen.recollections(session) == {broken.specimen_id: "tube rejected"}
    with pytest.raises(InvalidBody):
        reject(session, bench.swab(received=False).barcode, " ", by="door", now=bench.now)


def test_a_pool_that_breaks_before_its_run_is_resolved_by_its_members(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    people = bench.swabs(4)
    pool = bench.lab_pool(people)

    reject(session, pool, "dropped", by="pooler", now=bench.now)

    assert seen.waiting(session) == {p.barcode for p in people}
