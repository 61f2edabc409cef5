"""Who is to be swabbed again, by household: read on a telephone, or printed as a sheet."""

from flask import render_template, request

from lims.web.access import needs
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.language import laboratory
from lims.work.views.reswabs import reswab_sheet
from lims.work.views.stages import LIMITS, Item


@blueprint.get("/again")
@needs(*DESK)
def again() -> str:
    """Door by door; a household is swabbed into one tube, one person into one."""
    lab, asked = laboratory(), request.args.get("page", "1")
    page = max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1
    with lab.sessions.begin() as session:
        sheet = reswab_sheet(session, site_id=lab.site_id, page=page)
    return render_template(
        "collect/again.html",
        sheet=sheet,
        doors=sheet.doors,
        limit_min=LIMITS[Item.SWAB_AGAIN].total_seconds() / 60,
    )
