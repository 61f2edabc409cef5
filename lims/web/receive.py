"""The laboratory's door: every scan receives a tube and says where to put it down."""

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain import barcodes
from lims.domain.refusals import Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.receive import Received, receive
from lims.work.reject import reject
from lims.work.views import reception
from lims.work.views.reception import DoorTube, Step
from lims.work.views.stages import LIMITS, Item

blueprint = Blueprint("receive", __name__, url_prefix="/receive")

REASONS = (
    later("Broken or leaking"),
    later("No label, or a label nobody can read"),
    later("Too little in it"),
    later("Swab missing"),
    later("Too old, or kept too warm"),
)


@blueprint.get("")
@needs(Role.TECHNICIAN, Role.OPERATOR)
def page() -> str:
    """The last scan's answer, what came in, and what is still out."""
    return _page(None, request.args.get("tube"), again="again" in request.args)


@blueprint.post("")
@needs(Role.TECHNICIAN, Role.OPERATOR)
def scan() -> Response | tuple[str, int]:
    """One tube. Scanning it again says the same."""
    text = request.form.get("text", "")

    try:
        receipt = in_transaction(lambda s: receive(s, text, by=current().actor, now=now()))
    except Refusal as refusal:
        return _page(told(refusal)), int(status_of(type(refusal)))
    return _said(receipt)


@blueprint.post("/reject")
@needs(Role.TECHNICIAN, Role.OPERATOR)
def reject_tube() -> Response | tuple[str, int]:
    """Set a tube aside for a reason; its people are cleared by their pool or swabbed again."""
    text, reason = request.form.get("barcode", ""), request.form.get("reason", "")
    try:
        barcode = in_transaction(
            lambda s: reject(s, text, reason, by=current().actor, now=now()).barcode
        )
    except Refusal as refusal:
        return _page(told(refusal), typed=request.form.to_dict()), int(status_of(type(refusal)))
    return redirect(url_for("receive.page", tube=barcode), 303)


@dataclass(frozen=True)
class Next:
    """Where the tube goes, in words."""

    where: str
    path: str | None


def next_step(tube: DoorTube) -> Next:
    """What the hands do now."""
    match tube.step:
        case Step.POOL:
            return Next(_("To the pooling rack"), url_for("pools.page"))
        case Step.RUN:
            return Next(_("To the plate queue"), url_for("runs.page"))
        case Step.POOLED:
            return Next(_("It is in a pool; keep it on its rack"), None)
        case Step.DONE:
            return Next(_("Tested; keep it on its rack"), None)
        case Step.REJECTED:
            return Next(_("Set it aside"), None)
        case Step.DOOR:
            return Next(_("Scan it in"), None)


def _said(receipt: Received) -> Response:
    again = "1" if receipt.replayed else None
    return redirect(url_for("receive.page", tube=receipt.barcode, again=again), 303)


def _page(
    refused: Told | None,
    barcode: str | None = None,
    *,
    again: bool = False,
    typed: dict[str, str] | None = None,
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        tube = (
            reception.door_tube(session, barcodes.normalise(barcode), site_id=lab.site_id)
            if barcode
            else None
        )
        last = reception.last_received(
            session, site_id=lab.site_id, by=current().actor, since=day_start()
        )
        out = reception.on_the_way(
            session, site_id=lab.site_id, late_before=now() - LIMITS[Item.ON_THE_WAY]
        )
    return render_template(
        "receive/page.html",
        refused=refused,
        tube=tube,
        again=again,
        last=last,
        out=out,
        typed=typed or {},
        reasons=[_(reason) for reason in REASONS],
        next_step=next_step,
    )
