"""One tube's whole way: who, when, where, and which evidence."""

from flask import Blueprint, render_template

from lims.domain import barcodes
from lims.domain.lifecycle import TubeKind
from lims.web.access import needs
from lims.web.answers import Told
from lims.web.language import laboratory
from lims.work.access import Role
from lims.work.views.tube_story import tube_story

blueprint = Blueprint("tubes", __name__, url_prefix="/tubes")


@blueprint.get("/<barcode>")
@needs(Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
def page(barcode: str) -> str:
    """The barcode with or without hyphens, in capitals or not."""
    return tube_page(barcode)


def tube_page(barcode: str, *, refused: Told | None = None) -> str:
    """The tube's page, under what was refused there. Raises NotFound."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        story = tube_story(session, barcodes.normalise(barcode), site_id=lab.site_id)
    return render_template(
        "tubes/page.html",
        story=story,
        pooled=story.kind is not TubeKind.INDIVIDUAL,
        refused=refused,
    )
