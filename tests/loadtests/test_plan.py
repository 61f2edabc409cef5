"""The plan of a day is a pure function: everybody comes once, as the curve has it."""

from __future__ import annotations

from collections import Counter

import pytest

from lims.demo.truth import Places, Route, Ward, draw_commune
from loadtests.day.plan import (
    COLLECTION_ENDS,
    LATEST_BATCH,
    Arrivals,
    Desk,
    Oddity,
    Plan,
    draw_plan,
    intensity,
)

HOURS = 10.0


def plan(*, people: int = 6_000, seed: int = 7) -> Plan:
    wards = tuple(Ward("vn-2025", f"{n:05d}", f"Xã {n}") for n in range(7))
    places = Places("vn-2025", "01", "Tỉnh", wards, wards[:2])
    commune = draw_commune(places, people=people, prevalence=0.02, seed=seed)
    return draw_plan(commune, hours=HOURS)


def test_the_same_seed_draws_the_same_day_and_another_seed_another() -> None:
    assert plan() == plan()
    assert plan() != plan(seed=8)


def test_everybody_comes_exactly_once() -> None:
    day = plan()
    came = [v.number for visit in day.visits for v in visit.household.villagers]
    came += [row.villager.number for batch in day.batches for row in batch.rows]

    assert sorted(came) == list(range(6_000))


def test_people_come_in_the_morning_less_at_noon_and_nobody_after_collection() -> None:
    day = plan()
    share = Counter(int(visit.at_h / HOURS * 50) for visit in day.visits)

    morning, noon, afternoon = (
        sum(share[n] for n in span) for span in ((6, 7), (14, 15), (20, 21))
    )
    assert noon < 0.6 * min(morning, afternoon)
    assert max(visit.at_h for visit in day.visits) <= COLLECTION_ENDS * HOURS
    assert [v.at_h for v in day.visits] == sorted(v.at_h for v in day.visits)
    assert intensity(COLLECTION_ENDS + 0.01) == 0


def test_the_busiest_moment_is_that_of_the_curve() -> None:
    mean = 1 / COLLECTION_ENDS
    assert mean < Arrivals().busiest() < 2 * mean


def test_teams_out_of_reach_come_back_late_with_some_bad_rows() -> None:
    day = plan()

    assert min(b.at_h for b in day.batches) >= 0.2 * HOURS
    assert max(b.at_h for b in day.batches) <= LATEST_BATCH * HOURS
    assert any(row.bad for b in day.batches for row in b.rows)
    assert {b.again for b in day.batches} == {True, False}


def test_every_desk_and_every_oddity_is_in_a_day() -> None:
    day = plan()

    assert {visit.desk for visit in day.visits} == set(Desk) - {Desk.BATCH}
    assert {visit.oddity for visit in day.visits} == {None, *Oddity}
    assert {v.household.route for v in day.visits if v.desk is Desk.FAMILY} == {Route.TOGETHER}


@pytest.mark.parametrize("barcode", ["TTD1000001X", "TTF1000001X"])
def test_what_happens_to_a_tube_on_its_way_is_drawn_once(barcode: str) -> None:
    day = plan(people=50)

    assert day.travel_h(barcode) == day.travel_h(barcode) > 0
    assert day.is_torn(barcode) is day.is_torn(barcode)


def test_a_few_tubes_in_a_thousand_are_torn() -> None:
    day = plan(people=50)
    torn = sum(day.is_torn(f"TTD1{n:06d}") for n in range(10_000))

    assert 20 <= torn <= 60
