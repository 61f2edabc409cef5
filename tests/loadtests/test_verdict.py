"""The verdict: one thing lost is exit 1 with every latency green, and a slow one is exit 1 too."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from loadtests.day.charts import line_chart
from loadtests.day.objectives import Measured, measured
from loadtests.day.plainly import plainly
from loadtests.day.reckoning import DayReckoned
from loadtests.day.timeline import Band
from loadtests.day.verdict import Verdict, machine
from tests.builders import open_bench
from tests.loadtests.day_of_ten import DayOfTen

FAST = measured("one registration", 250, [10.0] * 200)
IDLE = {"load_before": 0.2, "cores": 2}


@pytest.fixture
def day(session: Session, now: datetime) -> DayOfTen:
    day = DayOfTen(open_bench(session, now))
    day.resolved()
    return day


def verdict(reckoned: DayReckoned, *objectives: Measured) -> Verdict:
    return Verdict(
        people=10,
        prevalence=0.1,
        seed=1,
        hours=10,
        compress=600,
        lived_s=60,
        lived_h=10,
        drained=True,
        objectives=objectives or (FAST,),
        failures={},
        of_faults={"POST /specimens: ReadError (web worker killed)": 3},
        faults=(),
        broke=(),
        done={},
        requests=200,
        machine=machine(1000.0, 100.0),
        reckoned=reckoned,
    )


def test_a_clean_and_fast_day_is_green(day: DayOfTen) -> None:
    assert verdict(day.reckoned()).exit_status == 0


def test_one_lost_row_is_exit_1_although_every_latency_is_green(day: DayOfTen) -> None:
    day.sql("DELETE FROM finding WHERE specimen_id = :swab", swab=day.swabs[7].specimen_id)
    said = verdict(day.reckoned())

    assert all(one.met for one in said.objectives)
    assert (said.exit_status, said.nothing_lost) == (1, False)
    assert said.as_json()["reconciliation"]["clean"] is False


def test_one_lost_notice_is_exit_1_although_every_latency_is_green(day: DayOfTen) -> None:
    day.lose_notices("kind = 'case.opened'")
    assert verdict(day.reckoned()).exit_status == 1


def test_a_slow_objective_an_unmeant_failure_or_a_broken_user_is_exit_1(day: DayOfTen) -> None:
    clean = day.reckoned()
    slow = measured("one registration", 250, [*[10.0] * 90, *[900.0] * 10])

    assert verdict(clean, FAST, slow).exit_status == 1
    assert replace(verdict(clean), failures={"GET /: 500": 1}).exit_status == 1
    assert replace(verdict(clean), broke=("PoolBuilder: 409",)).exit_status == 1
    assert replace(verdict(clean), drained=False).exit_status == 1


def test_an_objective_that_was_not_measured_is_exit_1(day: DayOfTen) -> None:
    never = measured("a batch", 1500, [])

    assert never.met is False
    assert verdict(day.reckoned(), FAST, never).exit_status == 1


def test_what_is_not_judged_decides_nothing(day: DayOfTen) -> None:
    shown = measured("… while: webhook receiver dead", math.inf, [9_000.0])
    nothing = measured("… its receivers are not ours", math.inf, [])

    assert (shown.met, nothing.met) == (None, None)
    assert verdict(day.reckoned(), FAST, shown, nothing).exit_status == 0


def test_a_missed_objective_says_how_many_requests_it_rests_on() -> None:
    slow = measured("one registration", 250, [*[10.0] * 80, 900.0, 1200.0])
    many = measured("a rack", 250, [*[10.0] * 900, *[900.0] * 100])

    idle, few, enough = plainly((slow, FAST, many), machine(None, 1.0) | IDLE)

    assert "load of 0.2 on 2 cores: idle" in idle
    assert "82 exchanges, 2 of them slower" in few
    assert "the slowest one decides" in few
    assert "1,000 exchanges, 100 of them slower" in enough
    assert "decide" not in enough


def test_a_busy_machine_and_what_was_not_measured_are_said_and_forgiven_nothing(
    day: DayOfTen,
) -> None:
    never = measured("a batch", 1500, [])

    busy, unmeasured = plainly((FAST, never), machine(None, 1.0) | IDLE | {"load_before": 7.9})

    assert "load of 7.9 on 2 cores: other programs were at work" in busy
    assert "nothing was measured" in unmeasured
    assert verdict(day.reckoned(), FAST, never).exit_status == 1


def test_percentiles_are_of_all_samples() -> None:
    one = measured("x", 100, [float(n) for n in range(1, 101)])

    assert (one.number, one.p50_ms, one.worst_ms) == (100, 50.5, 100.0)
    assert one.p99_ms == pytest.approx(99.01, abs=0.05)


def test_a_chart_draws_every_series_its_gaps_and_its_faults() -> None:
    picture = line_chart(
        "Speed <ms>",
        "ms",
        {"median": [1.0, None, 3.0], "p99": [5.0, 6.0, 7.0]},
        10.0,
        bands=[Band("receiver dead", 3.0, 4.0)],
        limit=250.0,
    )

    assert picture.count('<path class="s s') == 2
    assert picture.count("M", picture.index('class="s s0"'), picture.index('class="k s0"')) == 2
    assert "receiver dead" in picture
    assert "Speed &lt;ms&gt;" in picture
