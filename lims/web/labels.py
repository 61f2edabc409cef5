"""Sheets of tube labels: barcodes that no sheet has carried before, as a PDF to print."""

from typing import Final
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.refusals import DifferentBody, InvalidBody
from lims.web.access import current, needs
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of
from lims.web.shell import site_name
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.aside import aside
from lims.work.labels import MOST_LABELS, TooManyLabels, labels_of, print_labels
from lims.work.views.label_prints import label_prints
from reports.labels import A4_48, SHEETS, label_sheet

blueprint = Blueprint("labels", __name__, url_prefix="/labels")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)
MOST_COPIES: Final = 4


@blueprint.get("")
@needs(*BENCH)
def page() -> str:
    """How many, on what; and the prints before."""
    return _page({}, {})


@blueprint.post("")
@needs(*BENCH)
def mint() -> Response | tuple[str, int]:
    """Reserve the serials. The same form again is the same labels."""
    form, lab = request.form, laboratory()
    asked = form.get("count", "")
    try:
        batch = in_transaction(
            lambda session: print_labels(
                session,
                site_id=lab.site_id,
                batch_id=chosen_uuid(form, "batch_id") or uuid7(),
                count=int(asked) if asked.isdecimal() and len(asked) < 7 else 0,
                title=form.get("title", ""),
                by=current().actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _page(form.to_dict(), faults_of(refusal)), 422
    except DifferentBody:
        typed = {name: said for name, said in form.to_dict().items() if name != "batch_id"}
        return _page(
            typed, {"count": _("This page has printed before: press again for new labels.")}
        ), 409
    return redirect(url_for("labels.page", made=batch.batch_id), 303)


@blueprint.get("/<uuid:batch_id>.pdf")
@needs(*BENCH)
def pdf(batch_id: UUID) -> Response:
    """The sheet; the same bytes however often it is asked for."""
    sheet = SHEETS.get(request.args.get("sheet", ""), A4_48)
    asked = request.args.get("copies", "1")
    copies = min(int(asked), MOST_COPIES) if asked.isdecimal() and int(asked) else 1
    with laboratory().sessions.begin() as session:
        batch = labels_of(session, batch_id)
    if len(batch.barcodes) * copies > MOST_LABELS:
        raise TooManyLabels(came=f"{len(batch.barcodes)} × {copies}", where="copies")
    response = make_response(
        aside(lambda: label_sheet(batch.barcodes, title=batch.title, copies=copies, layout=sheet))
    )
    response.headers["Content-Type"] = "application/pdf"
    first, last = batch.barcodes[0], batch.barcodes[-1]
    response.headers["Content-Disposition"] = f'inline; filename="labels-{first}-{last}.pdf"'
    return response


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab, made = laboratory(), chosen_uuid(request.args, "made")
    with lab.sessions.begin() as session:
        before = label_prints(session, site_id=lab.site_id)
        batch = labels_of(session, made) if made else None
    return render_template(
        "labels/page.html",
        typed=typed,
        faults=faults,
        batch_id=typed.get("batch_id") or uuid7(),
        before=before,
        batch=batch,
        title=site_name(),
        most=MOST_LABELS,
        sheets=[
            ("a4-48", _("A4, 48 labels of 45.7 × 21.2 mm")),
            ("a4-24", _("A4, 24 labels of 63.5 × 33.9 mm")),
            ("roll-50-25", _("roll of 50 × 25 mm")),
        ],
    )
