"""How zones, rosters, steps and calls are said."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from lims.domain.escalation import Reached, Step
from lims.domain.zones import Tie, ZoneKind
from lims.web.lab_words import team as team_name
from lims.web.language import clock_time, later, local, now, when
from lims.web.language import gettext as _
from lims.work.views.case_steps import StepLine

KINDS: Final[Mapping[ZoneKind, str]] = {
    ZoneKind.INDUSTRIAL: later("industrial zone"),
    ZoneKind.HOSPITAL: later("hospital"),
    ZoneKind.QUARANTINE: later("quarantine site"),
    ZoneKind.DORMITORY: later("dormitory"),
    ZoneKind.SCHOOL: later("school"),
    ZoneKind.MARKET: later("market"),
    ZoneKind.OTHER: later("another place"),
}
OUTCOMES: Final[Mapping[Reached, str]] = {
    Reached.REACHED: later("Reached"),
    Reached.NO_ANSWER: later("No answer"),
    Reached.WRONG_NUMBER: later("Wrong number"),
    Reached.CALLS_BACK: later("Will call back"),
}
FAR: Final[Mapping[Step, str]] = {
    Step.ROSTER: later("the next on call is to be rung"),
    Step.WARD: later("the ward's other teams heard"),
    Step.PROVINCE: later("the province heard"),
    Step.NATION: later("the national desk heard"),
    Step.VOICE: later("on the voice list"),
}


def kind(of: ZoneKind) -> str:
    return _(KINDS[of])


def outcome(of: Reached) -> str:
    return _(OUTCOMES[of])


def tie(of: Tie | None) -> str:
    match of:
        case Tie.RESIDENT:
            return _("lives there")
        case Tie.WORKER:
            return _("works there")
        case None:
            return _("swabbed there")


def place(of: int) -> str:
    """First or second on call; anything else is said by what it is."""
    return {1: _("first on call"), 2: _("second on call")}.get(of, "")


def hour_or_day(at: datetime) -> str:
    """The hour; with its day unless that is today."""
    return clock_time(at) if local(at).date() == local(now()).date() else when(at)


def hours(starts_at: datetime, ends_at: datetime) -> str:
    """From when to when, for a list of days: what ends on another day says so."""
    span = f"{clock_time(starts_at)}–{clock_time(ends_at)}"
    match (local(ends_at).date() - local(starts_at).date()).days:
        case 0:
            return span
        case 1:
            return _("%(hours)s the next day", hours=span)
        case _:
            return f"{clock_time(starts_at)} – {when(ends_at)}"


def far(of: Step) -> str:
    """How far an unclaimed case has come, in a few words."""
    return _(FAR[of])


def step(of: StepLine) -> str:  # noqa: PLR0911 - one sentence for each kind of line
    """One line of a case's timeline."""
    whom = team_name(of.team) if of.team else ""
    if of.outcome is not None:
        who = of.contact or _("the team's line")
        return _(
            "%(outcome)s: %(who)s of %(team)s", outcome=outcome(of.outcome), who=who, team=whom
        )
    match of.step:
        case Step.ROSTER if of.contact:
            return _("%(who)s of %(team)s is to be rung: next on call", who=of.contact, team=whom)
        case Step.ROSTER:
            return _("%(team)s is to be rung: nobody is on call", team=whom)
        case Step.WARD:
            return _("%(team)s, of the same ward or zone, was told", team=whom)
        case Step.PROVINCE:
            return _("%(team)s, of the province, was told", team=whom)
        case Step.NATION:
            return _("%(team)s was told", team=whom)
        case _:
            return _("Put on the voice list: everybody who was told is rung in turn")
