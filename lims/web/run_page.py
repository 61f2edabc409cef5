"""The page of one run: the plate, its controls' verdict on top, what needs a person beside it."""

from dataclasses import dataclass
from typing import Final

from flask import render_template

from lims.domain.lifecycle import RunState
from lims.domain.plates import PlateSize, parse_well
from lims.domain.recall import ReagentKind
from lims.domain.refusals import Refusal
from lims.web.access import current
from lims.web.answers import Told
from lims.web.control_chart import drawn
from lims.web.language import laboratory
from lims.web.recall.words import reagent_word
from lims.web.well_words import (
    control_verdicts,
    counted,
    well_face,
    well_said,
    well_state,
    what_next,
)
from lims.work import waiting
from lims.work.access import Role
from lims.work.reagent_lots import lots_of_plate
from lims.work.views import plate_view, run_list
from lims.work.views.plate_view import RunPage
from lims.work.views.stages import LIMITS, Item

RECALLS: Final = frozenset({Role.REVIEWER, Role.OPERATOR})
BENCH: Final = frozenset({Role.TECHNICIAN, Role.OPERATOR})


@dataclass(frozen=True)
class Shown:
    """What the page is about besides the run: the well pointed at, the tube just scanned."""

    at: str | None = None
    last: str | None = None
    refused: Told | None = None


def run_page(plate: str, shown: Shown) -> str:
    """Raises UnknownRun."""
    lab, at_work = laboratory(), bool(current().roles & BENCH)
    with lab.sessions.begin() as session:
        run = plate_view.run_page(session, plate, site_id=lab.site_id)
        filling = at_work and run.state is RunState.PLANNED
        queued = waiting.queue(session, run.assay, site_id=lab.site_id).tests if filling else 0
        drift = run_list.control_drift(session, site_id=lab.site_id, assay=run.assay)
        lots = lots_of_plate(session, plate, site_id=lab.site_id)
    lit = _lit(run, shown.at) if filling else None
    wells = {well.position: well for well in run.wells}
    return render_template(
        "runs/run.html",
        run=run,
        rows=run.size.row_letters,
        columns=range(1, run.size.columns + 1),
        wide=run.size is PlateSize.WELLS_384,
        wells=wells,
        drift=drawn(drift, run.plate) if drift else None,
        face=well_face,
        said=well_said,
        well_state=well_state,
        verdicts=control_verdicts(run),
        counted=counted(run),
        what_next=what_next,
        refused=shown.refused,
        filling=filling,
        fillable=min(queued, len(run.free)),
        lit=lit,
        chosen=wells.get(lit) if lit else None,
        just=next((w for w in run.samples if shown.last and w.barcode == shown.last), None),
        lots=[(reagent_word(one.kind), one.lot) for one in lots],
        lot_kinds=[(kind.value, reagent_word(kind)) for kind in ReagentKind],
        may_recall=bool(current().roles & RECALLS) and run.state is not RunState.INVALID,
        may_abandon=run.measured_at is None and at_work,
        may_review=Role.REVIEWER in current().roles,
        limit_min=LIMITS[Item.RUNNING].total_seconds() / 60,
    )


def _lit(run: RunPage, at: str | None) -> str | None:
    """The well that the next scan fills, or the filled one pointed at; None on a full plate."""
    following = run.free[0] if run.free else None
    if not at:
        return following
    try:
        return parse_well(at, run.size)
    except Refusal:
        return following
