"""S2: one positive in a pool of ten, resolved one by one (Dorfman)."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from tests import seen
from tests.builders import FAR_WARD, HOME, Bench, Swab, open_bench
from tests.seen import SeenCase, SeenFinding


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


@pytest.fixture
def people(bench: Bench) -> list[Swab]:
    return bench.swabs(10)


def test_a_positive_pool_alerts_the_teams_and_queues_its_ten_members(
    bench: Bench, people: list[Swab]
) -> None:
    team = bench.subscribe(HOME)
    pool = bench.lab_pool(people)

    bench.run({pool: 27.0})

    said = SeenFinding("preliminary", "P", frozenset({pool}))
    assert seen.findings(bench.session) == dict.fromkeys((p.specimen_id for p in people), said)
    queued = seen.orders(bench.session, "queued")
    assert {o.barcode for o in queued} == {p.barcode for p in people}
    assert {(o.why, o.priority) for o in queued} == {("resolve", 9)}
    (alert,) = seen.notices(bench.session)
    assert (alert.kind, alert.subscription_id, alert.pool) == ("alert.raised", team, pool)
    assert alert.facts == {"provisional": 10, "withdrawn": 0, "confirmed": 0}
    assert seen.cases(bench.session) == []


def test_tube_four_is_named_and_the_nine_are_cleared_by_their_own_tests(
    bench: Bench, people: list[Swab]
) -> None:
    team = bench.subscribe(HOME)
    bench.run({bench.lab_pool(people): 27.0})
    infected = people[3]

    bench.run({infected.barcode: 23.7})

    found = seen.findings(bench.session)
    for person in people:
        outcome = "positive" if person is infected else "negative"
        status = "P" if person is infected else "F"
        assert found[person.specimen_id] == SeenFinding(
            outcome, status, frozenset({person.barcode})
        )
    assert seen.cases(bench.session) == [
        SeenCase(infected.person_id, "presumptive", "pcr", sequence=1)
    ]
    (opened,) = seen.notices(bench.session, "case.opened")
    assert (opened.subscription_id, opened.person_id) == (team, infected.person_id)
    assert seen.alert_members(bench.session) == {
        p.specimen_id: "confirmed" if p is infected else "withdrawn" for p in people
    }
    (update,) = seen.notices(bench.session, "alert.updated")
    assert update.facts == {"provisional": 0, "withdrawn": 9, "confirmed": 1}
    assert seen.waiting(bench.session) == set()


def test_each_team_hears_only_how_many_of_the_pool_are_its_own(bench: Bench) -> None:
    near, far = bench.subscribe(HOME), bench.subscribe(FAR_WARD)
    pool = bench.lab_pool([*bench.swabs(7), *bench.swabs(3, area=FAR_WARD)])

    bench.run({pool: 27.0})

    told = {n.subscription_id: n.facts["provisional"] for n in seen.notices(bench.session)}
    assert told == {near: 7, far: 3}
