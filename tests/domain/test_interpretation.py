"""One well, one word: the limits of the kit's rule, inclusive, and what a missing control means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.interpretation import (
    RULES,
    TargetReading,
    assay_named,
    rule_in_force,
    target_named,
)
from lims.domain.outcomes import Outcome
from lims.domain.refusals import NotFound
from lims.domain.well_reading import interpret

RULE = rule_in_force("sars-cov-2")
CTS = st.none() | st.floats(5.0, 45.0)


def _read(*, orf: float | None = None, n: float | None = None, ic: float | None = 27.0) -> Outcome:
    readings = [TargetReading("ORF1ab", orf), TargetReading("N", n), TargetReading("IC", ic)]
    return interpret(RULE, readings).outcome


@pytest.mark.parametrize(
    ("lowest", "outcome"),
    [
        (12.0, Outcome.DETECTED),
        (38.0, Outcome.DETECTED),
        (38.01, Outcome.INCONCLUSIVE),
        (40.0, Outcome.INCONCLUSIVE),
        (40.01, Outcome.NOT_DETECTED),
        (None, Outcome.NOT_DETECTED),
    ],
)
def test_the_limits_are_inclusive(lowest: float | None, outcome: Outcome) -> None:
    assert _read(orf=lowest) is outcome
    assert _read(n=lowest) is outcome


def test_one_target_of_two_is_enough() -> None:
    assert _read(orf=None, n=37.0) is Outcome.DETECTED
    assert _read(orf=37.0, n=39.0) is Outcome.DETECTED


@pytest.mark.parametrize("control", [None, 35.01])
def test_without_target_and_without_internal_control_it_is_invalid_not_negative(
    control: float | None,
) -> None:
    assert _read(ic=control) is Outcome.INVALID
    assert _read(orf=41.0, ic=control) is Outcome.INVALID
    assert _read(orf=20.0, ic=control) is Outcome.DETECTED  # the target outcompetes the control
    assert _read(ic=35.0) is Outcome.NOT_DETECTED


def test_an_instrument_error_is_invalid_whatever_the_numbers_say() -> None:
    said = interpret(RULE, [TargetReading("N", 20.0), TargetReading("IC", 27.0)], error="E13")

    assert (said.outcome, said.ct_cycles) == (Outcome.INVALID, None)
    assert said.why == "instrument error: E13"


def test_the_lowest_ct_and_the_rule_are_kept_with_the_sentence() -> None:
    said = interpret(
        RULE, [TargetReading("ORF1ab", 25.2), TargetReading("N", 23.71), TargetReading("IC", 30.0)]
    )

    assert (said.outcome, said.ct_cycles, said.rule) == (
        Outcome.DETECTED,
        23.71,
        "sars-cov-2/2",
    )
    assert said.why == "N 23.7, ORF1ab 25.2 ≤ 38 cycles"


@given(orf=CTS, n=CTS, ic=CTS)
def test_more_virus_never_makes_a_well_less_positive(
    orf: float | None, n: float | None, ic: float | None
) -> None:
    rank = [Outcome.INVALID, Outcome.NOT_DETECTED, Outcome.INCONCLUSIVE, Outcome.DETECTED]
    before = rank.index(_read(orf=orf, n=n, ic=ic))
    earlier = max(5.0, (orf or 45.0) - 5.0)

    assert rank.index(_read(orf=earlier, n=n, ic=ic)) >= before


@pytest.mark.parametrize(
    ("text", "target"),
    [("orf1ab", "ORF1ab"), ("ORF-1ab", "ORF1ab"), ("N2", "N"), ("RNase P", "IC"), ("SPC", "IC")],
)
def test_an_instrument_s_names_of_targets_are_known(text: str, target: str) -> None:
    assert target_named(text) == target


def test_an_unknown_target_keeps_its_name_and_says_nothing() -> None:
    assert target_named(" FluA ") == "FluA"
    said = interpret(RULE, [TargetReading("FluA", 18.0), TargetReading("IC", 27.0)])
    assert said.outcome is Outcome.NOT_DETECTED


@pytest.mark.parametrize("text", ["SARS-CoV-2", "sars-cov-2", "SARS2", "Panel 4plex^SARS-CoV-2"])
def test_an_instrument_s_names_of_the_assay_are_known(text: str) -> None:
    assert assay_named(text) == "sars-cov-2"


@pytest.mark.parametrize("text", ["Influenza A", "", "SARS", "SARS-CoV-2^FluA"])
def test_an_assay_that_no_rule_reads_is_not_guessed(text: str) -> None:
    assert assay_named(text) is None
    with pytest.raises(NotFound):
        rule_in_force(text)


def test_every_rule_names_where_it_comes_from_and_versions_are_unique() -> None:
    assert all(rule.source for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.ct_limit <= rule.weak_limit for rule in RULES)
