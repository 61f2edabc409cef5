"""Testing orders: under which name swabs are registered, and how many go to a pool."""

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.pooling.choice import Resolution
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import chosen_id, kept
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.parting_words import campaign_ways, way_word
from lims.work.access import Role
from lims.work.campaigns import open_campaign, set_campaign_open, set_resolution
from lims.work.views import equipment
from lims.work.views.zones import open_zones


@blueprint.get("/campaigns", endpoint="campaigns")
@needs(Role.ADMIN, Role.OPERATOR)
def every() -> str:
    """The list, and the form for one more."""
    return _page({}, {})


@blueprint.post("/campaigns")
@needs(Role.ADMIN, Role.OPERATOR)
def begin() -> Response | tuple[str, int]:
    """Desks may register for it from now on."""
    lab, form = laboratory(), request.form
    size = form.get("pool_size", "")
    return kept(
        lambda session: open_campaign(
            session,
            site_id=lab.site_id,
            name=form.get("name", ""),
            pool_size=int(size) if size.isdecimal() and len(size) < 4 else 0,
            answer_within=_hours(form.get("answer_within_h", "")),
            resolution=form.get("resolution") or Resolution.DORFMAN,
            by=current().actor,
            now=now(),
            campaign_id=chosen_id("campaign_id"),
            zone_id=chosen_id("zone"),
        ),
        page=_page,
        to="admin.campaigns",
        said=_("Desks may register for it from now on."),
    )


@blueprint.post("/campaigns/<uuid:campaign_id>/open")
@needs(Role.ADMIN, Role.OPERATOR)
def set_open(campaign_id: UUID) -> Response:
    """Closed: no desk offers it; its tubes go on their way."""
    is_open = request.form.get("open") == "yes"
    with laboratory().sessions.begin() as session:
        set_campaign_open(session, campaign_id, is_open, by=current().actor, now=now())
    said = _("Open again.") if is_open else _("Closed; its tubes go on their way.")
    flash(said, "good")
    return redirect(url_for("admin.campaigns"), 303)


@blueprint.post("/campaigns/<uuid:campaign_id>/resolution")
@needs(Role.ADMIN, Role.OPERATOR)
def set_way(campaign_id: UUID) -> Response:
    """How its positive pools are resolved from now on; open ones stay as they are."""
    asked = request.form.get("resolution", "")
    with laboratory().sessions.begin() as session:
        set_resolution(session, campaign_id, asked, by=current().actor, now=now())
    flash(_("From the next positive pool on. Open pools stay as they are."), "good")
    return redirect(url_for("admin.campaigns"), 303)


def _hours(typed: str) -> timedelta:
    """ "24" or "1,5"; what is no number is no promise, and refused as one."""
    try:
        return timedelta(hours=min(max(float(typed.replace(",", ".")), 0), 1000))
    except ValueError:
        return timedelta(0)


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lines = equipment.campaigns(session, lab.site_id)
        zones = open_zones(session, site_id=lab.site_id)
    return render_template(
        "admin/campaigns.html",
        ways=campaign_ways(),
        way_word=way_word,
        campaigns=lines,
        zones=zones,
        campaign_id=typed.get("campaign_id") or uuid7(),
        typed=typed,
        faults=faults,
    )
