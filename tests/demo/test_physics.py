"""What instruments show of a truth, and that whatever chance did is said by name."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lims.demo.physics import (
    CARTRIDGE_KIT,
    DETECTED_TO,
    INVALID_WELL,
    PLATE_KIT,
    POOL_SPECIFICITY,
    SINGLE_SPECIFICITY,
    Chemistry,
    Error,
    Reading,
    antigen_probability,
    detection_probability,
    pooled_ct,
    read_controls,
    read_strip,
    read_tube,
)
from lims.domain.controls import ControlReading, Verdict, judge
from lims.domain.interpretation import TargetReading, rule_in_force
from lims.domain.outcomes import Outcome
from lims.domain.rapid_test import RapidOutcome
from lims.domain.well_reading import interpret

RULE = rule_in_force("sars-cov-2")
CTS = st.floats(12, 38.5)
SWABS = st.lists(st.none() | CTS, min_size=1, max_size=20)


def read(targets: dict[str, float | None]) -> Outcome:
    readings = [TargetReading(name, ct) for name, ct in targets.items()]
    return interpret(RULE, readings).outcome


@given(CTS, st.integers(1, 32))
def test_a_pool_of_one_positive_is_later_by_the_logarithm_of_its_size(ct: float, n: int) -> None:
    pool = pooled_ct([ct, *[None] * (n - 1)])

    assert pool == pytest.approx(ct + (n - 1).bit_length(), abs=1)
    if n in {1, 2, 4, 8, 16, 32}:
        assert pool == pytest.approx(ct + n.bit_length() - 1)


@given(st.lists(CTS, min_size=1, max_size=20))
def test_a_pool_is_never_earlier_than_its_earliest_swab(cts: list[float]) -> None:
    pool = pooled_ct(cts)

    assert pool is not None
    assert pool >= min(cts) - 1e-9


def test_detection_falls_from_certain_to_half_at_37_to_nothing() -> None:
    assert detection_probability(30) > 0.999
    assert detection_probability(37) == pytest.approx(0.5)
    assert detection_probability(41) < 0.001
    assert antigen_probability(20) > 0.95
    assert antigen_probability(35) < 0.02


@given(SWABS, st.integers(0, 10**6), st.sampled_from([PLATE_KIT, CARTRIDGE_KIT]))
def test_whatever_the_laboratory_reads_wrongly_has_a_name(
    cts: list[float | None], seed: int, kit: Chemistry
) -> None:
    reading = read_tube(Random(seed), "TT01", cts, kit)

    said = read(dict(reading.targets))
    truth = Outcome.DETECTED if any(cts) else Outcome.NOT_DETECTED
    named = {
        None: truth,
        Error.MISSED: Outcome.NOT_DETECTED,
        Error.DOUBTFUL: Outcome.INCONCLUSIVE,
        Error.FALSE_POSITIVE: Outcome.DETECTED,
        Error.INVALID: Outcome.INVALID,
    }
    assert said is named[reading.deviation.error if reading.deviation else None]
    assert reading.deviation is None or reading.deviation.subject == "TT01"


@given(st.integers(0, 10**6))
def test_a_failed_control_fails_the_run_and_only_a_failed_one(seed: int) -> None:
    blank, known, failure = read_controls(Random(seed), "PL-1")

    controls = [
        ControlReading("H11", "negative_control", [TargetReading(*t) for t in blank.items()]),
        ControlReading("H12", "positive_control", [TargetReading(*t) for t in known.items()]),
    ]
    verdict = judge(RULE, controls).verdict
    assert (verdict is Verdict.PASSED) == (failure is None)


def test_the_errors_come_as_often_as_the_story_says() -> None:
    def share(cts: list[float | None], error: Error) -> float:
        readings = [read_tube(Random(n), "TT01", cts, PLATE_KIT) for n in range(20_000)]
        return sum(_is(reading, error) for reading in readings) / len(readings)

    assert share([None], Error.INVALID) == pytest.approx(INVALID_WELL, abs=0.002)
    assert share([None], Error.FALSE_POSITIVE) == pytest.approx(1 - SINGLE_SPECIFICITY, abs=0.0015)
    assert share([None] * 10, Error.FALSE_POSITIVE) == pytest.approx(
        1 - POOL_SPECIFICITY, abs=0.002
    )
    assert share([37.0], Error.MISSED) == pytest.approx(0.5, abs=0.02)
    assert share([25.0], Error.MISSED) < 0.001


@given(CTS, st.integers(0, 10**6))
def test_a_strip_without_its_line_says_why(ct: float, seed: int) -> None:
    outcome, deviation = read_strip(Random(seed), "swab", ct)

    assume(outcome is not RapidOutcome.INVALID)
    assert (outcome is RapidOutcome.POSITIVE) == (deviation is None)
    assert deviation is None or deviation.error is Error.MISSED


def test_strips_show_strong_infections_nearly_always() -> None:
    shown = [read_strip(Random(f"strip 1 {n}"), "swab", 22.0)[0] for n in range(5000)]

    assert shown.count(RapidOutcome.POSITIVE) / 5000 == pytest.approx(0.96, abs=0.015)


def test_a_reading_over_the_limit_is_never_shown_as_detected() -> None:
    shown = [read_tube(Random(n), "TT01", [37.8], PLATE_KIT) for n in range(2000)]

    for reading in shown:
        if _is(reading, Error.DOUBTFUL):
            assert min(ct for ct in reading.targets.values() if ct and ct > 33) > DETECTED_TO


def _is(reading: Reading, error: Error) -> bool:
    return reading.deviation is not None and reading.deviation.error is error
