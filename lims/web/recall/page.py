"""What is in doubt, what rests on it, and the one act that takes it back."""

from typing import Final
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.recall import RecallRequest
from lims.domain.refusals import InvalidBody, NotFound, Refusal
from lims.doors.statuses import status_of
from lims.web import handoff_words
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import laboratory, now
from lims.web.recall import words
from lims.web.recall.asked import Asked, scope_of
from lims.web.recall.blueprint import MAY, blueprint
from lims.web.transaction import in_transaction
from lims.work.recall import Recalled, recall
from lims.work.recall_scope import covered, subject_of
from lims.work.views.discordance_monitors import monitors
from lims.work.views.recall_figures import cases_of, figures_of, runs_of
from lims.work.views.recall_told import teams_told
from lims.work.views.recalls import choices, recall_seen, recalls

# What the preview counted, sent with its form: it may have grown until the button was pressed.
_FORESEEN: Final = ("people_seen", "cases_seen")

Answer = Response | str | tuple[str, int]


@blueprint.get("")
@needs(*MAY)
def page() -> str:
    """What disagrees more than chance gives, what can be recalled, and what was."""
    return _page()


@blueprint.get("/preview")
@needs(*MAY)
def preview() -> Answer:
    """Everything that rests on it; nothing is changed."""
    asked = Asked.of(request.args)
    try:
        return _preview(asked)
    except Refusal as refusal:
        return _page(asked, told(refusal)), int(status_of(type(refusal)))


@blueprint.post("")
@needs(*MAY)
def take_back() -> Answer:
    """Recall it; the same form again changes nothing."""
    asked, reason = Asked.of(request.form), request.form.get("reason", "")
    recall_id = chosen_uuid(request.form, "recall_id") or uuid7()
    try:
        done = in_transaction(lambda session: _recall(session, asked, recall_id, reason))
    except InvalidBody as refusal:
        return _preview(asked, told(refusal), reason), 422
    except Refusal as refusal:
        return _page(asked, told(refusal)), int(status_of(type(refusal)))
    people, cases = (request.form.get(name, type=int) for name in _FORESEEN)
    shown = url_for("recall.one", recall_id=done.recall_id, people_seen=people, cases_seen=cases)
    return redirect(shown, 303)


@blueprint.get("/<uuid:recall_id>")
@needs(*MAY)
def one(recall_id: UUID) -> str:
    """What a recall took back."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        seen = recall_seen(session, recall_id, site_id=lab.site_id)
        teams = teams_told(session, recall_id)
    if seen is None:
        raise NotFound(came=str(recall_id), where="recall")
    figures = seen.figures
    took = {"people_seen": figures.people, "cases_seen": figures.all_cases}
    return render_template(
        "recall/one.html",
        recall=seen,
        teams=teams,
        more={name: took[name] - request.args.get(name, took[name], type=int) for name in took},
        say=words,
        dial=handoff_words.national_phone,
    )


def _recall(session: Session, asked: Asked, recall_id: UUID, reason: str) -> Recalled:
    made = RecallRequest(recall_id, scope_of(session, asked), reason)
    site_id = laboratory().site_id
    return recall(session, made, site_id=site_id, by=current().actor, now=now())


def _page(asked: Asked | None = None, refused: Told | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        watched = monitors(session, site_id=lab.site_id, now=now())
        offered = choices(session, site_id=lab.site_id)
        done = recalls(session, site_id=lab.site_id)
    return render_template(
        "recall/page.html",
        monitors=watched,
        choices=offered,
        recalls=done,
        asked=asked or Asked(),
        refused=refused,
        say=words,
    )


def _preview(asked: Asked, refused: Told | None = None, reason: str = "") -> str:
    """Raises what `scope_of` does."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        scope = scope_of(session, asked)
        subject = subject_of(session, scope, site_id=lab.site_id)
        found = covered(session, scope, site_id=lab.site_id)
        figures = figures_of(session, found)
        runs, cases = runs_of(session, found), cases_of(session, found)
    return render_template(
        "recall/preview.html",
        scope=scope,
        subject=subject,
        figures=figures,
        runs=runs,
        cases=cases,
        recall_id=request.form.get("recall_id") or uuid7(),
        refused=refused,
        reason=reason,
        say=words,
        case_words=handoff_words,
    )
