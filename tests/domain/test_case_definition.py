"""Which strips make an F0, by the definition of the day (S20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.case_definition import CaseDefinition, Judgement, PositiveStrip, in_force
from lims.domain.case_definition import judge as judge_by
from lims.domain.outcomes import Basis
from lims.domain.rapid_test import Exposure

# As the first two rows of the table have them (tests/work/test_case_definitions.py).
PCR_ONLY = CaseDefinition(
    "byt-2022-2021/1",
    datetime(2020, 1, 1, tzinfo=UTC),
    "2022/QĐ-BYT",
    frozenset({Basis.PCR}),
    timedelta(hours=8),
)
FOUR_WAYS = CaseDefinition(
    "byt-2021-12-29/1",
    datetime(2021, 12, 28, 17, tzinfo=UTC),
    "11042/BYT-DP",
    frozenset({Basis.PCR, Basis.ANTIGEN_CONTACT, Basis.ANTIGEN_SUSPECT, Basis.ANTIGEN_TWICE}),
    timedelta(hours=8),
)
DEFINITIONS = (PCR_ONLY, FOUR_WAYS)
THEN = datetime(2022, 1, 10, 3, 0, tzinfo=UTC)
BEFORE = datetime(2021, 12, 27, 3, 0, tzinfo=UTC)
EIGHT_HOURS = timedelta(hours=8)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
strips = st.builds(
    PositiveStrip,
    st.integers(-60 * 24 * 40, 60 * 24 * 40).map(lambda m: FOUR_WAYS.valid_from + m * MINUTE),
    st.sampled_from(Exposure),
    st.booleans(),
)


def judge(newest: PositiveStrip, earlier: list[PositiveStrip]) -> Judgement:
    return judge_by(newest, earlier, DEFINITIONS)


def strip(**said: object) -> PositiveStrip:
    return replace(PositiveStrip(THEN), **said)  # type: ignore[arg-type]  # a test names few fields


@pytest.mark.parametrize(
    ("newest", "basis"),
    [
        (strip(), Basis.ANTIGEN_PRESUMPTIVE),
        (strip(exposure=Exposure.FACTOR), Basis.ANTIGEN_PRESUMPTIVE),
        (strip(suspect=True), Basis.ANTIGEN_PRESUMPTIVE),
        (strip(exposure=Exposure.CONTACT), Basis.ANTIGEN_CONTACT),
        (strip(exposure=Exposure.FACTOR, suspect=True), Basis.ANTIGEN_SUSPECT),
    ],
)
def test_one_strip_confirms_only_a_contact_or_a_suspect_with_a_factor(
    newest: PositiveStrip, basis: Basis
) -> None:
    said = judge(newest, [])
    assert (said.basis, said.definition) == (basis, "byt-2021-12-29/1")
    assert said.confirms is (basis is not Basis.ANTIGEN_PRESUMPTIVE)


@pytest.mark.parametrize("factor_at", ["first", "second"])
def test_two_strips_in_eight_hours_confirm_with_a_factor_at_either(factor_at: str) -> None:
    first = strip(read_at=THEN - EIGHT_HOURS)
    second = strip()
    if factor_at == "first":
        first = replace(first, exposure=Exposure.FACTOR)
    else:
        second = replace(second, exposure=Exposure.FACTOR)
    assert judge(second, [first]).basis is Basis.ANTIGEN_TWICE
    late = replace(second, read_at=THEN + SECOND)
    assert judge(late, [first]).basis is Basis.ANTIGEN_PRESUMPTIVE


def test_two_strips_without_a_factor_stay_presumptive() -> None:
    first = strip(read_at=THEN - timedelta(hours=2))
    assert judge(strip(suspect=True), [first]).basis is Basis.ANTIGEN_PRESUMPTIVE


@given(strips, st.lists(strips, max_size=4))
def test_before_the_29th_of_december_no_strip_confirmed(
    newest: PositiveStrip, earlier: list[PositiveStrip]
) -> None:
    said = judge(newest, earlier)
    rule = in_force(newest.read_at, DEFINITIONS)
    assert said.definition == rule.name
    assert said.basis in rule.grounds or not said.confirms
    if newest.read_at < FOUR_WAYS.valid_from:
        assert (said.definition, said.confirms) == (PCR_ONLY.name, False)


@given(strips, st.lists(strips, max_size=4))
def test_a_definition_that_joins_changes_nothing_before_its_day(
    newest: PositiveStrip, earlier: list[PositiveStrip]
) -> None:
    tomorrow = replace(PCR_ONLY, name="new/1", valid_from=newest.read_at + SECOND)
    assert judge_by(newest, earlier, (*DEFINITIONS, tomorrow)) == judge(newest, earlier)
    today = replace(tomorrow, valid_from=newest.read_at)
    assert judge_by(newest, earlier, (*DEFINITIONS, today)).definition == "new/1"


def test_before_every_definition_the_first_one_holds() -> None:
    assert in_force(datetime(2019, 12, 1, tzinfo=UTC), DEFINITIONS[::-1]) is PCR_ONLY
    assert in_force(BEFORE, DEFINITIONS) is PCR_ONLY


def test_of_two_for_one_day_the_later_added_judges() -> None:
    mended = replace(FOUR_WAYS, name="mended/1")
    assert in_force(THEN, (*DEFINITIONS, mended)) is mended
    assert in_force(BEFORE, (*DEFINITIONS, mended)) is PCR_ONLY
