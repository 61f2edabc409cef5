"""One roster on its grid: numbers, timers, and what stands to be confirmed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import render_template, request

from lims.db.ids import uuid7
from lims.domain.rapid_test import Exposure, Readiness, RosterKind
from lims.domain.refusals import NotFound, Refusal
from lims.domain.roster_line import Sign
from lims.doors.statuses import status_of
from lims.web.access import needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.web.rapid.blueprint import blueprint
from lims.web.rapid.kit_choice import chosen_lot, lots_here
from lims.work.take_card import NamesakeOnRoster
from lims.work.views.rosters import Cell, PositiveSeen, RosterSheet, TimerSeen, roster_sheet

KINDS: Final = {
    RosterKind.CLASS: later("Class"),
    RosterKind.SHIFT: later("Shift"),
    RosterKind.LANE: later("Lane"),
}
EXPOSURES: Final = {
    Exposure.NONE: later("no contact known"),
    Exposure.FACTOR: later("epidemiological factor"),
    Exposure.CONTACT: later("contact (F1)"),
}
# A tap wants the next of these; the button says which, so that a double tap is one.
_NEXT_SIGN: Final = {"readable": Sign.POSITIVE, "marked": Sign.INVALID, "doubtful": Sign.NEGATIVE}
_LOOKS: Final = {
    "none": ("", later("no strip yet")),
    "early": ("…", later("too early to read")),
    "readable": ("○", later("to be read")),
    "late": ("✗", later("too late, unreadable: repeat")),
    "marked": ("+", later("marked positive, not confirmed yet")),
    "doubtful": ("?", later("marked unreadable, not confirmed yet")),
    "negative": ("−", later("negative")),
    "positive": ("+", later("positive")),
    "invalid": ("?", later("unreadable: repeat")),
}


@dataclass(frozen=True)
class Shown:
    """A number of the grid, ready to print. ``tap`` is what a tap says while it can be read."""

    cell: Cell
    look: str
    sign: str
    word: str
    tap: str | None

    @property
    def called(self) -> str:
        """The last two words of the name: what people call somebody here."""
        return " ".join(self.cell.name.split()[-2:])


@dataclass(frozen=True)
class Namesakes:
    """Whose card it may be; the card goes along for the answer that it is none of theirs."""

    positions: frozenset[int]
    card: str


@dataclass(frozen=True)
class TimerShown:
    """A timer with what is left of its wait, in seconds, by the laboratory's clock."""

    timer: TimerSeen
    readiness: Readiness
    left_s: int

    @property
    def numbers(self) -> str:
        """1–20, 23: the numbers in runs."""
        runs: list[list[int]] = []
        for position in self.timer.positions:
            if runs and position == runs[-1][1] + 1:
                runs[-1][1] = position
            else:
                runs.append([position, position])
        return ", ".join(f"{a}–{b}" if a != b else str(a) for a, b in runs)


@blueprint.get("/rosters/<uuid:roster_id>")
@needs(*DESK)
def roster(roster_id: UUID) -> str:
    """The grid; with `ask`, the numbers of that timer are asked to be confirmed."""
    return show(roster_id, ask=chosen_uuid(request.args, "ask"))


def show(
    roster_id: UUID,
    *,
    ask: UUID | None = None,
    refused: Told | None = None,
    asked_of: Namesakes | None = None,
) -> str:
    """The page around a roster. Raises NotFound."""
    lab, at = laboratory(), now()
    with lab.sessions.begin() as session:
        sheet = roster_sheet(session, roster_id, site_id=lab.site_id)
        lots = lots_here(session)
    if sheet is None:
        raise NotFound(came=str(roster_id), where="rosters")
    timers = [_timer(timer, at) for timer in sheet.timers if timer.running]
    asked = [one for one in timers if one.timer.timer_id == ask]
    waiting = sheet.waiting(at)
    return render_template(
        "rapid/roster.html",
        sheet=sheet,
        shown=[_shown(cell, sheet, at) for cell in sheet.cells],
        timers=timers,
        ask=asked[0] if asked and asked[0].readiness is Readiness.READABLE else None,
        waiting=waiting,
        marked=_marked(sheet),
        owed=[one for one in sheet.positives if one.owes_tube],
        done=sum(cell.outcome == "negative" for cell in sheet.cells),
        lot=chosen_lot(lots),
        lots=lots,
        lot_choices=[(one.lot_id, f"{one.kit} · {one.lot}") for one in lots],
        timer_id=uuid7(),
        refused=refused,
        asked_of=asked_of,
        kind=_(KINDS[sheet.kind]),
        exposures={key: _(said) for key, said in EXPOSURES.items()},
        isolation=_isolation,
    )


def refused_page(
    roster_id: UUID, refusal: Refusal, *, ask: UUID | None = None, card: str = ""
) -> tuple[str, int]:
    """The same page with what went wrong on top; nothing was changed."""
    asked_of = None
    if isinstance(refusal, NamesakeOnRoster):
        asked_of = Namesakes(frozenset(refusal.positions), card)
    page = show(roster_id, ask=ask, refused=told(refusal), asked_of=asked_of)
    return page, int(status_of(type(refusal)))


def _isolation(positive: PositiveSeen) -> str:
    """What the desk says to the person, in one breath."""
    if positive.case_state == "confirmed":
        return _("F0. Isolate now; the tracing team has been told.")
    if positive.case_state == "presumptive":
        return _("Presumptive F0. Isolate now; the tracing team has been told.")
    return _("The PCR did not confirm it.")


def _marked(sheet: RosterSheet) -> list[Cell]:
    return [cell for cell in sheet.cells if cell.state == "running" and cell.mark]


def _timer(timer: TimerSeen, at: datetime) -> TimerShown:
    readiness = timer.readiness(at)
    until = timer.opens_at if readiness is Readiness.TOO_EARLY else timer.closes_at
    return TimerShown(timer, readiness, max(0, int((until - at).total_seconds())))


def _shown(cell: Cell, sheet: RosterSheet, at: datetime) -> Shown:
    timer = next((one for one in sheet.timers if one.timer_id == cell.timer_id), None)
    look = _look(cell, timer, at)
    sign, word = _LOOKS[look]
    wanted = _NEXT_SIGN.get(look)
    return Shown(cell, look, sign, _(word), f"{cell.position}{wanted}" if wanted else None)


def _look(cell: Cell, timer: TimerSeen | None, at: datetime) -> str:
    if timer is None:
        return "none"
    if cell.outcome is not None:
        return cell.outcome
    if cell.state == "missed":
        return "late"
    match timer.readiness(at):
        case Readiness.TOO_EARLY:
            return "early"
        case Readiness.TOO_LATE:
            return "late"
        case Readiness.READABLE:
            return {"positive": "marked", "invalid": "doubtful"}.get(cell.mark or "", "readable")
