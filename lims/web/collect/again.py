"""Who is to be swabbed again, by household: read on a telephone, or printed as a sheet."""

from flask import Response, render_template, request

from lims.web.access import current, needs
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.language import laboratory, language, now
from lims.web.paper import reswab_on_paper
from lims.web.pdf_answer import pdf_answer
from lims.web.shell import site_name
from lims.work.aside import aside
from lims.work.audit import record
from lims.work.views.reswabs import every_door, reswab_sheet
from lims.work.views.stages import LIMITS, Item
from reports.reswab import reswab_pdf


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


@blueprint.get("/again.pdf")
@needs(*DESK)
def again_pdf() -> Response:
    """The whole road on paper, with a box for each new label; taking it along is recorded."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        road = every_door(session, site_id=lab.site_id)
        record(
            session,
            site_id=lab.site_id,
            actor=current().actor,
            verb="print_reswab_sheet",
            subject=str(lab.site_id),
            now=now(),
            doors=len(road.doors),
            people=sum(len(door.people) for door in road.doors),
        )
    sheet = reswab_on_paper(
        road,
        laboratory=site_name(),
        issued_at=now(),
        timezone=lab.timezone,
        language=language(),
    )
    return pdf_answer(aside(lambda: reswab_pdf(sheet)), name="swab-again")
