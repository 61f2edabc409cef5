"""The rule's words: what the machine may release, and why it must not."""

import pytest

from lims.domain.outcomes import FindingOutcome as Said
from lims.domain.verification import (
    RULES,
    SIGNABLE,
    FindingFacts,
    Hold,
    WaitsFor,
    verification_rule_in_force,
    verification_rule_named,
)

RULE = verification_rule_in_force()


def test_a_plain_negative_passes_and_nothing_else_does() -> None:
    passing = {said for said in Said if RULE.judge(FindingFacts(said)).passes}
    assert passing == {Said.NEGATIVE}


@pytest.mark.parametrize(
    ("facts", "holds"),
    [
        (FindingFacts(Said.NEGATIVE, positive_swab_days=5.0), {Hold.DELTA}),
        (FindingFacts(Said.NEGATIVE, positive_swab_days=5.1), set()),
        (FindingFacts(Said.NEGATIVE, identity_holds=True), {Hold.IDENTITY}),
        (FindingFacts(Said.NEGATIVE, last_final=Said.POSITIVE), {Hold.REVISION}),
        (FindingFacts(Said.NEGATIVE, last_final=Said.NEGATIVE), set()),
        (FindingFacts(Said.NEGATIVE, controls_late=True), {Hold.CONTROLS}),
        (FindingFacts(Said.NEGATIVE, ct_cycles=41.0), set()),
        (FindingFacts(Said.POSITIVE, ct_cycles=34.9), {Hold.POSITIVE}),
        (FindingFacts(Said.POSITIVE, ct_cycles=35.0), {Hold.POSITIVE, Hold.WEAK}),
        (FindingFacts(Said.POSITIVE, positive_swab_days=90.0), {Hold.POSITIVE, Hold.DELTA}),
        (FindingFacts(Said.POSITIVE, last_final=Said.NEGATIVE), {Hold.POSITIVE, Hold.REVISION}),
        (FindingFacts(Said.PRELIMINARY, identity_holds=True), {Hold.POOL}),
    ],
)
def test_each_criterion_holds_what_it_is_about(facts: FindingFacts, holds: set[Hold]) -> None:
    assert set(RULE.judge(facts).holds) == holds


def test_a_person_is_asked_only_when_the_laboratory_has_no_answer_left() -> None:
    for said in Said:
        waits = RULE.judge(FindingFacts(said)).waits_for
        if said is Said.NEGATIVE:
            assert waits is None
        else:
            assert waits is (WaitsFor.PERSON if said in SIGNABLE else WaitsFor.LABORATORY)


def test_versions_are_found_by_the_name_a_finding_keeps() -> None:
    assert [verification_rule_named(rule.name) for rule in RULES] == list(RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert verification_rule_named("auto/1") is None
