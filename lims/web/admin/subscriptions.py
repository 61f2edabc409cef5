"""Who is told of the cases of which area, on the board, by e-mail or by webhook."""

from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody, Refusal
from lims.domain.telling import Channel
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import chosen_id
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of, said
from lims.work import subscribe
from lims.work.access import Fault, Role, refuse
from lims.work.areas import SCHEME
from lims.work.subscribe import AreaKey, Subscribed
from lims.work.views import administration
from lims.work.views.areas import find_areas, the_one_meant
from lims.work.views.zones import open_zones


@blueprint.get("/subscriptions", endpoint="subscriptions")
@needs(Role.ADMIN, Role.OPERATOR)
def every() -> str:
    """The list, and the form for one more; `?zone=` has one chosen already."""
    return _page({"zone": request.args.get("zone", "")}, {})


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


@blueprint.post("/subscriptions/<uuid:subscription_id>/secret")
@needs(Role.ADMIN, Role.OPERATOR)
def rotate_secret(subscription_id: UUID) -> str | Response:
    """The new secret is in the answer itself, once; the old one signs too for a day."""
    try:
        with laboratory().sessions.begin() as session:
            secret = subscribe.rotate(session, subscription_id, by=current().actor, now=now())
    except Refusal as refusal:
        flash(said(refusal), "bad")
        return redirect(url_for("admin.subscriptions"), 303)
    return _page({}, {}, secret=secret)


@blueprint.post("/subscriptions/<uuid:subscription_id>/secret/old")
@needs(Role.ADMIN, Role.OPERATOR)
def drop_old_secret(subscription_id: UUID) -> Response:
    """Only the new secret signs from now on."""
    with laboratory().sessions.begin() as session:
        subscribe.drop_old_secret(session, subscription_id, by=current().actor, now=now())
    flash(_("The old secret signs no more."), "good")
    return redirect(url_for("admin.subscriptions"), 303)


def _subscribe(session: Session) -> Subscribed:
    form = request.form
    channel, zone_id = _channel(), chosen_id("zone")
    if channel is Channel.EMAIL and not current_app.config["MAIL"]:
        refuse({"email": Fault.NO_MAIL}, where="subscription")
    return subscribe.subscribe(
        session,
        site_id=laboratory().site_id,
        team_id=chosen_id("team"),
        area=area_given(session, zone_id),
        zone_id=zone_id,
        channel=channel,
        url=form.get("url", ""),
        email=form.get("email", ""),
        gather_s=_gather_s(),
        private=current_app.config["PRIVATE_WEBHOOKS"],
        by=current().actor,
        now=now(),
    )


def _channel() -> Channel:
    asked = request.form.get("channel")
    return Channel(asked) if asked in set(Channel) else Channel.BOARD


def _gather_s() -> int | None:
    """From minutes. Raises InvalidBody."""
    typed = request.form.get("gather", "").strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 6):
        refuse({"gather": Fault.GATHER}, where="subscription")
    return int(typed) * 60


def area_given(session: Session, zone_id: UUID | None = None) -> AreaKey | None:
    """The one unit meant; none for the whole country, which is ticked, and for a zone's team.

    Raises InvalidBody, also where nothing is said: a place that was forgotten would be everywhere.
    """
    asked = (request.form.get("area_chosen") or request.form.get("area", "")).strip()
    everywhere = request.form.get("everywhere") == "yes"
    if everywhere and (asked or zone_id):
        refuse({"area": Fault.AREA_OR_ALL}, where="subscription")
    if not asked:
        if not everywhere and zone_id is None:
            refuse({"area": Fault.AREA_ASKED}, where="subscription")
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
        zones = open_zones(session, site_id=lab.site_id)
        likely = find_areas(session, SCHEME, typed.get("area", "")) if typed.get("area") else []
    return render_template(
        "admin/subscriptions.html",
        subscriptions=lines,
        teams=[(team.team_id, team_name(team.name)) for team in teams],
        zones=zones,
        channels=[
            (Channel.BOARD, _("board"), _("shown on the hand-off page")),
            (Channel.WEBHOOK, _("webhook"), _("sent to a system of theirs")),
            (Channel.EMAIL, _("e-mail"), _("a letter without a name; the link asks to sign in")),
        ],
        likely=likely,
        typed=typed,
        faults=faults,
        secret=secret,
        at=now(),
        has_mail=current_app.config["MAIL"],
        private=current_app.config["PRIVATE_WEBHOOKS"],
    )
