"""The reviewer's page: what only a person may decide, why each waits, and the one act."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain.refusals import Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.attach import attach
from lims.work.correct import accept_correction
from lims.work.dismiss import dismiss
from lims.work.identity import other_person, same_person
from lims.work.messages import message_bytes
from lims.work.review import close_discordance, release_positive
from lims.work.review_run import invalidate_run, release_held_run
from lims.work.views import review_doubts, review_messages, review_queue
from lims.work.views.review_queue import ReviewQueue
from lims.work.views.stages import LIMITS, Item

blueprint = Blueprint("review", __name__, url_prefix="/review")
READERS: Final = (Role.REVIEWER, Role.OPERATOR)
MESSAGES_FOR: Final = timedelta(days=7)
Answer = Response | tuple[str, int]


@blueprint.get("")
@needs(*READERS)
def page() -> str:
    """One queue, and how many wait in the others; the first that is not empty unless asked."""
    asked = request.args.get("show", "")
    return _page(ReviewQueue(asked) if asked in set(ReviewQueue) else None)


@blueprint.post("/positives/<uuid:finding_id>/release")
@needs(Role.REVIEWER)
def release(finding_id: UUID) -> Answer:
    """The final word: this person is F0."""
    return _act(
        ReviewQueue.POSITIVES,
        lambda session, by: release_positive(session, finding_id, by=by, now=now()),
    )


@blueprint.post("/runs/<uuid:run_id>/release")
@needs(Role.REVIEWER)
def release_run(run_id: UUID) -> Answer:
    """What the run detected counts although its controls were late."""
    return _act(
        ReviewQueue.RUNS, lambda session, by: release_held_run(session, run_id, by=by, now=now())
    )


@blueprint.post("/runs/<uuid:run_id>/invalidate")
@needs(Role.REVIEWER)
def withdraw_run(run_id: UUID) -> Answer:
    """Nothing of the run counts; its tubes are wanted again."""
    return _act(
        ReviewQueue.RUNS,
        lambda session, by: invalidate_run(session, run_id, _reason(), by=by, now=now()),
    )


@blueprint.post("/discordant/<barcode>/close")
@needs(Role.REVIEWER)
def close(barcode: str) -> Answer:
    """The disagreement is explained; the last word of each tube stands."""
    site_id = laboratory().site_id
    return _act(
        ReviewQueue.DISCORDANT,
        lambda session, by: close_discordance(
            session, barcode, _reason(), site_id=site_id, by=by, now=now()
        ),
    )


@blueprint.post("/corrections/<uuid:measurement_id>/accept")
@needs(Role.REVIEWER)
def accept(measurement_id: UUID) -> Answer:
    """The second value replaces the first."""
    return _act(
        ReviewQueue.CORRECTIONS,
        lambda session, by: accept_correction(session, measurement_id, by=by, now=now()),
    )


@blueprint.post("/measurements/<uuid:measurement_id>/dismiss")
@needs(Role.REVIEWER)
def set_aside(measurement_id: UUID) -> Answer:
    """It counts for nothing; its values stay in the record."""
    back = request.form.get("show", "")
    queue = ReviewQueue.CORRECTIONS if back == "corrections" else ReviewQueue.UNMATCHED
    return _act(
        queue, lambda session, by: dismiss(session, measurement_id, _reason(), by=by, now=now())
    )


@blueprint.post("/measurements/<uuid:measurement_id>/attach")
@needs(Role.REVIEWER)
def attach_to(measurement_id: UUID) -> Answer:
    """It belongs to this tube, with exactly the effect it would have had in its run."""
    barcode = request.form.get("barcode", "")
    return _act(
        ReviewQueue.UNMATCHED,
        lambda session, by: attach(session, measurement_id, barcode, by=by, now=now()),
    )


@blueprint.post("/identity/<uuid:doubt_id>/same")
@needs(Role.REVIEWER)
def one_person(doubt_id: UUID) -> Answer:
    """The cards were compared: it is one person."""
    return _act(
        ReviewQueue.IDENTITY,
        lambda session, by: same_person(session, doubt_id, by=by, now=now()),
    )


@blueprint.post("/identity/<uuid:doubt_id>/other")
@needs(Role.REVIEWER)
def two_people(doubt_id: UUID) -> Answer:
    """The number was mistyped: the swab is the second card's."""
    return _act(
        ReviewQueue.IDENTITY,
        lambda session, by: other_person(session, doubt_id, by=by, now=now()),
    )


@blueprint.get("/messages/<uuid:message_id>")
@needs(*READERS)
def message(message_id: UUID) -> Response:
    """The bytes as they came, for whoever repairs the line; the reading is recorded."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        body = message_bytes(
            session, message_id, site_id=lab.site_id, by=current().actor, now=now()
        )
    response = make_response(body)
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Content-Disposition"] = f'attachment; filename="{message_id}.bin"'
    return response


def queue_word(queue: ReviewQueue) -> str:
    """The queue's name in this request's language."""
    return {
        ReviewQueue.POSITIVES: _("Positives"),
        ReviewQueue.RUNS: _("Held runs"),
        ReviewQueue.DISCORDANT: _("Disagreements"),
        ReviewQueue.CORRECTIONS: _("Second values"),
        ReviewQueue.UNMATCHED: _("Unknown tubes"),
        ReviewQueue.INCONCLUSIVE: _("Inconclusive"),
        ReviewQueue.IDENTITY: _("Identity conflicts"),
        ReviewQueue.MESSAGES: _("Unread messages"),
    }[queue]


def _act(queue: ReviewQueue, work: Callable[[Session, str], Any]) -> Answer:
    by = current().actor
    try:
        in_transaction(lambda session: work(session, by))
    except Refusal as refusal:
        return _page(queue, refused=told(refusal)), int(status_of(type(refusal)))
    return redirect(url_for("review.page", show=queue.value), 303)


def _reason() -> str:
    return request.form.get("reason", "")


def _page(asked: ReviewQueue | None, refused: Told | None = None) -> str:
    lab, since = laboratory(), day_start() - MESSAGES_FOR
    with lab.sessions.begin() as session:
        counts = review_queue.counts(session, site_id=lab.site_id, since=since)
        queue = asked or next((one for one in ReviewQueue if counts[one]), ReviewQueue.POSITIVES)
        items = _READ[queue](session, lab.site_id)
    return render_template(
        "review/page.html",
        queue=queue,
        queues=[(one, queue_word(one), counts[one]) for one in ReviewQueue],
        items=items,
        many=counts[queue],
        refused=refused,
        may_act=Role.REVIEWER in current().roles,
        limit_min=LIMITS[Item.POSITIVE].total_seconds() / 60,
    )


_READ: Final[Mapping[ReviewQueue, Callable[[Session, UUID], Sequence[Any]]]] = {
    ReviewQueue.POSITIVES: lambda s, site: review_queue.positives(s, site_id=site),
    ReviewQueue.INCONCLUSIVE: lambda s, site: review_queue.positives(
        s, site_id=site, outcome="inconclusive"
    ),
    ReviewQueue.RUNS: lambda s, site: review_queue.held_runs(s, site_id=site),
    ReviewQueue.DISCORDANT: lambda s, site: review_queue.disputed(s, site_id=site),
    ReviewQueue.CORRECTIONS: lambda s, site: review_messages.corrections(s, site_id=site),
    ReviewQueue.UNMATCHED: lambda s, site: review_messages.strays(s, site_id=site),
    ReviewQueue.IDENTITY: lambda s, site: review_doubts.doubts(s, site_id=site),
    ReviewQueue.MESSAGES: lambda s, site: review_messages.unread(
        s, site_id=site, since=day_start() - MESSAGES_FOR
    ),
}
