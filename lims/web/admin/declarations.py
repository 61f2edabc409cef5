"""Where people declare themselves before they come: set a platform up, see what came of it."""

import json
from typing import Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.declarations import EntryFault
from lims.domain.exchange import Gap
from lims.domain.refusals import InvalidBody
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.destinations import platform_given
from lims.web.language import gettext as _
from lims.web.language import laboratory, ngettext, now
from lims.web.refusing import faults_of
from lims.work import comparing, destinations, pulling
from lims.work.access import Role
from lims.work.declare import settle_fault
from lims.work.destinations import DeclarationPlatform
from lims.work.views.declarations import declaration_platforms

_LONGEST_SHOWN: Final = 4000


@blueprint.get("/declarations")
@needs(Role.ADMIN)
def declarations() -> str:
    """Each platform, and the form for one more."""
    return _page({}, {})


@blueprint.post("/declarations")
@needs(Role.ADMIN)
def add_declarations() -> str | Response | tuple[str, int]:
    """It is asked what is new from now on."""
    form, lab, given = request.form, laboratory(), platform_given(DeclarationPlatform)
    try:
        with lab.sessions.begin() as session:
            destinations.add_destination(
                session,
                given,
                site_id=lab.site_id,
                name=form.get("name", ""),
                area=None,
                by=current().actor,
                now=now(),
            )
    except InvalidBody as refusal:
        typed = form.to_dict()
        typed.pop("token", None)  # never written out again
        return _page(typed, faults_of(refusal)), 422
    return _done(_("It is asked what is new every minute from now on."))


@blueprint.post("/declarations/<uuid:destination_id>/stop")
@needs(Role.ADMIN)
def stop_declarations(destination_id: UUID) -> Response:
    """What came stays; nothing more is asked."""
    with laboratory().sessions.begin() as session:
        destinations.stop(session, destination_id, by=current().actor, now=now())
    return _done(_("Not asked any more. Who is expected stays expected."))


@blueprint.post("/declarations/<uuid:destination_id>/start")
@needs(Role.ADMIN)
def start_declarations(destination_id: UUID) -> Response:
    """Asked from where it was stopped."""
    with laboratory().sessions.begin() as session:
        destinations.start(session, destination_id, by=current().actor, now=now())
    return _done(_("It is asked what is new every minute from now on."))


@blueprint.post("/declarations/<uuid:destination_id>/ask")
@needs(Role.ADMIN)
def ask_declarations(destination_id: UUID) -> Response:
    """At once, though it did not answer a moment ago."""
    with laboratory().sessions.begin() as session:
        pulling.pull_now(session, destination_id, by=current().actor, now=now())
    return _done(_("It is asked now. Open this page again in a minute."))


@blueprint.post("/declarations/<uuid:destination_id>/compare")
@needs(Role.ADMIN)
def compare_declarations(destination_id: UUID) -> Response:
    """Have it asked what it has of the last weeks; `lims exchange` does that."""
    with laboratory().sessions.begin() as session:
        comparing.ask_lately(session, destination_id, by=current().actor, now=now())
    return _done(_("It is asked what it has. Open this page again in a minute."))


@blueprint.post("/declarations/<uuid:destination_id>/fetch")
@needs(Role.ADMIN)
def fetch_declarations(destination_id: UUID) -> Response:
    """Those that its newest comparison did not find here, once more."""
    with laboratory().sessions.begin() as session:
        many = pulling.fetch_what_is_not_here(
            session, destination_id, by=current().actor, now=now()
        )
    return _done(
        ngettext(
            "%(num)s declaration is fetched once more.",
            "%(num)s declarations are fetched once more.",
            many,
        )
    )


@blueprint.post("/declarations/faults/<uuid:fault_id>/settle")
@needs(Role.ADMIN)
def settle_declaration(fault_id: UUID) -> Response:
    """Somebody took it in by hand, or told the platform."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        settle_fault(session, fault_id, site_id=lab.site_id, by=current().actor, now=now())
    return _done(_("It is dealt with, and its words are deleted here."))


def _done(said: str) -> Response:
    flash(said, "good")
    return redirect(url_for("admin.declarations"), 303)


def gap_words(gap: Gap) -> str:
    """What is wrong with a declaration, in this request's language."""
    return {
        Gap.UNTAKEN: _("was not taken here"),
        Gap.UNREAD: _("came, and could not be read"),
        Gap.VANISHED: _("is not listed there any more"),
    }.get(gap, _("says something else there"))


def entry_fault_words(fault: EntryFault) -> str:
    """Why an entry was not taken, in this request's language."""
    return {
        EntryFault.NOT_AN_ENTRY: _("not an entry of the contract"),
        EntryFault.ID: _("no id of a declaration (a UUID)"),
        EntryFault.VERSION: _("no version (a whole number from 1)"),
        EntryFault.STATE: _("neither declared nor withdrawn"),
        EntryFault.KIND: _("neither a health nor a household declaration"),
        EntryFault.MOMENT: _("no moment of declaring (RFC 3339, with its zone)"),
        EntryFault.CODE: _("no code of 6 to 40 capital letters, digits and hyphens"),
        EntryFault.TUBE_CODE: _("a code that could be a tube's label or a number of a person"),
        EntryFault.NOBODY: _("nobody in it"),
        EntryFault.MANY: _("more people than one door has"),
        EntryFault.MEMBER: _("no key of the member"),
        EntryFault.TWICE: _("the same member, or the same card number, twice"),
        EntryFault.NAME: _("no name in letters"),
        EntryFault.BORN: _("no day or year of birth that has been"),
        EntryFault.SEX: _("neither male nor female"),
        EntryFault.CCCD: _("no card number of 12 digits"),
        EntryFault.CMND: _("no number of 9 digits"),
        EntryFault.PHONE: _("no telephone number"),
        EntryFault.TEXT: _("a text that is too long or cannot be kept"),
        EntryFault.EXPOSURE: _("neither none, factor nor contact"),
    }[fault]


def as_read(entry: str) -> str:
    """An entry as it came, one value a line, with its letters; the beginning of a long one."""
    said = json.dumps(json.loads(entry), ensure_ascii=False, indent=1)
    shown = said.encode(errors="backslashreplace").decode()  # what is half a character
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lines = declaration_platforms(session, lab.site_id)
    return render_template(
        "admin/declarations.html",
        platforms=lines,
        gap_words=gap_words,
        entry_fault_words=entry_fault_words,
        as_read=as_read,
        typed=typed,
        faults=faults,
    )
