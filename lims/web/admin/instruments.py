"""The analysers: under which name their gateways speak, which driver reads them, when they did."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from instruments.drivers.exports import ALL_DRIVERS
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import kept
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.work.access import Role
from lims.work.instruments import (
    OWN_PROFILE,
    add_instrument,
    set_instrument_active,
    set_instrument_driver,
)
from lims.work.views import equipment


@blueprint.get("/instruments", endpoint="instruments")
@needs(Role.ADMIN, Role.OPERATOR)
def every() -> str:
    """The list, and the form for one more."""
    return _page({}, {})


@blueprint.post("/instruments")
@needs(Role.ADMIN, Role.OPERATOR)
def add() -> Response | tuple[str, int]:
    """Its messages are taken from now on."""
    lab, form = laboratory(), request.form
    return kept(
        lambda session: add_instrument(
            session,
            site_id=lab.site_id,
            name=form.get("name", ""),
            driver=form.get("driver", ""),
            by=current().actor,
            now=now(),
        ),
        page=_page,
        to="admin.instruments",
        said=_("Its messages are taken from now on."),
    )


@blueprint.post("/instruments/<uuid:instrument_id>/active")
@needs(Role.ADMIN, Role.OPERATOR)
def set_use(instrument_id: UUID) -> Response:
    """Out of use: its messages wait at the gateway."""
    active = request.form.get("active") == "yes"
    with laboratory().sessions.begin() as session:
        set_instrument_active(session, instrument_id, active, by=current().actor, now=now())
    said = _("In use again.") if active else _("Out of use; its messages wait at the gateway.")
    flash(said, "good")
    return redirect(url_for("admin.instruments"), 303)


@blueprint.post("/instruments/<uuid:instrument_id>/driver")
@needs(Role.ADMIN, Role.OPERATOR)
def set_driver(instrument_id: UUID) -> Response | tuple[str, int]:
    """Set up under the wrong make: its word counts, or does not, from now on."""
    return kept(
        lambda session: set_instrument_driver(
            session,
            instrument_id,
            request.form.get("driver", ""),
            by=current().actor,
            now=now(),
        ),
        page=_page,
        to="admin.instruments",
        said=_("Its driver is changed for what comes from now on."),
    )


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lines = equipment.instruments(session, lab.site_id)
    return render_template(
        "admin/instruments.html",
        instruments=lines,
        drivers=[
            *((name, f"{name} {ALL_DRIVERS[name].version}") for name in sorted(ALL_DRIVERS)),
            (OWN_PROFILE, _("a profile of our own (.toml)")),
        ],
        typed=typed,
        faults=faults,
    )
