"""How a recall says things: what was recalled, what disagrees, counts of findings and cases."""

from typing import Final

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import FindingOutcome
from lims.domain.recall import ReagentKind, RecallKind
from lims.web.lab_words import word
from lims.web.language import gettext as _
from lims.web.language import later
from lims.work.views.discordance_monitors import Grouping, Watched
from lims.work.views.recall_figures import RecallFigures

_OUTCOMES: Final = {
    FindingOutcome.NEGATIVE: later("negative"),
    FindingOutcome.POSITIVE: later("positive"),
    FindingOutcome.PRELIMINARY: later("member of a positive pool"),
    FindingOutcome.PRESUMPTIVE: later("presumptive"),
    FindingOutcome.INCONCLUSIVE: later("inconclusive"),
    FindingOutcome.DISCORDANT: later("discordant"),
    FindingOutcome.RECOLLECT: later("to be swabbed again"),
}


def kind_word(kind: RecallKind) -> str:
    """What is recalled."""
    match kind:
        case RecallKind.RUN:
            return _("The run")
        case RecallKind.REAGENT_LOT:
            return _("Reagent lot")
        case RecallKind.KIT_LOT:
            return _("Rapid test lot")
        case RecallKind.INSTRUMENT:
            return _("Analyser")


def grouping_word(grouping: Grouping) -> str:
    """What a monitor counts by."""
    if grouping is Grouping.LABORATORY:
        return _("Laboratory")
    return kind_word(RecallKind(grouping))


def watched_word(watched: Watched) -> str:
    """What disagrees."""
    match watched:
        case Watched.REFUTED:
            return _("Rapid test positive, PCR negative")
        case Watched.EMPTY_POOLS:
            return _("Pool positive, all members negative")


def reagent_word(kind: ReagentKind) -> str:
    """What a lot on a plate is a lot of."""
    match kind:
        case ReagentKind.PCR:
            return _("PCR kit")
        case ReagentKind.EXTRACTION:
            return _("Extraction kit")


def findings_said(figures: RecallFigures) -> list[tuple[str, str, int]]:
    """The findings by outcome: the sign's name, the word and how many, in the order of outcomes."""
    found = figures.findings or {}
    return [
        (str(outcome), _(_OUTCOMES[outcome]), found[outcome])
        for outcome in FindingOutcome
        if found.get(outcome)
    ]


def cases_said(figures: RecallFigures) -> list[tuple[str, int]]:
    """The cases by state."""
    cases = figures.cases or {}
    return [(word(state), cases[state]) for state in CaseState if cases.get(state)]
