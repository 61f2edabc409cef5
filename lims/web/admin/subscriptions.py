"""Who is told of the cases of which area, on the board or by webhook."""

from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import chosen_id
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of
from lims.work import subscribe
from lims.work.access import Fault, Role, refuse
from lims.work.areas import SCHEME
from lims.work.subscribe import AreaKey, Channel, Subscribed
from lims.work.views import administration
from lims.work.views.areas import find_areas, the_one_meant


@blueprint.get("/subscriptions", endpoint="subscriptions")
@needs(Role.ADMIN, Role.OPERATOR)
def every() -> str:
    """The list, and the form for one more."""
    return _page({}, {})


@blueprint.get("/areas")
@needs(Role.ADMIN, Role.OPERATOR)
def areas() -> str:
    """The units a typed text may mean, as `<option>`s for `areas.js`."""
    with laboratory().sessions.begin() as session:
        found = find_areas(session, SCHEME, request.args.get("q", "")[:100])
    return render_template("admin/_areas.html", areas=found)


@blueprint.post("/subscriptions")
@needs(Role.ADMIN, Role.OPERATOR)
def create_subscription() -> str | Response | tuple[str, int]:
    """A webhook's secret is in the answer itself, once."""
    try:
        with laboratory().sessions.begin() as session:
            made = _subscribe(session)
    except InvalidBody as refusal:
        return _page(request.form.to_dict(), faults_of(refusal)), 422
    if made.secret:
        return _page({}, {}, secret=made.secret)
    flash(_("The team is told from now on."), "good")
    return redirect(url_for("admin.subscriptions"), 303)


@blueprint.post("/subscriptions/<uuid:subscription_id>/disable")
@needs(Role.ADMIN, Role.OPERATOR)
def disable(subscription_id: UUID) -> Response:
    """Nothing more is owed to it."""
    with laboratory().sessions.begin() as session:
        subscribe.disable(session, subscription_id, by=current().actor, now=now())
    flash(_("Not told any more."), "good")
    return redirect(url_for("admin.subscriptions"), 303)


@blueprint.post("/subscriptions/<uuid:subscription_id>/enable")
@needs(Role.ADMIN, Role.OPERATOR)
def enable(subscription_id: UUID) -> Response:
    """Told again of what happens from now on."""
    with laboratory().sessions.begin() as session:
        subscribe.enable(session, subscription_id, by=current().actor, now=now())
    flash(_("The team is told from now on."), "good")
    return redirect(url_for("admin.subscriptions"), 303)


def _subscribe(session: Session) -> Subscribed:
    form = request.form
    return subscribe.subscribe(
        session,
        site_id=laboratory().site_id,
        team_id=chosen_id("team"),
        area=_area(session, (form.get("area_chosen") or form.get("area", "")).strip()),
        channel=Channel.WEBHOOK if form.get("channel") == Channel.WEBHOOK else Channel.BOARD,
        url=form.get("url", ""),
        private=current_app.config["PRIVATE_WEBHOOKS"],
        by=current().actor,
        now=now(),
    )


def _area(session: Session, asked: str) -> AreaKey | None:
    """The one unit meant; empty is the whole country. Raises InvalidBody."""
    if not asked:
        return None
    found = find_areas(session, SCHEME, asked[:200])
    if not found:
        refuse({"area": Fault.AREA_UNKNOWN}, where="subscription")
    meant = the_one_meant(found, asked)
    if meant is not None:
        return AreaKey(meant.scheme, meant.code)
    refuse({"area": Fault.AREA_SEVERAL}, where="subscription")
    return None


def _page(typed: dict[str, str], faults: dict[str, str], secret: str | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lines = administration.subscriptions(session, lab.site_id)
        teams = administration.teams(session, lab.site_id)
        likely = find_areas(session, SCHEME, typed.get("area", "")) if typed.get("area") else []
    return render_template(
        "admin/subscriptions.html",
        subscriptions=lines,
        teams=[(team.team_id, team_name(team.name)) for team in teams],
        channels=[
            (Channel.BOARD, _("board"), _("shown on the hand-off page")),
            (Channel.WEBHOOK, _("webhook"), _("sent to a system of theirs")),
        ],
        likely=likely,
        typed=typed,
        faults=faults,
        secret=secret,
    )
