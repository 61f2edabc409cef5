"""The forecast: what stands where, how fast it goes, and who will not be told in time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from lims.tables import Campaign
from lims.work.views import deadlines
from lims.work.views.deadlines import GUESSED, Pace, Step
from tests.builders import Bench, open_bench
from tests.captures import Told, plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def loads(bench: Bench) -> dict[Step, deadlines.StepLoad]:
    paces = deadlines.paces(bench.session, site_id=bench.site_id, now=bench.now)
    found = deadlines.step_loads(bench.session, paces, site_id=bench.site_id, now=bench.now)
    return {load.step: load for load in found}


def due(bench: Bench) -> tuple[deadlines.DueTube, ...]:
    paces = deadlines.paces(bench.session, site_id=bench.site_id, now=bench.now)
    return deadlines.next_due(bench.session, paces, site_id=bench.site_id, now=bench.now)


def test_every_tube_stands_at_one_step_and_a_pooled_one_with_its_pool(bench: Bench) -> None:
    bench.swab(received=False)
    members = bench.swabs(12)
    bench.lab_pool(members[:10])
    alone = bench.swab()
    bench.plate(alone.barcode)
    found = loads(bench)
    assert {step: (load.tubes, load.people) for step, load in found.items()} == {
        Step.DOOR: (1, 1),
        Step.POOL: (2, 2),
        Step.PLATE: (1, 10),
        Step.READ: (1, 1),
        Step.WORD: (0, 0),
    }


def test_a_quiet_day_has_steps_and_no_tubes(bench: Bench) -> None:
    assert [load.tubes for load in loads(bench).values()] == [0] * len(Step)
    assert due(bench) == ()


def test_a_pool_is_as_old_as_its_oldest_swab(bench: Bench) -> None:
    first, swabbed_at = bench.swabs(5), bench.now
    bench.later(22 * 60 + 30)
    pool = bench.lab_pool([*first, *bench.swabs(5)])
    (next_up,) = due(bench)
    assert (next_up.barcode, next_up.people) == (pool, 10)
    assert next_up.due_at == swabbed_at + timedelta(hours=24)
    assert next_up.expected_at > next_up.due_at


def test_a_short_promise_is_at_risk_before_it_is_broken_and_late_after(bench: Bench) -> None:
    swab = bench.swab()
    campaign = bench.campaign(pool_size=1)
    quick = bench.swab(campaign_id=campaign)
    bench.session.execute(
        update(Campaign).where(Campaign.id == campaign).values(answer_within_min=120)
    )
    found = loads(bench)
    assert (found[Step.PLATE].late, found[Step.PLATE].at_risk) == (0, 1)
    assert [tube.barcode for tube in due(bench)] == [quick.barcode]
    bench.later(150)
    found = loads(bench)
    assert (found[Step.PLATE].late, found[Step.PLATE].at_risk) == (1, 0)
    assert swab.barcode not in {tube.barcode for tube in due(bench)}


def test_the_forecast_is_a_guess_until_a_step_was_seen_ten_times(bench: Bench) -> None:
    nine = Pace(timedelta(minutes=5), timedelta(minutes=9), 9)
    assert deadlines.usual(Step.READ, {Step.READ: nine}) == GUESSED[Step.READ]
    ten = Pace(timedelta(minutes=5), timedelta(minutes=9), 10)
    assert deadlines.usual(Step.READ, {Step.READ: ten}) == timedelta(minutes=5)


def test_the_pace_is_what_each_step_took(bench: Bench) -> None:
    swabs = [bench.swab() for _ in range(12)]
    layout = bench.later(30).plate(*(swab.barcode for swab in swabs))
    cts: dict[str, Told] = {swabs[0].barcode: 24.0}
    bench.later(90).take(plate_capture(layout, cts, instrument=bench.instrument))
    paces = deadlines.paces(bench.session, site_id=bench.site_id, now=bench.now)
    assert paces[Step.PLATE] == Pace(timedelta(minutes=30), timedelta(minutes=30), 12)
    assert paces[Step.READ].median == timedelta(minutes=90)
    assert Step.WORD not in paces
    found = loads(bench)
    assert found[Step.WORD].tubes == 1
    assert found[Step.READ].tubes == 0
