"""S9, by probability: overlapping sub-pools point at people, in any order of their answers."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench
from tests.seen import SeenCase


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _parted(bench: Bench, size: int = 20) -> tuple[dict[str, str], list[Swab]]:
    """A detected pool, and its first sub-pools on the rack."""
    people = bench.swabs(size)
    bench.session.execute(text("UPDATE campaign SET resolution = 'bayesian'"))
    bench.run({bench.lab_pool(people): 27.0})
    return bench.prepare_sub_pools(), people


def _holding(bench: Bench, *swabs: Swab) -> set[str]:
    """The sub-pools that somebody of these is in."""
    rows = bench.session.execute(
        text(
            "SELECT DISTINCT t.barcode FROM sub_pool p JOIN tube t ON t.id = p.tube_id"
            " JOIN tube_specimen ts ON ts.tube_id = t.id WHERE ts.specimen_id = ANY(:held)"
        ),
        {"held": [swab.specimen_id for swab in swabs]},
    )
    return {row.barcode for row in rows}


def _to_the_end(bench: Bench, *infected: Swab) -> None:
    """Pipette and measure whatever is asked for."""
    for _ in range(6):
        bench.prepare_sub_pools()
        queued = {order.barcode for order in seen.orders(bench.session, "queued")}
        if not queued:
            return
        positive = _holding(bench, *infected) | {swab.barcode for swab in infected}
        bench.run(dict.fromkeys(queued & positive, 26.0))
    raise AssertionError("it is never resolved")


def _outcomes(bench: Bench, people: list[Swab]) -> list[str]:
    found = seen.findings(bench.session)
    return [found[swab.specimen_id].outcome for swab in people]


def test_a_pool_of_twenty_asks_for_five_sub_pools_of_ten_and_for_nobody_alone(
    bench: Bench,
) -> None:
    made, _people = _parted(bench)

    assert sorted(made) == [f"pool {n}" for n in range(1, 6)]
    sizes = bench.session.execute(
        text("SELECT count(*) FROM sub_pool_source GROUP BY sub_pool_id")
    ).scalars()
    assert list(sizes) == [10] * 5
    queued = {order.barcode for order in seen.orders(bench.session, "queued")}
    assert queued == set(made.values())


@pytest.mark.parametrize("place", [0, 7, 19])
def test_whom_they_point_at_is_told_at_once_and_found_by_her_own_test(
    bench: Bench, place: int
) -> None:
    bench.subscribe(HOME)
    made, people = _parted(bench)
    infected = people[place]
    pointing = _holding(bench, infected)

    bench.run(dict.fromkeys(pointing, 26.0))

    assert 2 <= len(pointing) < len(made)
    assert _outcomes(bench, people)[place] == "presumptive"
    assert seen.cases(bench.session) == [
        SeenCase(infected.person_id, "presumptive", "pooled_presumptive", sequence=1)
    ]
    assert infected.barcode in {o.barcode for o in seen.orders(bench.session, "queued")}

    _to_the_end(bench, infected)

    expected = ["negative"] * 20
    expected[place] = "positive"
    assert _outcomes(bench, people) == expected
    assert seen.waiting(bench.session) == set()


def test_three_infected_of_one_pool_are_all_found(bench: Bench) -> None:
    _made, people = _parted(bench)
    infected = [people[n] for n in (2, 9, 16)]

    bench.run(dict.fromkeys(_holding(bench, *infected), 26.0))
    _to_the_end(bench, *infected)

    found = [n for n, said in enumerate(_outcomes(bench, people)) if said == "positive"]
    assert found == [2, 9, 16]
    assert seen.waiting(bench.session) == set()


@pytest.mark.parametrize("first", range(4))
def test_the_end_does_not_depend_on_the_order_of_the_answers(bench: Bench, first: int) -> None:
    """Each sub-pool comes back by itself, whichever first."""
    made, people = _parted(bench, size=12)
    pointing = _holding(bench, people[5])
    labels = sorted(made.values())
    for label in labels[first:] + labels[:first]:
        bench.cartridge(label, 26.0 if label in pointing else None)

    _to_the_end(bench, people[5])

    expected = ["negative"] * 12
    expected[5] = "positive"
    assert _outcomes(bench, people) == expected
    assert seen.waiting(bench.session) == set()
