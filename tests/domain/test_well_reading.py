"""One well by its numbers and its machine's own words: neither alone ever hides the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.called import CLOSED_SYSTEMS, Called, OwnCall, called, judges_by_itself
from lims.domain.interpretation import (
    RULES,
    Interpretation,
    TargetReading,
    amplified,
    interpret_cts,
    rule_in_force,
)
from lims.domain.outcomes import Outcome
from lims.domain.well_reading import interpret, word_without_ct

RULE = rule_in_force("sars-cov-2")
Said = tuple[str, float | None, str | None]


def _reading(said: Said, driver: str) -> TargetReading:
    target, ct, word = said
    return TargetReading(target, ct, word, called(word, driver))


def _own(word: str | None, driver: str) -> OwnCall:
    return OwnCall(word, called(word, driver), judges_by_itself(driver))


def _read(
    *said: Said, driver: str = "cobas", whole: str | None = None, error: str | None = None
) -> Interpretation:
    readings = [_reading(one, driver) for one in said]
    return interpret(RULE, readings, error=error, own=_own(whole, driver))


def test_a_cobas_that_sends_calls_alone_is_read() -> None:
    negative = _read(("ORF1ab", None, "NEG"), ("E", None, "NEG"))
    assert (negative.outcome, negative.ct_cycles) == (Outcome.NOT_DETECTED, None)
    assert negative.why == "the machine's own call: ORF1ab NEG, E NEG"

    positive = _read(("ORF1ab", None, "POS"), ("E", None, "NEG"))
    assert (positive.outcome, positive.ct_cycles) == (Outcome.DETECTED, None)
    assert positive.why == "the machine's own call: ORF1ab POS"
    assert positive.rule == "sars-cov-2/2"


def test_a_late_internal_control_of_a_closed_system_is_for_the_machine_to_judge() -> None:
    said = (("ORF1ab", None, "NEG"), ("E", None, "NEG"), ("IC", 37.15, None))
    assert _read(*said).outcome is Outcome.NOT_DETECTED
    assert _read(*said, driver="quantstudio").outcome is Outcome.INVALID


def test_numbers_are_read_as_before_where_they_came() -> None:
    said = _read(("ORF1ab", 36.51, "POS"), ("E", 35.02, "POS"), ("IC", 36.9, None))
    assert (said.outcome, said.ct_cycles) == (Outcome.DETECTED, 35.02)
    assert said.why == "E 35.0, ORF1ab 36.5 ≤ 38 cycles"
    clean = _read(("N", None, "NEG"), ("SPC", 29.4, "PASS"), driver="genexpert", whole="NEGATIVE")
    assert clean.why == "no target, internal control 29.4 cycles"


@pytest.mark.parametrize("driver", ["quantstudio", "cfx96", "plate", "my-own-profile"])
def test_the_call_of_an_open_cycler_never_stands_for_its_internal_control(driver: str) -> None:
    silent = _read(("ORF1ab", None, "NEG"), ("N", None, "NEG"), driver=driver, whole="NEGATIVE")
    assert silent.outcome is Outcome.INVALID
    assert silent.why == "no target, internal control missing"
    found = _read(("N", None, "POS"), ("IC", 27.0, None), driver=driver)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.why == "no cycle number, but the machine's own call: N POS"


def test_what_a_cycler_says_of_a_curve_s_quality_settles_nothing() -> None:
    """QuantStudio's amplification status is Amp, No Amp or Inconclusive, a well and target."""
    control = ("IC", 27.0, "Amp")
    early = _read(("N", 24.8, "Inconclusive"), control, driver="quantstudio")
    assert early.outcome is Outcome.DETECTED
    none = _read(("N", None, "Inconclusive"), control, driver="quantstudio")
    assert none.outcome is Outcome.NOT_DETECTED
    silent = _read(("N", None, "No Amp"), driver="quantstudio")
    assert silent.why == "no target, internal control missing"


@pytest.mark.parametrize(
    ("said", "whole", "why"),
    [
        (
            (("N", 24.8, "NEG"), ("IC", 27.0, None)),
            None,
            "N 24.8 ≤ 38 cycles, but the machine's own call: N NEG",
        ),
        (
            (("N", 41.2, "POS"), ("IC", 27.0, None)),
            None,
            "N 41.2 > 40 cycles, but the machine's own call: N POS",
        ),
        (
            (("N", 24.8, None), ("IC", 27.0, None)),
            "NEGATIVE",
            "N 24.8 ≤ 38 cycles, but the machine's own call: NEGATIVE",
        ),
        (
            (("N", 41.2, None), ("IC", 27.0, None)),
            "POSITIVE",
            "N 41.2 > 40 cycles, but the machine's own call: POSITIVE",
        ),
        (
            (("ORF1ab", None, "POS"), ("E", None, "POS")),
            "NR",
            "the machine's own calls disagree: ORF1ab POS, E POS, whole test NR",
        ),
        (
            (("ORF1ab", None, "NEG"), ("E", None, "NEG")),
            "RR",
            "the machine's own calls disagree: ORF1ab NEG, E NEG, whole test RR",
        ),
        ((("N", None, "Inconclusive"),), None, "the machine's own call: N Inconclusive"),
        ((("N", 24.8, "POS"),), "PRESUMPTIVE POS", None),
        ((("N", None, "NEG"),), "PRESUMPTIVE POS", "the machine's own call: PRESUMPTIVE POS"),
    ],
)
def test_a_contradiction_is_for_a_reviewer_who_sees_both(
    said: tuple[Said, ...], whole: str | None, why: str | None
) -> None:
    found = _read(*said, whole=whole)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert why is None or found.why == why


def test_a_clear_positive_is_not_hidden_by_a_doubt_about_the_other_target() -> None:
    assert _read(("ORF1ab", 24.8, "POS"), ("E", 26.0, "NEG")).outcome is Outcome.DETECTED
    assert _read(("ORF1ab", None, "POS"), ("E", None, "Invalid")).outcome is Outcome.DETECTED


@pytest.mark.parametrize(
    ("said", "whole", "why"),
    [
        ((), "Invalid", "the machine's own call: Invalid"),
        ((("ORF1ab", None, "NEG"), ("E", None, "Invalid")), None, "E Invalid"),
        ((("ORF1ab", None, "NEG"), ("E", None, "BT")), None, "is not known: E BT"),
        ((("ORF1ab", None, "BT"), ("E", None, "BT")), "Target Not Detected", "is not known"),
        ((("ORF1ab", None, "NEG"), ("E", None, None)), None, "internal control missing"),
        ((("N", None, "NEG"), ("SPC", 30.0, "FAIL")), None, "internal control called IC FAIL"),
        ((), "1523", "is not known: 1523"),
        ((), None, "internal control missing"),
    ],
)
def test_what_nobody_vouches_for_is_invalid(
    said: tuple[Said, ...], whole: str | None, why: str
) -> None:
    found = _read(*said, whole=whole)
    assert found.outcome is Outcome.INVALID
    assert why in found.why


def test_the_word_for_the_whole_test_is_enough_where_targets_say_nothing() -> None:
    assert _read(whole="Not detected", driver="m2000").outcome is Outcome.NOT_DETECTED
    assert _read(whole="Detected", driver="m2000").outcome is Outcome.DETECTED
    quantity = _read(("SARS-CoV-2", None, "161152"), whole="Detected", driver="alinity-m")
    assert quantity.outcome is Outcome.DETECTED


def test_an_instrument_error_is_invalid_whatever_was_called() -> None:
    said = _read(("ORF1ab", None, "POS"), whole="POSITIVE", error="P02T")
    assert (said.outcome, said.why) == (Outcome.INVALID, "instrument error: P02T")


def test_another_target_s_word_says_nothing_of_this_assay() -> None:
    said = _read(("N", None, "NEG"), ("FluA", None, "POS"), ("FluB", 20.0, "POS"))
    assert said.outcome is Outcome.NOT_DETECTED


def test_version_1_reads_numbers_alone_as_it_always_did() -> None:
    old = next(rule for rule in RULES if rule.name == "sars-cov-2/1")
    said = [TargetReading("N", None, "NEG", Called.NOT_DETECTED)]
    assert interpret(old, said, own=_own("NEGATIVE", "cobas")).outcome is Outcome.INVALID


@pytest.mark.parametrize(
    ("said", "whole", "word"),
    [
        ((("ORF1ab", None, "POS"), ("E", None, "NEG")), None, "POS"),
        ((("ORF1ab", None, "NEG"), ("E", None, "NEG")), None, "NEG"),
        ((("N", 24.8, "POS"),), "POSITIVE", None),
        ((("N", None, None),), "POSITIVE", "POSITIVE"),
        ((("N", None, "xyz"),), "xyz", None),
        ((("IC", None, "POS"),), None, None),
    ],
)
def test_a_page_shows_the_word_where_no_ct_came(
    said: tuple[Said, ...], whole: str | None, word: str | None
) -> None:
    readings = [_reading(one, "cobas") for one in said]
    assert word_without_ct(RULE, readings, _own(whole, "cobas")) == word


DRIVERS = st.sampled_from([*CLOSED_SYSTEMS, "quantstudio", "plate", "my-own-profile"])
WORDS = st.sampled_from(
    [None, "POS", "NEG", "NR", "RR", "Target Not Detected", "Presumptive Positive", "Invalid", "BT"]
)
CTS = st.none() | st.floats(5.0, 45.0)
TARGETS = st.sampled_from(["ORF1ab", "N", "E", "IC", "FluA", "SARS-CoV-2"])


@given(
    driver=DRIVERS,
    said=st.lists(st.tuples(TARGETS, CTS, WORDS), max_size=5),
    whole=WORDS,
)
def test_nobody_is_negative_unless_something_vouches_for_it(
    driver: str, said: list[Said], whole: str | None
) -> None:
    readings, own = [_reading(one, driver) for one in said], _own(whole, driver)
    found = interpret(RULE, readings, own=own)
    asked = [r for r in readings if r.target in RULE.targets]
    if found.outcome is Outcome.NOT_DETECTED:
        control = amplified(readings, "IC")
        explicit = own.closed and (
            own.called is Called.NOT_DETECTED
            or (bool(asked) and all(r.called is Called.NOT_DETECTED for r in asked))
        )
        assert explicit or (control is not None and control <= RULE.control_limit)
        assert all(r.called is not Called.DETECTED for r in asked)
        assert own.called is not Called.DETECTED
        assert all(r.ct_cycles is None or r.ct_cycles > RULE.weak_limit for r in asked)
    if found.outcome is Outcome.DETECTED:
        by_number = any(r.ct_cycles and r.ct_cycles <= RULE.ct_limit for r in asked)
        by_word = own.closed and Called.DETECTED in {own.called, *(r.called for r in asked)}
        assert by_number or by_word
        assert by_number or found.ct_cycles is None


@given(driver=DRIVERS, said=st.lists(st.tuples(TARGETS, CTS, st.none()), max_size=5))
def test_without_any_word_the_new_version_reads_as_the_old_one(
    driver: str, said: list[Said]
) -> None:
    old = next(rule for rule in RULES if rule.name == "sars-cov-2/1")
    readings = [_reading(one, driver) for one in said]
    now, before = interpret(RULE, readings), interpret_cts(old, readings)
    assert (now.outcome, now.ct_cycles, now.why) == (before.outcome, before.ct_cycles, before.why)
