"""How each kind of waiting thing is said on the home page: what, why a person, where to go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lims.web.language import gettext, later, later_n, ngettext
from lims.web.shell import PATHS
from lims.work.views.stages import STAGE_OF, Item, Stage


@dataclass(frozen=True)
class Words:
    """The kind's name for one and for many, why it waits for a person, and the one thing to do."""

    names: tuple[str, str]
    why: str
    action: str = later("Look")


WORDS: Final[Mapping[Item, Words]] = {
    Item.ON_THE_WAY: Words(
        later_n("tube on the way", "tubes on the way"),
        later("Swabbed and registered, not yet scanned at the laboratory door."),
        later("See where they are"),
    ),
    Item.SWAB_AGAIN: Words(
        later_n("person to swab again", "people to swab again"),
        later("Their tube cannot tell: it was pooled in the field, rejected or used up."),
        later("Open the re-swab sheet"),
    ),
    Item.RECEIVED_TODAY: Words(
        later_n("tube received today", "tubes received today"),
        later("Scanned at the laboratory door since midnight."),
    ),
    Item.TO_PIPETTE: Words(
        later_n("sub-pool to pipette", "sub-pools to pipette"),
        later("People of a positive pool wait for them; their tests go before anything else."),
        later("Pipette them"),
    ),
    Item.TO_POOL: Words(
        later_n("tube to pool", "tubes to pool"),
        later("Received for a pooled campaign and in no pool yet."),
        later("Make pools"),
    ),
    Item.TO_PLATE: Words(
        later_n("test to put on a plate", "tests to put on a plate"),
        later("Queued; re-tests of positive pools go first."),
        later("Lay out a plate"),
    ),
    Item.RUNNING: Words(
        later_n("plate without results yet", "plates without results yet"),
        later("Laid out, and the analyser has not said everything."),
    ),
    Item.HELD_RUNS: Words(
        later_n("run held", "runs held"),
        later("The controls were late or the message was incomplete."),
    ),
    Item.HELD_RESULTS: Words(
        later_n("result held", "results held"),
        later("The machine would not decide these alone."),
    ),
    Item.POSITIVE: Words(
        later_n("positive to confirm", "positives to confirm"),
        later("The final word on a person is a reviewer's."),
    ),
    Item.HELD_NEGATIVE: Words(
        later_n("negative held back", "negatives held back"),
        later("The verification rule found a reason for a person to look first."),
    ),
    Item.INCONCLUSIVE: Words(
        later_n("inconclusive person", "inconclusive people"),
        later("Repeat, or ask for another swab."),
    ),
    Item.DISCORDANT: Words(
        later_n("discordant person", "discordant people"),
        later("The pool and its members disagree."),
    ),
    Item.UNMATCHED: Words(
        later_n("measurement not placed", "measurements not placed"),
        later("No test of a tube here waits for it. Attach it to its tube, or dismiss it."),
    ),
    Item.CORRECTIONS: Words(
        later_n("second, different value", "second, different values"),
        later("The analyser sent the same tube again with another value."),
    ),
    Item.IDENTITY: Words(
        later_n("identity conflict", "identity conflicts"),
        later("One identity number, two names. A clerk compares the cards."),
    ),
    Item.ADDRESSES: Words(
        later_n("F0 whose commune is not known", "F0s whose commune is not known"),
        later("Only the province or the national desk was told. Choose the commune."),
    ),
    Item.CORRECTED: Words(
        later_n("correction to acknowledge", "corrections to acknowledge"),
        later("A case was withdrawn or corrected; the team has not said that it knows."),
        later("Acknowledge"),
    ),
    Item.UNCLAIMED: Words(
        later_n("F0 nobody has claimed", "F0 nobody has claimed"),
        later("Told to a tracing team; nobody has said it is theirs."),
        later("Claim"),
    ),
    Item.DEAD_NOTICES: Words(
        later_n("notice that did not arrive", "notices that did not arrive"),
        later("The receiver refused it or was away too long."),
    ),
}


# What is dealt with elsewhere than on the first page of the stage that counts it.
_ELSEWHERE: Final[Mapping[Item, str]] = {
    Item.ON_THE_WAY: PATHS[Stage.RECEIVE],
    Item.SWAB_AGAIN: PATHS[Stage.COLLECT] + "/again",
}


def path(item: Item) -> str:
    """The page where it is dealt with."""
    return _ELSEWHERE.get(item, PATHS[STAGE_OF[item]])


def label(item: Item, n: int) -> str:
    """What waits, for `n` of them (the number stands beside it)."""
    return ngettext(*WORDS[item].names, n)


def why(item: Item) -> str:
    """Why it waits for a person."""
    return gettext(WORDS[item].why)


def action(item: Item) -> str:
    """The one thing to do."""
    return gettext(WORDS[item].action)
