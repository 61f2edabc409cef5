"""A planned plate under the scanner: each scan fills the well that is lit; out, over, full up."""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain import barcodes
from lims.domain.refusals import Refusal, UnknownRun
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import told
from lims.web.language import laboratory, now
from lims.web.run_page import Shown, run_page
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.plate_by_hand import fill_up, move_to, put_in, take_out

blueprint = Blueprint("plating", __name__, url_prefix="/runs")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)
Answer = Response | tuple[str, int]


@blueprint.post("/<plate>/scan")
@needs(*BENCH)
def scan(plate: str) -> Answer:
    """A tube into the well that is lit; then the next free one is."""
    text, at = request.form.get("text", ""), request.form.get("at") or None

    def put(session: Session) -> str:
        lab = laboratory()
        placed = put_in(
            session, plate, text, at, site_id=lab.site_id, by=current().actor, now=now()
        )
        return placed.barcode

    return _done(plate, put, at=at)


@blueprint.post("/<plate>/out")
@needs(*BENCH)
def out(plate: str) -> Answer:
    """Off the plate; its test waits in the queue again."""
    barcode = request.form.get("barcode", "")

    def take(session: Session) -> str:
        lab = laboratory()
        take_out(session, plate, barcode, site_id=lab.site_id, by=current().actor, now=now())
        return ""

    return _done(plate, take)


@blueprint.post("/<plate>/move")
@needs(*BENCH)
def move(plate: str) -> Answer:
    """To another free well."""
    barcode, to = request.form.get("barcode", ""), request.form.get("to", "")

    def over(session: Session) -> str:
        lab = laboratory()
        placed = move_to(
            session, plate, barcode, to, site_id=lab.site_id, by=current().actor, now=now()
        )
        return placed.barcode

    return _done(plate, over, at=request.form.get("at"))


@blueprint.post("/<plate>/fill")
@needs(*BENCH)
def fill(plate: str) -> Answer:
    """The wells that are free, from the queue."""

    def up(session: Session) -> str:
        fill_up(session, plate, site_id=laboratory().site_id, by=current().actor, now=now())
        return ""

    return _done(plate, up)


def _done(plate: str, verb: Callable[[Session], str], *, at: str | None = None) -> Answer:
    """The plate again with the tube that was touched; a refusal says why, and lights `at` still."""
    try:
        last = in_transaction(verb)
    except UnknownRun:
        raise  # no page to say it on: the door's own answers
    except Refusal as refusal:
        shown = Shown(at=at, refused=told(refusal))
        return run_page(plate, shown), int(status_of(type(refusal)))
    named = barcodes.normalise(last) if last else None
    return redirect(url_for("runs.run", plate=plate, last=named), 303)
