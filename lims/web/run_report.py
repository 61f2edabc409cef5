"""The report of one run as a document, for the file and for whoever asks about it later."""

from typing import Final

from flask import Blueprint, Response

from lims.web.access import needs
from lims.web.language import laboratory, language, now
from lims.web.paper import run_on_paper
from lims.web.pdf_answer import pdf_answer
from lims.web.shell import site_name
from lims.work.access import Role
from lims.work.aside import aside
from lims.work.views.plate_view import run_page
from lims.work.views.run_record import run_record
from reports.run_report import run_pdf

blueprint = Blueprint("run_report", __name__, url_prefix="/runs")
LAB: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)


@blueprint.get("/<plate>/report.pdf")
@needs(*LAB)
def pdf(plate: str) -> Response:
    """Tubes by barcode, nobody by name: it needs no access record."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        run = run_page(session, plate, site_id=lab.site_id)
        record = run_record(session, run.run_id)
    report = run_on_paper(
        run,
        record,
        laboratory=site_name(),
        issued_at=now(),
        timezone=lab.timezone,
        language=language(),
    )
    return pdf_answer(aside(lambda: run_pdf(report)), name=f"run-{run.plate}")
