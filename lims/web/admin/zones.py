"""Zones: places that cut across communes, whose teams hear of their people."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.zones import ZoneKind
from lims.web import roster_words
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import kept
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.work.access import Role
from lims.work.views import zones as views
from lims.work.zones import open_zone, set_zone_open


@blueprint.get("/zones", endpoint="zones")
@needs(Role.ADMIN, Role.OPERATOR)
def every() -> str:
    """The list, and the form for one more."""
    return _page({}, {})


@blueprint.post("/zones")
@needs(Role.ADMIN, Role.OPERATOR)
def open_one() -> Response | tuple[str, int]:
    """Forms offer it from now on; a team hears once it is subscribed."""
    lab, form = laboratory(), request.form
    kind = form.get("kind", "")
    return kept(
        lambda session: open_zone(
            session,
            site_id=lab.site_id,
            name=form.get("name", ""),
            kind=ZoneKind(kind) if kind in set(ZoneKind) else ZoneKind.OTHER,
            by=current().actor,
            now=now(),
        ),
        page=_page,
        to="admin.zones",
        said=_("The zone is there. Now say which team hears of it."),
    )


@blueprint.post("/zones/<uuid:zone_id>/open")
@needs(Role.ADMIN, Role.OPERATOR)
def set_zone(zone_id: UUID) -> Response:
    """Closed: no form offers it and nothing more is owed for it."""
    is_open = request.form.get("open") == "yes"
    lab = laboratory()
    with lab.sessions.begin() as session:
        set_zone_open(session, zone_id, is_open, site_id=lab.site_id, by=current().actor, now=now())
    flash(_("Open again.") if is_open else _("Closed; its teams are not told any more."), "good")
    return redirect(url_for("admin.zones"), 303)


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lines = views.zones(session, site_id=lab.site_id)
    return render_template(
        "admin/zones.html",
        zones=lines,
        kinds=[(kind, roster_words.kind(kind)) for kind in ZoneKind],
        kind_word=roster_words.kind,
        typed=typed,
        faults=faults,
    )
