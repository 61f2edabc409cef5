"""Release what waits: one finding, the ticked ones, and a signature taken back."""

from typing import Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody, Refusal
from lims.domain.signing import Asked
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import told
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.review.blueprint import blueprint
from lims.web.review.outcome import reported
from lims.web.review.page import queue_page
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.release import MOST_AT_ONCE, release, withdraw_signature
from lims.work.views.review_findings import names_of
from lims.work.views.review_queue import ReviewQueue

Answer = Response | tuple[str, int]
_CONFLICT: Final = 409


@blueprint.post("/findings/release")
@needs(Role.REVIEWER)
def release_findings() -> Answer:
    """Release what is ticked, or the one whose own button was pressed; say what came of each."""
    lab, by, queue = laboratory(), current().actor, _queue()
    try:
        asked = _asked()
        came = in_transaction(
            lambda session: release(session, asked, site_id=lab.site_id, by=by, now=now())
        )
    except Refusal as refusal:
        return queue_page(queue, refused=told(refusal)), int(status_of(type(refusal)))
    with lab.sessions.begin() as session:
        names = names_of(session, [one.finding_id for one in came], site_id=lab.site_id)
    report = reported(came, names, by=by)
    if report.left:
        return queue_page(queue, report=report), _CONFLICT
    flash(f"{report.done}.", "good")
    return redirect(url_for("review.page", show=queue.value), 303)


@blueprint.post("/findings/<uuid:finding_id>/withdraw")
@needs(Role.REVIEWER)
def take_back(finding_id: UUID) -> Answer:
    """My first signature counts no longer; the finding waits as before."""
    lab, by = laboratory(), current().actor
    try:
        in_transaction(
            lambda session: withdraw_signature(
                session, finding_id, site_id=lab.site_id, by=by, now=now()
            )
        )
    except Refusal as refusal:
        page = queue_page(ReviewQueue.POSITIVES, refused=told(refusal))
        return page, int(status_of(type(refusal)))
    flash(_("Your signature is taken back."), "good")
    return redirect(url_for("review.page", show=ReviewQueue.POSITIVES.value), 303)


def _queue() -> ReviewQueue:
    asked = request.form.get("show", "")
    return ReviewQueue(asked) if asked in set(ReviewQueue) else ReviewQueue.POSITIVES


def _asked() -> list[Asked]:
    """`finding:seen` of the one button, else of each tick. Raises InvalidBody."""
    sent = request.form.getlist("only") or request.form.getlist("one")
    try:
        asked = [
            Asked(UUID(finding), seen)
            for finding, _sep, seen in (one.partition(":") for one in sent)
        ]
    except ValueError:
        asked = []
    if not 1 <= len(asked) <= MOST_AT_ONCE:
        raise InvalidBody(
            errors=[{"pointer": "#/one", "detail": "tick at least one result, at most 500"}],
            where="one",
            came=str(len(asked)),
        )
    return asked
