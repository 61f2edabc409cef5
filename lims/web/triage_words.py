"""How pages say a colour, a sign, an illness and what is still to be asked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lims.domain.triage import Colour, Fact, Illness, Signs, TriageRule
from lims.web.language import gettext, later

COLOURS: Final[Mapping[Colour, str]] = {
    Colour.RED: later("red: very high risk"),
    Colour.ORANGE: later("orange: high risk"),
    Colour.YELLOW: later("yellow: medium risk"),
    Colour.GREEN: later("green: low risk"),
}
SIGNS: Final[Mapping[Signs, str]] = {
    Signs.NONE: later("no sign of illness"),
    Signs.MILD: later("mild: fever, cough, sore throat, tired"),
    Signs.SEVERE: later("severe: breathless, chest pain, confused, blue lips"),
}
ILLNESSES: Final[Mapping[Illness, str]] = {
    Illness.DIABETES: later("diabetes"),
    Illness.HEART: later("heart, high blood pressure"),
    Illness.LUNG: later("lungs, asthma"),
    Illness.KIDNEY: later("kidneys"),
    Illness.LIVER: later("liver"),
    Illness.CANCER: later("cancer"),
    Illness.IMMUNE: later("weak immune system"),
    Illness.OBESITY: later("obesity"),
    Illness.PREGNANCY: later("pregnant"),
    Illness.OTHER: later("another illness"),
}
FACTS: Final[Mapping[Fact, str]] = {
    Fact.AGE: later("age"),
    Fact.ILLNESS: later("underlying illness"),
    Fact.DOSES: later("vaccine doses"),
    Fact.SPO2: later("SpO₂"),
    Fact.SIGNS: later("signs"),
}


_NAMES: Final[Mapping[Colour, str]] = {
    Colour.RED: later("red"),
    Colour.ORANGE: later("orange"),
    Colour.YELLOW: later("yellow"),
    Colour.GREEN: later("green"),
}
_DEGREES: Final[Mapping[Signs, str]] = {
    Signs.NONE: later("none"),
    Signs.MILD: later("mild"),
    Signs.SEVERE: later("severe"),
}


def colour_name(one: Colour) -> str:
    """In a word, for a list to choose from."""
    return gettext(_NAMES[one])


def sign_name(one: Signs) -> str:
    return gettext(_DEGREES[one])


def colour(one: Colour) -> str:
    return gettext(COLOURS[one])


def missing(facts: Iterable[Fact]) -> str:
    """In the order in which one asks."""
    wanted = set(facts)
    return ", ".join(gettext(said) for fact, said in FACTS.items() if fact in wanted)


def signs() -> Sequence[tuple[str, str, str]]:
    return [(one.value, gettext(said), "") for one, said in SIGNS.items()]


def illnesses() -> Sequence[tuple[str, str, str]]:
    return [(one.value, gettext(said), "") for one, said in ILLNESSES.items()]


def illness_list(among: Iterable[Illness]) -> str:
    chosen = set(among)
    return ", ".join(gettext(said) for one, said in ILLNESSES.items() if one in chosen)


def sign(one: Signs) -> str:
    return gettext(SIGNS[one])


def conditions(rule: TriageRule) -> str:
    """ "age from 65, doses up to 1"; of a rule without any: everybody else."""
    said = [
        *_bounds(gettext("age"), rule.age_from, rule.age_to),
        *_bounds(gettext("doses"), rule.doses_from, rule.doses_to),
        *_bounds(gettext("SpO₂"), rule.spo2_from, rule.spo2_to),
    ]
    if rule.ill is not None:
        said.append(gettext("ill before") if rule.ill else gettext("not ill before"))
    if rule.signs_from is not None:
        said.append(gettext("signs: at least %(signs)s") % {"signs": sign(rule.signs_from)})
    return ", ".join(said) or gettext("everybody else")


def _bounds(what: str, least: int | None, most: int | None) -> list[str]:
    if least is not None and most is not None:
        return [gettext("%(what)s %(least)s to %(most)s") % _of(what, least, most)]
    if least is not None:
        return [gettext("%(what)s from %(least)s") % _of(what, least, most)]
    if most is not None:
        return [gettext("%(what)s up to %(most)s") % _of(what, least, most)]
    return []


def _of(what: str, least: int | None, most: int | None) -> dict[str, object]:
    return {"what": what, "least": least, "most": most}
