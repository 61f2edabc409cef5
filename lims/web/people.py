"""One person: their swabs, what is known of each, their case. Every reading is recorded."""

from uuid import UUID

from flask import Blueprint, render_template

from lims.web.access import current, needs
from lims.web.language import laboratory, now
from lims.work.access import Role
from lims.work.audit import record
from lims.work.views.person_file import person_file

blueprint = Blueprint("people", __name__, url_prefix="/people")


@blueprint.get("/<uuid:person_id>")
@needs(Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
def page(person_id: UUID) -> str:
    """By id alone: no name and no number ever stands in an address."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        file = person_file(session, person_id, site_id=lab.site_id)
        record(
            session,
            site_id=lab.site_id,
            actor=current().actor,
            verb="read_person",
            subject=str(person_id),
            now=now(),
        )
    return render_template("people/page.html", file=file, person=file.person)
