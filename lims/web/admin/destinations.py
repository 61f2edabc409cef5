"""Which other systems are told of results or asked about people, and how it stands with each."""

from typing import TypeVar
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.asking import ASKS
from lims.domain.exchange import WANT_FINDINGS, DestinationKind, Gap, Says
from lims.domain.refusals import InvalidBody
from lims.web import register_words
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.subscriptions import area_given
from lims.web.language import gettext as _
from lims.web.language import laboratory, ngettext, now
from lims.web.refusing import faults_of
from lims.work import asking, comparing, destinations
from lims.work.access import Role
from lims.work.areas import SCHEME
from lims.work.destinations import (
    AreaFigures,
    HealthBook,
    Hospital,
    Platform,
    PopulationRegister,
    VaccinationRegister,
)
from lims.work.outbound import send_again
from lims.work.views.areas import find_areas
from lims.work.views.destinations import destinations as every_destination
from lims.work.views.registers import registers

Kind = TypeVar("Kind", bound=Platform)


def says_words(says: Says) -> str:
    """What was said of a swab, in this request's language."""
    return {
        Says.PRELIMINARY: _("no longer final"),
        Says.FINAL: _("final"),
        Says.CORRECTED: _("corrected"),
        Says.CANCELLED: _("no result after all"),
        Says.WRONG: _("was another person's"),
    }[says]


@blueprint.get("/destinations", endpoint="destinations")
@needs(Role.ADMIN)
def every() -> str:
    """The list, and the form for one more."""
    return _page({"kind": request.args.get("kind", "")}, {})


@blueprint.post("/destinations")
@needs(Role.ADMIN)
def add_destination() -> str | Response | tuple[str, int]:
    """It is owed every final word of its area from now on."""
    form = request.form
    return _add(
        Hospital(
            host=form.get("host", "").strip(),
            port=_number(form.get("port", "")),
            tls=form.get("tls") == "tls",
            application=form.get("application", ""),
            facility=form.get("facility", ""),
            certificate=form.get("certificate", ""),
        )
    )


@blueprint.post("/destinations/health-book")
@needs(Role.ADMIN)
def add_health_book() -> str | Response | tuple[str, int]:
    """The same for a platform of citizens' health books."""
    return _add(platform_given(HealthBook))


@blueprint.post("/destinations/register")
@needs(Role.ADMIN)
def add_register() -> str | Response | tuple[str, int]:
    """A register that is asked about people from now on."""
    if request.form.get("kind") == "vaccination":
        return _add(platform_given(VaccinationRegister))
    return _add(platform_given(PopulationRegister))


@blueprint.post("/destinations/area-figures")
@needs(Role.ADMIN)
def add_area_figures() -> str | Response | tuple[str, int]:
    """The same for an epidemic-zone app, which is told numbers alone."""
    return _add(platform_given(AreaFigures))


def platform_given(kind: type[Kind]) -> Kind:
    """What the form says of a platform of this kind, as it was typed."""
    form = request.form
    return kind(
        url=form.get("url", ""),
        token=form.get("token", ""),
        laboratory=form.get("laboratory", ""),
        certificate=form.get("certificate", ""),
    )


def _add(given: Hospital | Platform) -> str | Response | tuple[str, int]:
    lab, form = laboratory(), request.form
    try:
        with lab.sessions.begin() as session:
            area = None if given.kind in ASKS else area_given(session)
            destinations.add_destination(
                session,
                given,
                site_id=lab.site_id,
                name=form.get("name", ""),
                area=area,
                by=current().actor,
                now=now(),
            )
    except InvalidBody as refusal:
        typed = form.to_dict() | {"kind": str(given.kind)}
        typed.pop("token", None)  # never written out again
        faults = {field: _(str(fault)) for field, fault in given.faults().items()}
        return _page(typed, faults | faults_of(refusal)), 422
    flash(_told_from_now(given.kind), "good")
    return redirect(url_for("admin.destinations"), 303)


@blueprint.post("/destinations/<uuid:destination_id>/stop")
@needs(Role.ADMIN)
def stop_destination(destination_id: UUID) -> Response:
    """Nothing more is owed or sent; what is owed stays."""
    with laboratory().sessions.begin() as session:
        destinations.stop(session, destination_id, by=current().actor, now=now())
    if request.form.get("asks"):
        flash(_("Not asked any more. What it answered stays."), "good")
    else:
        flash(_("Not told any more. What is owed stays owed."), "good")
    return redirect(url_for("admin.destinations"), 303)


@blueprint.post("/destinations/<uuid:destination_id>/start")
@needs(Role.ADMIN)
def start_destination(destination_id: UUID) -> Response:
    """What is owed is sent, and what happens from now on is owed."""
    with laboratory().sessions.begin() as session:
        kind = destinations.start(session, destination_id, by=current().actor, now=now())
    flash(_told_from_now(kind), "good")
    return redirect(url_for("admin.destinations"), 303)


@blueprint.post("/destinations/<uuid:destination_id>/send-again")
@needs(Role.ADMIN)
def send_refused_again(destination_id: UUID) -> Response:
    """After whatever was wrong is mended there or here."""
    with laboratory().sessions.begin() as session:
        many = send_again(session, destination_id, by=current().actor, now=now())
    flash(
        ngettext("%(num)s message is sent again.", "%(num)s messages are sent again.", many), "good"
    )
    return redirect(url_for("admin.destinations"), 303)


@blueprint.post("/destinations/<uuid:destination_id>/ask-again")
@needs(Role.ADMIN)
def ask_refused_again(destination_id: UUID) -> Response:
    """What a register refused to answer, after whatever was wrong is mended there or here."""
    with laboratory().sessions.begin() as session:
        many = asking.ask_refused_again(session, destination_id, by=current().actor, now=now())
    flash(
        ngettext("%(num)s question is asked again.", "%(num)s questions are asked again.", many),
        "good",
    )
    return redirect(url_for("admin.destinations"), 303)


@blueprint.post("/destinations/<uuid:destination_id>/catch-up")
@needs(Role.ADMIN)
def catch_up(destination_id: UUID) -> Response:
    """Owe what was never owed to it."""
    with laboratory().sessions.begin() as session:
        many = destinations.owe_missing(session, destination_id, by=current().actor, now=now())
    flash(ngettext("%(num)s result more is owed.", "%(num)s results more are owed.", many), "good")
    return redirect(url_for("admin.destinations"), 303)


@blueprint.post("/destinations/<uuid:destination_id>/compare")
@needs(Role.ADMIN)
def compare_destination(destination_id: UUID) -> Response:
    """Have it asked what it has of the last weeks; `lims exchange` does that."""
    with laboratory().sessions.begin() as session:
        comparing.ask_lately(session, destination_id, by=current().actor, now=now())
    flash(_("It is asked what it has. Open this page again in a minute."), "good")
    return redirect(url_for("admin.destinations"), 303)


@blueprint.post("/destinations/<uuid:destination_id>/send-what-is-not-there")
@needs(Role.ADMIN)
def send_what_is_not_there(destination_id: UUID) -> Response:
    """Of the newest comparison: the same messages once more."""
    with laboratory().sessions.begin() as session:
        many = comparing.send_what_is_not_there(
            session, destination_id, by=current().actor, now=now()
        )
    flash(
        ngettext("%(num)s message is sent again.", "%(num)s messages are sent again.", many), "good"
    )
    return redirect(url_for("admin.destinations"), 303)


def _told_from_now(kind: DestinationKind) -> str:
    if kind in WANT_FINDINGS:
        return _("It is told of every final result from now on.")
    if kind in ASKS:
        return _("It is asked from now on.")
    return _("It is told the communes' figures, and each one again when it changes.")


def gap_words(gap: Gap) -> str:
    """What is wrong with a record there, in this request's language."""
    return {
        Gap.MISSING: _("is not there"),
        Gap.BEHIND: _("an older word is there"),
        Gap.OTHER: _("says something else there"),
        Gap.STRANGER: _("is there as ours, and was never sent"),
    }.get(gap, "")


def _number(said: str) -> int | None:
    said = said.strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 6 else None


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lines = every_destination(session, lab.site_id)
        asked = registers(session, lab.site_id)
        likely = find_areas(session, SCHEME, typed["area"]) if typed.get("area") else []
    return render_template(
        "admin/destinations.html",
        destinations=lines,
        registers=asked,
        registers_say=register_words,
        says_words=says_words,
        gap_words=gap_words,
        likely=likely,
        adding=typed.get("kind") or str(Hospital.kind),
        typed=typed,
        faults=faults,
    )
