"""Who is to be swabbed again, by household: read on a telephone, or printed as a sheet."""

from flask import render_template

from lims.web.access import needs
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.language import laboratory
from lims.work.views.reswabs import doors_to_visit
from lims.work.views.stages import LIMITS, Item


@blueprint.get("/again", endpoint="again")
@needs(*DESK)
def sheet() -> str:
    """Door by door; a household is swabbed into one tube, one person into one."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        doors = doors_to_visit(session, site_id=lab.site_id)
    return render_template(
        "collect/again.html",
        doors=doors,
        people=sum(len(door.people) for door in doors),
        limit_min=LIMITS[Item.SWAB_AGAIN].total_seconds() / 60,
    )
