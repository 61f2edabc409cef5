"""How dangerous the illness may become to somebody: a colour, by a table of rules that is data.

An unknown fact is neither yes nor no (Kleene's three values): a person is green only when every
worse colour is ruled out, and what is not known may rule nothing out. Whoever cannot be classified
is listed with what has to be asked.

Sources: 3646/QĐ-BYT (31 July 2021) and 5525/QĐ-BYT (1 December 2021) sort F0 into four colours by
age, underlying illness, doses, SpO2 and signs. The table that ships is our reading of them; a
health department enters its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, Final


class Colour(StrEnum):
    """From the most to the least dangerous."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"


class Signs(StrEnum):
    """The worst sign that the person shows."""

    NONE = "none"
    MILD = "mild"
    SEVERE = "severe"


class Illness(StrEnum):
    """Underlying illness that makes the course worse; pregnancy counts with them."""

    DIABETES = "diabetes"
    HEART = "heart"
    LUNG = "lung"
    KIDNEY = "kidney"
    LIVER = "liver"
    CANCER = "cancer"
    IMMUNE = "immune"
    OBESITY = "obesity"
    PREGNANCY = "pregnancy"
    OTHER = "other"


class Fact(StrEnum):
    """What a rule may ask."""

    AGE = "age"
    ILLNESS = "illness"
    DOSES = "doses"
    SPO2 = "spo2"
    SIGNS = "signs"


@dataclass(frozen=True, slots=True)
class Clinical:
    """What is known of the person; None is not asked yet. ``illnesses`` empty: none, and asked.

    ``spo2_percent`` 50 to 100; ``doses`` of a vaccine; ``onset_on`` the day of the first sign.
    """

    age_years: int | None = None
    illnesses: frozenset[Illness] | None = None
    doses: int | None = None
    spo2_percent: int | None = None
    signs: Signs | None = None
    onset_on: date | None = None


@dataclass(frozen=True, slots=True)
class TriageRule:
    """``colour`` where everything that is set holds; bounds are inclusive. ``ill``: any illness;
    ``signs_from``: that bad or worse."""

    colour: Colour
    age_from: int | None = None
    age_to: int | None = None
    ill: bool | None = None
    doses_from: int | None = None
    doses_to: int | None = None
    spo2_from: int | None = None
    spo2_to: int | None = None
    signs_from: Signs | None = None


@dataclass(frozen=True, slots=True)
class Triage:
    """``colour``, or None with the facts that are ``missing``."""

    colour: Colour | None
    missing: frozenset[Fact] = frozenset()


AGES: Final = (0, 130)
DOSES: Final = (0, 20)
SPO2: Final = (50, 100)
"""The least and the most that may be said of a person; per cent for SpO2."""


class RulesFault(StrEnum):
    """Why a table of rules cannot hold."""

    RANGE = "range"
    SHADOWED = "shadowed"
    SEVERE = "severe"


SHIPPED_NAME: Final = "tham-khao-5525/1"
SHIPPED: Final[tuple[TriageRule, ...]] = (
    TriageRule(Colour.RED, signs_from=Signs.SEVERE),
    TriageRule(Colour.RED, spo2_to=93),
    TriageRule(Colour.RED, age_from=65, doses_to=1),
    TriageRule(Colour.ORANGE, spo2_to=95),
    TriageRule(Colour.ORANGE, age_from=65),
    TriageRule(Colour.ORANGE, ill=True, doses_to=1),
    TriageRule(Colour.YELLOW, spo2_to=96),
    TriageRule(Colour.YELLOW, age_from=50),
    TriageRule(Colour.YELLOW, ill=True),
    TriageRule(Colour.YELLOW, doses_to=1),
    TriageRule(Colour.GREEN),
)

_WORSE: Final = {Signs.NONE: 0, Signs.MILD: 1, Signs.SEVERE: 2}


def classify(known: Clinical, rules: Sequence[TriageRule]) -> Triage:
    """The worst colour whose rules hold, once every worse one is ruled out."""
    for colour in Colour:
        asked = [_holds(rule, known) for rule in rules if rule.colour is colour]
        if any(holds is True for holds, _ in asked):
            return Triage(colour)
        missing = frozenset().union(*(facts for holds, facts in asked if holds is None))
        if missing:
            return Triage(None, missing)
    return Triage(None)


def _holds(rule: TriageRule, known: Clinical) -> tuple[bool | None, frozenset[Fact]]:
    """Whether the rule holds; None, and the facts that would tell, where that is not known."""
    unknown: set[Fact] = set()
    for fact, holds in _conditions(rule, known):
        if holds is False:
            return False, frozenset()
        if holds is None:
            unknown.add(fact)
    return (None, frozenset(unknown)) if unknown else (True, frozenset())


def _conditions(rule: TriageRule, known: Clinical) -> Iterable[tuple[Fact, bool | None]]:
    yield Fact.AGE, _between(known.age_years, rule.age_from, rule.age_to)
    yield Fact.DOSES, _between(known.doses, rule.doses_from, rule.doses_to)
    yield Fact.SPO2, _between(known.spo2_percent, rule.spo2_from, rule.spo2_to)
    if rule.ill is not None:
        yield Fact.ILLNESS, None if known.illnesses is None else bool(known.illnesses) is rule.ill
    if rule.signs_from is not None:
        worst = None if known.signs is None else _WORSE[known.signs] >= _WORSE[rule.signs_from]
        yield Fact.SIGNS, worst


def _between(value: int | None, least: int | None, most: int | None) -> bool | None:
    if least is None and most is None:
        return True
    if value is None:
        return None
    return (least is None or value >= least) and (most is None or value <= most)


def rules_fault(rules: Sequence[TriageRule]) -> RulesFault | None:
    """What makes the table impossible or dangerous: a line that fits nobody, one that never decides
    since a worse line fits all of its people, severe signs that may end in green."""
    if not all(_fits_somebody(rule) for rule in rules):
        return RulesFault.RANGE
    order = list(Colour)
    for rule in rules:
        worse = [one for one in rules if order.index(one.colour) < order.index(rule.colour)]
        if any(_covers(one, rule) for one in worse):
            return RulesFault.SHADOWED
    if any(rule.colour is Colour.GREEN for rule in rules) and not any(
        _covers(rule, TriageRule(Colour.GREEN, signs_from=Signs.SEVERE))
        for rule in rules
        if rule.colour is not Colour.GREEN
    ):
        return RulesFault.SEVERE
    return None


def _fits_somebody(rule: TriageRule) -> bool:
    return all(
        all(limits[0] <= said <= limits[1] for said in (least, most) if said is not None)
        and (least is None or most is None or least <= most)
        for (least, most), limits in zip(_ranges(rule), (AGES, DOSES, SPO2), strict=True)
    )


def _covers(wide: TriageRule, narrow: TriageRule) -> bool:
    """Whether everybody whom ``narrow`` fits is fitted by ``wide`` too, whatever is not known."""
    for one, other in zip(_ranges(wide), _ranges(narrow), strict=True):
        if one[0] is not None and (other[0] is None or other[0] < one[0]):
            return False
        if one[1] is not None and (other[1] is None or other[1] > one[1]):
            return False
    if wide.ill is not None and wide.ill is not narrow.ill:
        return False
    if wide.signs_from is None:
        return True
    return narrow.signs_from is not None and _WORSE[narrow.signs_from] >= _WORSE[wide.signs_from]


def _ranges(rule: TriageRule) -> tuple[tuple[int | None, int | None], ...]:
    """Of age, doses and SpO2."""
    return (
        (rule.age_from, rule.age_to),
        (rule.doses_from, rule.doses_to),
        (rule.spo2_from, rule.spo2_to),
    )


def rule_values(rule: TriageRule) -> dict[str, Any]:
    """As it is stored: what is set, and nothing else."""
    values = {one.name: getattr(rule, one.name) for one in fields(rule)}
    return {name: value for name, value in values.items() if value is not None}


def rule_of(values: Mapping[str, Any]) -> TriageRule:
    """The stored rule. Raises ValueError for a colour or a sign that is none, TypeError for a
    condition that no rule has."""
    given = dict(values)
    given["colour"] = Colour(given["colour"])
    if "signs_from" in given:
        given["signs_from"] = Signs(given["signs_from"])
    return TriageRule(**given)
