"""One person: their swabs, what is known of each, their case. Every reading is recorded."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.asking import QuestionKind
from lims.domain.refusals import InvalidBody
from lims.doors.statuses import status_of
from lims.web import register_words
from lims.web.access import current, needs
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of
from lims.web.transaction import in_transaction
from lims.web.zone_ties import end_tie, say_ended, say_refused
from lims.work.access import Role
from lims.work.ask_whom import ask_about
from lims.work.audit import record
from lims.work.merge import merge_people, part_people
from lims.work.views.asked_about import asked_about
from lims.work.views.case_steps import zones_of
from lims.work.views.person_file import person_file

blueprint = Blueprint("people", __name__, url_prefix="/people")


@blueprint.get("/<uuid:person_id>")
@needs(Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
def page(person_id: UUID) -> str:
    """By id alone: no name and no number ever stands in an address."""
    return _page(person_id)


@blueprint.post("/<uuid:person_id>/merge")
@needs(Role.REVIEWER)
def merge(person_id: UUID) -> Response | tuple[str, int]:
    """Another row is this same person: its swabs come here."""
    other = chosen_uuid(request.form, "other")
    try:
        in_transaction(
            lambda s: merge_people(
                s,
                person_id,
                other or person_id,
                request.form.get("reason", ""),
                site_id=laboratory().site_id,
                by=current().actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _page(person_id, other, faults_of(refusal)), int(status_of(type(refusal)))
    flash(_("One person now. It can be parted again below."), "good")
    return redirect(url_for("people.page", person_id=person_id), 303)


@blueprint.post("/<uuid:person_id>/part")
@needs(Role.REVIEWER)
def part(person_id: UUID) -> Response:
    """They were two people after all: the swabs that came here go back."""
    lab = laboratory()
    done = in_transaction(
        lambda s: part_people(s, person_id, site_id=lab.site_id, by=current().actor, now=now())
    )
    flash(_("Two people again; each has the swabs they came with."), "good")
    return redirect(url_for("people.page", person_id=done.kept_id), 303)


@blueprint.post("/<uuid:person_id>/ask")
@needs(Role.REVIEWER, Role.OPERATOR)
def ask(person_id: UUID) -> Response:
    """Registers are asked about this person, perhaps once more."""
    wanted = request.form.get("kind", "")
    if wanted in set(QuestionKind):
        in_transaction(
            lambda s: ask_about(
                s,
                person_id,
                QuestionKind(wanted),
                site_id=laboratory().site_id,
                by=current().actor,
                now=now(),
            )
        )
        flash(_("It is asked now. Open this page again in a minute."), "good")
    return redirect(url_for("people.page", person_id=person_id), 303)


@blueprint.post("/<uuid:person_id>/zone")
@needs(Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
def leave(person_id: UUID) -> Response:
    """What was said at the desk or in a list was wrong: they do not live or work there."""
    try:
        say_ended(in_transaction(lambda session: end_tie(session, person_id)))
    except InvalidBody as refusal:
        say_refused(refusal)
    return redirect(url_for("people.page", person_id=person_id), 303)


def _page(person_id: UUID, other: UUID | None = None, faults: dict[str, str] | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        file = person_file(session, person_id, site_id=lab.site_id)
        asked = asked_about(session, person_id, site_id=lab.site_id)
        zones = zones_of(session, person_id, now=now())
        record(
            session,
            site_id=lab.site_id,
            actor=current().actor,
            verb="read_person",
            subject=str(person_id),
            now=now(),
        )
    return render_template(
        "people/page.html",
        file=file,
        person=file.person,
        other=other,
        faults=faults or {},
        asked=asked,
        registers=register_words,
        may_ask=bool(current().roles & {Role.REVIEWER, Role.OPERATOR}),
        zones=zones,
        ends_at=url_for("people.leave", person_id=person_id),
    )
