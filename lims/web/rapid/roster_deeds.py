"""What is done on a roster's page: people, timers, marks, the confirmation, PCR tubes."""

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes, cards
from lims.domain.refusals import InvalidBody, NotABarcode, NotFound, Refusal
from lims.domain.roster_line import Start, parse_line
from lims.web.access import current, needs
from lims.web.collect.blueprint import DESK
from lims.web.collect.one import Answer
from lims.web.collect.person_form import chosen_uuid, invalid
from lims.web.language import gettext as _
from lims.web.language import laboratory, ngettext, now
from lims.web.rapid import roster_scans as scans
from lims.web.rapid.blueprint import blueprint
from lims.web.rapid.kit_choice import keep_lot
from lims.web.rapid.roster import refused_page
from lims.web.rapid.roster_people import people_of_lines
from lims.web.transaction import in_transaction
from lims.work.read_strips import ReadTimer, read_timer
from lims.work.roster import Added, refuse_nobody
from lims.work.take_back import take_back


@blueprint.post("/rosters/<uuid:roster_id>/scan")
@needs(*DESK)
def scan_roster(roster_id: UUID) -> Answer:
    """A number with its sign, a command, a box, a card or a label: each does what it means."""
    text = request.form.get("text", "")
    return _done(roster_id, lambda: scans.scanned(roster_id, text), card=text)


@blueprint.post("/rosters/<uuid:roster_id>/card")
@needs(*DESK)
def add_another(roster_id: UUID) -> Answer:
    """The card is of none of its namesakes on the roster: another person."""
    card, add_id = cards.scan(request.form.get("card", "")), chosen_uuid(request.form, "add_id")

    def work() -> None:
        if isinstance(card, cards.TubeBarcode | cards.Unrecognised):
            raise NotABarcode(expected=scans.UNDERSTOOD, todo=scans.TYPE_IT)
        scans.take(roster_id, card, add_id or uuid7(), another=True)

    return _done(roster_id, work)


@blueprint.post("/rosters/<uuid:roster_id>/people")
@needs(*DESK)
def add_people(roster_id: UUID) -> Answer:
    """A pasted list, or one name."""
    pasted, add_id = request.form.get("people", ""), chosen_uuid(request.form, "add_id") or uuid7()

    def work(session: Session) -> Added:
        members = people_of_lines(session, pasted)
        refuse_nobody(members)
        return scans.add(session, roster_id, members, add_id)

    return _done(roster_id, lambda: scans.say_added(in_transaction(work)))


@blueprint.post("/rosters/<uuid:roster_id>/start")
@needs(*DESK)
def start(roster_id: UUID) -> Answer:
    """One tap: everybody who waits for a strip has one from now on."""
    first, last = _number("first"), _number("last")
    return _done(roster_id, lambda: scans.start(roster_id, Start(first, last or first)))


@blueprint.post("/rosters/<uuid:roster_id>/kit")
@needs(*DESK)
def choose_lot(roster_id: UUID) -> Answer:
    """Another registered lot, without its box at hand."""
    lot_id = chosen_uuid(request.form, "kit_lot_id")
    if lot_id is not None:
        keep_lot(lot_id)
    return _back_to(roster_id)


@blueprint.post("/rosters/<uuid:roster_id>/mark")
@needs(*DESK)
def mark(roster_id: UUID) -> Answer:
    """A tap says the sign that it wants, as it would be typed: twice is the same as once."""
    said = parse_line(request.form.get("said", ""))

    def work() -> None:
        if not isinstance(said, tuple):
            raise invalid({"said": scans.TYPE_IT})
        scans.note(roster_id, said)

    return _done(roster_id, work)


@blueprint.post("/rosters/<uuid:roster_id>/read")
@needs(*DESK)
def read(roster_id: UUID) -> Answer:
    """The confirmation: what was seen on each strip, all at once."""
    timer_id = chosen_uuid(request.form, "timer_id")
    seen = request.form.get("seen", "")
    return _done(roster_id, lambda: _read(roster_id, timer_id, seen), ask=timer_id)


@blueprint.post("/rosters/<uuid:roster_id>/tube")
@needs(*DESK)
def tube_of_positive(roster_id: UUID) -> Answer:
    """The PCR tube of one positive, typed beside the name."""
    specimen_id, text = chosen_uuid(request.form, "specimen_id"), request.form.get("barcode", "")

    def work() -> None:
        if specimen_id is None:
            raise NotFound(came="no positive", where="specimen_id")
        scans.keep_tube(roster_id, barcodes.parse(text), specimen_id=specimen_id)

    return _done(roster_id, work)


@blueprint.post("/rosters/<uuid:roster_id>/tube/undo")
@needs(*DESK)
def take_tube_back(roster_id: UUID) -> Answer:
    """A wrong label on a positive: free again while the tube has not been received."""
    swab_id = chosen_uuid(request.form, "swab_id")

    def work() -> None:
        if swab_id is None:
            raise NotFound(came="no tube", where="swab_id")
        lab, by = laboratory(), current().actor
        gone = in_transaction(
            lambda session: take_back(session, swab_id, site_id=lab.site_id, by=by, now=now())
        )
        tube = barcodes.shown(gone.barcode)
        flash(_("PCR tube %(tube)s was taken back; its label is free again.", tube=tube), "good")

    return _done(roster_id, work)


def _read(roster_id: UUID, timer_id: UUID | None, seen: str) -> None:
    if timer_id is None:
        raise NotFound(came="no timer", where="timer_id")
    lab = laboratory()

    def work(session: Session) -> ReadTimer:
        return read_timer(
            session,
            roster_id,
            timer_id,
            seen,
            site_id=lab.site_id,
            by=current().actor,
            now=now(),
        )

    kept = in_transaction(work).counts.negative
    flash(ngettext("%(num)s negative kept.", "%(num)s negatives kept.", kept), "good")


def _done(
    roster_id: UUID,
    work: Callable[[], Response | None],
    *,
    ask: UUID | None = None,
    card: str = "",
) -> Answer:
    """Back to the page, or the page with what was refused."""
    try:
        return work() or _back_to(roster_id)
    except InvalidBody as refusal:
        return refused_page(roster_id, refusal)
    except Refusal as refusal:
        return refused_page(roster_id, refusal, ask=ask, card=card)


def _back_to(roster_id: UUID) -> Response:
    return redirect(url_for("rapid.roster", roster_id=roster_id), 303)


def _number(field: str) -> int | None:
    said = request.form.get(field, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 5 else None
