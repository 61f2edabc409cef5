"""S6: a pool made of pools, where the site has validated it, and nowhere else."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from lims.domain.refusals import PersonTwiceInPool, PoolHasResults, PoolOfPools
from tests import seen
from tests.builders import Swab, open_bench


def test_a_family_tube_is_refused_as_a_source(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    family = bench.field_pool(5)

    with pytest.raises(PoolOfPools):
        bench.lab_pool([*bench.swabs(3), family.barcode])


def test_where_it_is_allowed_the_composition_is_resolved_level_by_level(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now, pools_of_pools=True)
    family, low = bench.field_pool(4), bench.swabs(3)
    high = bench.swabs(3)
    low_pool, high_pool = bench.lab_pool(low), bench.lab_pool(high)
    whole = bench.lab_pool([low_pool, high_pool, family.barcode])
    assert seen.waiting(session) == {whole}  # the smaller ones left the queue

    bench.run({whole: 29.0})
    assert seen.waiting(session) == {low_pool, high_pool, family.barcode}
    assert len(seen.findings(session)) == 10

    bench.run({high_pool: 27.0})
    assert seen.waiting(session) == {p.barcode for p in high}
    assert _outcomes(session, low) == {"negative"}

    bench.run({high[1].barcode: 25.0})
    found = seen.findings(session)
    assert [found[p.specimen_id].outcome for p in high] == ["negative", "positive", "negative"]
    assert [c.person_id for c in seen.cases(session)] == [high[1].person_id]
    assert seen.waiting(session) == set()


def test_a_negative_pool_of_pools_clears_everyone_in_it(session: Session, now: datetime) -> None:
    bench = open_bench(session, now, pools_of_pools=True)
    family = bench.field_pool(4)
    whole = bench.lab_pool([bench.lab_pool(bench.swabs(3)), family.barcode])

    bench.run()

    found = seen.findings(session)
    assert len(found) == 7
    assert {(f.outcome, f.evidence) for f in found.values()} == {("negative", frozenset({whole}))}


def test_a_pool_that_was_measured_is_no_source_any_more(session: Session, now: datetime) -> None:
    bench = open_bench(session, now, pools_of_pools=True)
    measured = bench.lab_pool(bench.swabs(3))
    bench.run({measured: 25.0})

    with pytest.raises(PoolHasResults):
        bench.lab_pool([measured, bench.lab_pool(bench.swabs(3))])


def test_nobody_is_in_a_pool_twice_through_its_levels(session: Session, now: datetime) -> None:
    bench = open_bench(session, now, pools_of_pools=True)
    first = bench.swabs(2)
    second = bench.swab(person_id=first[0].person_id, campaign_id=bench.campaign())

    with pytest.raises(PersonTwiceInPool):
        bench.lab_pool([bench.lab_pool(first), second])


def _outcomes(session: Session, people: list[Swab]) -> set[str]:
    found = seen.findings(session)
    return {found[p.specimen_id].outcome for p in people}
