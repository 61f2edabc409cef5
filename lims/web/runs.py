"""Runs: the queue, laying out a plate, and the plate as its controls and wells turned out."""

import csv
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Final

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.lifecycle import RunState
from lims.domain.plates import STANDARD_CONTROLS_96, sample_wells
from lims.domain.refusals import DifferentBody, Refusal, UnknownRun
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.web.well_words import what_next
from lims.work import waiting
from lims.work.access import Role
from lims.work.plate import RunRequest, lay_out
from lims.work.review_run import abandon_run
from lims.work.run_layout import read_layout
from lims.work.views import plate_view, run_list
from lims.work.views.plate_view import PlateWell, WellSign
from lims.work.views.run_list import Drift
from lims.work.views.stages import LIMITS, Item

blueprint = Blueprint("runs", __name__, url_prefix="/runs")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)
LAB: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
ASSAY: Final = "sars-cov-2"
MOST: Final = len(sample_wells(STANDARD_CONTROLS_96))
_CHART_WIDTH, _CHART_TOP, _CHART_BOTTOM = 320.0, 20.0, 70.0


@blueprint.get("")
@needs(*LAB)
def page() -> str:
    """The queue by priority and age, and the runs, those that wait first."""
    return _list_page({})


@blueprint.post("")
@needs(*BENCH)
def lay_out_plate() -> Response | tuple[str, int]:
    """Fill a plate from the queue. The same form again is the same plate.

    People write "PL 0412": a plate's name has no spaces (`parse_plate`), so each is a hyphen.
    """
    form, lab = request.form, laboratory()
    asked = form.get("most", "")
    try:
        plate = barcodes.parse_plate("-".join(form.get("plate", "").split()))
        most = int(asked) if asked.isdecimal() and 1 <= int(asked) <= MOST else MOST
        wanted = RunRequest(chosen_uuid(form, "run_id") or uuid7(), plate, most=most)
        in_transaction(
            lambda s: lay_out(s, wanted, site_id=lab.site_id, by=current().actor, now=now())
        )
    except Refusal as refusal:
        typed = form.to_dict()
        if isinstance(refusal, DifferentBody):
            typed.pop("run_id", None)
        return _list_page(typed, told(refusal)), int(status_of(type(refusal)))
    return redirect(url_for("runs.run", plate=plate), 303)


@blueprint.get("/<plate>")
@needs(*LAB)
def run(plate: str) -> str:
    """The plate, the verdict on top, and what needs a person."""
    return _run_page(plate)


@blueprint.post("/<plate>/abandon")
@needs(*BENCH)
def abandon(plate: str) -> Response | tuple[str, int]:
    """The plate is not measured after all; its tubes go back to the queue."""
    lab, form = laboratory(), request.form

    def give_up(session: Session) -> None:
        shown = plate_view.run_page(session, plate, site_id=lab.site_id)
        why = form.get("reason", "")
        abandon_run(session, shown.run_id, why, by=current().actor, now=now())

    try:
        in_transaction(give_up)
    except UnknownRun:
        raise  # no page to say it on: the door's own answers
    except Refusal as refusal:
        return _run_page(plate, told(refusal)), int(status_of(type(refusal)))
    return redirect(url_for("runs.run", plate=plate), 303)


def _run_page(plate: str, refused: Told | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        shown = plate_view.run_page(session, plate, site_id=lab.site_id)
        drift = run_list.control_drift(session, site_id=lab.site_id, assay=shown.assay)
    return render_template(
        "runs/run.html",
        run=shown,
        rows="ABCDEFGH",
        columns=range(1, 13),
        wells={well.position: well for well in shown.wells},
        drift=drawn(drift) if drift else None,
        well_face=well_face,
        well_words=well_words,
        what_next=what_next,
        refused=refused,
        may_abandon=shown.measured_at is None and bool(current().roles & set(BENCH)),
        may_review=Role.REVIEWER in current().roles,
        limit_min=LIMITS[Item.RUNNING].total_seconds() / 60,
    )


@blueprint.get("/<plate>/worklist.csv")
@needs(*LAB)
def worklist(plate: str) -> Response:
    """The layout for the analyser: well, what is in it, for which assay."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        shown = plate_view.run_page(session, plate, site_id=lab.site_id)
        layout = read_layout(session, shown.run_id)
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["well", "sample_id", "role", "assay", "plate"])
    for well in layout.wells:
        sample = well.barcode or _CONTROLS.get(well.role, well.role)
        writer.writerow([well.position, sample, well.role, layout.assay, layout.plate])
    response = make_response(out.getvalue())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    disposition = f'attachment; filename="{layout.plate}.csv"'
    response.headers["Content-Disposition"] = disposition
    return response


_CONTROLS: Final = {
    "negative_control": "NTC",
    "positive_control": "PC",
    "extraction_control": "EC",
}


@dataclass(frozen=True)
class Chart:
    """A line of control values as SVG coordinates: x to the right, y down."""

    points: str
    last: float
    low: float
    high: float


def drawn(drift: Drift) -> Chart:
    """The last runs from left to right; the two outer lines are two standard deviations."""
    span = max(drift.high - drift.low, 0.1)
    step = _CHART_WIDTH / max(len(drift.points) - 1, 1)
    height = _CHART_BOTTOM - _CHART_TOP
    placed = [
        f"{number * step:.1f},{_CHART_BOTTOM - (ct - drift.low) / span * height:.1f}"
        for number, (_plate_name, ct) in enumerate(drift.points)
    ]
    return Chart(" ".join(placed), drift.points[-1][1], drift.low, drift.high)


def well_face(well: PlateWell) -> str:
    """The two or three characters that a well has room for."""
    if well.sign is WellSign.CONTROL:
        return _CONTROLS.get(well.role, well.role)
    if well.sign in {WellSign.POSITIVE, WellSign.INCONCLUSIVE} and well.ct_cycles is not None:
        return f"{well.ct_cycles:.0f}"
    return {WellSign.NEGATIVE: "−", WellSign.INVALID: "?"}.get(well.sign, "")


def well_words(well: PlateWell) -> str:
    """What the well says to a screen reader and in its tip, without the barcode."""
    return {
        WellSign.NEGATIVE: _("negative"),
        WellSign.POSITIVE: _("positive"),
        WellSign.INCONCLUSIVE: _("inconclusive"),
        WellSign.INVALID: _("invalid"),
        WellSign.WAITING: _("no result yet"),
        WellSign.CONTROL: _CONTROLS.get(well.role, well.role),
    }[well.sign]


def _list_page(typed: dict[str, str], refused: Told | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        queue = waiting.queue(session, ASSAY, site_id=lab.site_id)
        lines = run_list.runs(session, site_id=lab.site_id, since=day_start() - timedelta(days=1))
    waits = {RunState.PLANNED, RunState.MEASURING, RunState.HELD}
    return render_template(
        "runs/list.html",
        queue=queue,
        open_runs=[line for line in lines if line.state in waits],
        done_runs=[line for line in lines if line.state not in waits],
        most=MOST,
        typed=typed,
        run_id=typed.get("run_id") or uuid7(),
        refused=refused,
        may_lay_out=bool(current().roles & set(BENCH)),
        queue_limit_min=LIMITS[Item.TO_PLATE].total_seconds() / 60,
        limit_min=LIMITS[Item.RUNNING].total_seconds() / 60,
    )
