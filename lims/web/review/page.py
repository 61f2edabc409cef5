"""The reviewer's page: one queue at a time, and how many wait in the others."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask import make_response, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain.verification import Hold, verification_rule_in_force
from lims.tables import Site
from lims.web import register_words
from lims.web.access import current, needs
from lims.web.answers import Told
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.line_words import unread_todo
from lims.web.review.blueprint import blueprint
from lims.web.review.outcome import Report
from lims.web.shell import day_start
from lims.work.access import Role
from lims.work.messages import message_bytes
from lims.work.views import (
    asked_about,
    review_addresses,
    review_doubts,
    review_findings,
    review_messages,
    review_queue,
)
from lims.work.views.discordance_monitors import monitors
from lims.work.views.review_findings import Cursor, Page, Wanted
from lims.work.views.review_queue import ReviewQueue
from lims.work.views.stages import LIMITS, Item

READERS: Final = (Role.REVIEWER, Role.OPERATOR)
MESSAGES_FOR: Final = timedelta(days=7)

_OUTCOME_OF: Final[Mapping[ReviewQueue, str]] = {
    ReviewQueue.POSITIVES: "positive",
    ReviewQueue.NEGATIVES: "negative",
    ReviewQueue.INCONCLUSIVE: "inconclusive",
}


@blueprint.get("", endpoint="page")
@needs(*READERS)
def page() -> str:
    """The queue asked for, or the first that is not empty."""
    asked = request.args.get("show", "")
    return queue_page(ReviewQueue(asked) if asked in set(ReviewQueue) else None)


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


def queue_page(
    asked: ReviewQueue | None, *, refused: Told | None = None, report: Report | None = None
) -> str:
    """The page of one queue, under what just came of an act."""
    lab, since = laboratory(), day_start()
    with lab.sessions.begin() as session:
        counts = review_queue.counts(session, site_id=lab.site_id, since=since - MESSAGES_FOR)
        queue = asked or next((one for one in ReviewQueue if counts[one]), ReviewQueue.POSITIVES)
        found = _findings(session, queue, lab.site_id)
        conflicts = (
            asked_about.conflicts(session, site_id=lab.site_id)
            if queue is ReviewQueue.IDENTITY
            else ()
        )
        items = found.items if found else _READ[queue](session, lab.site_id)
        machine = review_findings.autoverified(session, site_id=lab.site_id, day_start=since)
        disagree = len(monitors(session, site_id=lab.site_id, now=now()).signals)
        two = session.get_one(Site, lab.site_id).second_reviewer
    return render_template(
        "review/page.html",
        queue=queue,
        queues=[(one, queue_word(one), counts[one]) for one in ReviewQueue],
        items=items,
        conflicts=conflicts,
        registers=register_words,
        many=found.many if found else counts[queue],
        found=found,
        part=_part(),
        further=_further(queue, found.after) if found and found.after else None,
        two_sign=two and queue is ReviewQueue.POSITIVES,
        machine=machine,
        unread_todo=unread_todo,
        held=counts[ReviewQueue.NEGATIVES],
        disagree=disagree,
        rule=verification_rule_in_force(),
        refused=refused,
        report=report,
        may_act=Role.REVIEWER in current().roles,
        me_actor=current().actor,
        limit_min=LIMITS[Item.POSITIVE].total_seconds() / 60,
    )


def queue_word(queue: ReviewQueue) -> str:
    """The queue's name in this request's language."""
    return {
        ReviewQueue.POSITIVES: _("Positives"),
        ReviewQueue.NEGATIVES: _("Held negatives"),
        ReviewQueue.RUNS: _("Held runs"),
        ReviewQueue.DISCORDANT: _("Disagreements"),
        ReviewQueue.CORRECTIONS: _("Second values"),
        ReviewQueue.UNMATCHED: _("Not placed"),
        ReviewQueue.INCONCLUSIVE: _("Inconclusive"),
        ReviewQueue.IDENTITY: _("Identity conflicts"),
        ReviewQueue.ADDRESSES: _("Unknown communes"),
        ReviewQueue.MESSAGES: _("Unread messages"),
    }[queue]


def _findings(session: Session, queue: ReviewQueue, site_id: UUID) -> Page | None:
    """The page of a queue of findings; the other queues are of other things."""
    if queue not in _OUTCOME_OF:
        return None
    return review_findings.waiting_findings(
        session, _wanted(queue), site_id=site_id, after=_cursor()
    )


def _part() -> dict[str, str]:
    """Which part of a queue the address asks for: one reason, one run."""
    asked = {"why": request.args.get("why", ""), "run": request.args.get("run", "")}
    if asked["why"] not in set(Hold):
        asked["why"] = ""
    return {name: said for name, said in asked.items() if said and said.isprintable()}


def _wanted(queue: ReviewQueue) -> Wanted:
    part = _part()
    hold = Hold(part["why"]) if "why" in part else None
    return Wanted(_OUTCOME_OF[queue], hold, part.get("run"))


def _cursor() -> Cursor | None:
    """Where the page begins; an address that was tampered with begins at the front."""
    since, _sep, finding = request.args.get("after", "").partition("_")
    try:
        at = datetime.fromisoformat(since)
        return Cursor(at, UUID(finding)) if at.tzinfo else None
    except ValueError:
        return None


def _further(queue: ReviewQueue, after: Cursor) -> str:
    cursor = f"{after.since.isoformat()}_{after.finding_id}"
    part = _part()
    return url_for(
        "review.page", show=queue.value, after=cursor, why=part.get("why"), run=part.get("run")
    )


_READ: Final[Mapping[ReviewQueue, Callable[[Session, UUID], Sequence[Any]]]] = {
    ReviewQueue.RUNS: lambda s, site: review_queue.held_runs(s, site_id=site),
    ReviewQueue.DISCORDANT: lambda s, site: review_queue.disputed(s, site_id=site),
    ReviewQueue.CORRECTIONS: lambda s, site: review_messages.corrections(s, site_id=site),
    ReviewQueue.UNMATCHED: lambda s, site: review_messages.strays(s, site_id=site),
    ReviewQueue.IDENTITY: lambda s, site: review_doubts.doubts(s, site_id=site),
    ReviewQueue.ADDRESSES: lambda s, site: review_addresses.unplaced_addresses(s, site_id=site),
    ReviewQueue.MESSAGES: lambda s, site: review_messages.unread(
        s, site_id=site, since=day_start() - MESSAGES_FOR
    ),
}
