"""One tube's whole way: who, when, where, and which evidence."""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain import barcodes
from lims.domain.lifecycle import TubeKind, TubeState
from lims.domain.refusals import Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.language import gettext as _
from lims.web.language import laboratory, now, num
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.views.tube_story import tube_story
from lims.work.volume import left_in, say_volume

blueprint = Blueprint("tubes", __name__, url_prefix="/tubes")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)


@blueprint.get("/<barcode>")
@needs(Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
def page(barcode: str) -> str:
    """The barcode with or without hyphens, in capitals or not."""
    return tube_page(barcode)


@blueprint.post("/<barcode>/volume")
@needs(*BENCH)
def volume(barcode: str) -> Response | tuple[str, int]:
    """How much it held when it came."""
    lab, typed = laboratory(), request.form.get("volume_ul", "").strip()
    said = int(typed) if typed.isdecimal() and len(typed) < 7 else -1
    try:
        receipt = in_transaction(
            lambda session: say_volume(
                session, barcode, said, site_id=lab.site_id, by=current().actor, now=now()
            )
        )
    except Refusal as refusal:
        return tube_page(barcode, refused=told(refusal)), int(status_of(type(refusal)))
    flash(_("Kept: %(left)s µl are left.", left=num(receipt.left_ul)), "good")
    return redirect(url_for("tubes.page", barcode=receipt.barcode), 303)


def tube_page(barcode: str, *, refused: Told | None = None) -> str:
    """The tube's page, under what was refused there. Raises NotFound."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        story = tube_story(session, barcodes.normalise(barcode), site_id=lab.site_id)
        left = left_in(session, story.tube_id)
    return render_template(
        "tubes/page.html",
        story=story,
        pooled=story.kind is not TubeKind.INDIVIDUAL,
        refused=refused,
        left=left,
        may_measure=story.kind is not TubeKind.LAB_POOL
        and story.state is TubeState.RECEIVED
        and not current().roles.isdisjoint(BENCH),
    )
