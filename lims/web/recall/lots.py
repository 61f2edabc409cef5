"""The lots that a run was made with, said on its own page."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from lims.domain.recall import ReagentKind
from lims.domain.refusals import NotFound
from lims.web.access import current, needs
from lims.web.language import laboratory, now
from lims.web.recall.blueprint import blueprint
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.reagent_lots import say_lot
from lims.work.views.recalls import run_of_plate


@blueprint.post("/lots/<plate>")
@needs(Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
def say(plate: str) -> Response:
    """Keep a lot of this run; again changes nothing."""
    lab, kind = laboratory(), request.form.get("kind", "")
    if kind not in set(ReagentKind):
        raise NotFound(came=kind, where="kind")
    lot = request.form.get("lot", "")
    with lab.sessions.begin() as session:
        run = run_of_plate(session, plate, site_id=lab.site_id)
    if run is None:
        raise NotFound(came=plate, where="plate")
    by = current().actor
    in_transaction(
        lambda session: say_lot(
            session, run, ReagentKind(kind), lot, site_id=lab.site_id, by=by, now=now()
        )
    )
    return redirect(url_for("runs.run", plate=plate), 303)
