"""How a positive pool is resolved and why, in words."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from lims.domain.pooling.choice import Because, Resolution, StrategyName
from lims.domain.pooling.strategies import offered
from lims.web.language import gettext as _
from lims.web.language import later, num
from lims.web.names import who
from lims.work.views.sub_pool_view import ResolutionLine

_WAYS: Final = {
    Resolution.DORFMAN: later("Every tube alone (Dorfman)"),
    Resolution.HIERARCHICAL: later("By groups, then alone"),
    Resolution.GRID: later("A grid of rows and columns"),
    Resolution.BAYESIAN: later("By probability (Bayesian)"),
    Resolution.AUTO: later("By the wells of the next run"),
}
_HINTS: Final = {
    Resolution.DORFMAN: later("one run, no pipetting; a well for every tube"),
    Resolution.HIERARCHICAL: later("fewer wells when positives are rare; two more runs"),
    Resolution.GRID: later("names a single positive in one run: 9 wells for 20 tubes"),
    Resolution.BAYESIAN: later("overlapping pools for a liquid handler; the fewest wells"),
    Resolution.AUTO: later("alone while wells stay empty, else by a grid or by probability"),
}
_POSITIONS: Final = {
    "row": later("Row %(n)s"),
    "column": later("Column %(n)s"),
    "group": later("Group %(n)s"),
    "pool": later("Sub-pool %(n)s"),
    "check": later("Check pool from tube %(n)s"),
}


def way_word(way: Resolution | StrategyName) -> str:
    """What the bench calls it."""
    return _(_WAYS[Resolution(way)])


def campaign_ways() -> list[tuple[str, str, str]]:
    """What a campaign may ask for: value, word, hint."""
    return [(str(way), _(_WAYS[way]), _(_HINTS[way])) for way in Resolution if offered(way)]


def pool_ways(but: StrategyName) -> list[tuple[str, str]]:
    """The other strategies that a person may choose for one pool."""
    return [(str(way), way_word(way)) for way in StrategyName if offered(way) and way is not but]


def position_words(position: str) -> str:
    """`Row 2` of what the strategy named `row 2`; another name is said as it is."""
    kind, _space, nth = position.partition(" ")
    return _(_POSITIONS[kind], n=nth) if kind in _POSITIONS else position


def because_words(line: ResolutionLine) -> str:  # noqa: PLR0911 - one sentence for each reason
    """Why this strategy: the rule's reason with its numbers, or the person's own words."""
    facts: dict[str, Any] = {"tubes": 0, "wells_free": 0, "lines": 0, **line.facts}
    match line.because:
        case Because.CAMPAIGN:
            return _("As its campaign asks.")
        case Because.WELLS_FREE:
            return _(
                "The next run has %(free)s empty wells: room for all %(tubes)s tubes.",
                free=num(facts["wells_free"]),
                tubes=num(facts["tubes"]),
            )
        case Because.WELLS_SCARCE:
            return _scarce(facts)
        case Because.FEW_TUBES:
            return _("Too few tubes for sub-pools to spare a test.")
        case Because.WEAK_POOL:
            return _("The pool is so weak that a sub-pool might miss it.")
        case Because.NO_ANSWER:
            return _("The pool itself gave no answer.")
        case Because.NOT_SINGLE_TUBES:
            return _("There are pools among its tubes.")
        case Because.VOLUME:
            return _("There is too little left in a tube for a sub-pool and a test of its own.")
        case Because.PIPETTING:
            return _(
                "Its sub-pools would take %(draws)s draws, %(most)s at most into one: more than the"
                " bench can do.",
                draws=num(facts["draws"]),
                most=num(facts["sub_pool_draws"]),
            )
        case Because.PERSON:
            return _("%(who)s: %(why)s", who=who(line.chosen_by), why=line.said or "")
        case Because.BEFORE:
            return _("It was positive before strategies could be chosen.")


def reckoned_words(line: ResolutionLine) -> str:
    """What sub-pools by probability were planned with; nothing for what needs no prior."""
    facts = line.facts
    told = []
    if "prevalence" in facts:
        found = {
            "share": num(facts["prevalence"] * 100, 1),
            "pools": num(facts["prevalence_pools"]),
        }
        told.append(
            _("%(share)s%% carry it (of %(pools)s pools of this area, last 8 days)", **found)
            if facts["prevalence_of"] == "area"
            else _(
                "%(share)s%% carry it (of %(pools)s pools of this campaign, last 8 days)", **found
            )
        )
    sizes = [n for n in Counter(facts.get("households", ())).values() if n > 1]
    if sizes:
        told.append(
            _(
                "%(people)s of them live with another (%(homes)s households)",
                people=num(sum(sizes)),
                homes=num(len(sizes)),
            )
        )
    return _("Planned with: %(what)s.", what="; ".join(told)) if told else ""


def _scarce(facts: Mapping[str, Any]) -> str:
    """What was weighed; choices of before it was stored name the grid's lines alone."""
    wells = facts.get("expected_wells", {})
    if "bayesian" not in wells:
        return _(
            "The next run has %(free)s empty wells; every tube alone takes %(tubes)s,"
            " the grid %(lines)s.",
            free=num(facts["wells_free"]),
            tubes=num(facts["tubes"]),
            lines=num(facts["lines"]),
        )
    return _(
        "The next run has %(free)s empty wells and %(runs)s runs wait; every tube alone takes"
        " %(tubes)s wells, a grid about %(grid)s in all, by probability about %(bayesian)s.",
        free=num(facts["wells_free"]),
        runs=num(facts["queue_runs"], 1),
        tubes=num(facts["tubes"]),
        grid=num(round(wells["grid"])),
        bayesian=num(round(wells["bayesian"])),
    )
