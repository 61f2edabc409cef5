"""The day's board: what stands where, how fast it goes, and who will not be told in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, render_template

from lims.web.access import needs
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.work.access import Role
from lims.work.views import deadlines as views
from lims.work.views.deadlines import DueTube, Step

blueprint = Blueprint("deadlines", __name__)

NAMES: Final[Mapping[Step, str]] = {
    Step.DOOR: later("On the way to the laboratory"),
    Step.POOL: later("Waits for its pool"),
    Step.PLATE: later("Waits for a plate"),
    Step.READ: later("On a plate, being read"),
    Step.WORD: later("Waits for a reviewer's word"),
}
WHERE: Final[Mapping[Step, str]] = {
    Step.DOOR: "/receive",
    Step.POOL: "/pools",
    Step.PLATE: "/runs",
    Step.READ: "/runs",
    Step.WORD: "/review",
}


@dataclass(frozen=True)
class Board:
    """Both halves of the page, of one moment."""

    paces: Mapping[Step, views.Pace]
    loads: tuple[views.StepLoad, ...]
    next_due: tuple[DueTube, ...]


@blueprint.get("/day")
@needs(Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
def page() -> str:
    """What stands at each step, and the tubes that are late or will be."""
    board = _board(now())
    return render_template(
        "deadlines/page.html",
        board=board,
        late=sum(load.late for load in board.loads),
        at_risk=sum(load.at_risk for load in board.loads),
        name_of=lambda step: _(NAMES[step]),
        where=WHERE,
        usual=lambda step: views.usual(step, board.paces),
        measured=lambda step: (
            step in board.paces and board.paces[step].counted >= views.SEEN_ENOUGH
        ),
    )


def _board(at: datetime) -> Board:
    lab = laboratory()
    with lab.sessions.begin() as session:
        paces = views.paces(session, site_id=lab.site_id, now=at)
        return Board(
            paces,
            views.step_loads(session, paces, site_id=lab.site_id, now=at),
            views.next_due(session, paces, site_id=lab.site_id, now=at),
        )
