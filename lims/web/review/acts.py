"""The reviewer's acts on one thing each: a run, a disagreement, a measurement, a card."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain.outcomes import Outcome
from lims.domain.refusals import InvalidBody, Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import told
from lims.web.collect.person_form import invalid, read_area
from lims.web.language import gettext as _
from lims.web.language import laboratory, ngettext, now
from lims.web.review.blueprint import blueprint
from lims.web.review.page import queue_page
from lims.web.transaction import in_transaction
from lims.web.tubes import tube_page
from lims.work.access import Fault, Role
from lims.work.amend import amend_result
from lims.work.attach import attach
from lims.work.correct import accept_correction
from lims.work.dismiss import dismiss
from lims.work.identity import other_person, same_person
from lims.work.look_at_conflict import ask_conflict_again, look_at_conflict
from lims.work.resolve_address import Resolved, resolve_address
from lims.work.review import close_discordance
from lims.work.review_run import invalidate_run, release_held_run
from lims.work.views.review_queue import ReviewQueue

Answer = Response | tuple[str, int]
Verb = Callable[..., Any]


def _act(rule: str, queue: ReviewQueue) -> Callable[[Verb], Callable[..., Answer]]:
    """A form that does one thing and comes back to its queue, or says there why not.

    The verb gets the session, what the address names, ``by`` and ``now``.
    """

    def hang(verb: Verb) -> Callable[..., Answer]:
        def view(**named: Any) -> Answer:
            by = current().actor
            back = _shown_queue() or queue
            try:
                in_transaction(lambda session: verb(session, **named, by=by, now=now()))
            except Refusal as refusal:
                page = queue_page(back, refused=told(refusal))
                return page, int(status_of(type(refusal)))
            return redirect(url_for("review.page", show=back.value), 303)

        view.__name__, view.__doc__ = verb.__name__, verb.__doc__
        return blueprint.post(rule)(needs(Role.REVIEWER)(view))

    return hang


def _shown_queue() -> ReviewQueue | None:
    """The queue that the form stood in, when a verb serves several."""
    asked = request.form.get("show", "")
    return ReviewQueue(asked) if asked in set(ReviewQueue) else None


def _reason() -> str:
    return request.form.get("reason", "")


@_act("/runs/<uuid:run_id>/release", ReviewQueue.RUNS)
def release_run(session: Session, run_id: UUID, *, by: str, now: datetime) -> None:
    """What the run detected counts although its controls were late."""
    release_held_run(session, run_id, by=by, now=now)


@_act("/runs/<uuid:run_id>/invalidate", ReviewQueue.RUNS)
def withdraw_run(session: Session, run_id: UUID, *, by: str, now: datetime) -> None:
    """Nothing of the run counts; its tubes are wanted again."""
    invalidate_run(session, run_id, _reason(), by=by, now=now)


@_act("/discordant/<barcode>/close", ReviewQueue.DISCORDANT)
def close(session: Session, barcode: str, *, by: str, now: datetime) -> None:
    """The disagreement is explained; the last word of each tube stands."""
    site_id = laboratory().site_id
    close_discordance(session, barcode, _reason(), site_id=site_id, by=by, now=now)


@_act("/corrections/<uuid:measurement_id>/accept", ReviewQueue.CORRECTIONS)
def accept(session: Session, measurement_id: UUID, *, by: str, now: datetime) -> None:
    """The second value replaces the first."""
    accept_correction(session, measurement_id, by=by, now=now)


@_act("/measurements/<uuid:measurement_id>/dismiss", ReviewQueue.UNMATCHED)
def set_aside(session: Session, measurement_id: UUID, *, by: str, now: datetime) -> None:
    """It counts for nothing; its values stay in the record."""
    dismiss(session, measurement_id, _reason(), by=by, now=now)


@_act("/measurements/<uuid:measurement_id>/attach", ReviewQueue.UNMATCHED)
def attach_to(session: Session, measurement_id: UUID, *, by: str, now: datetime) -> None:
    """It belongs to this tube, with exactly the effect it would have had in its run."""
    attach(session, measurement_id, request.form.get("barcode", ""), by=by, now=now)


@blueprint.post("/results/<uuid:result_id>/correct")
@needs(Role.REVIEWER)
def correct(result_id: UUID) -> Answer:
    """A reviewer reads the measurement otherwise; back to the tube's story."""
    lab, by = laboratory(), current().actor
    try:
        outcome = _outcome()
        amended = in_transaction(
            lambda session: amend_result(
                session, result_id, outcome, _reason(), site_id=lab.site_id, by=by, now=now()
            )
        )
    except Refusal as refusal:
        page = tube_page(request.form.get("barcode", ""), refused=told(refusal))
        return page, int(status_of(type(refusal)))
    flash(_("Corrected. What follows from it stands below."), "good")
    return redirect(url_for("tubes.page", barcode=amended.barcode), 303)


def _outcome() -> Outcome:
    """What the result should say. Raises InvalidBody."""
    asked = request.form.get("outcome", "")
    if asked in set(Outcome):
        return Outcome(asked)
    errors = [{"pointer": "#/outcome", "detail": "choose what it should say"}]
    raise InvalidBody(errors=errors, where="outcome", came=asked)


@_act("/identity/<uuid:doubt_id>/same", ReviewQueue.IDENTITY)
def one_person(session: Session, doubt_id: UUID, *, by: str, now: datetime) -> None:
    """The cards were compared: it is one person."""
    same_person(session, doubt_id, by=by, now=now)


@_act("/identity/<uuid:doubt_id>/other", ReviewQueue.IDENTITY)
def two_people(session: Session, doubt_id: UUID, *, by: str, now: datetime) -> None:
    """The number was mistyped: the swab is the second card's."""
    other_person(session, doubt_id, by=by, now=now)


@_act("/conflicts/<uuid:question_id>/looked-at", ReviewQueue.IDENTITY)
def looked_at(session: Session, question_id: UUID, *, by: str, now: datetime) -> None:
    """A register has the number under another name or birth: somebody looked into it."""
    site_id = laboratory().site_id
    look_at_conflict(session, question_id, _reason(), site_id=site_id, by=by, now=now)


@_act("/conflicts/<uuid:question_id>/ask-again", ReviewQueue.IDENTITY)
def asked_again(session: Session, question_id: UUID, *, by: str, now: datetime) -> None:
    """It was mended there: the register is asked once more."""
    ask_conflict_again(session, question_id, site_id=laboratory().site_id, by=by, now=now)


@_act("/addresses/<uuid:doubt_id>/resolve", ReviewQueue.ADDRESSES)
def place_address(session: Session, doubt_id: UUID, *, by: str, now: datetime) -> None:
    """The commune is found out: its team is told of the case."""
    faults: dict[str, str] = {}
    body = read_area(session, request.form.get("area", "").strip(), "area", faults)
    if body is None:
        raise invalid(faults or {"area": Fault.AREA_UNKNOWN})
    site_id = laboratory().site_id
    told = resolve_address(session, doubt_id, body.value(), site_id=site_id, by=by, now=now)
    flash(_told_again(told), "good")


def _told_again(came: Resolved) -> str:
    if came.told:
        return ngettext(
            "Placed: %(num)s recipient more is told.",
            "Placed: %(num)s recipients more are told.",
            came.told,
        )
    return _("Placed. Nobody new listens there; who was told goes on hearing of the case.")
