"""Four colours by a table that is data; what is not known is neither yes nor no."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.triage import (
    SHIPPED,
    Clinical,
    Colour,
    Fact,
    Illness,
    RulesFault,
    Signs,
    Triage,
    TriageRule,
    classify,
    rule_of,
    rule_values,
    rules_fault,
)

WELL = Clinical(age_years=30, illnesses=frozenset(), doses=2, spo2_percent=98, signs=Signs.NONE)

ages = st.integers(0, 110)
ill = st.sets(st.sampled_from(Illness)).map(frozenset)
doses = st.integers(0, 5)
saturations = st.integers(60, 100)
signs = st.sampled_from(Signs)
whole = st.builds(
    Clinical, age_years=ages, illnesses=ill, doses=doses, spo2_percent=saturations, signs=signs
)
bound = st.none() | st.integers(0, 110)
rules = st.lists(
    st.builds(
        TriageRule,
        colour=st.sampled_from(Colour),
        age_from=bound,
        age_to=bound,
        ill=st.none() | st.booleans(),
        doses_to=bound,
        spo2_to=bound,
        signs_from=st.none() | signs,
    ),
    max_size=8,
)
FIELDS = {
    "age_years": Fact.AGE,
    "illnesses": Fact.ILLNESS,
    "doses": Fact.DOSES,
    "spo2_percent": Fact.SPO2,
    "signs": Fact.SIGNS,
}


@pytest.mark.parametrize(
    ("known", "colour"),
    [
        (WELL, Colour.GREEN),
        (replace(WELL, age_years=50), Colour.YELLOW),
        (replace(WELL, doses=1), Colour.YELLOW),
        (replace(WELL, illnesses=frozenset({Illness.PREGNANCY})), Colour.YELLOW),
        (replace(WELL, illnesses=frozenset({Illness.HEART}), doses=0), Colour.ORANGE),
        (replace(WELL, age_years=70), Colour.ORANGE),
        (replace(WELL, spo2_percent=95), Colour.ORANGE),
        (replace(WELL, age_years=70, doses=0), Colour.RED),
        (replace(WELL, spo2_percent=93), Colour.RED),
        (replace(WELL, signs=Signs.SEVERE), Colour.RED),
    ],
)
def test_the_shipped_table(known: Clinical, colour: Colour) -> None:
    assert classify(known, SHIPPED) == Triage(colour)


def test_nobody_is_green_of_whom_nothing_was_asked() -> None:
    judged = classify(Clinical(age_years=30), SHIPPED)
    assert judged == Triage(None, frozenset({Fact.SIGNS, Fact.SPO2}))


def test_a_severe_sign_is_red_whatever_else_is_unknown() -> None:
    assert classify(Clinical(signs=Signs.SEVERE), SHIPPED) == Triage(Colour.RED)


def test_a_table_that_fits_nobody_gives_no_colour_and_asks_nothing() -> None:
    assert classify(WELL, [TriageRule(Colour.RED, age_from=99)]) == Triage(None)


@given(whole, rules, st.sets(st.sampled_from(sorted(FIELDS))))
def test_what_is_asked_later_never_changes_a_colour_that_was_given(
    known: Clinical, table: list[TriageRule], hidden: set[str]
) -> None:
    """Soundness: a colour from part of the facts is the colour of every completion of them."""
    part = replace(known, **dict.fromkeys(hidden))
    judged = classify(part, table)
    if judged.colour is not None:
        assert classify(known, table).colour is judged.colour
    else:
        assert judged.missing <= {FIELDS[name] for name in hidden}


@given(whole, rules)
def test_the_whole_truth_leaves_nothing_to_ask(known: Clinical, table: list[TriageRule]) -> None:
    assert classify(known, table).missing == frozenset()


@given(rules)
def test_a_rule_is_stored_and_read_back(table: list[TriageRule]) -> None:
    assert [rule_of(rule_values(rule)) for rule in table] == table


def test_a_stored_condition_that_no_rule_has_is_refused() -> None:
    with pytest.raises(TypeError):
        rule_of({"colour": "red", "shoe_size": 44})


@pytest.mark.parametrize(
    "line",
    [
        TriageRule(Colour.RED, age_from=80, age_to=70),
        TriageRule(Colour.RED, age_from=131),
        TriageRule(Colour.RED, spo2_to=300),
        TriageRule(Colour.RED, spo2_to=49),
        TriageRule(Colour.RED, doses_from=21),
        TriageRule(Colour.RED, doses_to=-1),
    ],
)
def test_a_line_that_can_fit_nobody_makes_no_table(line: TriageRule) -> None:
    assert rules_fault([*SHIPPED, line]) is RulesFault.RANGE


def test_a_line_whose_people_all_have_a_worse_colour_makes_no_table() -> None:
    late = TriageRule(Colour.YELLOW, age_from=70, ill=True)
    assert rules_fault([TriageRule(Colour.RED, age_from=65), late]) is RulesFault.SHADOWED
    assert rules_fault([TriageRule(Colour.RED, age_from=75), late]) is None


def test_severe_signs_cannot_end_in_green() -> None:
    table = [TriageRule(Colour.RED, spo2_to=93), TriageRule(Colour.GREEN)]
    assert rules_fault(table) is RulesFault.SEVERE
    assert rules_fault([*table, TriageRule(Colour.ORANGE, signs_from=Signs.MILD)]) is None
    assert rules_fault(SHIPPED) is None


@given(whole, rules)
def test_nobody_with_severe_signs_is_green_by_a_table_that_may_hold(
    known: Clinical, table: list[TriageRule]
) -> None:
    if rules_fault(table) is None:
        assert classify(replace(known, signs=Signs.SEVERE), table).colour is not Colour.GREEN
