"""What is done on a roster's page: scans, people, timers, marks, the confirmation, PCR tubes."""

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes, cards
from lims.domain.gs1 import looks_like_kit
from lims.domain.rapid_test import Exposure, Readiness
from lims.domain.refusals import InvalidBody, NotABarcode, NotFound, Refusal
from lims.domain.roster_line import Marked, Sign, Start, parse_line
from lims.web.access import current, needs
from lims.web.collect.blueprint import DESK
from lims.web.collect.one import Answer
from lims.web.collect.person_form import chosen_uuid, invalid
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, ngettext, now
from lims.web.rapid.blueprint import blueprint
from lims.web.rapid.kit_choice import choose_box, chosen_lot, keep_lot, lots_here
from lims.web.rapid.roster import refused_page
from lims.web.rapid.roster_people import people_of_lines, person_of_card
from lims.web.transaction import in_transaction
from lims.work.mark_strip import mark_strip
from lims.work.people_together import MemberGiven
from lims.work.rapid_pcr import take_pcr_tube
from lims.work.read_strips import Counts, ReadTimer, read_timer
from lims.work.roster import Added, add_members, refuse_nobody, take_out
from lims.work.start_strips import Started, StartGiven, start_timer
from lims.work.views.rosters import RosterSheet, roster_sheet

KIT_FIRST = later("scan the kit's box first")
NOTHING_OWED = later("a label while a positive waits for its PCR tube")
WAIT_FOR_POSITIVE = later("confirm the strips first; a positive then asks for its tube")
UNDERSTOOD = later("a number and its sign, a card, a kit's box or a tube's label")
TYPE_IT = later("type the number and the sign, as 17+ or 17?")


@blueprint.post("/rosters/<uuid:roster_id>/scan")
@needs(*DESK)
def scan_roster(roster_id: UUID) -> Answer:
    """A number with its sign, a command, a box, a card or a label: each does what it means."""
    text = request.form.get("text", "")
    return _done(roster_id, lambda: _scanned(roster_id, text))


@blueprint.post("/rosters/<uuid:roster_id>/people")
@needs(*DESK)
def add_people(roster_id: UUID) -> Answer:
    """A pasted list, or one name."""
    pasted, add_id = request.form.get("people", ""), chosen_uuid(request.form, "add_id") or uuid7()

    def work(session: Session) -> Added:
        members = people_of_lines(session, pasted)
        refuse_nobody(members)
        return _add(session, roster_id, members, add_id)

    return _done(roster_id, lambda: _say_added(in_transaction(work)))


@blueprint.post("/rosters/<uuid:roster_id>/start")
@needs(*DESK)
def start(roster_id: UUID) -> Answer:
    """One tap: everybody who waits for a strip has one from now on."""
    first, last = _number("first"), _number("last")
    return _done(roster_id, lambda: _start(roster_id, Start(first, last or first)))


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
    """A tap: positive, then unreadable, then negative again; or what a button says."""
    form, position = request.form, _number("position") or 0
    exposure = form.get("exposure", "")

    def work() -> None:
        cell = next((one for one in _sheet(roster_id).cells if one.position == position), None)
        now_is = cell.mark if cell else None
        signs = {None: Sign.POSITIVE, "positive": Sign.INVALID}
        sign = signs.get(now_is, Sign.NEGATIVE)
        if exposure or "suspect" in form:
            sign = {"positive": Sign.POSITIVE, "invalid": Sign.INVALID}.get(
                now_is or "", Sign.NEGATIVE
            )
        said = Exposure(exposure) if exposure in set(Exposure) else None
        _mark(roster_id, Marked(position, sign, said, "suspect" in form))

    return _done(roster_id, work)


@blueprint.post("/rosters/<uuid:roster_id>/read")
@needs(*DESK)
def read(roster_id: UUID) -> Answer:
    """The confirmation: these numbers, all at once."""
    timer_id = chosen_uuid(request.form, "timer_id")
    counts = Counts(*(_number(name) or 0 for name in ("negative", "positive", "invalid")))
    return _done(roster_id, lambda: _read(roster_id, timer_id, counts), ask=timer_id)


@blueprint.post("/rosters/<uuid:roster_id>/tube")
@needs(*DESK)
def tube_of_positive(roster_id: UUID) -> Answer:
    """The PCR tube of one positive, typed beside the name."""
    specimen_id, text = chosen_uuid(request.form, "specimen_id"), request.form.get("barcode", "")
    return _done(roster_id, lambda: _tube(roster_id, barcodes.parse(text), specimen_id))


def _scanned(roster_id: UUID, text: str) -> Response | None:
    if looks_like_kit(text):
        return choose_box(text)
    match parse_line(text):
        case Start() as said:
            _start(roster_id, said)
            return None
        case tuple() as exceptions:
            _exceptions(roster_id, exceptions)
            return None
        case None:
            pass
    match cards.scan(text):
        case cards.TubeBarcode(barcode):
            _tube(roster_id, barcode, None)
        case cards.Unrecognised():
            raise NotABarcode(came=text[:40], expected=UNDERSTOOD, todo=TYPE_IT)
        case card:
            _card(roster_id, card)
    return None


def _exceptions(roster_id: UUID, said: tuple[Marked, ...]) -> None:
    """All of a line or none of it."""
    site_id = laboratory().site_id

    def work(session: Session) -> None:
        for one in said:
            if one.sign is Sign.ABSENT:
                take_out(session, roster_id, one.position, site_id=site_id)
            else:
                mark_strip(session, roster_id, one, site_id=site_id, now=now())

    in_transaction(work)


def _card(roster_id: UUID, card: cards.ChipCard | cards.EpidemicCode | cards.InsuranceCard) -> None:
    """A newcomer gets the next number; somebody whose strip may be read now is marked positive."""
    lab = laboratory()
    add_id = uuid7()

    def work(session: Session) -> Added:
        return _add(session, roster_id, [MemberGiven(person_of_card(session, card))], add_id)

    sheet = _sheet(roster_id)
    with lab.sessions.begin() as session:
        person = person_of_card(session, card)
    known = next(
        (
            cell
            for cell in sheet.cells
            if person.national_id is None
            and (cell.name, cell.birth_year) == (person.name, person.birth_year)
        ),
        None,
    )
    added = Added((known.position,), 0) if known else in_transaction(work)
    if added.fresh:
        _say_added(added)
        return
    (position,) = added.positions
    if _readable(sheet, position):
        _mark(roster_id, Marked(position, Sign.POSITIVE))
    else:
        flash(_("Number %(n)s already.", n=position), "careful")


def _readable(sheet: RosterSheet, position: int) -> bool:
    cell = next(one for one in sheet.cells if one.position == position)
    return cell.state == "running" and any(
        timer.timer_id == cell.timer_id and timer.readiness(now()) is Readiness.READABLE
        for timer in sheet.timers
    )


def _add(session: Session, roster_id: UUID, members: list[MemberGiven], add_id: UUID) -> Added:
    lab = laboratory()
    return add_members(session, roster_id, members, add_id=add_id, site_id=lab.site_id, now=now())


def _say_added(added: Added) -> None:
    if added.fresh == 1:
        flash(_("Number %(n)s.", n=added.positions[-1]), "good")
    else:
        said = ngettext("%(num)s person more.", "%(num)s people more.", added.fresh)
        flash(said, "good" if added.fresh else "careful")


def _start(roster_id: UUID, said: Start) -> None:
    lab, timer_id = laboratory(), chosen_uuid(request.form, "timer_id") or uuid7()

    def work(session: Session) -> Started:
        lot = chosen_lot(lots_here(session))
        if lot is None:
            raise invalid({"kit": KIT_FIRST})
        given = StartGiven(timer_id, roster_id, lot.lot_id, said.first, said.last)
        return start_timer(session, given, site_id=lab.site_id, by=current().actor, now=now())

    in_transaction(work)


def _mark(roster_id: UUID, marked: Marked) -> None:
    site_id = laboratory().site_id
    in_transaction(
        lambda session: mark_strip(session, roster_id, marked, site_id=site_id, now=now())
    )


def _read(roster_id: UUID, timer_id: UUID | None, counts: Counts) -> None:
    if timer_id is None:
        raise NotFound(came="no timer", where="timer_id")
    lab = laboratory()

    def work(session: Session) -> ReadTimer:
        return read_timer(
            session,
            roster_id,
            timer_id,
            counts,
            site_id=lab.site_id,
            by=current().actor,
            now=now(),
        )

    in_transaction(work)
    said = ngettext("%(num)s negative kept.", "%(num)s negatives kept.", counts.negative)
    flash(said, "good")


def _tube(roster_id: UUID, barcode: str, specimen_id: UUID | None) -> None:
    """To the named positive, else to the first that owes its tube."""
    owed = [one.specimen_id for one in _sheet(roster_id).positives if one.owes_tube]
    chosen = specimen_id or (owed[0] if owed else None)
    if chosen is None:
        raise NotABarcode(
            came=barcodes.shown(barcode), expected=NOTHING_OWED, todo=WAIT_FOR_POSITIVE
        )
    lab = laboratory()
    in_transaction(
        lambda session: take_pcr_tube(
            session, chosen, barcode, site_id=lab.site_id, by=current().actor, now=now()
        )
    )


def _sheet(roster_id: UUID) -> RosterSheet:
    lab = laboratory()
    with lab.sessions.begin() as session:
        sheet = roster_sheet(session, roster_id, site_id=lab.site_id)
    if sheet is None:
        raise NotFound(came=str(roster_id), where="rosters")
    return sheet


def _done(
    roster_id: UUID, work: Callable[[], Response | None], *, ask: UUID | None = None
) -> Answer:
    """Back to the page, or the page with what was refused."""
    try:
        return work() or _back_to(roster_id)
    except InvalidBody as refusal:
        return refused_page(roster_id, refusal)
    except Refusal as refusal:
        return refused_page(roster_id, refusal, ask=ask)


def _back_to(roster_id: UUID) -> Response:
    return redirect(url_for("rapid.roster", roster_id=roster_id), 303)


def _number(field: str) -> int | None:
    said = request.form.get(field, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 5 else None
