"""What the page of reconciliation calls the sums, the steps and what does not add up."""

from collections.abc import Mapping
from typing import Final

from lims.web.language import gettext, later

WHOLE: Final[Mapping[str, str]] = {
    "registered": later("swabs registered"),
    "received": later("received"),
    "results": later("swabs and strips measured"),
    "positive": later("people found positive"),
    "cases": later("F0 cases that stand"),
    "recipients": later("cases × those to tell"),
    "notices": later("notices about them"),
}
TERMS: Final[Mapping[str, str]] = {
    "received": later("received"),
    "rejected": later("rejected"),
    "outstanding": later("not arrived yet"),
    "answered": later("answered"),
    "waiting": later("waiting"),
    "findings": later("with their finding"),
    "with_case": later("with a case"),
    "with_evidence": later("with their evidence"),
    "notices": later("notices written"),
    "delivered": later("delivered"),
    "pending": later("still owed"),
    "dead": later("undeliverable"),
}
STEPS: Final[Mapping[str, str]] = {
    "collect": later("to be swabbed again"),
    "pool": later("to be pooled"),
    "queue": later("to be plated"),
    "run": later("in a run"),
    "review": later("waits for a reviewer"),
}
FOUND: Final[Mapping[str, str]] = {
    "negative": later("negative"),
    "positive": later("positive"),
    "discordant": later("discordant"),
    "preliminary": later("preliminary: in a positive pool"),
    "presumptive": later("presumptive"),
    "inconclusive": later("inconclusive"),
    "recollect": later("to be swabbed again"),
}
WHY: Final[Mapping[str, str]] = {
    "registered without a tube": later("Registered, and no tube is known: look at the desk."),
    "measured, and nothing is known": later("A result counts, and no finding says so."),
    "a finding without a result": later("A finding stands, and no result that counts."),
    "rests on a result that no longer counts": later("It rests on a result that was replaced."),
    "positive, and no case stands": later("Positive, and nobody was told: no case stands."),
    "a case stands without evidence": later("The case stands, and its evidence is gone."),
    "told to nobody": later("The case was told to nobody."),
    "a recipient was not told": later("A team that should have heard of the case was not told."),
    "told to somebody it does not concern": later("A team was told that it does not concern."),
    "a notice could not be delivered": later("A notice could not be delivered: send it again."),
    "delivered, and no attempt is kept": later("It says delivered, and no attempt is kept."),
    "somebody who was told did not hear of the last change": later(
        "A team that was told has not heard of the last change."
    ),
}


def why(said: str) -> str:
    """In a technician's words; what says itself a state ("…, nothing is wanted") by one of all."""
    return gettext(WHY.get(said, later("It is known of, and nothing is being done with it.")))


def whole(name: str) -> str:
    return gettext(WHOLE[name])


def term(name: str) -> str:
    return gettext(TERMS[name])


def step(name: str) -> str:
    return gettext(STEPS.get(name, FOUND.get(name, name)))


def outcome(name: str) -> str:
    return gettext(FOUND.get(name, name))
