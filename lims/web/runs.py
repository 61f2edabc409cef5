"""Runs: the queue, laying out a plate, its worklist, and giving it up."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.lifecycle import RunState
from lims.domain.plates import PlateSize
from lims.domain.refusals import DifferentBody, Refusal, UnknownRun
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.person_form import chosen_uuid
from lims.web.lab_words import control
from lims.web.language import laboratory, now
from lims.web.run_page import Shown, run_page
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work import waiting
from lims.work.access import Role
from lims.work.control_templates import ROLE_WORDS, NamedTemplate, templates_in_force
from lims.work.plate import RunRequest, lay_out
from lims.work.review_run import abandon_run
from lims.work.views import plate_view, run_list
from lims.work.views.plate_view import PlateWell, RunPage, WellSign
from lims.work.views.stages import LIMITS, Item
from reports.worklist import WorklistLine, worklist_csv

blueprint = Blueprint("runs", __name__, url_prefix="/runs")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)
LAB: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
ASSAY: Final = "sars-cov-2"


@blueprint.get("")
@needs(*LAB)
def page() -> str:
    """The queue by priority and age, and the runs, those that wait first."""
    return _list_page({})


@blueprint.post("")
@needs(*BENCH)
def lay_out_plate() -> Response | tuple[str, int]:
    """Fill a plate from the queue, or open it for the scanner. The same form again: the same plate.

    People write "PL 0412": a plate's name has no spaces (`parse_plate`), so each is a hyphen.
    """
    form, lab = request.form, laboratory()
    try:
        template_id, size = _controls(form.get("controls", ""))
        plate = barcodes.parse_plate("-".join(form.get("plate", "").split()))
        wanted = RunRequest(
            chosen_uuid(form, "run_id") or uuid7(),
            plate,
            most=_most(form.get("most", ""), by_scan=form.get("fill") == "scan"),
            format=size,
            template_id=template_id,
        )
        in_transaction(
            lambda s: lay_out(s, wanted, site_id=lab.site_id, by=current().actor, now=now())
        )
    except Refusal as refusal:
        typed = form.to_dict()
        if isinstance(refusal, DifferentBody):
            typed.pop("run_id", None)
        return _list_page(typed, told(refusal)), int(status_of(type(refusal)))
    return redirect(url_for("runs.run", plate=plate), 303)


def _most(asked: str, *, by_scan: bool) -> int | None:
    if by_scan:
        return 0
    return int(asked) if asked.isdecimal() and 1 <= int(asked) < PlateSize.WELLS_384 else None


def _controls(chosen: str) -> tuple[UUID | None, PlateSize]:
    """The template chosen and its plate, as the form's list wrote them; else the usual 96 wells."""
    template, _, wells = chosen.partition("/")
    try:
        return UUID(template), PlateSize(int(wells))
    except ValueError:
        return None, PlateSize.WELLS_96


@blueprint.get("/<plate>")
@needs(*LAB)
def run(plate: str) -> str:
    """The plate, the verdict on top, and what needs a person; a planned one under the scanner."""
    asked = request.args
    return run_page(plate, Shown(at=asked.get("at"), last=asked.get("last")))


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
        page = run_page(plate, Shown(refused=told(refusal)))
        return page, int(status_of(type(refusal)))
    return redirect(url_for("runs.run", plate=plate), 303)


@blueprint.get("/<plate>/worklist.csv")
@needs(*LAB)
def worklist(plate: str) -> Response:
    """The layout as CSV (columns: `reports.worklist`); `?bom=1` for a spreadsheet."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        shown = plate_view.run_page(session, plate, site_id=lab.site_id)
    lines = [_line(shown, well) for well in shown.in_filling_order]
    response = make_response(worklist_csv(lines, byte_order_mark="bom" in request.args))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    disposition = f'attachment; filename="{shown.plate}.csv"'
    response.headers["Content-Disposition"] = disposition
    return response


def _line(run: RunPage, well: PlateWell) -> WorklistLine:
    is_control = well.sign is WellSign.CONTROL
    return WorklistLine(
        plate=run.plate,
        well=well.position,
        barcode=control(well.role) if is_control else well.barcode or "",
        kind="control" if is_control else well.kind or "",
        people=None if is_control else well.people,
        priority=well.priority,
        why=well.order_why,
        assay=run.assay,
        control=well.role if is_control else None,
    )


def _list_page(typed: dict[str, str], refused: Told | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        queue = waiting.queue(session, ASSAY, site_id=lab.site_id)
        lines = run_list.runs(session, site_id=lab.site_id, since=day_start() - timedelta(days=1))
        templates = templates_in_force(session, site_id=lab.site_id, assay=ASSAY)
    waits = {RunState.PLANNED, RunState.MEASURING, RunState.HELD}
    return render_template(
        "runs/list.html",
        queue=queue,
        open_runs=[line for line in lines if line.state in waits],
        done_runs=[line for line in lines if line.state not in waits],
        templates=[
            (f"{one.template_id}/{int(one.template.size)}", _described(one)) for one in templates
        ],
        typed=typed,
        run_id=typed.get("run_id") or uuid7(),
        refused=refused,
        may_lay_out=bool(current().roles & set(BENCH)),
        queue_limit_min=LIMITS[Item.TO_PLATE].total_seconds() / 60,
        limit_min=LIMITS[Item.RUNNING].total_seconds() / 60,
    )


def _described(one: NamedTemplate) -> str:
    """ "96 · Standard/1: NTC H11, PC H12"."""
    placed = ", ".join(
        f"{control(ROLE_WORDS[role])} {well}" for well, role in one.template.controls
    )
    return f"{int(one.template.size)} · {one.name}/{one.version}: {placed}"
