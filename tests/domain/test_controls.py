"""The run is judged before any well is read (S11)."""

import pytest

from lims.domain.called import OwnCall, called
from lims.domain.controls import ControlReading, Judgement, Verdict, judge
from lims.domain.interpretation import TargetReading, rule_in_force

RULE = rule_in_force("sars-cov-2")


def _negative(ct: float | None = None, *, error: str | None = None) -> ControlReading:
    readings = (TargetReading("N", ct), TargetReading("IC", 27.0))
    return ControlReading("H11", "negative_control", readings, error)


def _positive(ct: float | None = 25.0, *, error: str | None = None) -> ControlReading:
    readings = (TargetReading("N", ct), TargetReading("IC", 27.0))
    return ControlReading("H12", "positive_control", readings, error)


def _judged(*controls: ControlReading) -> Judgement:
    return judge(RULE, controls)


def test_a_clean_negative_and_a_timely_positive_pass() -> None:
    assert _judged(_negative(), _positive()).verdict is Verdict.PASSED
    assert _judged(_negative(), _positive(35.0)).verdict is Verdict.PASSED


@pytest.mark.parametrize("ct", [12.0, 37.0, 44.0])
def test_any_amplification_of_a_negative_control_is_contamination(ct: float) -> None:
    judged = _judged(_negative(ct), _positive())

    assert judged.verdict is Verdict.CONTAMINATED
    assert judged.why == f"negative control H11 amplified: N {ct:.1f}"


def test_a_contaminated_extraction_control_condemns_the_run_as_well() -> None:
    extraction = ControlReading("A12", "extraction_control", (TargetReading("N", 33.0),))

    assert _judged(_negative(), _positive(), extraction).verdict is Verdict.CONTAMINATED


def test_the_internal_control_of_a_negative_control_is_no_contamination() -> None:
    assert _judged(_negative(), _positive()).why.startswith("negative control clean")


@pytest.mark.parametrize(
    ("control", "why"),
    [
        (_positive(None), "positive control H12 did not amplify"),
        (_positive(35.1), "positive control H12 late: 35.1 > 35 cycles"),
        (_positive(error="E7"), "positive control H12 failed: E7"),
        (ControlReading("H12", "positive_control", None), "positive control H12 was not measured"),
    ],
)
def test_a_silent_or_late_positive_control_makes_the_run_insensitive(
    control: ControlReading, why: str
) -> None:
    assert _judged(_negative(), control) == Judgement(Verdict.INSENSITIVE, why)


@pytest.mark.parametrize(
    "control", [_negative(error="E7"), ControlReading("H11", "negative_control", None)]
)
def test_a_negative_control_that_says_nothing_does_not_vouch_for_the_run(
    control: ControlReading,
) -> None:
    assert _judged(control, _positive()).verdict is Verdict.INSENSITIVE


def test_contamination_outweighs_insensitivity() -> None:
    assert _judged(_negative(33.0), _positive(None)).verdict is Verdict.CONTAMINATED


def test_a_plate_without_one_of_its_controls_does_not_pass() -> None:
    assert _judged(_positive()).why == "the plate has no negative control"
    assert _judged(_negative()).why == "the plate has no positive control"
    assert _judged().verdict is Verdict.INSENSITIVE


def _called(role: str, word: str, *, closed: bool, ct: float | None = None) -> ControlReading:
    readings = (TargetReading("N", ct, word, called(word, "m2000")),)
    own = OwnCall(word, called(word, "m2000"), closed)
    return ControlReading("G1", role, readings, own=own)


def test_a_closed_system_s_calls_of_its_controls_pass_a_run() -> None:
    negative = _called("negative_control", "Not Detected", closed=True)
    positive = _called("positive_control", "Detected", closed=True)
    assert _judged(negative, positive).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("control", "verdict"),
    [
        (_called("negative_control", "Detected", closed=True), Verdict.CONTAMINATED),
        (_called("negative_control", "Not Detected", closed=True, ct=44.0), Verdict.CONTAMINATED),
        (_called("negative_control", "Invalid", closed=True), Verdict.INSENSITIVE),
        (_called("positive_control", "Not Detected", closed=True), Verdict.INSENSITIVE),
        (_called("positive_control", "Invalid", closed=True, ct=25.0), Verdict.INSENSITIVE),
        (_called("positive_control", "Detected", closed=True, ct=35.1), Verdict.INSENSITIVE),
        (_called("positive_control", "never seen", closed=True), Verdict.INSENSITIVE),
        (_called("positive_control", "Detected", closed=False), Verdict.INSENSITIVE),
        (_called("negative_control", "Invalid", closed=False), Verdict.INSENSITIVE),
    ],
)
def test_neither_a_word_nor_a_number_hides_the_other(
    control: ControlReading, verdict: Verdict
) -> None:
    assert _judged(_negative(), _positive(), control).verdict is verdict
